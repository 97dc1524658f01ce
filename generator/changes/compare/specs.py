"""Compare two documents."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from generator.changes.facts.documents import canonical_text, changed_keys, follow, is_same, mapping
from generator.changes.facts.fact_reader import read_facts
from generator.changes.facts.facts import Facts, Operation
from generator.changes.facts.shapes import ClassFacts, unknown_differences
from generator.changes.rules.change import Change, Collector
from generator.document.openapi import Json, walk_objects

from .compare_operations import OperationComparer
from .pairs import is_reordered

CODE_TEXT_KEYS = ("meaning", "x-meaning-zh", "hint", "x-hint-zh", "messages", "source")
MAX_PLACES = 5
PLACE_DEPTH = 3
NAMED_BY_OPERATIONS = ("securitySchemes",)
"""Components that operations name without a `$ref`."""


def compare(old: Json, new: Json, *, assumed_wider: Collection[str] = ()) -> list[Change]:
    """Return the changes from one document to another, the worst first.

    Args:
        old: The document of the last release.
        new: The document of the next one.
        assumed_wider: Subjects of patterns that are said to accept all that they did.
    """
    collector = Collector(assumed_wider)
    before, after = read_facts(old), read_facts(new)
    OperationComparer(before, after, collector).compare_all()
    _compare_hosts(before.hosts, after.hosts, collector)
    _compare_errors(before.errors, after.errors, collector)
    _compare_texts(before, after, collector)
    for key in changed_keys(before.unknown, after.unknown):
        collector.add("unknown-quiet", "document", new=key)
    for name in _changed_components(old, new):
        collector.add("components", name, new=name)
    if not len(collector) and not is_same(old, new):
        collector.add("places", "document", new=", ".join(_changed_places(old, new)[:MAX_PLACES]))
    return list(collector)


def _compare_hosts(old: Mapping[str, str], new: Mapping[str, str], collector: Collector) -> None:
    for name in dict.fromkeys([*old, *new]):
        if name not in new:
            collector.add("host-removed", name, old=old[name])
        elif name not in old:
            collector.add("host-added", name, new=new[name])
        elif old[name] != new[name]:
            collector.add("host-moved", name, old=old[name], new=new[name])


def error_class(error: Json) -> str:
    """Return the class that the client raises for a code."""
    return f"{str(error.get('kind')).title().replace('-', '')}Error"


def _compare_errors(old: Mapping[str, Json], new: Mapping[str, Json], collector: Collector) -> None:
    for code in dict.fromkeys([*old, *new]):
        if code not in old or code not in new:
            error = old.get(code) or new.get(code) or {}
            words = f"{error.get('name')}, {error_class(error)}"
            rule = "code-added" if code in new else "code-removed"
            collector.add(rule, code, old=words, new=words)
            continue
        for rule, before, after in _error_differences(old[code], new[code]):
            subject = f"code {code}" if rule.startswith("unknown") else code
            collector.add(rule, subject, old=before, new=after)
    if is_reordered([(code, code) for code in old if code in new], old, new):
        collector.add("texts", "docs/errors.md", new="order of the codes")


def _error_differences(old: Json, new: Json) -> Iterator[tuple[str, Any, Any]]:
    changed = changed_keys(old, new)
    if "kind" in changed:
        yield "code-kind", error_class(old), error_class(new)
    is_permanent = new.get("retryable") is False
    if (old.get("retryable") is False) != is_permanent:
        yield "code-permanent" if is_permanent else "code-retryable", "", ""
    if "name" in changed:
        yield "code-name", old.get("name"), new.get("name")
    if texts := [key for key in changed if key in CODE_TEXT_KEYS]:
        yield "code-texts", "", ", ".join(texts)
    compared_keys = {"kind", "retryable", "name", *CODE_TEXT_KEYS}
    yield from unknown_differences(
        {key: value for key, value in old.items() if key not in compared_keys},
        {key: value for key, value in new.items() if key not in compared_keys},
    )


def _compare_texts(old: Facts, new: Facts, collector: Collector) -> None:
    """Report texts, once for each part of the client that has them."""
    before, after = dict(_texts(old)), dict(_texts(new))
    for subject in [subject for subject in before if subject in after]:
        if keys := changed_keys(before[subject], after[subject]):
            collector.add("texts", subject, new=", ".join(keys))
    for place in sorted(old.prose.keys() | new.prose.keys()):
        key = place.rpartition(".")[2]
        if canonical_text(old.prose.get(place), key) != canonical_text(new.prose.get(place), key):
            collector.add("texts", place, new="its words")


def _texts(facts: Facts) -> Iterator[tuple[str, dict[str, Any]]]:
    for operation in facts.operations.values():
        yield from _operation_texts(operation)
    for item in facts.classes.values():
        yield from _class_texts(item)


def _operation_texts(operation: Operation) -> Iterator[tuple[str, dict[str, Any]]]:
    yield f"{operation.name}()", dict(operation.texts)
    for argument in operation.parameters.values():
        texts = {**argument.shape.texts, **argument.texts}
        yield f"{operation.name}({argument.name})", texts
    if operation.result:
        yield f"the value of {operation.name}()", dict(operation.result.texts)


def _class_texts(item: ClassFacts) -> Iterator[tuple[str, dict[str, Any]]]:
    yield item.name, dict(item.texts)
    for member in item.members.values():
        shapes = [member.shape, *member.shape.parts]
        texts = {
            key: [{key: shape.texts.get(key)} for shape in shapes]
            for shape in shapes
            for key in shape.texts
        }
        yield f"{item.name}.{member.name}", texts


def _changed_places(old: Any, new: Any, where: str = "", depth: int = 0) -> list[str]:
    """Return the places down to some depth where two documents differ."""
    if is_same(old, new):
        return []
    if depth == PLACE_DEPTH or not (isinstance(old, dict) and isinstance(new, dict)):
        return [where]
    return [
        place
        for key in dict.fromkeys([*old, *new])
        for place in _changed_places(
            old.get(key), new.get(key), f"{where}.{key}".lstrip("."), depth + 1
        )
    ]


def _changed_components(old: Json, new: Json) -> Iterator[str]:
    """Yield the components that differ and that neither document's operations use."""
    used = _used_components(old) | _used_components(new)
    sections = [mapping(document.get("components")) for document in (old, new)]
    for section in sorted(sections[0].keys() | sections[1].keys()):
        before, after = (mapping(components.get(section)) for components in sections)
        for name in changed_keys(before, after):
            if (section, name) not in used and section not in NAMED_BY_OPERATIONS:
                yield f"components.{section}.{name}"


def _used_components(document: Json) -> set[tuple[str, str]]:
    """Return section and name of each component that an operation leads to."""
    used: set[tuple[str, str]] = set()
    pending: list[Any] = [document.get("paths")]
    while pending:
        for _, node in walk_objects((), pending.pop()):
            steps = str(node.get("$ref")).split("/")
            if len(steps) >= 4 and (steps[2], steps[3]) not in used:
                used.add((steps[2], steps[3]))
                pending.append(follow(document, {"$ref": "/".join(steps[:4])})[1])
    return used
