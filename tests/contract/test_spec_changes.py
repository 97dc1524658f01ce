"""A change of one fact of the spec is noticed by the checks that it names, or states why not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from binance_usdm.contract import SPEC
from generator.checks.lint import lint
from tests.contract.run_spec_changes import run_change
from tests.contract.spec_changes import CHANGE_BY_NAME, SPEC_CHANGES

GENERATED = {"mock-generated_cases", "requests-generated_cases"}
# `make contract-faults` runs all checks with each change.
QUICK = {each.name: each.noticed_by - GENERATED for each in SPEC_CHANGES}
# Keys that say nothing of what is sent or received: headings, references, and texts.
# The generator takes no document with another value of `additionalProperties`.
FOR_READERS = {
    *("$ref", "additionalProperties", "contact", "license", "identifier", "openapi"),
    "x-written-by",
}


@pytest.mark.parametrize("name", [name for name, checks in QUICK.items() if checks])
def test_change_is_noticed(name: str) -> None:
    assert run_change(name, QUICK[name]).noticed_by == QUICK[name]


def test_each_change_is_noticed_or_says_why_not() -> None:
    assert len(CHANGE_BY_NAME) == len(SPEC_CHANGES) > 150
    for change in SPEC_CHANGES:
        assert bool(change.noticed_by) != bool(change.reason), change.name


def test_changed_documents_are_valid() -> None:
    """The generator takes each of them, and each differs from the spec."""
    for change in SPEC_CHANGES:
        document = change.document()
        assert document != SPEC, change.name
        assert lint({key: document[key] for key in document if key != "x-written-by"}) == []


def test_every_kind_of_fact_is_changed() -> None:
    """Each keyword of the spec stands on the way to a change, or is for readers alone."""
    changed = {key for each in SPEC_CHANGES for key in _changed_keys(SPEC, each.document())}
    assert _keywords(SPEC) - changed - FOR_READERS == set()


def _changed_keys(old: Any, new: Any) -> Iterator[str]:
    """Yield the keys on the way to what differs, and those in it."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in {*old, *new}:
            if old.get(key) != new.get(key):
                yield key
                yield from _changed_keys(old.get(key), new.get(key))
    elif isinstance(old, list) and isinstance(new, list):
        for before, after in zip(old, new, strict=False):
            yield from _changed_keys(before, after)


def _keywords(node: Any, *, are_names: bool = False) -> set[str]:
    """Return the keys of a document that are no names of it."""
    found: set[str] = set()
    for key, value in node.items() if isinstance(node, dict) else ():
        if not are_names:
            found.add(key)
        if key not in ("value", "example") or are_names:
            found |= _keywords(value, are_names=not are_names and key in MAPS_OF_NAMES)
    for value in node if isinstance(node, list) else ():
        found |= _keywords(value)
    return found


MAPS_OF_NAMES = {
    *("paths", "responses", "content", "headers", "parameters", "schemas", "properties"),
    *("examples", "links", "securitySchemes", "x-error-codes", "x-security-types", "x-sources"),
}
