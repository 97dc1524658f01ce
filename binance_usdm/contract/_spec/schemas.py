"""Schemas as the exchange means them: ranges of formats, open enums, strings that can be sent."""

from __future__ import annotations

from typing import Any, Final

from binance_usdm.contract._spec.document import JSON_TYPE, METHODS, Json, resolve

# What the exchange refuses in every string, whatever its pattern: nothing, spaces, controls.
SENDABLE: Final = "^[^\\x00-\\x20\\x7f\\ufffd]+$"
RANGES: Final = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}


def argument_schema(document: Json, parameter: Json) -> Json:
    """Return the schema of a resolved parameter, with the bounds that its format has."""
    content = parameter.get("content")
    schema = resolve(document, (content[JSON_TYPE] if content else parameter)["schema"])
    if content:
        return schema
    if schema.get("type") == "array":
        return {**schema, "items": argument_schema(document, {"schema": schema["items"]})}
    if schema.get("type") == "string" and not {"pattern", "enum"} & {*schema}:
        return {**schema, "pattern": SENDABLE}
    return with_range(schema)


def with_range(schema: Json) -> Json:
    """Return a schema with the bounds of its format, where it has none of its own."""
    if schema.get("format") not in RANGES or "enum" in schema:
        return schema
    low, high = RANGES[schema["format"]]
    return {"minimum": low, "maximum": high, **schema}


def judged(node: Any) -> Any:
    """Return schemas of responses as the exchange means them.

    Integers have the range of their format, rows that are arrays have all their items, and enums
    are open: an unknown value is a value.
    """
    if isinstance(node, list):
        return [judged(each) for each in node]
    if not isinstance(node, dict):
        return node
    inside = {
        name: {field: judged(each) for field, each in entry.items()}
        if name == "properties"
        else judged(entry)
        for name, entry in node.items()
        if name not in ("enum", "examples", "description")
    }
    if "prefixItems" in node:
        inside["minItems"] = len(node["prefixItems"])
    return with_range(inside) if node.get("format") in RANGES else inside


def effective(document: Json) -> dict[str, Any]:
    """Return the document with what the product knows of its parameters, for schemathesis."""

    def put(parameter: Json) -> dict[str, Any]:
        resolved = resolve(document, parameter)
        schema = argument_schema(document, resolved)
        if "content" not in resolved:
            return {**resolved, "schema": schema}
        return {**resolved, "content": {JSON_TYPE: {"schema": schema}}}

    paths = {
        path: {
            name: {**node, "parameters": [put(each) for each in node.get("parameters", ())]}
            if name in METHODS
            else node
            for name, node in item.items()
        }
        for path, item in document["paths"].items()
    }
    return {**document, "paths": paths}
