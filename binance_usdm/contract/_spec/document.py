"""The OpenAPI document of the exchange: references, fields, and what a caller sees of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, TypeAlias

Json: TypeAlias = Mapping[str, Any]
METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
JSON_TYPE: Final = "application/json"
SPEC: Any = json.loads((files("binance_usdm_wire") / "openapi.json").read_bytes())
"""The document that this package was generated from."""


def without_credentials(document: Json) -> dict[str, Any]:
    """Return the document as a caller of the client sees it: the client signs and adds the time."""

    def strip(node: Json) -> dict[str, Any]:
        kept = [
            each
            for each in node.get("parameters", ())
            if resolve(document, each).get("x-signing-role") != "timestamp"
        ]
        return {**node, "security": [], "parameters": kept}

    paths = {
        path: {name: strip(node) if name in METHODS else node for name, node in item.items()}
        for path, item in document["paths"].items()
    }
    return {**document, "paths": paths, "security": []}


def load_document(path: Path) -> Any:
    """Read an OpenAPI document from a file, in JSON or YAML.

    Args:
        path: Path of the file.

    Raises:
        ValueError: It cannot be read, or is not a document that the layers can use.
    """
    try:
        source = path.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    try:
        document = json.loads(source)
    except ValueError:
        document = _load_yaml(source)
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        raise ValueError("is not an OpenAPI document")
    for path_name, item in document["paths"].items():
        for method in METHODS:
            for name in ("operationId", "x-weight", "responses"):
                if name not in item.get(method, {name: ""}):
                    raise ValueError(f"{method.upper()} {path_name} has no {name}")
    return document


def _load_yaml(source: bytes) -> Any:
    # Only a document in YAML needs it.
    import yaml  # type: ignore[import-untyped]

    try:
        # Statuses are keys, which are strings in JSON.
        return json.loads(json.dumps(yaml.safe_load(source)))
    except (yaml.YAMLError, TypeError, ValueError):
        raise ValueError("is neither JSON nor YAML") from None


def resolve(document: Json, node: Json) -> Json:
    """Return the node that a reference names; fields beside the reference win."""
    while "$ref" in node:
        target: Any = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = {**target, **{name: value for name, value in node.items() if name != "$ref"}}
    return node


def fields(document: Json, schema: Json) -> Iterator[tuple[str, Json]]:
    """Yield name and schema of every field, also of items and of nested objects."""
    schema = resolve(document, schema)
    for name, node in schema.get("properties", {}).items():
        yield name, resolve(document, node)
        yield from fields(document, node)
    for index, item in enumerate(schema.get("prefixItems", ())):
        yield str(index), resolve(document, item)
    inside = [schema[name] for name in ("items", "additionalProperties") if name in schema]
    for node in (*inside, *schema.get("oneOf", ())):
        if isinstance(node, dict):
            yield from fields(document, node)


def row_schema(document: Json, schema: Json) -> Json:
    """Return the schema of the rows of a response, or of a response that is one object."""
    schema = resolve(document, schema)
    if "oneOf" in schema:
        schema = resolve(document, schema["oneOf"][0])
    return resolve(document, schema.get("items", schema))
