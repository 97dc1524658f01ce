"""The lint reports each construct that the generator would lose, change or guess."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from binance_usdm.contract._spec.operations import operations
from generator.checks.lint import lint, translation_warnings
from generator.document.findings import SpecError
from generator.document.openapi import Json, walk_objects
from generator.output.project import generate
from tests.generator.changes.edits import at
from tests.specs.broken_specs import BROKEN, LEVELS
from tests.specs.corpus import corpus_document
from tests.specs.places import (
    BALANCE,
    DOCUMENT,
    PARAMETER,
    PROPERTIES,
    ROW,
    SCHEMAS,
    TIME,
    UPDATED,
    Place,
    changed,
)
from tests.specs.wide_spec import wide_document
from tests.support.spec_facts import BALANCE_PATH


def real_spec_with(place: Place, value: Any) -> Json:
    """Return the real document with another value at one place, or without it for ABSENT."""
    return copy.deepcopy(changed(DOCUMENT, place, value))


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
    lines = findings(real_spec_with(place, value))
    assert [line for line in lines if expected in line], lines
    assert not [line for line in lines if "\n" in line]


@pytest.mark.parametrize("is_list", [False, True], ids=["one", "list"])
@pytest.mark.parametrize("is_reference", [False, True], ids=["inline", "reference"])
def test_a_pattern_without_a_rule_is_one_finding(is_list: bool, is_reference: bool) -> None:
    """Wherever the schema of the text stands, the pattern is reported once."""
    code = {"type": "string", "pattern": "^A$", "description": "A code."}
    document = real_spec_with((*SCHEMAS, "Code"), code)
    text = {"$ref": "#/components/schemas/Code"} if is_reference else code
    parameter: Json = {**PARAMETER, "schema": text, "example": "A"}
    if is_list:
        schema = {"type": "array", "items": text}
        parameter |= {"schema": schema, "explode": False, "example": ["A"]}
    document["paths"][TIME[1]]["get"]["parameters"] = [parameter]
    lines = findings(document)
    assert len(lines) == 1, lines
    assert lines[0].endswith(": the pattern of a parameter needs x-rule, the rule in words")


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
    """The enums of responses are open, those of arguments are not."""
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
    assert f"unknown or unsupported key {key!r}" in " ".join(
        findings(real_spec_with((*level, key), "x"))
    )


EXTENSION: Json = {
    "summary": "An extension.",
    "$ref": "elsewhere.yaml",
    "x-identifies-account": True,
}
"""Like a part of the spec, but of another tool: no rule applies inside."""


@pytest.mark.parametrize("level", LEVELS, ids=str)
@pytest.mark.parametrize("key", ["x-logo", "x-codeSamples", "x-description-ja", "x-go-name"])
def test_an_extension_of_another_tool_passes(level: Place, key: str) -> None:
    """The generator does not read it, and no code depends on it."""
    document = real_spec_with((*level, key), EXTENSION)
    assert findings(document) == []
    assert translation_warnings(document) == translation_warnings(DOCUMENT)


@pytest.mark.parametrize(
    ("place", "key", "expected"),
    [
        (BALANCE, "x-wieght", "x-weight"),
        (BALANCE, "x-Weight", "x-weight"),
        (BALANCE, "x-description-hz", "x-description-zh"),
        (BALANCE, "x-securityType", "x-security-type"),
        (BALANCE, "desciption", "description"),
        (UPDATED, "x-instnat", "x-instant"),
        ((), "x-error-code", "x-error-codes"),
    ],
)
def test_a_near_miss_names_the_key(place: Place, key: str, expected: str) -> None:
    """A mistake in one of the generator's keys is no extension of another tool."""
    assert f"unknown or unsupported key {key!r}; did you mean {expected}?" in " ".join(
        findings(real_spec_with((*place, key), "x"))
    )


def test_a_key_at_the_wrong_level_is_a_finding() -> None:
    """The generator would not look for it there, and another tool does not know it."""
    (finding,) = findings(real_spec_with(("info", "x-weight"), 5))
    assert finding == "info: unknown or unsupported key 'x-weight'"


def test_what_only_other_tools_read_passes() -> None:
    """Links to documentation, the dialect and examples to refer to lose nothing."""
    document = copy.deepcopy(DOCUMENT)
    documentation = {
        "url": "https://example.com",
        "description": "More.",
        "x-description-zh": "更多",
    }
    places: list[Place] = [(), ("tags", 0), BALANCE, ROW, UPDATED, (*PROPERTIES, "balance")]
    for place in places:
        at(document, place)["externalDocs"] = documentation
    document["jsonSchemaDialect"] = "https://spec.openapis.org/oas/3.1/dialect/base"
    document["components"]["examples"] = {"one": {"summary": "One.", "value": [1]}}
    assert findings(document) == []
    document["jsonSchemaDialect"] = "http://json-schema.org/draft-07/schema#"
    assert [line.partition(",")[0] for line in findings(document)] == [
        "jsonSchemaDialect: must be one of https://spec.openapis.org/oas/3.1/dialect/base"
    ]


def test_parameters_of_a_path_are_those_of_its_operations() -> None:
    """None is lost: the code is the same as when the operation declares them."""
    document = copy.deepcopy(DOCUMENT)
    path = document["paths"][BALANCE_PATH]
    path["parameters"] = path["get"]["parameters"]
    path["get"]["parameters"] = []
    expected = generate(DOCUMENT)
    shared = generate(document)
    different = {name for name in expected if expected[name] != shared[name]}
    copies = {"openapi.json", "openapi_en.json", "openapi_zh.json"}
    assert different == {*copies, "manifest.json"}
    assert [operation.declared for operation in operations(document)] == [
        operation.declared for operation in operations(DOCUMENT)
    ]
    path["parameters"] = [{**PARAMETER, "name": "a b"}]
    assert f"paths.{BALANCE_PATH}.parameters.0: name 'a b' would need" in " ".join(
        findings(document)
    )


def references() -> Iterator[Place]:
    """Yield the place of every reference of the document with each kind of value."""
    for place, node in walk_objects((), wide_document()):
        if isinstance(node.get("$ref"), str):
            yield (*place, "$ref")


def test_a_dangling_reference_is_one_finding() -> None:
    """Nothing that follows from it is reported, and the nearest name is."""
    base = json.loads(json.dumps(wide_document()))
    places = list(references())
    assert len(places) > 100
    for *parent, key in places:
        node = at(base, tuple(parent))
        target = node[key]
        node[key] = f"{target}x"
        assert lint(base) == [
            f"{'.'.join(map(str, parent))}.$ref: '{target}x' names nothing in this document; "
            f"did you mean {target}?"
        ]
        node[key] = target


def test_an_operation_id_in_another_style_is_suggested() -> None:
    """The author need not know how Python writes names."""
    (finding,) = findings(real_spec_with((*TIME, "operationId"), "serverTime"))
    assert finding.endswith("must be a snake_case name for a method; did you mean server_time?")
