"""Load the OpenAPI document and resolve references."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
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
"""Names of components (OpenAPI 3.1, Components Object), short enough for a file name."""
REF_PATTERN = re.compile(f"#/components/([a-zA-Z]+)/({COMPONENT_NAME})")

# Both are far above what a spec needs. YAML aliases of aliases multiply without limit, and
# Python cannot parse expressions that are nested too deeply.
MAX_VALUES = 100_000
MAX_DEPTH = 40
INVISIBLE_CHARACTERS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)
"""Control characters, newlines other than `\\n`, bidi marks: invisible in the spec and in code."""


class SpecError(Exception):
    """The spec cannot be used. `findings` has one line for each problem."""

    def __init__(self, findings: list[str]) -> None:
        super().__init__("\n".join(findings))
        self.findings = findings


class _NoMergeConstructor(SafeConstructor):
    """YAML constructor that rejects merge keys, since merges of merges grow without limit."""

    def flatten_mapping(self, node: MappingNode) -> Any:
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                raise ConstructorError(
                    problem="a merge key (<<) is not supported", problem_mark=key.start_mark
                )
        return super().flatten_mapping(node)


def load(path: Path) -> Json:
    """Read a spec in YAML or JSON.

    Raises:
        SpecError: The file cannot be read, repeats a key, or holds what JSON cannot express.
    """
    try:
        reader = YAML(typ="safe", pure=True)
        reader.Constructor = _NoMergeConstructor
        document = reader.load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SpecError([f"{path.name}: cannot be read ({error.strerror})"]) from None
    except (YAMLError, ValueError, TypeError, LookupError, RecursionError) as error:
        # The reader raises YAMLError on purpose. The others pass through it when a date, a tag,
        # a key or the depth is invalid.
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or f"{type(error).__name__}: {error}"
        reason = " ".join(str(problem).split())
        raise SpecError([f"{path.name}:{where} is not valid YAML: {reason}"]) from None
    if not isinstance(document, dict):
        raise SpecError([f"{path.name}: not an OpenAPI document (the top level must be a mapping)"])
    findings = list(_find_non_json(document))
    if findings:
        raise SpecError(findings)
    return document


def _find_non_json(document: Json) -> Iterator[str]:
    """Yield a finding for each value that YAML can hold and JSON cannot."""
    for count, (where, value, ancestors) in enumerate(_iter_values("", document, ())):
        if count == MAX_VALUES:
            raise SpecError([f"document: has more than {MAX_VALUES} values once aliases expand"])
        for problem in _json_problems(value, ancestors):
            yield f"{where or 'document'}: {problem}"


def _iter_values(
    where: str, value: Any, ancestors: tuple[int, ...]
) -> Iterator[tuple[str, Any, tuple[int, ...]]]:
    """Yield a value and all values inside it, each with its place and the ids around it."""
    yield where, value, ancestors
    if id(value) in ancestors or len(ancestors) > MAX_DEPTH:
        return
    inside = (*ancestors, id(value))
    for key, entry in _entries(value):
        yield from _iter_values(f"{where}.{key}".lstrip("."), entry, inside)


def _entries(value: Any) -> Iterable[tuple[Any, Any]]:
    """Return (key or index, value) pairs; none for a value that is no container."""
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list) else ()


def _json_problems(value: Any, ancestors: tuple[int, ...]) -> Iterator[str]:
    if isinstance(value, (dict, list)):
        if id(value) in ancestors:
            yield "contains itself"
        elif len(ancestors) > MAX_DEPTH:
            yield f"is nested deeper than {MAX_DEPTH} levels"
        elif isinstance(value, dict):
            for key in value:
                yield from _key_problems(key)
    elif isinstance(value, str):
        yield from _string_problems(value)
    elif not isinstance(value, (bool, int, float, NoneType)):
        yield f"JSON has no {type(value).__name__}; put the value in quotes"
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"JSON has no {value}; put the value in quotes"


def _key_problems(key: Any) -> Iterator[str]:
    if isinstance(key, str):
        yield from _string_problems(key)
    else:
        yield f"the key {key!r} is not a string; put it in quotes"


def _string_problems(value: str) -> Iterator[str]:
    if re.search("[\ud800-\udfff]", value):
        yield "contains a lone surrogate"
    if invisible := INVISIBLE_CHARACTERS.search(value):
        yield f"contains the invisible character U+{ord(invisible[0]):04X}"


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


def walk_objects(where: str, node: Any) -> Iterator[tuple[str, Json]]:
    """Yield every mapping in a JSON value with its place."""
    if isinstance(node, dict):
        yield where, node
    for key, entry in _entries(node):
        yield from walk_objects(f"{where}.{key}".lstrip("."), entry)


def class_name(component: str) -> str:
    """Return the Python class name for a schema."""
    return ClassName(component, FIELD_PREFIX)


def python_name(name: str) -> str:
    """Return the Python identifier for a parameter or a property."""
    return PythonIdentifier(name, FIELD_PREFIX)
