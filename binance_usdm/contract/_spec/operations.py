"""What the spec says about its operations and their parameters."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from binance_usdm.contract._spec.document import (
    JSON_TYPE,
    METHODS,
    Json,
    fields,
    resolve,
    row_schema,
)
from binance_usdm.contract._spec.parameters import parse_value, sample_value
from binance_usdm.contract._spec.schemas import argument_schema


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

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}"

    def matches(self, path: str) -> bool:
        """Return whether a path is this operation's, with any values of its parameters."""
        pattern = re.sub(r"\\\{[^}]+\\\}", "[^/]*", re.escape(self.path))
        return path == self.path or re.fullmatch(pattern, path) is not None

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

    @functools.cached_property
    def links(self) -> set[str]:
        """The parameters of operations that a response of this one has values for."""
        links = resolve(self.document, self.responses["200"]).get("links", {})
        found = [resolve(self.document, each).get("parameters", {}) for each in links.values()]
        # A name may stand behind the place of its parameter.
        return {name.removeprefix("query.") for names in found for name in names}

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
        return self.origins["production"]

    @functools.cached_property
    def base_urls(self) -> dict[str, str]:
        """The servers of the document, by their environments."""
        return {each["x-environment"]: each["url"] for each in self.document["servers"]}

    @functools.cached_property
    def origins(self) -> dict[str, str]:
        """Where the operation is, by the environments of the document.

        An operation with servers of its own is there, in the environments that they name.
        """
        own = self.document["paths"][self.path][self.method.lower()].get("servers", ())
        return self.base_urls | {each["x-environment"]: each["url"] for each in own}

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
        is_valid = _schema_validator()
        for name, text in pairs:
            schema = {**schemas.get(name, {}), "components": self.document.get("components", {})}
            if not is_valid(schema, parse_value(schema, text, is_json=name in json_names)):
                problems.add(name)
        return sorted(problems)

    def path_problems(self, arguments: Mapping[str, Any]) -> list[str]:
        """Return the parameters in the path that have a value that is not valid."""
        problems = []
        is_valid = _schema_validator()
        for each in self.path_parameters:
            names = (each["name"], str(each.get("x-python-name")), f"{each['name']}_")
            value = next((arguments[name] for name in names if name in arguments), None)
            if not is_valid({**each["schema"]}, value):
                problems.append(each["name"])
        return problems


def _schema_validator() -> Callable[..., bool]:
    # Who judges recorded responses needs no extra.
    from jsonschema_rs import is_valid

    return is_valid


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
