"""How a client's typed value differs from the body that it was read from."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from binance_usdm.contract._client_layers.calls import python_name
from binance_usdm.contract._spec.document import Json, resolve
from binance_usdm.contract._spec.exact_json import canonical, first_difference
from binance_usdm.contract._spec.json_of_values import (
    choose_schema,
    field_schema,
    is_map,
    is_tuple,
    item_schema,
)

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _with_plain_amounts(document: Json, schema: Json | None, value: Any) -> Any:
    """Return the value with each amount in plain digits, as it is written back."""
    if schema is None or value is None:
        return value
    schema = choose_schema(document, schema, value)
    if isinstance(value, list):
        return [
            _with_plain_amounts(document, item_schema(schema, index), each)
            for index, each in enumerate(value)
        ]
    if isinstance(value, dict):
        return {
            name: _with_plain_amounts(document, field_schema(schema, name), each)
            for name, each in value.items()
        }
    return format(Decimal(value), "f") if schema.get("format") == "decimal" else value


def _differences(document: Json, schema: Json, parsed: Any, value: Any, path: str) -> Iterator[str]:
    schema = choose_schema(document, schema, value)
    if isinstance(value, list) and is_tuple(schema):
        yield from _tuple_differences(document, schema, parsed, value, path)
    elif isinstance(value, list):
        if type(parsed) is not list or len(parsed) != len(value):
            yield f"{path}: {type(parsed).__name__}"
            return
        for index, item in enumerate(value):
            place = f"{path}[{index}]"
            yield from _differences(document, schema["items"], parsed[index], item, place)
    elif isinstance(value, dict) and is_map(schema):
        if type(parsed) is not dict or [*parsed] != [*value]:
            yield f"{path}: {type(parsed).__name__}"
            return
        for name, item in value.items():
            place = f"{path}.{name}"
            entries = schema["additionalProperties"]
            yield from _differences(document, entries, parsed[name], item, place)
    elif isinstance(value, dict):
        yield from _object_differences(document, schema, parsed, value, path)
    elif value is not None and (is_number(schema) or schema.get("format") == "decimal"):
        if type(parsed) is not Decimal or parsed.as_tuple() != Decimal(value).as_tuple():
            yield f"{path}: {parsed!r}, not {value!r}"
    elif type(parsed) is not type(value) or parsed != value:
        yield f"{path}: {parsed!r}, not {value!r}"


def is_number(schema: Json) -> bool:
    return "number" in schema.get("type", ())


def _tuple_differences(
    document: Json, schema: Json, parsed: Any, value: list[Any], path: str
) -> Iterator[str]:
    known = schema["prefixItems"]
    if canonical(list(parsed.additional_items)) != canonical(value[len(known) :]):
        yield f"{path}: additional {parsed.additional_items!r}"
    for node, item in zip(known, value, strict=False):
        attribute = _attribute(parsed, node, node["x-name"])
        yield from _differences(document, node, attribute, item, f"{path}.{node['x-name']}")
    expected, written = _as_numbers(value), _as_numbers(parsed.to_list())
    if canonical(written) != canonical(expected):
        yield f"{path}: written back differently{first_difference(expected, written)}"


def _as_numbers(value: Any) -> Any:
    """Return JSON with all numbers as `Decimal`: an integer may be typed as a number."""
    if isinstance(value, list):
        return [_as_numbers(each) for each in value]
    if isinstance(value, dict):
        return {name: _as_numbers(each) for name, each in value.items()}
    return Decimal(value) if type(value) is int else value


def _attribute(parsed: Any, node: Json, name: str) -> Any:
    """Return the attribute of a field. That of a deprecated one warns."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return getattr(parsed, node.get("x-python-name", python_name(name)))


def _object_differences(
    document: Json, schema: Json, parsed: Any, value: Json, path: str
) -> Iterator[str]:
    schemas = schema.get("properties", {})
    unknown = {name: each for name, each in value.items() if name not in schemas}
    if canonical(dict(parsed.additional_properties)) != canonical(unknown):
        yield f"{path}: additional {parsed.additional_properties!r}"
    for name, node in schemas.items():
        place, attribute = f"{path}.{name}", _attribute(parsed, node, name)
        if name in value:
            yield from _differences(document, node, attribute, value[name], place)
            instant = resolve(document, node).get("x-instant")
            if instant and (found := _read_instant(parsed, instant)) != _instant(value[name]):
                yield f"{place}: {instant} is {found!r}"
        elif "null" in resolve(document, node).get("type", ()):
            if type(attribute).__name__ != "Missing":
                yield f"{place}: {attribute!r}, not MISSING"
        elif attribute is not None:
            yield f"{place}: {attribute!r}, not None"
    expected, written = _as_numbers(value), _as_numbers(parsed.to_dict())
    if canonical(written) != canonical(expected):
        yield f"{path}: written back differently{first_difference(expected, written)}"


def _read_instant(parsed: Any, name: str) -> Any:
    try:
        instant = getattr(parsed, name)
    except OverflowError as error:
        return type(error)
    return instant and (instant, instant.utcoffset())


def _instant(ms: int) -> Any:
    """Return an instant and its zone: exact to the ms, `None` for 0, no year beyond 9999."""
    try:
        return (EPOCH + timedelta(milliseconds=ms), timedelta(0)) if ms else None
    except OverflowError as error:
        return type(error)
