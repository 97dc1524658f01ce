"""Make the JSON Schema of the extensions for tools outside of this project.

It checks the `x-` keys of a document where they stand, and leaves the rest of OpenAPI to others.
"""

from __future__ import annotations

from typing import Any, Final

from generator.checks.grammar import EXTENSIONS, GRAMMAR
from generator.document.openapi import Json

FILE_NAME: Final = "extensions.schema.json"
_OWN_KEYWORDS: Final = {
    "cites-sources", "target-section", "without-point", "without-stray-blank",
}  # fmt: skip
_DEFINITIONS: Json = GRAMMAR["$defs"]


def extension_schema() -> Json:
    """Return the schema, in the dialect that editors and Spectral read."""
    carriers = _definitions_with_extensions()
    structure = {
        name: _extensions_of(_DEFINITIONS[name], carriers)
        for name in sorted(carriers - {*EXTENSIONS["$defs"]})
    }
    values = {
        name: _without_own_keywords(definition)
        for name, definition in _DEFINITIONS.items()
        if name not in carriers or name in EXTENSIONS["$defs"]
    }
    schema = {
        "$schema": GRAMMAR["$schema"],
        "title": "Extensions of an OpenAPI 3.1 document that python -m generator reads",
        "$ref": GRAMMAR["$ref"],
        "$defs": structure | values,
    }
    schema["$defs"] = {name: schema["$defs"][name] for name in sorted(_reachable(schema))}
    return schema


def _definitions_with_extensions() -> set[str]:
    """Return the names of the definitions that have an `x-` key somewhere below."""
    carriers: set[str] = set()
    while True:
        found = {
            name
            for name, definition in _DEFINITIONS.items()
            if any(key.startswith("x-") for key in _property_names(definition))
            or {*_references(definition)} & carriers
        }
        if found == carriers:
            return carriers
        carriers = found


def _extensions_of(node: Any, carriers: set[str]) -> Json:
    """Return what a schema says about extensions; an empty schema if that is nothing."""
    if not isinstance(node, dict):
        return {}
    if "$ref" in node:
        return {"$ref": node["$ref"]} if _target(node["$ref"]) in carriers else {}
    kept: Json = {}
    properties = {
        key: _without_own_keywords(value)
        if key.startswith("x-")
        else _extensions_of(value, carriers)
        for key, value in node.get("properties", {}).items()
    }
    if properties := {key: value for key, value in properties.items() if value}:
        kept["properties"] = properties
    if required := [key for key in node.get("required", ()) if key.startswith("x-")]:
        kept["required"] = required
    for keyword in ("additionalProperties", "items", "then", "else"):
        if value := _extensions_of(node.get(keyword), carriers):
            kept[keyword] = value
    if "if" in node and {"then", "else"} & {*kept}:
        kept["if"] = node["if"]
    return kept


def _without_own_keywords(node: Any) -> Any:
    """Copy a schema in standard keywords. Extensions of other tools are allowed everywhere."""
    if isinstance(node, list):
        return [_without_own_keywords(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    copied = {
        key: _without_own_keywords(value) for key, value in node.items() if key not in _OWN_KEYWORDS
    }
    if node.get("additionalProperties") is False:
        copied["patternProperties"] = {"^x-": True}
    return copied


def _property_names(node: Any) -> set[str]:
    if isinstance(node, list):
        return {name for entry in node for name in _property_names(entry)}
    if not isinstance(node, dict):
        return set()
    names = {*node.get("properties", {})} if isinstance(node.get("properties"), dict) else set()
    return names.union(*(_property_names(entry) for entry in node.values()))


def _references(node: Any) -> list[str]:
    """Return the names of the definitions that a schema refers to."""
    if isinstance(node, list):
        return [name for entry in node for name in _references(entry)]
    if not isinstance(node, dict):
        return []
    own = [_target(node["$ref"])] if isinstance(node.get("$ref"), str) else []
    return own + [name for entry in node.values() for name in _references(entry)]


def _target(reference: str) -> str:
    return reference.rpartition("/")[2]


def _reachable(schema: Json) -> set[str]:
    found: set[str] = set()
    pending = [_target(schema["$ref"])]
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += _references(schema["$defs"][name])
    return found
