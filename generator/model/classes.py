"""The Python classes of a spec: objects, and rows that are arrays of different values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from generator.document.openapi import Json, component_class, python_name, renamed, resolve

from .value_types import ValueType, is_class, split_type, value_type


@dataclass(frozen=True)
class Field:
    """An attribute of a class."""

    wire_name: str
    """Name of the JSON field. For an item of an array, the name that the spec gives it."""
    name: str
    description: str
    value: ValueType
    is_required: bool
    is_deprecated: bool
    is_holding: bool
    is_time: bool
    """Whether it is ms since 1970-01-01 UTC."""
    instant: str | None
    """Name of a second, computed attribute: the time as a datetime."""
    known_values: tuple[str | int, ...]
    """Values that the spec lists; others may come."""

    @cached_property
    def slot(self) -> str:
        """Name of the attribute that stores the value. That of a deprecated field is private."""
        return f"_{self.name}" if self.is_deprecated else self.name

    @cached_property
    def can_be_missing_or_null(self) -> bool:
        """Whether missing and null are two states beside the value."""
        return not self.is_required and self.value.annotation.endswith(" | None")

    @cached_property
    def annotation(self) -> str:
        if self.is_required:
            return self.value.annotation
        absent = " | Missing" if self.can_be_missing_or_null else " | None"
        return self.value.annotation + absent

    @cached_property
    def absent(self) -> str:
        """Expression of the value of a field that is not there."""
        return "MISSING" if self.can_be_missing_or_null else "None"

    @cached_property
    def default(self) -> str:
        """What stands after the annotation."""
        options = [] if self.is_required else [f"default={self.absent}"]
        if not self.value.is_hashable:
            options.append("hash=False")
        if self.is_deprecated:
            options.append(f'alias="{self.name}"')
        if options == [f"default={self.absent}"]:
            return f" = {self.absent}"
        return f" = field({', '.join(options)})" if options else ""

    @cached_property
    def reader(self) -> str:
        if self.is_required:
            return self.value.reader
        function = "known_or_missing_reader" if self.can_be_missing_or_null else "optional_reader"
        return f"{function}({self.value.reader})"

    @cached_property
    def read(self) -> str:
        """Name of the reader. One that has to be made is made once, for the module."""
        return f"_read_{self.name}" if "(" in self.reader else self.reader

    @cached_property
    def dump(self) -> str:
        return self.value.dump(f"self.{self.slot}", 0)

    @cached_property
    def from_record(self) -> str:
        """Expression of the value from a record of msgspec."""
        value = f"_record.{self.name}"
        if self.is_required:
            return f"{self.name}_value" if self.value.is_amount else value
        read = f"read_decimal({value}, None)" if self.value.is_amount else value
        return f"None if {value} is msgspec.UNSET else {read}"

    @cached_property
    def documentation(self) -> str:
        """The description, with what else a reader of the code should know."""
        parts = [self.description]
        if self.known_values:
            parts.append(
                f"Known values: {', '.join(map(str, self.known_values))}; others may come."
            )
        if self.can_be_missing_or_null:
            parts.append("`MISSING` when the response does not have it, `None` when it is null.")
        if self.is_deprecated:
            parts.append("Deprecated: the exchange is going to remove it.")
        return " ".join(parts)


@dataclass(frozen=True)
class ClassInfo:
    """A class of `models`."""

    name: str
    component: str
    """The component, or the name that replaces it."""
    module: str
    description: str
    fields: tuple[Field, ...]
    is_tuple: bool
    is_row: bool
    """Whether a response is an array of it."""

    @cached_property
    def has_records(self) -> bool:
        """Whether msgspec can read its rows: each field is a scalar that is not deprecated."""
        records = all(field.value.record and not field.is_deprecated for field in self.fields)
        return self.is_row and not self.is_tuple and bool(self.fields) and records

    @cached_property
    def amounts(self) -> list[Field]:
        """The fields that are amounts and always there."""
        return [field for field in self.fields if field.value.is_amount and field.is_required]

    @cached_property
    def classes(self) -> set[str]:
        """The other classes that it uses."""
        return {name for field in self.fields for name in field.value.classes} - {self.name}


def collect_classes(document: Json, used: set[str], rows: set[str]) -> dict[str, ClassInfo]:
    """Return the classes of a spec by name.

    Args:
        document: A document that has passed the lint.
        used: Components that operations reach.
        rows: Classes of which a response is an array.
    """
    schemas = document["components"].get("schemas", {})
    infos = [
        _class_info(document, component, schema, rows)
        for component, schema in schemas.items()
        if component in used and is_class(schema)
    ]
    return {info.name: info for info in infos}


def named_fields(schema: Json) -> Iterator[tuple[str, Json, bool]]:
    """Yield name, schema and obligation of each property, or of each item of a tuple row."""
    for item in schema.get("prefixItems", ()):
        yield str(item.get("x-name", "")), item, True
    required = schema.get("required", ())
    for name, node in schema.get("properties", {}).items():
        yield name, node, name in required


def _class_info(document: Json, component: str, schema: Json, rows: set[str]) -> ClassInfo:
    name = component_class(document, component)
    return ClassInfo(
        name=name,
        component=str(schema.get("x-python-name", component)),
        module=python_name(name),
        description=schema["description"],
        fields=tuple(_field(document, *entry) for entry in named_fields(schema)),
        is_tuple=split_type(schema["type"])[0] == "array",
        is_row=name in rows,
    )


def _field(document: Json, wire_name: str, node: Json, is_required: bool) -> Field:
    schema = resolve(document, node)
    instant = schema.get("x-instant")
    return Field(
        wire_name=wire_name,
        name=renamed(node, wire_name),
        description=schema["description"],
        value=value_type(document, node),
        is_required=is_required,
        is_deprecated=schema.get("deprecated") is True,
        is_holding=node.get("x-holding") is True,
        is_time=bool(instant) or schema.get("x-exchange-clock") is True,
        instant=python_name(instant) if instant else None,
        known_values=tuple(schema.get("enum", ())),
    )
