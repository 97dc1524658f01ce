"""Check the structure of the spec."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

# jsonschema is published without type hints, so its errors are `Any` below.
from jsonschema import ValidationError, validators  # type: ignore[import-untyped]

from .spec import COMPONENT_NAME, Json, load, resolve

NodePath: TypeAlias = tuple[str | int, ...]

GRAMMAR = load(Path(__file__).with_name("grammar.schema.yaml"))
SOURCE_MARK = re.compile(r"\[([a-z]+)\]")
TYPE_NAMES = {
    "string": "a string",
    "integer": "an integer",
    "boolean": "a boolean",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
    "number": "a number",
}
# JSON Schema also counts 1.0 as an integer, but generated Python code would not.
TYPE_CHECKER = validators.Draft202012Validator.TYPE_CHECKER.redefine(
    "integer", lambda _, value: type(value) is int
)


def check_grammar(document: Json) -> tuple[Json, list[str]]:
    """Check the document against `grammar.schema.yaml`.

    Returns:
        A copy of the document without the nodes that do not fit, and a finding for each problem.
    """
    findings: list[str] = []
    rejected: set[NodePath] = set()
    for error in _validator(document).iter_errors(document):
        path = tuple(error.absolute_path)
        where = ".".join(map(str, path)) or "document"
        findings += [f"{where}: {problem}" for problem in _problems(error)]
        rejected.update(_rejected_paths(path, error))
    return _without(rejected, document), findings


def _validator(document: Json) -> Any:
    """Return a validator with the two keywords that the grammar adds to JSON Schema."""
    sources = document.get("x-sources")

    def check_sources(_: Any, enabled: bool, text: Any, schema: Json) -> Iterator[ValidationError]:
        for source in SOURCE_MARK.findall(str(text)):
            if not isinstance(sources, dict) or source not in sources:
                yield ValidationError(f"source [{source}] is not in x-sources")

    def check_target(_: Any, section: str, ref: Any, schema: Json) -> Iterator[ValidationError]:
        if not re.fullmatch(f"#/components/{section}/{COMPONENT_NAME}", str(ref)):
            yield ValidationError(f"{ref!r} must be #/components/{section}/ and a name")
            return
        try:
            resolve(document, {"$ref": ref})
        except (KeyError, TypeError):
            yield ValidationError(f"{ref!r} names nothing in this document")

    keywords = {"cites-sources": check_sources, "target-section": check_target}
    extended = validators.extend(
        validators.Draft202012Validator, keywords, type_checker=TYPE_CHECKER
    )
    return extended(GRAMMAR)


def _problems(error: Any) -> list[str]:
    """Return what is wrong, in words for the author of the spec."""
    match error.validator:
        case "required":
            return [
                f"{key} is missing" for key in error.validator_value if key not in error.instance
            ]
        case "additionalProperties":
            return [f"unknown or unsupported key {key!r}" for key in _unknown_keys(error)]
        case "pattern":
            return ["must not be empty"]
        case "enum":
            expected = f"one of {', '.join(error.validator_value)}"
        case "type":
            expected = TYPE_NAMES[error.validator_value]
        case _:
            return [error.message]
    return [f"must be {expected}, not {_describe(error.instance)}"]


def _rejected_paths(path: NodePath, error: Any) -> list[NodePath]:
    """Return the nodes that the later checks must not see."""
    if error.validator == "additionalProperties":
        return [(*path, key) for key in _unknown_keys(error)]
    if error.validator in {"type", "enum", "pattern"}:
        return [path]
    return []


def _unknown_keys(error: Any) -> list[str]:
    return [key for key in error.instance if key not in error.schema["properties"]]


def _without(rejected: set[NodePath], node: Any, path: NodePath = ()) -> Any:
    """Copy a node without the rejected paths."""
    if isinstance(node, dict):
        return {
            key: _without(rejected, entry, (*path, key))
            for key, entry in node.items()
            if (*path, key) not in rejected
        }
    if isinstance(node, list):
        return [
            _without(rejected, entry, (*path, number))
            for number, entry in enumerate(node)
            if (*path, number) not in rejected
        ]
    return node


def _describe(node: Any) -> str:
    if isinstance(node, str):
        return repr(node)
    return next(name for key, name in TYPE_NAMES.items() if TYPE_CHECKER.is_type(node, key))
