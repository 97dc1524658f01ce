"""The spec agrees with itself and with the documentation page, in English and Chinese."""

import builtins
import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from generator.document.openapi import load, resolve
from tests.support.paths import ROOT
from tests.support.spec_facts import BALANCE_PATH

SPEC = load(ROOT / "spec" / "openapi.yaml")
BALANCE = SPEC["paths"][BALANCE_PATH]["get"]
BALANCE_EXAMPLES = BALANCE["responses"]["200"]["content"]["application/json"]["examples"]


def examples(node: Any, where: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield (where, schema, value) of every example beside a schema."""
    if isinstance(node, dict):
        if "schema" in node:
            for name, example in node.get("examples", {}).items():
                yield f"{where}.{name}", node["schema"], example["value"]
            if "example" in node:
                yield where, node["schema"], node["example"]
        for key, value in node.items():
            yield from examples(value, f"{where}.{key}".removeprefix("."))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from examples(value, f"{where}.{number}")


def nodes(node: Any, where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (where, mapping) of every mapping outside of examples."""
    if isinstance(node, dict):
        yield where, node
        for key, value in node.items():
            if key not in {"examples", "example", "value"}:
                yield from nodes(value, f"{where}.{key}".removeprefix("."))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from nodes(value, f"{where}.{number}")


def all_mappings(node: Any, where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (where, mapping) of every mapping, also of those of examples."""
    if isinstance(node, dict):
        yield where, node
        for key, value in node.items():
            yield from all_mappings(value, f"{where}.{key}".removeprefix("."))


def chinese(node: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Yield (where, text) of every text in Chinese."""
    entries: Any = ()
    if isinstance(node, dict):
        entries = node.items()
    elif isinstance(node, list):
        entries = enumerate(node)
    for key, value in entries:
        here = f"{where}.{key}".removeprefix(".")
        if isinstance(key, str) and key.startswith("x-") and key.endswith("-zh"):
            yield here, value
        else:
            yield from chinese(value, here)


EXAMPLES = list(examples(SPEC))
TERMS = {
    "accountAlias": "账户唯一识别码",
    "asset": "资产",
    "balance": "总余额",
    "crossWalletBalance": "全仓余额",
    "crossUnPnl": "全仓持仓未实现盈亏",
    "availableBalance": "下单可用余额",
    "maxWithdrawAmount": "最大可转出余额",
    "marginAvailable": "是否可用作联合保证金",
}


@pytest.mark.parametrize(
    ("where", "schema", "value"), EXAMPLES, ids=[where for where, _, _ in EXAMPLES]
)
def test_an_example_matches_its_schema(where: str, schema: Any, value: Any) -> None:
    """The examples are valid by an independent JSON Schema library."""
    whole = json.loads(json.dumps({**schema, "components": SPEC["components"]}))
    jsonschema_rs.validator_for(whole, validate_formats=False).validate(value)


def test_every_error_example_uses_a_named_code() -> None:
    """The codes of examples are in x-error-codes."""
    codes = {
        value["code"]
        for where, _, value in EXAMPLES
        if "responses" in where and isinstance(value, dict) and "code" in value
    }
    assert len(codes) > 6
    assert {code for code in codes if code and str(code) not in SPEC["x-error-codes"]} == set()


def test_every_body_of_an_error_has_an_example() -> None:
    """A mock server of another project sends the first one, or else makes one up."""
    bodies = {
        f"{name} {media_type}": media
        for name, response in SPEC["components"]["responses"].items()
        for media_type, media in response["content"].items()
    }
    assert len(bodies) > 10
    assert [name for name, media in bodies.items() if not media.get("examples")] == []
    first = next(iter(bodies["Refused application/json"]["examples"].values()))
    assert first["value"]["code"] == -1102


def test_the_first_example_is_that_of_the_page() -> None:
    """It has the page's fields, in its order and with its values."""
    (row,) = BALANCE_EXAMPLES["documentation"]["value"]
    assert list(row.items()) == [
        ("accountAlias", "SgsR"), ("asset", "USDT"), ("balance", "122607.35137903"),
        ("crossWalletBalance", "23.72469206"),
        ("crossUnPnl", "0.00000000"), ("availableBalance", "23.72469206"),
        ("maxWithdrawAmount", "23.72469206"),
        ("marginAvailable", True), ("updateTime", 1617939110373),
    ]  # fmt: skip


def test_parameters_and_weight_are_those_of_the_page() -> None:
    """The page lists two parameters, weight 5 and USER_DATA."""
    parameters = [resolve(SPEC, parameter) for parameter in BALANCE["parameters"]]
    required = {parameter["name"]: parameter["required"] for parameter in parameters}
    assert required == {"recvWindow": False, "timestamp": True}
    assert (BALANCE["x-weight"], BALANCE["x-security-type"]) == (5, "USER_DATA")


def test_a_call_needs_both_credentials() -> None:
    """Key and signature are one security requirement, not alternatives."""
    assert BALANCE["security"] == [{"ApiKey": [], "Signature": []}]


def test_the_multi_assets_example_has_the_surprises() -> None:
    """It has an available balance above the balance, an untouched row, a loss and no margin."""
    rows = BALANCE_EXAMPLES["multi_assets"]["value"]
    assert any(float(row["availableBalance"]) > float(row["balance"]) for row in rows)
    assert any(row["updateTime"] == 0 and float(row["balance"]) == 0 for row in rows)
    assert any(row["crossUnPnl"].startswith("-") for row in rows)
    assert any(not row["marginAvailable"] for row in rows)


def test_every_description_has_a_chinese_one() -> None:
    """This covers operations, parameters, properties and responses."""
    described = [(where, node) for where, node in nodes(SPEC) if "description" in node]
    assert len(described) > 35
    assert [where for where, node in described if "x-description-zh" not in node] == []


def test_every_code_has_its_texts_in_both_languages() -> None:
    """Meaning and hint are clauses that fit into a sentence: no capital, no full stop."""
    for code, error in SPEC["x-error-codes"].items():
        for key in ("meaning", "hint"):
            assert 15 < len(error[key]) < 320, code
            assert error[key][0].islower(), code
            assert error[key][-1] not in ".!;,", code
            assert len(error[f"x-{key}-zh"]) > 4, code
            assert error[f"x-{key}-zh"][-1] not in "。；，.", code


def test_chinese_and_latin_have_a_space() -> None:
    """A Chinese character beside a letter or digit is set apart by one space."""
    tight = re.compile(r"[\u3400-\u9fff][A-Za-z0-9]|[A-Za-z0-9][\u3400-\u9fff]")
    wide = re.compile(r"[，。；：（）“”、] | [，。；：（）“”、]")
    texts = [(where, text) for where, text in chinese(SPEC) if "x-error-codes" in where]
    assert len(texts) == 2 * len(SPEC["x-error-codes"])
    assert [where for where, text in texts if tight.search(text) or wide.search(text)] == []


def test_every_summary_has_a_chinese_title() -> None:
    """A summary is a title: the Chinese one ends without a full stop. Examples have one, too."""
    places = dict(all_mappings(SPEC))
    summaries = {where: node for where, node in places.items() if "summary" in node}
    assert len(summaries) > 10
    assert [where for where, node in summaries.items() if "x-summary-zh" not in node] == []
    assert [w for w, node in summaries.items() if node["x-summary-zh"].endswith("。")] == []


def test_chinese_texts_use_full_width_punctuation() -> None:
    """ASCII punctuation beside a Chinese character is a typo."""
    texts = list(chinese(SPEC))
    assert len(texts) > 35
    beside = re.compile(r"[\u3400-\u9fff]\s*[,;:()]|[,;:()]\s*[\u3400-\u9fff]")
    assert [where for where, text in texts if beside.search(text)] == []


def test_chinese_texts_begin_with_the_page_s_terms() -> None:
    """The Chinese page has a term for each property."""
    properties = SPEC["components"]["schemas"]["AccountBalance"]["properties"]
    texts = {name: properties[name]["x-description-zh"] for name in TERMS}
    assert {name: text[: len(TERMS[name])] for name, text in texts.items()} == TERMS


def test_recv_window_has_no_default_and_no_maximum() -> None:
    """The exchange's default applies, and it documents no maximum for futures."""
    schema = SPEC["components"]["parameters"]["RecvWindow"]["schema"]
    assert schema == {"type": "integer", "format": "int64", "minimum": 1}


@pytest.mark.parametrize("key", ["description", "x-description-zh"])
def test_the_worked_signature_is_right(key: str) -> None:
    """The recipe has five steps, and its example is what the recipe makes of secret and query."""
    text = SPEC["info"][key]
    assert re.findall(r"^(\d)\. ", text, re.MULTILINE) == ["1", "2", "3", "4", "5"]
    secret, query = re.findall(r"`([0-9a-f]{64}|recvWindow=[^`]+)`", text)
    signature = hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()
    (sent,) = re.findall(r"```text\n(.*)\n```", text)
    assert sent == f"{query}&signature={signature}"
    schemes = SPEC["components"]["securitySchemes"].values()
    assert all(f"`{s['name']}`" in text or f"`&{s['name']}=`" in text for s in schemes)


@pytest.mark.parametrize("key", ["description", "x-description-zh"])
def test_the_amount_says_how_a_generator_keeps_it(key: str) -> None:
    """format decimal becomes a float in some languages, unless the type is mapped."""
    text = SPEC["components"]["schemas"]["Amount"][key]
    for language in ("en", "zh"):
        page = (ROOT / "docs" / language / "how-to" / "only-the-spec.md").read_text("utf-8")
        for mapping in ("--type-mappings decimal=string", "decimal=String"):
            assert mapping in text
            assert mapping in page


def test_no_schema_hides_a_class_of_a_language() -> None:
    """Generators would rename such a class, or its users would get the wrong one."""
    java = {"Error", "Exception", "Module", "Number", "Object", "Package", "Process", "Record"}
    javascript = {"Array", "Date", "Error", "Map", "Object", "Promise", "Proxy", "Set", "Symbol"}
    taken = {*dir(builtins), *java, *javascript, "ApiError", "Request", "Response"}
    assert {*SPEC["components"]["schemas"]} & taken == set()


def test_no_bound_is_beyond_what_a_double_represents() -> None:
    """Tools that read JSON into doubles would show 2^63-1 as another number; int64 says it."""
    bounds = [
        (where, schema[name])
        for where, schema in nodes(SPEC)
        for name in ("minimum", "maximum")
        if name in schema
    ]
    assert len(bounds) >= 6
    assert [bound for bound in bounds if not -(2**53) < bound[1] < 2**53] == []


def value_schemas() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (where, schema) of everything that has a value: headers, parameters and fields."""
    for where, node in nodes(SPEC):
        if "schema" in node and "content" not in where.rpartition(".")[0].split("."):
            yield where, node["schema"]
        for name, schema in node.get("properties", {}).items():
            yield f"{where}.{name}", schema


@pytest.mark.parametrize(
    ("where", "schema"), [*value_schemas()], ids=lambda one: one if isinstance(one, str) else ""
)
def test_every_value_has_an_example_that_fits(where: str, schema: dict[str, Any]) -> None:
    """Mock servers of other projects send an example, or make one that breaks the pattern."""
    resolved = resolve(SPEC, schema)
    parent = dict(nodes(SPEC)).get(where, {})
    found = [
        *resolved.get("examples", []),
        *([parent["example"]] if "example" in parent else []),
        *(entry["value"] for entry in parent.get("examples", {}).values()),
    ]
    assert found
    validator = jsonschema_rs.Draft202012Validator({**resolved, "$defs": SPEC["components"]})
    assert [value for value in found if not validator.is_valid(value)] == []
