"""Read documents for a comparison, also those that the lint of this version rejects."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from generator.checks.lint import lint
from generator.document.openapi import Json, SpecError, load
from generator.document.yaml_reader import MAX_DEPTH, MAX_VALUES

SETS = ("required", "type")
"""Lists whose order means nothing."""
PROSE_KEYS = (
    "description", "x-description-zh", "summary", "x-summary-zh", "title", "meaning", "x-meaning-zh",
    "hint", "x-hint-zh",
)  # fmt: skip
"""Texts in which runs of spaces mean nothing: docstrings and pages wrap them."""


class IncomparableError(Exception):
    """The document cannot be compared at all."""


def read_document(path: Path) -> tuple[Json, list[str]]:
    """Return a document and what is wrong with its form; `find_problems` says the rest.

    Raises:
        IncomparableError: The file is not a mapping with `paths`.
    """
    findings: list[str] = []
    try:
        document = load(path)
    except SpecError as error:
        findings = error.findings
        document = _read_leniently(path)
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        raise IncomparableError(f"{path.name}: cannot be compared; it is no mapping with paths")
    # The copy in the package of a release has a banner.
    document.pop("x-written-by", None)
    return document, findings


def find_problems(document: Json, findings: list[str]) -> list[str]:
    """Return the findings that keep code from being generated.

    Args:
        document: The document.
        findings: What `read_document` found in its form. The lint needs a proper form.
    """
    if findings:
        return findings
    try:
        return lint(document)
    except RecursionError:
        return ["document: is nested too deeply"]


def _read_leniently(path: Path) -> Any:
    reader = YAML(typ="safe", pure=True)
    reader.allow_duplicate_keys = True
    try:
        document = reader.load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise IncomparableError(f"{path.name}: cannot be read ({error.strerror})") from None
    except (YAMLError, ValueError, TypeError, LookupError, RecursionError) as error:
        problem = " ".join(str(error).split()) or type(error).__name__
        raise IncomparableError(f"{path.name}: is not valid YAML: {problem}") from None
    return _Converter(path.name).convert(document, ())


class _Converter:
    """Turns what YAML can hold into JSON values."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.count = 0

    def convert(self, value: Any, ancestors: tuple[int, ...]) -> Any:
        self.count += 1
        if self.count > MAX_VALUES or len(ancestors) > MAX_DEPTH or id(value) in ancestors:
            raise IncomparableError(f"{self.name}: cannot be compared; it is too large or too deep")
        inside = (*ancestors, id(value))
        if isinstance(value, dict):
            return {str(key): self.convert(entry, inside) for key, entry in value.items()}
        if isinstance(value, (list, tuple, set)):
            return [self.convert(entry, inside) for entry in value]
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        return str(value)


def follow(document: Json, node: Any) -> tuple[str | None, Json]:
    """Follow `$ref`s to their end, keys beside a `$ref` winning.

    Returns:
        The name of the last component on the way, and the node. A reference without a target
        stays in the node.
    """
    if not isinstance(node, dict):
        return None, {}
    name: str | None = None
    seen: set[str] = set()
    while isinstance(node.get("$ref"), str) and node["$ref"] not in seen:
        reference: str = node["$ref"]
        seen.add(reference)
        target = _target(document, reference)
        if target is None:
            break
        name = reference.rsplit("/", 1)[1]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    return name, node


def _target(document: Json, reference: str) -> Json | None:
    if not reference.startswith("#/"):
        return None
    node: Any = document
    for step in reference[2:].split("/"):
        step = step.replace("~1", "/").replace("~0", "~")
        if isinstance(node, dict) and step in node:
            node = node[step]
        elif isinstance(node, list) and step.isdecimal() and int(step) < len(node):
            node = node[int(step)]
        else:
            return None
    return node if isinstance(node, dict) else None


def is_same(old: Any, new: Any) -> bool:
    """Return whether two JSON values are equal up to the order of keys and of sets."""
    return canonical_text(old) == canonical_text(new)


def canonical_text(value: Any, key: str = "") -> str:
    """Return a text that is equal for values that are equal up to the order of keys and sets."""
    return json.dumps(_normalized(value, key), sort_keys=True, ensure_ascii=False)


def _normalized(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        return {name: _normalized(entry, name) for name, entry in value.items()}
    if isinstance(value, list):
        entries = [_normalized(entry, "") for entry in value]
        return sorted(entries, key=str) if key in SETS else entries
    if isinstance(value, str) and key in PROSE_KEYS:
        return "\n".join(" ".join(line.split()) for line in value.strip().split("\n"))
    # 1 and 1.0 are one JSON number, True is none.
    return float(value) if type(value) is int and abs(value) < 2**53 else value


def changed_keys(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return the keys whose values differ, in alphabetical order."""
    return [
        key
        for key in sorted(old.keys() | new.keys())
        if canonical_text(old.get(key), key) != canonical_text(new.get(key), key)
    ]


def mapping(value: Any) -> Json:
    """Return the value if it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """Return the value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []
