"""Load the OpenAPI document, resolve references and name what becomes Python."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from openapi_python_client.strings import ClassName, PythonIdentifier

from .findings import Place
from .findings import SpecError as SpecError
from .yaml_reader import YamlReader

Json: TypeAlias = dict[str, Any]
FIELD_PREFIX = "field_"
JSON_CONTENT = "application/json"
MOCK_ENVIRONMENT = "mock"
"""`x-environment` of the mock exchange, which is no host of the exchange."""
COMPONENT_NAME = r"[A-Za-z0-9._-]{1,100}"
"""Names of components (OpenAPI 3.1, Components Object), short enough for a file name."""
TRANSLATED = ("description", "summary", "meaning", "hint")
"""Keys of texts; the Chinese one stands beside them, as `x-description-zh`."""
REF_PATTERN = re.compile(f"#/components/([a-zA-Z]+)/({COMPONENT_NAME})")


def load(path: Path) -> Json:
    """Read a spec in YAML or JSON.

    Raises:
        SpecError: The file cannot be read, repeats a key, or holds what JSON cannot express.
    """
    document = YamlReader(path.name, _read_text(path), None).read()
    if not isinstance(document, dict):
        raise SpecError([f"{path.name}: not an OpenAPI document (the top level must be a mapping)"])
    return document


def locate(path: Path, findings: Iterable[str]) -> list[str]:
    """Return findings with file, line and column in front, where they have a place in the file."""
    findings = list(findings)
    marks: dict[Place, tuple[int, int]] = {}
    if not findings:
        return []
    # The marks up to a problem are there.
    with contextlib.suppress(SpecError):
        YamlReader(path.name, _read_text(path), marks).read()
    located = []
    for finding in findings:
        place: Place | None = getattr(finding, "place", None)
        while place and place not in marks:
            place = place[:-1]
        if place is None:
            located.append(finding)
        else:
            line, column = marks.get(place, (1, 1))
            located.append(f"{path}:{line}:{column}: {finding}")
    return located


def _read_text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise SpecError([f"{path.name}: cannot be read ({error.strerror})"]) from None
    except UnicodeDecodeError as error:
        raise SpecError(
            [
                f"{path.name}: not valid YAML: UnicodeDecodeError at byte {error.start}; save as UTF-8"
            ]
        ) from None


def resolve(document: Json, node: Json) -> Json:
    """Return the target of a `$ref`, or the node itself when it is not a reference.

    Keys beside the `$ref` override those of the target, as OpenAPI 3.1 has it.

    Raises:
        KeyError: The reference has no target in this document.
    """
    if "$ref" not in node:
        return node
    match = REF_PATTERN.fullmatch(node["$ref"])
    if match is None:
        raise KeyError(node["$ref"])
    target: Json = document["components"][match[1]][match[2]]
    return {**target, **{key: value for key, value in node.items() if key != "$ref"}}


def resolve_or_empty(document: Json, node: Json) -> Json:
    """Resolve a `$ref`; an empty node when it has no target, which the grammar reports."""
    try:
        return resolve(document, node)
    except (KeyError, TypeError):
        return {}


def is_dangling(document: Json, node: Json) -> bool:
    """Return whether a node is a `$ref` without a target, which the grammar reports."""
    try:
        resolve(document, node)
    except (KeyError, TypeError):
        return True
    return False


def component_name(node: Json) -> str | None:
    """Return the name of the component that a node refers to, `None` if it refers to none."""
    return node["$ref"].rsplit("/", 1)[1] if "$ref" in node else None


def walk_objects(place: Place, node: Any) -> Iterator[tuple[Place, Json]]:
    """Yield every mapping in a JSON value with its place."""
    pending: list[tuple[Place, Any]] = [(place, node)]
    while pending:
        place, node = pending.pop()
        if isinstance(node, dict):
            yield place, node
            pending += [((*place, key), entry) for key, entry in node.items()]
        elif isinstance(node, list):
            pending += [((*place, index), entry) for index, entry in enumerate(node)]


def class_name(component: str) -> str:
    """Return the Python class name for a schema."""
    return ClassName(component, FIELD_PREFIX)


def python_name(name: str) -> str:
    """Return the Python identifier for a parameter or a property."""
    return PythonIdentifier(name, FIELD_PREFIX)


def renamed(node: Json, name: str) -> str:
    """Return the Python name of a property, parameter or instant: its `x-python-name`, if any."""
    return str(node.get("x-python-name") or python_name(name))


def component_class(document: Json, component: str) -> str:
    """Return the Python class of a component: its `x-python-name`, if it has one."""
    schema = document["components"]["schemas"][component]
    return str(schema.get("x-python-name") or class_name(component))


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
