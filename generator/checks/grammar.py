"""Check the structure of the spec."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from jsonschema_rs import Draft202012Validator
from jsonschema_rs import ValidationErrorKind as Kind

from generator.document.findings import Finding, Place
from generator.document.openapi import COMPONENT_NAME, TRANSLATED, Json, load, resolve, walk_objects

NodePath: TypeAlias = tuple[str, ...]
Check: TypeAlias = Callable[[Any, Any], Iterator[str]]
"""Function (value of a keyword, node) -> what is wrong with the node."""

EXTENSIONS = load(Path(__file__).with_name("extensions.schema.yaml"))
GRAMMAR = load(Path(__file__).with_name("grammar.schema.yaml"))
GRAMMAR["$defs"] |= EXTENSIONS["$defs"]
KEYS = sorted({key for _, node in walk_objects((), GRAMMAR) for key in node.get("properties", {})})
"""Every key that the grammar knows, at whatever level."""
OWN_EXTENSIONS = [key for key in KEYS if key.startswith("x-")]
TRANSLATION = re.compile(rf"x-(?:{'|'.join(TRANSLATED)})-([a-z]{{2}})")
STRAY_BLANK = re.compile(
    "[\u3001-\u3011\uff01\uff08-\uff09\uff0c\uff1a-\uff1b\uff1f\u201c\u201d] +"
    "| +[\u3001-\u3011\uff01\uff08-\uff09\uff0c\uff1a-\uff1b\uff1f\u201c\u201d]"
    "|[\u3400-\u9fff] +[\u3400-\u9fff]"
)
"""Folded YAML puts a blank in the place of a line break, which Chinese has none of."""
SOURCE_MARK = re.compile(r"\[([a-z]+)\]")
TYPE_NAMES: dict[str | type, str] = {
    "string": "a string",
    str: "a string",
    "number": "a number",
    "integer": "an integer",
    int: "an integer",
    "boolean": "a boolean",
    bool: "a boolean",
    "array": "a list",
    list: "a list",
    "object": "a mapping",
    dict: "a mapping",
    float: "a number",
    type(None): "null",
}


def check_grammar(document: Json) -> tuple[Json, list[Finding]]:
    """Check the document against `grammar.schema.yaml`.

    Returns:
        A copy of the document without the nodes that do not fit, and a finding for each problem.
    """
    findings: list[Finding] = []
    rejected: set[NodePath] = set()
    validator = Draft202012Validator(GRAMMAR, keywords=_keywords(document))
    try:
        errors = list(validator.iter_errors(document))
    except ValueError as failure:
        # The validator follows some 250 levels.
        return {}, [Finding.at((), f"cannot be checked: {failure}")]
    for error in errors:
        place = _place(document, error.instance_path)
        findings += [
            Finding.at(place, problem) for problem in _problems(error.kind, error.instance)
        ]
        path = tuple(map(_step, error.instance_path))
        rejected.update(_rejected_paths(path, error.kind))
    return (_without(rejected, document) if rejected else document), findings


def _place(document: Json, path: list[str | int]) -> Place:
    """Return a path of the validator as it is in the document."""
    node: Any = document
    steps: list[str | int] = []
    for step in path:
        if isinstance(node, dict):
            step = next((key for key in node if _step(key) == _step(step)), step)
        steps.append(step)
        node = node[step] if isinstance(node, dict) else node[int(step)]
    return tuple(steps)


def _keywords(document: Json) -> dict[str, type[Any]]:
    """Return the keywords that the grammar adds to JSON Schema."""
    sources = document.get("x-sources")

    def check_sources(_: Any, text: Any) -> Iterator[str]:
        for source in SOURCE_MARK.findall(str(text)):
            if not isinstance(sources, dict) or source not in sources:
                yield f"source [{source}] is not in x-sources"

    def check_target(section: Any, ref: Any) -> Iterator[str]:
        if not re.fullmatch(f"#/components/{section}/{COMPONENT_NAME}", str(ref)):
            yield f"{ref!r} must be #/components/{section}/ and a name"
            return
        try:
            resolve(document, {"$ref": ref})
        except (KeyError, TypeError):
            names = (document.get("components") or {}).get(section)
            components = {*names} if isinstance(names, dict) else set[str]()
            name = ref.rpartition("/")[2]
            match = difflib.get_close_matches(name, [*map(str, components)], 1, 0.6)
            hint = f"; did you mean #/components/{section}/{match[0]}?" if match else ""
            yield f"{ref!r} names nothing in this document{hint}"

    def check_integer(_: Any, number: Any) -> Iterator[str]:
        if isinstance(number, float) and number.is_integer():
            yield "must be an integer, not a number"

    def check_blanks(_: Any, text: Any) -> Iterator[str]:
        for match in STRAY_BLANK.finditer(str(text)):
            around = str(text)[max(0, match.start() - 3) : match.end() + 3]
            yield f"a blank in {around!r} is none of the text; write it on one line, or with |-"

    return {
        "without-stray-blank": _keyword(check_blanks),
        "cites-sources": _keyword(check_sources),
        "target-section": _keyword(check_target),
        "without-point": _keyword(check_integer),
    }


def _keyword(check: Check) -> type[Any]:
    """Return a class of keywords in the form that the validator expects."""

    class Keyword:
        def __init__(self, parent_schema: Json, value: Any, schema_path: list[str | int]) -> None:
            self.value = value

        def validate(self, instance: Any) -> None:
            for error in self.iter_errors(instance):
                raise error

        def iter_errors(self, instance: Any) -> Iterator[ValueError]:
            for problem in check(self.value, instance):
                yield ValueError(problem)

    return Keyword


def _problems(kind: Kind, node: Any) -> list[str]:
    """Return what is wrong with a node, in words for the author of the spec."""
    match kind:
        case Kind.Required(name):
            return [f"{name} is missing"]
        case Kind.AdditionalProperties(names):
            return [
                f"unknown or unsupported key {name!r}{_suggestion(name)}"
                for name in names
                if not is_foreign_extension(name)
            ]
        case Kind.Pattern():
            return ["must not be empty"]
        case Kind.Enum(options):
            return [f"must be one of {', '.join(map(str, options))}, not {_describe(node)}"]
        case Kind.Type([name]):
            return [f"must be {TYPE_NAMES[name]}, not {_describe(node)}"]
        case Kind.Custom(_, message):
            return [message]
    raise AssertionError(f"no words for {kind.as_dict()}")


def is_foreign_extension(key: str) -> bool:
    """Return whether a key is an extension that only other tools read.

    A key that is similar to one of the generator's is taken for a mistake. A text in another
    language is similar to the Chinese one, but not if its code has neither `z` nor `h`.
    """
    if not key.startswith("x-") or key in OWN_EXTENSIONS:
        return False
    translation = TRANSLATION.fullmatch(key)
    if translation and not {*translation[1]} & {*"zh"}:
        return True
    return not difflib.get_close_matches(key.lower(), OWN_EXTENSIONS, 1, 0.82)


def without_foreign_extensions(node: Any) -> Any:
    """Copy a node without the extensions that only other tools read."""
    if isinstance(node, dict):
        return {
            key: without_foreign_extensions(entry)
            for key, entry in node.items()
            if not is_foreign_extension(key)
        }
    return [*map(without_foreign_extensions, node)] if isinstance(node, list) else node


def _suggestion(key: str) -> str:
    match = difflib.get_close_matches(key, KEYS, 1, 0.75)
    return f"; did you mean {match[0]}?" if match and match != [key] else ""


def _rejected_paths(path: NodePath, kind: Kind) -> list[NodePath]:
    """Return the nodes that the later checks must not see."""
    match kind:
        case Kind.AdditionalProperties(names):
            return [(*path, _step(name)) for name in names]
        case Kind.Type() | Kind.Enum() | Kind.Pattern() | Kind.Custom("without-point"):
            return [path]
    return []


def _without(rejected: set[NodePath], node: Any, path: NodePath = ()) -> Any:
    """Copy a node without the rejected paths."""
    if isinstance(node, dict):
        return {
            key: _without(rejected, entry, (*path, _step(key)))
            for key, entry in node.items()
            if (*path, _step(key)) not in rejected
        }
    if isinstance(node, list):
        return [
            _without(rejected, entry, (*path, _step(number)))
            for number, entry in enumerate(node)
            if (*path, _step(number)) not in rejected
        ]
    return node


def _step(key: str | int) -> str:
    """Return a key or index as the validator's paths have it: there "0404" is the number 404."""
    return str(key).lstrip("+0")


def _describe(node: Any) -> str:
    return repr(node) if isinstance(node, str) else TYPE_NAMES[type(node)]
