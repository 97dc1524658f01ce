"""The JSON of the client's typed values, by the schema of the spec."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from binance_usdm.contract._spec.document import Json, resolve


def to_json(document: Json, schema: Json, value: Any) -> Any:
    """Return the JSON value of a typed value. A JSON number stays a `Decimal`."""
    schema = choose_schema(document, schema, value)
    if value is None:
        return None
    if hasattr(value, "to_list"):
        return value.to_list()
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if isinstance(value, list):
        return [to_json(document, schema["items"], item) for item in value]
    if isinstance(value, dict):
        entries = schema["additionalProperties"]
        return {name: to_json(document, entries, item) for name, item in value.items()}
    is_amount = isinstance(value, Decimal) and schema.get("format") == "decimal"
    return format(value, "f") if is_amount else value


def choose_schema(document: Json, schema: Json, value: Any) -> Json:
    """Return the schema of a value: of two alternatives the one that fits."""
    schema = resolve(document, schema)
    if "oneOf" in schema:
        schema = resolve(document, schema["oneOf"][isinstance(value, list)])
    return schema


def is_tuple(schema: Json) -> bool:
    return "prefixItems" in schema


def is_map(schema: Json) -> bool:
    return isinstance(schema.get("additionalProperties"), dict)


def field_schema(schema: Json, name: str) -> Json | None:
    """Return the schema of a field, `None` for one that the spec does not know."""
    if is_map(schema):
        entries: Json = schema["additionalProperties"]
        return entries
    known: Json | None = schema.get("properties", {}).get(name)
    return known


def item_schema(schema: Json, index: int) -> Json | None:
    """Return the schema of an item, `None` for one that the spec does not know."""
    if is_tuple(schema):
        known: Json | None = next(iter(schema["prefixItems"][index : index + 1]), None)
        return known
    items: Json = schema["items"]
    return items
