"""What a document says about its operations, read as data. Knows no mock, no client and no schemathesis."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from jsonschema_rs import is_valid
from ruamel.yaml import YAML

from tests.support.paths import SPEC_FILE

Json = Mapping[str, Any]
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
SPEC: Any = YAML(typ="safe").load(SPEC_FILE)


@dataclass(frozen=True)
class OperationFact:
    """One operation. The names of what signing adds are None where it adds nothing."""

    id: str
    method: str
    path: str
    weight: int
    declared: tuple[Json, ...]
    timestamp: str | None
    window: str | None
    key_header: str | None
    signature: str | None
    statuses: tuple[str, ...]
    examples: tuple[Any, ...]
    clocks: frozenset[str]

    @property
    def parameters(self) -> tuple[Json, ...]:
        """The parameters that a caller gives: all but the timestamp."""
        return tuple(each for each in self.declared if each["name"] != self.timestamp)

    @property
    def required(self) -> str:
        """Query text of the parameters that a caller must give, each with a value that the document allows."""
        return "&".join(
            f"{each['name']}={sample(each)}" for each in self.parameters if each.get("required")
        )

    def query(self, stamp: int | None, *more: str) -> str:
        """A query before it is signed: what is required, more pairs, the timestamp where there is one."""
        stamps = [f"{self.timestamp}={stamp}"] if self.timestamp and stamp is not None else []
        return "&".join(part for part in (self.required, *more, *stamps) if part)


def operation_facts(document: Json) -> list[OperationFact]:
    """Every operation of a document."""
    return [
        _fact(document, path, method, item[method])
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    ]


def resolve(document: Json, node: Json) -> Json:
    """The node behind a reference; members beside the reference win."""
    while "$ref" in node:
        target: Any = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = {**target, **{name: value for name, value in node.items() if name != "$ref"}}
    return node


def typed(schema: Json, text: str) -> Any:
    """The JSON value that a text of a query stands for; the text itself where it can be no value of the schema's type."""
    kind = schema.get("type")
    if kind == "integer" and re.fullmatch(r"-?[0-9]+", text):
        return int(text)
    if kind == "number" and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
        return float(text)
    return {"true": True, "false": False}.get(text, text) if kind == "boolean" else text


def undescribed(fact: OperationFact, query: str) -> list[str]:
    """What the document does not allow in a query: names that are unknown, missing or repeated, values that do not fit."""
    extra: dict[str, Json] = {fact.signature: {}} if fact.signature else {}
    schemas: dict[str, Json] = {each["name"]: each["schema"] for each in fact.declared} | extra
    needed = {each["name"] for each in fact.declared if each.get("required")} | {*extra}
    pairs = parse_qsl(query, keep_blank_values=True)
    names = [name for name, _ in pairs]
    bad = [
        name
        for name, text in pairs
        if name in schemas and not is_valid(dict(schemas[name]), typed(schemas[name], text))
    ]
    return sorted(
        {
            *bad,
            *(needed - {*names}),
            *({*names} - {*schemas}),
            *(name for name in names if names.count(name) > 1),
        }
    )


def sample(parameter: Json) -> str:
    """Text of a value that a parameter may have."""
    schema = parameter["schema"]
    for place in (parameter, schema):
        if "example" in place:
            return _text(place["example"])
    found = schema.get("default", schema.get("enum", [schema.get("minimum", 1)])[0])
    return _text(found if schema["type"] in ("integer", "number") or found != 1 else "true")


def unsigned(document: Json) -> dict[str, Any]:
    """The document as a caller of the client sees it: without credentials and without what the client fills in itself."""

    def bare(node: Json) -> dict[str, Any]:
        parameters = [each for each in node.get("parameters", ()) if not _stamps(document, each)]
        return {**node, "security": [], "parameters": parameters}

    paths = {
        path: {name: bare(node) if name in METHODS else node for name, node in item.items()}
        for path, item in document["paths"].items()
    }
    return {**document, "paths": paths, "security": []}


def _fact(document: Json, path: str, method: str, node: Json) -> OperationFact:
    parameters = [resolve(document, each) for each in node.get("parameters", ())]
    parameters = [{**each, "schema": resolve(document, each["schema"])} for each in parameters]
    roles = {each.get("x-signing-role"): each["name"] for each in parameters} | dict(
        _credentials(document, node)
    )
    media = resolve(document, node["responses"]["200"])["content"]["application/json"]
    return OperationFact(
        id=node["operationId"],
        method=method.upper(),
        path=path,
        weight=node["x-weight"],
        declared=tuple(parameters),
        timestamp=roles.get("timestamp"),
        window=roles.get("window"),
        key_header=roles.get("key"),
        signature=roles.get("signature"),
        statuses=tuple(node["responses"]),
        examples=tuple(resolve(document, each)["value"] for each in media["examples"].values()),
        clocks=frozenset(_clocks(document, media["schema"])),
    )


def _clocks(document: Json, schema: Json) -> Iterator[str]:
    """Names of the members that show the exchange's own time."""
    schema = resolve(document, schema)
    for name, member in schema.get("properties", {}).items():
        yield from (
            [name]
            if resolve(document, member).get("x-exchange-clock")
            else _clocks(document, member)
        )
    if "items" in schema:
        yield from _clocks(document, schema["items"])


def _credentials(document: Json, node: Json) -> Iterator[tuple[str, str]]:
    for requirement in node.get("security", document.get("security", ())):
        for name in requirement:
            scheme = document["components"]["securitySchemes"][name]
            yield scheme["x-signing-role"], scheme["name"]


def _stamps(document: Json, parameter: Json) -> bool:
    return resolve(document, parameter).get("x-signing-role") == "timestamp"


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
