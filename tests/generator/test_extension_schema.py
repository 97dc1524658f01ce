"""The shipped JSON Schema of the extensions checks what the lint checks, in standard keywords."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

import binance_usdm_wire
from generator.checks.grammar import OWN_EXTENSIONS
from generator.checks.lint import lint
from generator.document.openapi import Json, load, walk_objects
from generator.output.extension_schema import FILE_NAME, extension_schema
from generator.output.reader_document import LANGUAGES, render_document
from tests.specs.places import (
    ABSENT,
    BALANCE,
    DOCUMENT,
    PROPERTIES,
    SCHEMES,
    UPDATED,
    WINDOW,
    Place,
    changed,
)
from tests.specs.wide_spec import wide_document
from tests.support.paths import ROOT

SHIPPED: Json = json.loads(Path(binance_usdm_wire.__file__).with_name(FILE_NAME).read_bytes())
VALIDATOR = jsonschema_rs.Draft202012Validator(SHIPPED)
STANDARD = {
    "$comment", "$defs", "$ref", "$schema", "additionalProperties", "description", "else", "enum",
    "if", "items", "pattern", "patternProperties", "properties", "required", "then", "title",
    "type",
}  # fmt: skip


def test_the_shipped_schema_is_that_of_the_lint() -> None:
    """It is made of the grammar, and is a valid schema for other implementations."""
    assert {key: value for key, value in SHIPPED.items() if key != "$comment"} == extension_schema()
    jsonschema_rs.meta.validate(SHIPPED)


def test_only_standard_keywords_are_used() -> None:
    """Strict validators refuse a keyword that they do not know."""
    found = {
        key
        for place, node in walk_objects((), SHIPPED)
        if not {"properties", "$defs", "patternProperties"} & {*place[-1:]}
        for key in node
    }
    assert found <= STANDARD


def test_every_extension_is_described() -> None:
    """Where a key may stand, an editor shows what it means."""
    described = {
        name
        for _, node in walk_objects((), SHIPPED)
        for name, value in node.get("properties", {}).items()
        if name.startswith("x-")
        and SHIPPED["$defs"][value["$ref"].rpartition("/")[2]].get("description")
    }
    assert described == {*OWN_EXTENSIONS}


def documents() -> dict[str, Json]:
    return {
        "the spec": DOCUMENT,
        "a spec of every shape": wide_document(),
        "a foreign spec": load(ROOT / "tests" / "specs" / "foreign.yaml"),
        **{language: render_document(DOCUMENT, language) for language in LANGUAGES},
    }


@pytest.mark.parametrize("name", documents())
def test_a_good_document_passes(name: str) -> None:
    """Also the one that is rendered for other tools, in both languages."""
    assert [str(error) for error in VALIDATOR.iter_errors(documents()[name])] == []


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ((*BALANCE, "x-weight"), "five"),
        ((*BALANCE, "x-weight"), {"parameter": "limit", "steps": []}),
        ((*BALANCE, "x-weight"), ABSENT),
        ((*BALANCE, "x-security-type"), ABSENT),
        ((*BALANCE, "x-description-zh"), 1),
        ((*WINDOW, "x-signing-role"), "windows"),
        ((*SCHEMES, "ApiKey", "x-signing-role"), "timestamp"),
        ((*SCHEMES, "ApiKey", "x-signing-role"), ABSENT),
        ((*UPDATED, "x-instant"), True),
        ((*PROPERTIES, "balance", "x-holding"), "yes"),
        (("servers", 0, "x-environment"), ABSENT),
        (("x-sources",), ABSENT),
        (("x-error-codes", "-1021", "kind"), "clock"),
        (("x-error-codes", "-1021", "hint"), ABSENT),
        (("x-error-codes", "-1021", "retriable"), False),
    ],
)
def test_a_wrong_extension_is_found(place: Place, value: Any) -> None:
    """The lint finds it, too."""
    document = changed(DOCUMENT, place, value)
    assert not VALIDATOR.is_valid(document)
    assert lint(document)


def test_what_is_no_extension_is_left_to_others() -> None:
    """Keys of OpenAPI and of other tools are no business of this schema."""
    document = changed(DOCUMENT, (*BALANCE, "security"), "wrong")
    document = changed(document, (*BALANCE, "x-codeSamples"), [1])
    document = changed(document, ("x-error-codes", "-1021", "x-mine"), 1)
    assert VALIDATOR.is_valid(document)
