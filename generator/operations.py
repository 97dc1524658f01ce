"""Collect the operations of a spec, and the part of it that becomes client code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .spec import REF_PATTERN, Json, resolve


@dataclass(frozen=True)
class OperationInfo:
    """Facts about an operation that the generator library drops and the templates need."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    weight: int
    security_type: str
    key_header: str | None
    signature: str | None
    timestamp: str | None
    window: str | None
    parameters: Mapping[str, Json]
    """Resolved parameter by wire name, without those that the client fills in."""
    returns: str
    """Description of the 200 response."""
    result: Json
    """Schema of the 200 response, possibly a `$ref`."""


def signing_role(node: Json) -> str | None:
    """Return the `x-signing-role` of a parameter or a security scheme."""
    value = node.get("x-signing-role")
    return value if isinstance(value, str) else None


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    """Yield (path, method, operation object) in the order of the document."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def collect_operations(document: Json) -> list[OperationInfo]:
    """Return the facts about every operation. The document must have passed the lint."""
    return [_operation_info(document, *entry) for entry in operations(document)]


def _operation_info(document: Json, path: str, method: str, operation: Json) -> OperationInfo:
    schemes = document["components"].get("securitySchemes", {})
    names = [name for requirement in operation["security"] for name in requirement]
    credentials = {signing_role(schemes[name]): schemes[name]["name"] for name in names}
    parameters = {p["name"]: p for p in (resolve(document, p) for p in operation["parameters"])}
    name_by_role = {signing_role(parameter): name for name, parameter in parameters.items()}
    response = resolve(document, operation["responses"]["200"])
    return OperationInfo(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        description=operation["description"],
        weight=operation["x-weight"],
        security_type=operation["x-security-type"],
        key_header=credentials.get("key"),
        signature=credentials.get("signature"),
        timestamp=name_by_role.get("timestamp"),
        window=name_by_role.get("window"),
        parameters={n: p for n, p in parameters.items() if signing_role(p) != "timestamp"},
        returns=response["description"],
        result=response["content"]["application/json"]["schema"],
    )


def described_statuses(document: Json) -> dict[str, Json]:
    """Return the error responses of all operations by status, sorted."""
    found: dict[str, Json] = {}
    for _, _, operation in operations(document):
        for status, response in operation["responses"].items():
            if status[0] in "45":
                found.setdefault(status, resolve(document, response))
    return dict(sorted(found.items()))


def strip_for_client(document: Json) -> Json:
    """Return the part of the document that becomes arguments and values of the client.

    The timestamp is not an argument, and only the 200 response becomes a value: the client
    turns all other responses into errors.
    """
    paths: Json = {path: {} for path in document["paths"]}
    for path, method, operation in operations(document):
        parameters = [resolve(document, parameter) for parameter in operation["parameters"]]
        paths[path][method] = {
            **operation,
            "parameters": [
                {**parameter, "schema": _without_enum(parameter["schema"])}
                for parameter in parameters
                if signing_role(parameter) != "timestamp"
            ],
            "responses": {"200": resolve(document, operation["responses"]["200"])},
        }
    schemas = document["components"].get("schemas", {})
    used = reachable_schemas(schemas, paths)
    components = {"schemas": {name: schema for name, schema in schemas.items() if name in used}}
    info = {key: document["info"][key] for key in ("title", "version")}
    return {"openapi": document["openapi"], "info": info, "paths": paths, "components": components}


def _without_enum(schema: Json) -> Json:
    """Return the schema without `enum`: the argument is a `str`, and its writer checks it."""
    return {key: value for key, value in schema.items() if key != "enum"}


def reachable_schemas(schemas: Json, start: Any) -> set[str]:
    """Return the names of all schemas that `start` reaches by `$ref`."""
    used: set[str] = set()
    pending = [start]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            match = REF_PATTERN.fullmatch(str(node.get("$ref")))
            if match and match[1] == "schemas" and match[2] in schemas and match[2] not in used:
                used.add(match[2])
                pending.append(schemas[match[2]])
            pending.extend(node.values())
        elif isinstance(node, list):
            pending.extend(node)
    return used
