"""The lint reports each construct that the generator would lose, change or guess."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from generator.findings import SpecError
from generator.project import generate
from generator.spec import Json
from tests.specs.broken_specs import BROKEN, LEVELS
from tests.specs.places import ABSENT, DOCUMENT, Place


def changed(place: Place, value: Any) -> Json:
    """Return the real document with another value at one place, or without it for ABSENT."""
    document = copy.deepcopy(DOCUMENT)
    node: Any = document
    for step in place[:-1]:
        node = node[step]
    if value is ABSENT:
        del node[place[-1]]
    else:
        node[place[-1]] = copy.deepcopy(value)
    return document


def findings(document: Json) -> list[str]:
    try:
        generate(document)
    except SpecError as error:
        return error.findings
    return []


def test_the_real_spec_has_no_finding() -> None:
    assert findings(DOCUMENT) == []


@pytest.mark.parametrize(("place", "value", "expected"), BROKEN, ids=[case[2] for case in BROKEN])
def test_each_problem_is_a_finding(place: Place, value: Any, expected: str) -> None:
    """A finding is one line that names the place and says what to do."""
    lines = findings(changed(place, value))
    assert [line for line in lines if expected in line], lines
    assert not [line for line in lines if "\n" in line]


@pytest.mark.parametrize("level", LEVELS, ids=str)
@pytest.mark.parametrize("key", ["desciption", "x-wieght"])
def test_a_misspelt_key_is_a_finding(level: Place, key: str) -> None:
    """The grammar knows all keys at every level of the document."""
    assert f"unknown or unsupported key {key!r}" in " ".join(findings(changed((*level, key), "x")))
