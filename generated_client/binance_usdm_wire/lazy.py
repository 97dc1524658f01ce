# Copied by `python -m generator` from generator/runtime. Do not edit.
"""Import the module of an operation or a class when it is first used.

So a program pays for the operations that it calls, however many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, Final, TypeVar

from .types import Operation

PACKAGE: Final = __name__.rpartition(".")[0]
T = TypeVar("T")


class LazyOperations(Mapping[str, Operation[Any]]):
    """Operations by id, in the order of the spec.

    Args:
        folder_by_id: Folder of `api` with the module of each operation.
    """

    def __init__(self, folder_by_id: Mapping[str, str]) -> None:
        self._folder_by_id = folder_by_id

    def __getitem__(self, name: str) -> Operation[Any]:
        operation: Operation[Any] = self.load_module(name).OPERATION
        return operation

    def __iter__(self) -> Iterator[str]:
        return iter(self._folder_by_id)

    def __len__(self) -> int:
        return len(self._folder_by_id)

    def __contains__(self, name: object) -> bool:
        return name in self._folder_by_id

    def load_module(self, name: str) -> Any:
        """Return the module of an operation.

        Raises:
            KeyError: There is no such operation.
        """
        return import_module(f"{PACKAGE}.api.{self._folder_by_id[name]}.{name}")


class LazyMethod:
    """Method of an operation. The real one takes its place when it is first used."""

    __slots__ = ("_name", "_operation", "_operations", "_owner", "_source")

    def __init__(
        self, owner: type, operations: LazyOperations, operation: str, source: str, name: str
    ) -> None:
        self._owner = owner
        self._operations = operations
        self._operation = operation
        self._source = source
        self._name = name

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        source = getattr(self._operations.load_module(self._operation), self._source)
        method = vars(source)[self._name]
        setattr(self._owner, self._name, method)
        return method.__get__(instance, owner)


def lazy_methods(operations: LazyOperations, source: str) -> Callable[[type[T]], type[T]]:
    """Return a decorator that adds the two methods of each operation to a class.

    Args:
        operations: The operations.
        source: Class in the module of an operation that has its methods.
    """

    def add_methods(owner: type[T]) -> type[T]:
        for operation in operations:
            for name in (operation, f"{operation}_detailed"):
                setattr(owner, name, LazyMethod(owner, operations, operation, source, name))
        return owner

    return add_methods


def import_class(module_by_name: Mapping[str, str], namespace: dict[str, Any], name: str) -> Any:
    """Return a class of `models`, and keep it in the namespace of the module that is asked for it.

    Raises:
        AttributeError: There is no such class.
    """
    if name not in module_by_name:
        raise AttributeError(f"module {namespace['__name__']!r} has no attribute {name!r}")
    model_class = getattr(import_module(f"{PACKAGE}.models.{module_by_name[name]}"), name)
    namespace[name] = model_class
    return model_class
