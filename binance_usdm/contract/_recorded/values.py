"""How a JSON value deviates from a schema of the document, described by types and kinds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final, TypeAlias

from binance_usdm.contract._spec.document import Json
from binance_usdm.contract._spec.schemas import RANGES

Pointer: TypeAlias = tuple[str | int, ...]
"""Path of a node in the document."""
ValueDeviation: TypeAlias = tuple[str, str, Pointer, str, str]
"""Kind, place in the value, pointer to the schema, what came, what was expected."""
_DECIMAL: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
# Other names may be values, as in an object with an entry for each account.
_FIELD_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
HIDDEN_NAME: Final = "*"
_EXPONENT: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?[eE][+-]?[0-9]+")


def node_at(document: Json, pointer: Pointer) -> tuple[Pointer, Any]:
    """Return pointer and node that a pointer leads to, with references at its end resolved.

    Fields beside a reference win.
    """
    node: Any = document
    for step in pointer:
        node = node[step]
    while isinstance(node, dict) and "$ref" in node:
        pointer, target = _target(document, node["$ref"])
        node = {**target, **{name: value for name, value in node.items() if name != "$ref"}}
    return pointer, node


def iter_value_deviations(
    document: Json, pointer: Pointer, value: Any, place: str = ""
) -> Iterator[ValueDeviation]:
    """Yield how a value deviates from the schema that a pointer leads to."""
    where, schema = node_at(document, pointer)
    if "oneOf" in schema:
        # Of two alternatives the second is the list.
        index = int(isinstance(value, list))
        yield from iter_value_deviations(document, (*where, "oneOf", index), value, place)
        return
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    found = describe_kind(value)
    if value is None and types and "null" not in types:
        yield "null", place, pointer, "null", " or ".join(types)
    elif types and not any(_has_type(value, each) for each in types):
        yield "other type", place, pointer, found, " or ".join(types)
    elif isinstance(value, dict):
        yield from _object_deviations(document, where, schema, value, place)
    elif isinstance(value, list):
        yield from _list_deviations(document, where, schema, value, place)
    elif isinstance(value, str):
        yield from _string_deviations(pointer, schema, value, place)
    elif isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        low, high = RANGES.get(schema.get("format", ""), (None, None))
        low, high = schema.get("minimum", low), schema.get("maximum", high)
        if (low is not None and value < low) or (high is not None and value > high):
            side = "below" if low is not None and value < low else "above"
            yield "out of range", place, pointer, f"{side} it", f"{low} to {high}"


def describe_kind(value: Any) -> str:
    """Return what kind of value it is, without the value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, Decimal):
        return "number"
    if isinstance(value, list):
        return "list"
    if isinstance(value, dict):
        return "object"
    for name, pattern in (("decimal string", _DECIMAL), ("string with an exponent", _EXPONENT)):
        if pattern.fullmatch(value):
            return name
    if value.lower() in ("true", "false"):
        return "string of a boolean"
    return "string" if value else "empty string"


def _object_deviations(
    document: Json, pointer: Pointer, schema: Json, value: dict[str, Any], place: str
) -> Iterator[ValueDeviation]:
    known = schema.get("properties", {})
    entries = schema.get("additionalProperties")
    for name in schema.get("required", ()):
        if name not in value:
            yield "missing field", f"{place}.{name}", pointer, "required", ""
    for name, item in value.items():
        if name in known:
            inside: Pointer = (*pointer, "properties", name)
            yield from iter_value_deviations(document, inside, item, f"{place}.{name}")
        elif isinstance(entries, dict):
            # The names of a map are values.
            inside = (*pointer, "additionalProperties")
            yield from iter_value_deviations(document, inside, item, f"{place}.*")
        elif known or entries is False:
            # An object without described fields may have any.
            shown = name if _is_field_name(name, value) else HIDDEN_NAME
            yield "unknown field", f"{place}.{shown}", pointer, describe_kind(item), ""


def _is_field_name(name: str, row: dict[str, Any]) -> bool:
    """Return whether a name looks like one of the exchange's fields, and is no value of its row."""
    return _FIELD_NAME.fullmatch(name) is not None and name not in row.values()


def _list_deviations(
    document: Json, pointer: Pointer, schema: Json, value: list[Any], place: str
) -> Iterator[ValueDeviation]:
    prefix = schema.get("prefixItems", ())
    if len(value) < len(prefix):
        yield "missing item", f"{place}[]", pointer, f"{len(value)} items", f"{len(prefix)} items"
    for index, item in enumerate(value):
        if index < len(prefix):
            inside: Pointer = (*pointer, "prefixItems", index)
            yield from iter_value_deviations(document, inside, item, f"{place}[{index}]")
        elif prefix:
            yield "unknown item", f"{place}[{index}]", pointer, describe_kind(item), ""
        elif isinstance(schema.get("items"), dict):
            yield from iter_value_deviations(document, (*pointer, "items"), item, f"{place}[]")


def _string_deviations(
    pointer: Pointer, schema: Json, value: str, place: str
) -> Iterator[ValueDeviation]:
    if "enum" in schema and value not in schema["enum"]:
        yield "unknown value", place, pointer, "another value", "one of the enum"
    pattern = schema.get("pattern")
    # In Python alone `$` matches before a newline at the end, too.
    strict = None if pattern is None else re.sub(r"(?<!\\)\$$", r"\\Z", pattern)
    if strict is not None and re.search(strict, value) is None:
        expected = str(schema.get("x-rule") or f"the pattern {pattern}")
        yield "out of pattern", place, pointer, describe_kind(value), expected
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        yield "out of length", place, pointer, "another length", "minLength to maxLength"


def _has_type(value: Any, json_type: str) -> bool:
    if isinstance(value, bool):
        return json_type == "boolean"
    types: dict[str, Any] = {
        "string": str,
        "integer": int,
        "number": (int, Decimal),
        "array": list,
        "object": dict,
    }
    return isinstance(value, types.get(json_type, ())) or (value is None and json_type == "null")


def _target(document: Json, reference: str) -> tuple[Pointer, Any]:
    pointer = tuple(reference.removeprefix("#/").split("/"))
    node: Any = document
    for step in pointer:
        node = node[step]
    return pointer, node
