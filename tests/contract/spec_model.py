"""What the spec says about its operations and their parameters."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl, quote

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
    weight: Any = field(repr=False)
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
    def query_parameters(self) -> tuple[Json, ...]:
        return tuple(each for each in self.parameters if each["in"] == "query")

    @functools.cached_property
    def path_parameters(self) -> tuple[Json, ...]:
        return tuple(each for each in self.parameters if each["in"] == "path")

    @functools.cached_property
    def required_query(self) -> str:
        """Query of the parameters that a caller must give, with valid values."""
        required = [each for each in self.query_parameters if each.get("required")]
        return "&".join(f"{each['name']}={sample_value(each)}" for each in required)

    @functools.cached_property
    def sample_path(self) -> str:
        """The path, with valid values of its parameters."""
        path = self.path
        for each in self.path_parameters:
            path = path.replace(f"{{{each['name']}}}", sample_value(each))
        return path

    @functools.cached_property
    def has_open_keys(self) -> bool:
        """Whether the response is a map: any field of it needs a value of its type."""
        return isinstance(self.result.get("additionalProperties"), dict)

    @property
    def accepts_any_object(self) -> bool:
        """Whether an object with any fields is a valid response."""
        schema = self.result
        is_open = schema.get("type") == "object" and not schema.get("required")
        return is_open and not self.has_open_keys

    @functools.cached_property
    def ends_in_required_scalar(self) -> bool:
        """Whether the rows of the first example end in a field that must be there."""
        value = self.examples[0]
        rows = value if isinstance(value, list) else [value]
        if self.has_open_keys or not rows or not all(isinstance(r, dict) and r for r in rows):
            return False
        schema = row_schema(self.document, self.result)
        last = {[*row][-1] for row in rows}
        scalars = all(not isinstance(row[[*row][-1]], (dict, list, type(None))) for row in rows)
        return last <= {*schema.get("required", ())} and scalars

    @functools.cached_property
    def result(self) -> Json:
        """Schema of the 200 response, resolved."""
        media = resolve(self.document, self.responses["200"])["content"][JSON_TYPE]
        return resolve(self.document, media["schema"])

    @functools.cached_property
    def origin(self) -> str:
        """Where the operation is in production."""
        servers = self.document["paths"][self.path][self.method.lower()].get("servers")
        servers = servers or self.document["servers"]
        url: str = next(each["url"] for each in servers if each["x-environment"] == "production")
        return url

    def weight_of(self, query: str) -> int:
        """Return the weight of a request with this query."""
        if isinstance(self.weight, int):
            return self.weight
        values = dict(parse_qsl(query)) | {each["name"]: "" for each in self.path_parameters}
        text = values.get(self.weight["parameter"])
        if text is None:
            return int(self.weight["absent"])
        steps = self.weight["steps"]
        return int(next(s["weight"] for s in steps if "to" not in s or int(text) <= s["to"]))

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
        in_query = [each for each in self.declared if each["in"] == "query"]
        schemas = {each["name"]: each["schema"] for each in in_query} | signature
        json_names = {each["name"] for each in in_query if "content" in each}
        required = {each["name"] for each in in_query if each.get("required")} | {*signature}
        pairs = parse_qsl(query, keep_blank_values=True)
        names = [name for name, _ in pairs]
        problems = {name for name in names if names.count(name) > 1}
        problems |= (required - {*names}) | ({*names} - {*schemas})
        for name, text in pairs:
            schema = {**schemas.get(name, {}), "components": self.document.get("components", {})}
            if not is_valid(schema, parse_value(schema, text, is_json=name in json_names)):
                problems.add(name)
        return sorted(problems)

    def path_problems(self, arguments: Mapping[str, Any]) -> list[str]:
        """Return the parameters in the path that have a value that is not valid."""
        problems = []
        for each in self.path_parameters:
            names = (each["name"], str(each.get("x-python-name")), f"{each['name']}_")
            value = next((arguments[name] for name in names if name in arguments), None)
            if not is_valid({**each["schema"]}, value):
                problems.append(each["name"])
        return problems


def operations(document: Json) -> list[Operation]:
    """Return every operation of a document."""
    return [
        _operation(document, path, method, _with_path_parameters(document, item, item[method]))
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    ]


def _with_path_parameters(document: Json, item: Json, node: Json) -> Json:
    """Return an operation with the parameters of its path that it does not declare itself."""
    declared = [*item.get("parameters", ()), *node.get("parameters", ())]
    resolved = [resolve(document, each) for each in declared]
    latest = {(each["in"], each["name"]): each for each in resolved}
    return {**node, "parameters": [*latest.values()]}


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


def parse_value(schema: Json, text: str, *, is_json: bool = False) -> Any:
    """Return the JSON value of a string in a query, or the string if it has not the type."""
    json_type = schema.get("type")
    if is_json:
        try:
            return json.loads(text)
        except ValueError:
            return text
    if json_type == "array":
        return [parse_value(schema["items"], item) for item in text.split(",")]
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
    candidates += [each["value"] for each in parameter.get("examples", {}).values()]
    candidates += schema.get("examples", [])
    candidates += [schema["default"]] if "default" in schema else schema.get("enum", [])
    # An integer near 1, since some of their bounds are the last that 64 bits hold.
    low, high = schema.get("minimum", 1), schema.get("maximum", 1)
    candidates.append(min(max(1, low), high) if schema.get("type") == "integer" else True)
    return quote(text_of(parameter, candidates[0]), safe="")


def text_of(parameter: Json, value: Any) -> str:
    """Return a value of a parameter as it is sent, before it is percent-encoded."""
    if "content" in parameter:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if isinstance(value, list):
        return ",".join(text_of(parameter, item) for item in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _operation(document: Json, path: str, method: str, node: Json) -> Operation:
    parameters = [resolve(document, each) for each in node.get("parameters", ())]
    parameters = [{**each, "schema": argument_schema(document, each)} for each in parameters]
    schemes = document["components"].get("securitySchemes", {})
    security = node.get("security", document.get("security", ()))
    credentials = [schemes[name] for requirement in security for name in requirement]
    names = {each.get("x-signing-role"): each["name"] for each in (*parameters, *credentials)}
    media = resolve(document, node["responses"]["200"])["content"][JSON_TYPE]
    examples = [resolve(document, each)["value"] for each in media.get("examples", {}).values()]
    examples = examples or [media["example"]]
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
