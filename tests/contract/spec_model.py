"""What the spec says about its operations and their parameters."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl

from jsonschema_rs import is_valid
from ruamel.yaml import YAML

from tests.support.paths import SPEC_FILE

Json: TypeAlias = Mapping[str, Any]
METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
JSON_TYPE: Final = "application/json"
SPEC: Any = YAML(typ="safe").load(SPEC_FILE)


@dataclass(frozen=True)
class Operation:
    """An operation. The names of what signing adds are `None` where it adds nothing."""

    id: str
    method: str
    path: str
    document: Json = field(repr=False)
    weight: int = field(repr=False)
    declared: tuple[Json, ...] = field(repr=False)
    timestamp: str | None = field(repr=False)
    window: str | None = field(repr=False)
    key_header: str | None = field(repr=False)
    signature: str | None = field(repr=False)
    responses: Json = field(repr=False)
    example_bodies: tuple[str, ...] = field(repr=False)
    clock_fields: tuple[str, ...] = field(repr=False)

    @functools.cached_property
    def parameters(self) -> tuple[Json, ...]:
        """The parameters that a caller gives, which are all but the timestamp."""
        return tuple(each for each in self.declared if each["name"] != self.timestamp)

    @functools.cached_property
    def required_query(self) -> str:
        """Query of the parameters that a caller must give, with valid values."""
        required = [each for each in self.parameters if each.get("required")]
        return "&".join(f"{each['name']}={sample_value(each)}" for each in required)

    @property
    def examples(self) -> list[Any]:
        """The documented values, decoded anew, so that they may be changed."""
        return [json.loads(body) for body in self.example_bodies]

    @property
    def richest_example(self) -> Any:
        return json.loads(max(self.example_bodies, key=len))

    def query(self, timestamp: int, *pairs: str) -> str:
        """Return a query before it is signed: required parameters, pairs, timestamp."""
        last = [f"{self.timestamp}={timestamp}"] if self.timestamp else []
        return "&".join(part for part in (self.required_query, *pairs, *last) if part)

    def query_problems(self, query: str) -> list[str]:
        """Return names that are unknown, missing, repeated, or have a value that is not valid."""
        signature: dict[str, Json] = {self.signature: {}} if self.signature else {}
        schemas = {each["name"]: each["schema"] for each in self.declared} | signature
        required = {each["name"] for each in self.declared if each.get("required")} | {*signature}
        pairs = parse_qsl(query, keep_blank_values=True)
        names = [name for name, _ in pairs]
        problems = {name for name in names if names.count(name) > 1}
        problems |= (required - {*names}) | ({*names} - {*schemas})
        for name, text in pairs:
            schema = dict(schemas.get(name, {}))
            if not is_valid(schema, parse_value(schema, text)):
                problems.add(name)
        return sorted(problems)


def operations(document: Json) -> list[Operation]:
    """Return every operation of a document."""
    return [
        _operation(document, path, method, item[method])
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    ]


def operation_by_route(document: Json) -> dict[tuple[str, str], Operation]:
    """Return every operation by method and path."""
    return {(each.method, each.path): each for each in operations(document)}


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
    if "items" in schema:
        yield from fields(document, schema["items"])


def parse_value(schema: Json, text: str) -> Any:
    """Return the JSON value of a string in a query, or the string if it has not the type."""
    json_type = schema.get("type")
    if json_type == "integer" and re.fullmatch(r"-?[0-9]+", text):
        return int(text)
    if json_type == "number" and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
        return float(text)
    if json_type == "boolean":
        return {"true": True, "false": False}.get(text, text)
    return text


def sample_value(parameter: Json) -> str:
    """Return a valid value of a parameter, as it is sent."""
    schema = parameter["schema"]
    candidates = [node["example"] for node in (parameter, schema) if "example" in node]
    candidates += [schema["default"]] if "default" in schema else schema.get("enum", [])
    candidates.append(schema.get("minimum", 1) if "integer" in schema["type"] else True)
    value = candidates[0]
    return str(value).lower() if isinstance(value, bool) else str(value)


def _operation(document: Json, path: str, method: str, node: Json) -> Operation:
    parameters = [resolve(document, each) for each in node.get("parameters", ())]
    parameters = [{**each, "schema": resolve(document, each["schema"])} for each in parameters]
    schemes = document["components"].get("securitySchemes", {})
    security = node.get("security", document.get("security", ()))
    credentials = [schemes[name] for requirement in security for name in requirement]
    names = {each.get("x-signing-role"): each["name"] for each in (*parameters, *credentials)}
    media = resolve(document, node["responses"]["200"])["content"][JSON_TYPE]
    examples = [resolve(document, each)["value"] for each in media["examples"].values()]
    clocks = [
        name for name, each in fields(document, media["schema"]) if each.get("x-exchange-clock")
    ]
    return Operation(
        id=node["operationId"],
        method=method.upper(),
        path=path,
        document=document,
        weight=node["x-weight"],
        declared=tuple(parameters),
        timestamp=names.get("timestamp"),
        window=names.get("window"),
        key_header=names.get("key"),
        signature=names.get("signature"),
        responses=node["responses"],
        example_bodies=tuple(map(json.dumps, examples)),
        clock_fields=tuple(clocks),
    )
