"""The spec document: loading it, following its references, and the facts the generator library drops. Judges nothing (`lint` does)."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from openapi_python_client.strings import ClassName, PythonIdentifier
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

Json: TypeAlias = dict[str, Any]
FIELD_PREFIX = "field_"
REFERENCE_ROOT = "#/"


class SpecError(Exception):
    """The spec cannot be used; `findings` are one line each."""

    def __init__(self, findings: list[str]) -> None:
        super().__init__("\n".join(findings))
        self.findings = findings


def load(path: Path) -> Json:
    """Read a YAML (or JSON) spec; a repeated key is an error, not the last one wins."""
    try:
        document = YAML(typ="safe", pure=True).load(path.read_bytes())
    except OSError as error:
        raise SpecError([f"{path.name}: cannot be read ({error.strerror})"]) from None
    except (YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark else ""
        what = getattr(error, "problem", None) or type(error).__name__
        raise SpecError([f"{path.name}:{where} is not valid YAML: {' '.join(str(what).split())}"]) from None
    if not isinstance(document, dict):
        raise SpecError([f"{path.name}: is not an OpenAPI document"])
    return document


def resolve(document: Json, node: Any) -> Any:
    """Follow `$ref` until there is none; members beside a `$ref` (OpenAPI 3.1) win over what it names. KeyError if it names nothing."""
    seen: set[str] = set()
    while isinstance(node, Mapping) and "$ref" in node:
        reference = node["$ref"]
        if not isinstance(reference, str) or not reference.startswith(REFERENCE_ROOT) or reference in seen:
            raise KeyError(reference)
        seen.add(reference)
        target: Any = document
        for step in reference.removeprefix(REFERENCE_ROOT).split("/"):
            target = target[step.replace("~1", "/").replace("~0", "~")]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    return node


def class_name(component: str) -> str:
    return ClassName(component, FIELD_PREFIX)


def python_name(name: str) -> str:
    return PythonIdentifier(name, FIELD_PREFIX)


@dataclass(frozen=True)
class OperationFacts:
    """What the templates need of one operation and the generator library does not keep."""

    id: str
    tag: str
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


def role(node: Json) -> str | None:
    value = node.get("x-signing-role")
    return value if isinstance(value, str) else None


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    """(path, method, operation object) in the order of the document."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def facts(document: Json) -> list[OperationFacts]:
    """The facts of every operation; the document must have passed the lint."""
    schemes = document["components"].get("securitySchemes", {})
    found = []
    for path, method, operation in operations(document):
        names = [name for requirement in operation["security"] for name in requirement]
        credentials = {role(schemes[name]): schemes[name]["name"] for name in names}
        parameters = {p["name"]: p for p in (resolve(document, p) for p in operation["parameters"])}
        roles = {role(parameter): name for name, parameter in parameters.items() if role(parameter)}
        found.append(
            OperationFacts(
                id=operation["operationId"],
                tag=operation["tags"][0],
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
                parameters={name: p for name, p in parameters.items() if role(p) != "timestamp"},
                result=operation["responses"]["200"]["content"]["application/json"]["schema"],
            )
        )
    return found


def client_view(document: Json) -> Json:
    """The document as a caller sees it: no timestamp argument, and only the replies that become values (errors are the wrapper's)."""
    view = copy.deepcopy(document)
    for _, _, operation in operations(view):
        operation["parameters"] = [p for p in operation["parameters"] if role(resolve(document, p)) != "timestamp"]
        for parameter in operation["parameters"]:
            resolve(view, parameter)["schema"].pop("enum", None)  # an open str in Python; the writer checks the value
        operation["responses"] = {"200": operation["responses"]["200"]}
    used: set[str] = set()
    pending: list[Any] = [view["paths"], view["components"].get("parameters", {})]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            reference = node.get("$ref", "")
            if isinstance(reference, str) and reference.startswith("#/components/schemas/"):
                name = reference.rsplit("/", 1)[1]
                if name not in used:
                    used.add(name)
                    pending.append(view["components"]["schemas"][name])
            pending.extend(node.values())
        elif isinstance(node, list):
            pending.extend(node)
    schemas = view["components"]["schemas"]
    view["components"] = {
        "schemas": {name: schemas[name] for name in schemas if name in used},
        "parameters": view["components"].get("parameters", {}),
        "headers": view["components"].get("headers", {}),
        "securitySchemes": view["components"].get("securitySchemes", {}),
    }
    return view
