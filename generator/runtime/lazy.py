"""Import the module of an operation or a class when it is first used.

So a program pays for the operations that it calls, however many there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, Final

from .types import Operation

PACKAGE: Final = __name__.rpartition(".")[0]


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


class LazyMethods(type):
    """Metaclass of a class with two methods for each operation.

    The class names the operations, `_OPERATIONS`, and the class in an operation's module that has
    the methods, `_SOURCE`. A method becomes one of the class when it is first used.
    """

    _OPERATIONS: LazyOperations
    _SOURCE: str

    def __getattr__(cls, name: str) -> Any:
        # A dunder name is asked for by Python itself, also while the class is being made.
        operation = name.removesuffix("_detailed")
        if name.startswith("__") or operation not in cls._OPERATIONS:
            raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")
        source = getattr(cls._OPERATIONS.load_module(operation), cls._SOURCE)
        method = vars(source)[name]
        owner = next(base for base in cls.__mro__ if "_OPERATIONS" in vars(base))
        setattr(owner, name, method)
        return method

    def __dir__(cls) -> list[str]:
        methods = [method for name in cls._OPERATIONS for method in (name, f"{name}_detailed")]
        return sorted({*super().__dir__(), *methods})


def bind_method(instance: object, name: str) -> Any:
    """Return the method of an instance whose class has the metaclass `LazyMethods`."""
    return getattr(type(instance), name).__get__(instance)


def import_class(module_by_name: Mapping[str, str], namespace: dict[str, Any], name: str) -> Any:
    """Return a class of `models`, and keep it in the namespace of the module that is asked for it.

    Raises:
        AttributeError: There is no such class.
    """
    if name not in module_by_name:
        raise AttributeError(f"module {namespace['__name__']!r} has no attribute {name!r}")
    found = getattr(import_module(f"{PACKAGE}.models.{module_by_name[name]}"), name)
    namespace[name] = found
    return found
