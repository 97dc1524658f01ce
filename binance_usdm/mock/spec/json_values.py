"""Validate JSON values against JSON Schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from binance_usdm.mock.core.shapes import describe_names, suggest_names

from .schema import Schema, is_valid_scalar

_PYTHON_TYPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, Decimal),
    "null": type(None),
}
_REPORTED: Final = (
    "format", "pattern", "const", "minLength", "maxLength", "minimum", "maximum",
    "exclusiveMinimum", "exclusiveMaximum",
)  # fmt: skip
"""Keywords that a message repeats."""

Resolve = Callable[[Schema], Schema]
"""Function that follows the reference of a schema, if it has one."""
Problems = Iterator[tuple[str, str]]
"""(path, problem): where a value violates a schema, and how."""


def iter_errors(schema: Schema, value: Any, resolve: Resolve, path: str) -> Problems:
    """Return where and how a JSON value violates a schema.

    Keywords that this module does not support are ignored.

    Args:
        schema: Schema, with references.
        value: JSON value, with fractions as Decimals.
        resolve: Function that follows a reference.
        path: How to call the value itself. The paths of its parts begin with it.

    Returns:
        Pairs of path and problem, in the order of the value.
    """
    schema = resolve(schema)
    for part in schema.get("allOf", ()):
        yield from iter_errors(part, value, resolve, path)
    if "oneOf" in schema:
        yield from _alternative_errors(schema["oneOf"], value, resolve, path)
    types = _types_of(schema)
    checks = _CHECKS_BY_TYPE.get(type(value))
    json_type = next((name for name in types if _is_type(name, value)), None)
    if types and json_type is None:
        yield path, f"is not of type {' or '.join(types)}"
    elif checks is not None:
        for keyword, check in checks.items():
            if keyword in schema:
                yield from check(schema, value, resolve, path)
    elif value is not None and json_type is not None:
        # The enums of responses are open: the exchange adds values.
        closed = {name: entry for name, entry in schema.items() if name != "enum"}
        yield from _scalar_errors({**closed, "type": json_type}, value, path)


def _required_errors(schema: Schema, value: Any, resolve: Resolve, path: str) -> Problems:
    missing = [name for name in schema["required"] if name not in value]
    if missing:
        yield path, f"lacks {', '.join(missing)}"


def _alternative_errors(
    alternatives: Sequence[Schema], value: Any, resolve: Resolve, path: str
) -> Problems:
    """Yield the errors of the alternative that fits best."""
    errors_by_schema = [[*iter_errors(schema, value, resolve, path)] for schema in alternatives]
    if all(errors_by_schema):
        # One that is wrong inside is the one that was meant.
        yield from max(errors_by_schema, key=lambda errors: len(errors[0][0]))


def _unknown_field_errors(schema: Schema, value: Any, resolve: Resolve, path: str) -> Problems:
    properties = schema.get("properties", {})
    unknown = [name for name in value if name not in properties]
    additional = schema["additionalProperties"]
    if isinstance(additional, Mapping):
        for name in unknown:
            # Unlike the name of a property, a key may be anything that was received.
            inside = f"{path}.{describe_names([name])}"
            yield from iter_errors(additional, value[name], resolve, inside)
    elif unknown and additional is False:
        expected = ", ".join(properties) or "none"
        problem = f"has the unknown field {describe_names(unknown)}; expected: {expected}"
        yield path, problem + suggest_names(unknown, properties)


def _field_errors(schema: Schema, value: Any, resolve: Resolve, path: str) -> Problems:
    for name, field_schema in schema["properties"].items():
        if name in value:
            yield from iter_errors(field_schema, value[name], resolve, f"{path}.{name}")


def _item_errors(schema: Schema, value: Any, resolve: Resolve, path: str) -> Problems:
    for index, item in enumerate(value):
        yield from iter_errors(schema["items"], item, resolve, f"{path}[{index}]")


def _prefix_errors(schema: Schema, value: Any, resolve: Resolve, path: str) -> Problems:
    items = schema["prefixItems"]
    if len(value) < len(items):
        yield path, f"has {len(value)} items instead of {len(items)}"
    for index, (item_schema, item) in enumerate(zip(items, value, strict=False)):
        yield from iter_errors(item_schema, item, resolve, f"{path}[{index}]")


def _scalar_errors(schema: Schema, value: Any, path: str) -> Problems:
    if not is_valid_scalar(schema, value):
        reported = [f"{name} {schema[name]}" for name in _REPORTED if name in schema]
        yield path, f"does not match {', '.join(reported) or schema['type']}"


_Check = Callable[[Schema, Any, Resolve, str], Problems]
_CHECKS_BY_TYPE: Final[Mapping[type, Mapping[str, _Check]]] = {
    dict: {
        "required": _required_errors,
        "additionalProperties": _unknown_field_errors,
        "properties": _field_errors,
    },
    list: {"items": _item_errors, "prefixItems": _prefix_errors},
}


def _types_of(schema: Schema) -> tuple[str, ...]:
    declared = schema.get("type", ())
    return (declared,) if isinstance(declared, str) else tuple(declared)


def _is_type(json_type: str, value: Any) -> bool:
    # A bool is an int in Python, but not a number in JSON.
    is_bool = isinstance(value, bool)
    return isinstance(value, _PYTHON_TYPES[json_type]) and is_bool is (json_type == "boolean")


def field_schema(schema: Schema, name: str) -> Schema:
    """Return the schema of an object's field, empty for one without."""
    additional = schema.get("additionalProperties")
    described: Schema = schema.get("properties", {}).get(name)
    if described is not None:
        return described
    return additional if isinstance(additional, Mapping) else {}


def item_schema(schema: Schema, index: int) -> Schema:
    """Return the schema of an array's item, empty for one without."""
    first: Sequence[Schema] = schema.get("prefixItems", ())
    if index < len(first):
        return first[index]
    items: Schema = schema.get("items", {})
    return items


def alternatives(schema: Schema, value: Any) -> list[Schema]:
    """Return the alternatives of `oneOf` that are for a value: those of arrays, or the others."""
    is_list = isinstance(value, list)
    return [part for part in schema.get("oneOf", ()) if (part.get("type") == "array") is is_list]
