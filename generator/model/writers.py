"""The Python type of an argument, and the expression that checks and encodes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from generator.document.openapi import JSON_CONTENT, Json, resolve

from .integers import bounds
from .literals import plain_text, quoted
from .value_types import number_literal, value_type


@dataclass(frozen=True)
class ArgumentType:
    """How an argument looks in Python."""

    annotation: str
    """Type in annotations, without `None`."""
    type: str
    """Class of the argument, or of its items."""
    writer: str
    """Expression of a function that checks an argument and encodes it."""
    choices: tuple[str | int, ...] = ()
    is_list: bool = False
    reader: str | None = None
    """Expression that types a JSON value, for an argument that is sent as JSON."""
    classes: frozenset[str] = frozenset()
    """Every class in the annotation."""


def argument_node(parameter: Json) -> Json:
    """Return the schema of a resolved parameter, possibly a `$ref`."""
    media: Json = parameter.get("content", {}).get(JSON_CONTENT, parameter)
    schema: Json = media["schema"]
    return schema


def argument_schema(document: Json, parameter: Json) -> Json:
    """Return the schema of a resolved parameter, resolved."""
    return resolve(document, argument_node(parameter))


def argument_type(document: Json, parameter: Json) -> ArgumentType:
    """Return the type of a resolved parameter that has passed the lint."""
    schema = argument_schema(document, parameter)
    if "content" in parameter:
        return _json(document, argument_node(parameter))
    if schema["type"] == "array":
        return _list(document, schema)
    return _BUILDERS[schema["type"]](schema)


def _json(document: Json, node: Json) -> ArgumentType:
    value = value_type(document, node)
    dump = value.dump("value", 0)
    writer = f"json_writer(lambda value: {dump}, {value.reader})"
    name = value.annotation.partition("[")[0]
    return ArgumentType(value.annotation, name, writer, reader=value.reader, classes=value.classes)


def _list(document: Json, schema: Json) -> ArgumentType:
    item = _BUILDERS[resolve(document, schema["items"])["type"]](resolve(document, schema["items"]))
    lengths = f"{schema.get('minItems', 0)}, {schema.get('maxItems')}"
    writer = f"list_writer({item.writer}, {lengths})"
    return ArgumentType(f"list[{item.annotation}]", item.type, writer, item.choices, is_list=True)


def _boolean(schema: Json) -> ArgumentType:
    return ArgumentType("bool", "bool", "write_boolean")


def _integer(schema: Json) -> ArgumentType:
    low, high = bounds(schema)
    writer = f"integer_writer({low}, {high})"
    if "enum" in schema:
        choices = tuple(schema["enum"])
        return ArgumentType("int", "int", f"integer_choice_writer({_listed(choices)})", choices)
    return ArgumentType("int", "int", writer)


def _number(schema: Json) -> ArgumentType:
    limits = [number_literal(schema.get(name)) for name in ("minimum", "maximum")]
    if limits == ["None", "None"]:
        return ArgumentType("Decimal", "Decimal", "write_decimal")
    return ArgumentType("Decimal", "Decimal", f"decimal_writer({', '.join(limits)})")


def _string(schema: Json) -> ArgumentType:
    if schema.get("format") == "decimal":
        return ArgumentType("Decimal", "Decimal", "write_decimal")
    if "enum" in schema:
        choices = tuple(schema["enum"])
        return ArgumentType("str", "str", f"choice_writer({_listed(choices)})", choices)
    writer = "write_text"
    if "pattern" in schema:
        rule = plain_text(schema.get("x-rule", "a string in the form that the spec states"))
        writer = f"pattern_writer({schema['pattern']!r}, {quoted(rule)})"
    if "minLength" in schema or "maxLength" in schema:
        writer = f"length_writer({schema.get('minLength', 0)}, {schema.get('maxLength')}, {writer})"
    return ArgumentType("str", "str", writer)


def _listed(choices: tuple[str | int, ...]) -> str:
    return ", ".join(map(repr, choices))


_BUILDERS: Final[dict[str, Callable[[Json], ArgumentType]]] = {
    "boolean": _boolean,
    "integer": _integer,
    "number": _number,
    "string": _string,
}
