"""The spec document: loading it, following its references, and the facts the generator library drops. Judges nothing (`lint` does)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Any, TypeAlias

from openapi_python_client.strings import ClassName, PythonIdentifier
from ruamel.yaml import YAML, MappingNode
from ruamel.yaml.constructor import ConstructorError, SafeConstructor
from ruamel.yaml.error import YAMLError

Json: TypeAlias = dict[str, Any]
FIELD_PREFIX = "field_"
COMPONENT_NAME = r"[A-Za-z0-9._-]{1,100}"
"""What a component may be called (OpenAPI 3.1, Components Object); not longer than a file can be named after it."""
REF_PATTERN = re.compile(f"#/components/([a-zA-Z]+)/({COMPONENT_NAME})")

MAX_VALUES, MAX_DEPTH = 100_000, 40
"""Far beyond any spec: aliases of aliases grow without end, and Python's own parser gives up on nested expressions."""
INVISIBLE_CHARACTERS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)
"""What a reader of the spec, or of the code made from it, does not see: control characters, other line breaks, bidi marks."""


class SpecError(Exception):
    """The spec cannot be used; `findings` are one line each."""

    def __init__(self, findings: list[str]) -> None:
        super().__init__("\n".join(findings))
        self.findings = findings


class _NoMergeConstructor(SafeConstructor):
    """Without merge keys: merges of merges grow without end while they are read."""

    def flatten_mapping(self, node: MappingNode) -> Any:
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                raise ConstructorError(
                    problem="a merge key (<<) is not supported", problem_mark=key.start_mark
                )
        return super().flatten_mapping(node)


def load(path: Path) -> Json:
    """Read a YAML (or JSON) spec; a repeated key is an error, not the last one wins."""
    try:
        reader = YAML(typ="safe", pure=True)
        reader.Constructor = _NoMergeConstructor
        document = reader.load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SpecError([f"{path.name}: cannot be read ({error.strerror})"]) from None
    except (YAMLError, ValueError, TypeError, LookupError, RecursionError) as error:
        # YAMLError is what the reader means to raise; the others are what it lets through on a bad date, tag, key or depth
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark else ""
        what = getattr(error, "problem", None) or f"{type(error).__name__}: {error}"
        raise SpecError(
            [f"{path.name}:{where} is not valid YAML: {' '.join(str(what).split())}"]
        ) from None
    if not isinstance(document, dict):
        raise SpecError([f"{path.name}: is not an OpenAPI document"])
    findings = list(_find_non_json("", document, (), iter(range(MAX_VALUES))))
    if findings:
        raise SpecError(findings)
    return document


def _find_non_json(
    where: str, node: Any, above: tuple[int, ...], left: Iterator[int]
) -> Iterator[str]:
    """A finding for everything that YAML can hold and JSON cannot: the document is also served as JSON. `left` counts values down."""
    if next(left, None) is None:
        raise SpecError([f"document: holds more than {MAX_VALUES} values, aliases written out"])
    if isinstance(node, (dict, list)):
        if id(node) in above:
            yield f"{where}: contains itself"
            return
        if len(above) > MAX_DEPTH:
            yield f"{where}: is nested deeper than {MAX_DEPTH} levels"
            return
        entries = node.items() if isinstance(node, dict) else enumerate(node)
        for key, entry in entries:
            if isinstance(node, dict) and not isinstance(key, str):
                yield f"{where or 'document'}: the key {key!r} is no text: put it in quotes"
            elif isinstance(node, dict):
                yield from _find_non_json(where or "document", key, (), left)
            yield from _find_non_json(f"{where}.{key}".lstrip("."), entry, (*above, id(node)), left)
    elif isinstance(node, str):
        if re.search("[\ud800-\udfff]", node):
            yield f"{where}: holds a lone surrogate"
        if unseen := INVISIBLE_CHARACTERS.search(node):
            yield f"{where}: holds U+{ord(unseen[0]):04X}, which nobody sees"
    elif not isinstance(node, (bool, int, NoneType)) and not (
        isinstance(node, float) and math.isfinite(node)
    ):
        yield f"{where}: a {type(node).__name__} is no JSON value: put it in quotes"


def resolve(document: Json, node: Json) -> Json:
    """What a `$ref` names, or the node itself; members beside a `$ref` (OpenAPI 3.1) win. KeyError if it names nothing."""
    if "$ref" not in node:
        return node
    match = REF_PATTERN.fullmatch(node["$ref"])
    if match is None:
        raise KeyError(node["$ref"])
    target: Json = document["components"][match[1]][match[2]]
    return {**target, **{key: value for key, value in node.items() if key != "$ref"}}


def class_name(component: str) -> str:
    return ClassName(component, FIELD_PREFIX)


def python_name(name: str) -> str:
    return PythonIdentifier(name, FIELD_PREFIX)


@dataclass(frozen=True)
class OperationInfo:
    """What the templates need of one operation and the generator library does not keep."""

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
    """Wire name -> resolved parameter object, without the ones the client fills in itself."""
    result: Json
    """Schema of the 200 reply, its `$ref` kept."""


def signing_role(node: Json) -> str | None:
    value = node.get("x-signing-role")
    return value if isinstance(value, str) else None


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    """(path, method, operation object) in the order of the document."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def collect_operations(document: Json) -> list[OperationInfo]:
    """The facts of every operation; the document must have passed the lint."""
    schemes = document["components"].get("securitySchemes", {})
    found = []
    for path, method, operation in operations(document):
        names = [name for requirement in operation["security"] for name in requirement]
        credentials = {signing_role(schemes[name]): schemes[name]["name"] for name in names}
        parameters = {p["name"]: p for p in (resolve(document, p) for p in operation["parameters"])}
        roles = {
            signing_role(parameter): name
            for name, parameter in parameters.items()
            if signing_role(parameter)
        }
        found.append(
            OperationInfo(
                id=operation["operationId"],
                method=method.upper(),
                path=path,
                summary=operation["summary"],
                description=operation["description"],
                weight=operation["x-weight"],
                security_type=operation["x-security-type"],
                key_header=credentials.get("key"),
                signature=credentials.get("signature"),
                timestamp=roles.get("timestamp"),
                window=roles.get("window"),
                parameters={
                    name: p for name, p in parameters.items() if signing_role(p) != "timestamp"
                },
                result=resolve(document, operation["responses"]["200"])["content"][
                    "application/json"
                ]["schema"],
            )
        )
    return found


def strip_for_client(document: Json) -> Json:
    """The document as a caller sees it: no timestamp argument, and only the replies that become values (errors are the wrapper's)."""
    paths: Json = {path: {} for path in document["paths"]}
    for path, method, operation in operations(document):
        parameters = [
            parameter
            for p in operation["parameters"]
            if signing_role(parameter := resolve(document, p)) != "timestamp"
        ]
        paths[path][method] = {
            **operation,
            "parameters": [
                {**parameter, "schema": _without_enum(parameter["schema"])}
                for parameter in parameters
            ],
            "responses": {"200": resolve(document, operation["responses"]["200"])},
        }
    schemas = document["components"].get("schemas", {})
    used = reachable_schemas(schemas, paths)
    components = {"schemas": {name: schema for name, schema in schemas.items() if name in used}}
    info = {key: document["info"][key] for key in ("title", "version")}
    return {"openapi": document["openapi"], "info": info, "paths": paths, "components": components}


def _without_enum(schema: Json) -> Json:
    """Without its enum: an open `str` in Python; the writer checks the value."""
    return {key: value for key, value in schema.items() if key != "enum"}


def reachable_schemas(schemas: Json, start: Any) -> set[str]:
    """The names of all schemas that `start` reaches by `$ref`."""
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
