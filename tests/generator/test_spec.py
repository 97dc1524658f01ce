"""The contract itself: its examples fit its schemas, its facts match the documentation page, English and Chinese stand side by side."""

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from generator.spec import load, resolve
from tests.support.paths import ROOT

SPEC = load(ROOT / "spec" / "openapi.yaml")
BALANCE = SPEC["paths"]["/fapi/v3/balance"]["get"]


def examples(node: Any, where: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(where, schema, value) of every example beside a schema."""
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
    if isinstance(node, dict):
        yield where, node
        for key, value in node.items():
            if key not in {"examples", "example", "value"}:
                yield from nodes(value, f"{where}.{key}".removeprefix("."))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from nodes(value, f"{where}.{number}")


def chinese(node: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """(where, text) of everything told in Chinese."""
    for key, value in (
        node.items()
        if isinstance(node, dict)
        else enumerate(node)
        if isinstance(node, list)
        else ()
    ):
        here = f"{where}.{key}".removeprefix(".")
        if isinstance(key, str) and key.startswith("x-") and key.endswith("-zh"):
            yield here, value
        else:
            yield from chinese(value, here)


EXAMPLES = list(examples(SPEC))
TERMS = {
    "accountAlias": "账户唯一识别码", "asset": "资产", "balance": "总余额", "crossWalletBalance": "全仓余额",
    "crossUnPnl": "全仓持仓未实现盈亏", "availableBalance": "下单可用余额", "maxWithdrawAmount": "最大可转出余额",
    "marginAvailable": "是否可用作联合保证金",
}  # fmt: skip


@pytest.mark.parametrize(
    ("where", "schema", "value"), EXAMPLES, ids=[where for where, _, _ in EXAMPLES]
)
def test_an_example_fits_its_schema(where: str, schema: Any, value: Any) -> None:
    whole = {**schema, "components": SPEC["components"]}
    jsonschema_rs.validator_for(json.loads(json.dumps(whole)), validate_formats=False).validate(
        value
    )


def test_every_error_example_uses_a_named_code() -> None:
    codes = {
        value["code"]
        for where, _, value in EXAMPLES
        if "responses" in where and isinstance(value, dict) and "code" in value
    }
    assert len(codes) > 6
    assert {code for code in codes if code and str(code) not in SPEC["x-error-codes"]} == set()


def test_the_example_of_the_page_is_the_first_one() -> None:
    (row,) = BALANCE["responses"]["200"]["content"]["application/json"]["examples"][
        "documentation"
    ]["value"]
    assert list(row.items()) == [
        ("accountAlias", "SgsR"), ("asset", "USDT"), ("balance", "122607.35137903"), ("crossWalletBalance", "23.72469206"),
        ("crossUnPnl", "0.00000000"), ("availableBalance", "23.72469206"), ("maxWithdrawAmount", "23.72469206"),
        ("marginAvailable", True), ("updateTime", 1617939110373),
    ]  # fmt: skip


def test_the_page_s_parameters_and_weight() -> None:
    parameters = {
        p["name"]: p["required"] for p in (resolve(SPEC, p) for p in BALANCE["parameters"])
    }
    assert parameters == {"recvWindow": False, "timestamp": True}
    assert (BALANCE["x-weight"], BALANCE["x-security-type"]) == (5, "USER_DATA")


def test_both_credentials_must_hold_together() -> None:
    assert BALANCE["security"] == [{"ApiKey": [], "Signature": []}]


def test_the_multi_assets_example_shows_what_surprises_people() -> None:
    rows = BALANCE["responses"]["200"]["content"]["application/json"]["examples"]["multi_assets"][
        "value"
    ]
    assert any(float(row["availableBalance"]) > float(row["balance"]) for row in rows)
    assert any(row["updateTime"] == 0 and float(row["balance"]) == 0 for row in rows)
    assert any(row["crossUnPnl"].startswith("-") for row in rows)
    assert any(not row["marginAvailable"] for row in rows)


def test_chinese_stands_beside_every_description_of_an_operation_member_and_reply() -> None:
    told = [(where, node) for where, node in nodes(SPEC) if "description" in node]
    assert len(told) > 35
    assert [where for where, node in told if "x-description-zh" not in node] == []


def test_chinese_texts_use_full_width_punctuation() -> None:
    texts = list(chinese(SPEC))
    assert len(texts) > 35
    beside = re.compile(r"[\u3400-\u9fff]\s*[,;:()]|[,;:()]\s*[\u3400-\u9fff]")
    assert [where for where, text in texts if beside.search(text)] == []


def test_a_member_s_chinese_text_begins_with_the_term_of_the_page() -> None:
    members = SPEC["components"]["schemas"]["AccountBalance"]["properties"]
    texts = {name: members[name]["x-description-zh"] for name in TERMS}
    assert {name: text[: len(TERMS[name])] for name, text in texts.items()} == TERMS


def test_no_recv_window_is_sent_by_default_and_no_maximum_is_claimed() -> None:
    schema = SPEC["components"]["parameters"]["RecvWindow"]["schema"]
    assert "default" not in schema
    assert schema["maximum"] == 2**63 - 1
