"""The Python type of a schema, and the expressions that read it from JSON and write it back.

A further JSON type or format needs a builder in `_BUILDERS`, an entry in `schemas.KEYWORDS_BY_TYPE`
and a reader in `runtime/`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from generator.document.openapi import Json, component_class, component_name, resolve

from .integers import bounds

Dump = Callable[[str, int], str]
"""Function (expression of a typed value, depth of comprehensions) -> expression of its JSON."""


def _dump_plain(value: str, depth: int) -> str:
    return value


@dataclass(frozen=True)
class ValueType:
    """How a JSON value looks in Python."""

    annotation: str
    """Type in annotations."""
    reader: str
    """Expression of a function that checks a decoded JSON value and types it."""
    dump: Dump = _dump_plain
    """Returns the expression that turns a typed value back into JSON."""
    record: str | None = None
    """Type that msgspec reads it as. `None` if the reader must check more."""
    is_amount: bool = False
    is_hashable: bool = True
    row_class: str | None = None
    """Class of the object or of the rows, if there is one."""
    classes: frozenset[str] = frozenset()
    """Every class in the annotation."""
    rows: str = ""
    """`list` of rows, `one` object, or `either`, where there is a class."""

    @property
    def is_plain(self) -> bool:
        """Whether a typed value is its own JSON."""
        return self.dump("x", 0) == "x"


def value_type(document: Json, node: Json) -> ValueType:
    """Return the type of a schema that has passed the lint."""
    schema = resolve(document, node)
    if "oneOf" in schema:
        return _one_or_many(document, schema)
    json_type, is_nullable = split_type(schema["type"])
    plain = _BUILDERS[json_type](document, node, schema)
    return _nullable(plain) if is_nullable else plain


def split_type(json_type: Any) -> tuple[Any, bool]:
    """Return the type without null, and whether null is allowed."""
    if not isinstance(json_type, list):
        return json_type, False
    others = [entry for entry in json_type if entry != "null"]
    if len(json_type) == 2 and len(others) == 1:
        return others[0], True
    return json_type, False


def is_map(schema: Json) -> bool:
    """Return whether an object has open keys with values of one type."""
    return isinstance(schema.get("additionalProperties"), dict)


def is_class(schema: Json) -> bool:
    """Return whether a component becomes a Python class: an object or a tuple row."""
    json_type = split_type(schema.get("type"))[0]
    is_object = json_type == "object" and not is_map(schema)
    return is_object or (json_type == "array" and "prefixItems" in schema)


def _nullable(plain: ValueType) -> ValueType:
    def dump(value: str, depth: int) -> str:
        inner = plain.dump(value, depth)
        return value if inner == value else f"None if {value} is None else {inner}"

    annotation = f"{plain.annotation} | None"
    return replace(
        plain, annotation=annotation, reader=f"nullable_reader({plain.reader})", dump=dump,
        record=None, is_amount=False, row_class=None, rows="",
    )  # fmt: skip


def _boolean(document: Json, node: Json, schema: Json) -> ValueType:
    return ValueType("bool", "read_boolean", record="bool")


def _integer(document: Json, node: Json, schema: Json) -> ValueType:
    low, high = bounds(schema)
    record = f"Annotated[int, msgspec.Meta(ge={low}, le={high})]"
    return ValueType("int", f"integer_reader({low}, {high})", record=record)


def _number(document: Json, node: Json, schema: Json) -> ValueType:
    limits = [number_literal(schema.get(name)) for name in ("minimum", "maximum")]
    if limits == ["None", "None"]:
        return ValueType("Decimal", "read_number")
    return ValueType("Decimal", f"number_reader({', '.join(limits)})")


def number_literal(value: float | None) -> str:
    """Return the expression of a bound of a number."""
    return "None" if value is None else f'Decimal("{value}")'


def _string(document: Json, node: Json, schema: Json) -> ValueType:
    if schema.get("format") == "decimal":
        return ValueType(
            "Decimal", "read_decimal", lambda value, depth: f"format_decimal({value})",
            record="str", is_amount=True,
        )  # fmt: skip
    reader = "read_string"
    if "pattern" in schema:
        reader = f"pattern_reader({schema['pattern']!r})"
    if "minLength" in schema or "maxLength" in schema:
        lengths = f"{schema.get('minLength', 0)}, {schema.get('maxLength')}"
        return ValueType("str", f"length_reader({lengths}, {reader})")
    return ValueType("str", reader, record=None if "pattern" in schema else "str")


def _array(document: Json, node: Json, schema: Json) -> ValueType:
    if "prefixItems" in schema:
        name = component_class(document, str(component_name(node)))
        return _class(name, "to_list")
    item = value_type(document, schema["items"])

    def dump(value: str, depth: int) -> str:
        name = f"item{depth or ''}"
        return f"[{item.dump(name, depth + 1)} for {name} in {value}]"

    return ValueType(
        f"list[{item.annotation}]", f"array_reader({item.reader})", dump, is_hashable=False,
        row_class=item.row_class if item.rows == "one" else None, classes=item.classes, rows="list",
    )  # fmt: skip


def _object(document: Json, node: Json, schema: Json) -> ValueType:
    if not is_map(schema):
        return _class(component_class(document, str(component_name(node))), "to_dict")
    item = value_type(document, schema["additionalProperties"])

    def dump(value: str, depth: int) -> str:
        name, key = f"item{depth or ''}", f"key{depth or ''}"
        return f"{{{key}: {item.dump(name, depth + 1)} for {key}, {name} in {value}.items()}}"

    annotation = f"dict[str, {item.annotation}]"
    reader = f"map_reader({item.reader})"
    return ValueType(annotation, reader, dump, is_hashable=False, classes=item.classes)


def _class(name: str, method: str) -> ValueType:
    def dump(value: str, depth: int) -> str:
        return f"{value}.{method}()"

    classes = frozenset({name})
    return ValueType(name, f"{name}.read", dump, row_class=name, classes=classes, rows="one")


def _one_or_many(document: Json, schema: Json) -> ValueType:
    """Return the type of a value that is one object or an array of them."""
    one, many = (value_type(document, entry) for entry in schema["oneOf"])
    reader = f"one_or_many_reader({one.reader}, {many.reader})"

    def dump(value: str, depth: int) -> str:
        return (
            f"{many.dump(value, depth)} if isinstance({value}, list) else {one.dump(value, depth)}"
        )

    return ValueType(
        f"{one.annotation} | {many.annotation}", reader, dump, is_hashable=False,
        row_class=one.row_class, classes=one.classes | many.classes, rows="either",
    )  # fmt: skip


_BUILDERS: Final[dict[str, Callable[[Json, Json, Json], ValueType]]] = {
    "boolean": _boolean,
    "integer": _integer,
    "number": _number,
    "string": _string,
    "array": _array,
    "object": _object,
}
