"""The lint reports each construct that the generator would lose, change or guess."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from generator.findings import SpecError
from generator.project import generate
from generator.spec import Json
from tests.specs.broken_specs import BROKEN, LEVELS
from tests.specs.corpus import corpus_document
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


@pytest.mark.parametrize(
    ("shape", "example", "expected"),
    [
        ("klines", [[1499040000000, "0.1"]], "has less than 5 items"),
        ("symbols", ["A", 1], 'value.1: 1 is not of type "string"'),
        ("kinds", [2**31], "value.0: 2147483648 is greater than the maximum of 2147483647"),
        ("constituents", {"symbol": "A", "total": "1", "constituents": []}, '"1" is not of type'),
        (
            "account_config",
            {"feeTier": 2, "closedAt": None, "note": None},
            '"single" is a required',
        ),
        ("leverages", {"BTCUSDT": 1}, 'value.BTCUSDT: 1 is not of type "string"'),
    ],
)
def test_an_example_that_the_client_would_refuse(shape: str, example: Any, expected: str) -> None:
    """The mock exchange would send it: examples are read as the client reads them."""
    document = corpus_document([shape, "owned"])
    media = document["paths"][f"/fapi/v1/{shape}"]["get"]["responses"]["200"]["content"]
    media["application/json"]["examples"]["made_up"]["value"] = example
    assert any(expected in line for line in findings(document)), findings(document)


def test_an_unknown_value_of_an_enum_is_a_value() -> None:
    """The enums of replies are open, those of arguments are not."""
    document = corpus_document(["orders", "owned"])
    operation = document["paths"]["/fapi/v1/orders"]["get"]
    media = operation["responses"]["200"]["content"]["application/json"]
    media["examples"]["made_up"]["value"] = [{"side": "NEW", "kind": 7}]
    assert findings(document) == []
    operation["parameters"][0]["example"] = "NEW"
    assert any('"NEW" is not one of' in line for line in findings(document))


@pytest.mark.parametrize("level", LEVELS, ids=str)
@pytest.mark.parametrize("key", ["desciption", "x-wieght"])
def test_a_misspelt_key_is_a_finding(level: Place, key: str) -> None:
    """The grammar knows all keys at every level of the document."""
    assert f"unknown or unsupported key {key!r}" in " ".join(findings(changed((*level, key), "x")))
