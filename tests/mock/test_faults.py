"""Test the faults: documented ones match the spec, others say how they violate it."""

from __future__ import annotations

import gzip
import json
from typing import Any

import jsonschema_rs
import pytest

from binance_usdm.mock import FAULTS, Exchange, ManualClock, Reply
from binance_usdm.mock.core.packaged_files import load_packaged_spec
from tests.support.spec_facts import BALANCE_PATH, BALANCE_WEIGHT, TIME_PATH

T0 = 1_700_000_000_000
PATH = BALANCE_PATH
SPEC: Any = load_packaged_spec()


def exchange() -> Exchange:
    return Exchange(clock=ManualClock(T0))


def ask(asked: Exchange, path: str = PATH) -> Reply:
    """Send a request without key, timestamp and signature, which is rejected without a fault."""
    return asked.handle("GET", path.encode(), [])


def resolve(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        target: Any = SPEC
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


def documented(reply: Reply, path: str = PATH) -> bool:
    """Whether status, media type, headers and body are what the contract describes."""
    responses = SPEC["paths"][path]["get"]["responses"]
    node = responses.get(str(reply.status)) or responses.get(f"{reply.status // 100}XX")
    headers = dict(reply.headers)
    media = headers.pop(b"Content-Type").decode()
    encoding = headers.pop(b"Content-Encoding", b"identity")
    # HTTP's own, which the spec does not list.
    assert headers.pop(b"Date") == b"Tue, 14 Nov 2023 22:13:20 GMT"
    if node is None or media not in resolve(node).get("content", {}):
        return False
    if not {name.decode() for name in headers} <= resolve(node).get("headers", {}).keys():
        return False
    if media == "text/html":
        return True
    schema = {**resolve(node)["content"][media]["schema"], "components": SPEC["components"]}
    try:
        value = json.loads(gzip.decompress(reply.body) if encoding == b"gzip" else reply.body)
    except ValueError:
        return False
    return bool(jsonschema_rs.validator_for(schema).is_valid(value))


@pytest.mark.parametrize(
    ("path", "name"),
    [
        *((PATH, name) for name in FAULTS),
        # The time needs no key, so that no key can be of the other environment.
        *((TIME_PATH, name) for name in FAULTS if name != "wrong-environment"),
    ],
)
def test_a_fault_is_as_documented_or_says_that_it_is_not(path: str, name: str) -> None:
    asked = exchange()
    asked.fail(name)
    assert documented(ask(asked, path), path) is not bool(FAULTS[name].spec_violation)


def test_the_faults_outside_the_contract_are_these() -> None:
    outside = {name for name, fault in FAULTS.items() if fault.spec_violation}
    strange = {"missing-member", "retyped-member", "odd-json", "wrong-type"}
    assert outside == {"empty-200", "truncated", "html-200", "error-in-200", "redirect"} | strange


def test_documented_statuses_have_faults() -> None:
    """Every documented HTTP status is sent by a fault or a check."""
    asked = exchange()
    for name in FAULTS:
        asked.fail(name)
    seen = {ask(asked).status for _ in FAULTS}
    statuses = {key for key in SPEC["paths"][PATH]["get"]["responses"] if key.isdigit()}
    assert {int(key) for key in statuses} - seen == {400}, "400 comes from the checks"
    assert seen & {500, 502}, "5XX"


def test_error_examples_match_faults() -> None:
    """Every error example of the spec is the response of a fault."""
    said = []
    for name in FAULTS:
        asked = exchange()
        asked.fail(name)
        said.append(ask(asked).body)
    for status in ("408", "451", "503"):
        node = resolve(SPEC["paths"][PATH]["get"]["responses"][status])
        for example in node["content"]["application/json"]["examples"].values():
            assert any(
                body[:1] == b"{" and json.loads(body) == example["value"] for body in said
            ), example


@pytest.mark.parametrize(
    ("name", "status", "code", "media"),
    [
        ("waf", 403, None, "text/html"),
        ("not-found", 404, None, "text/html"),
        ("timeout", 408, -1007, "application/json"),
        ("banned", 418, -1003, "application/json"),
        ("rate-limited", 429, -1003, "application/json"),
        ("restricted", 451, 0, "application/json"),
        ("wrong-environment", 401, -2008, "application/json"),
        ("unknown", 503, None, "application/json"),
        ("unavailable", 503, None, "application/json"),
        ("throttled", 503, -1008, "application/json"),
        ("internal", 503, -1001, "application/json"),
        ("html-503", 503, None, "text/html"),
        ("gateway", 502, None, "text/html"),
        ("error-500", 500, -1000, "application/json"),
        ("error-in-200", 200, -1000, "application/json"),
        ("html-200", 200, None, "text/html"),
        ("redirect", 302, None, "text/html"),
    ],
)
@pytest.mark.promise("M8", "M9")
def test_a_fault_has_its_status_code_and_type(
    name: str, status: int, code: int | None, media: str
) -> None:
    asked = exchange()
    asked.fail(name)
    reply = ask(asked)
    assert (reply.status, reply.code, dict(reply.headers)[b"Content-Type"].decode()) == (
        status,
        code,
        media,
    )
    assert asked.requests[-1].status == status
    assert asked.requests[-1].code == code


@pytest.mark.promise("M12", "M14")
def test_faults_of_the_good_answer_are_made_from_the_good_answer() -> None:
    asked = exchange()
    good = b'[{"asset":"USDT","balance":"1.50000000"}]'
    asked.seed("balance", good)
    for name in ("truncated", "empty-200", "gzip", "extra-member"):
        asked.fail(name)
    cut, empty, zipped, grown = (ask(asked).body for _ in range(4))
    assert good.startswith(cut)
    assert 0 < len(cut) < len(good)
    assert empty == b""
    assert gzip.decompress(zipped) == good
    row = json.loads(grown)[0]
    assert row.keys() - {"asset", "balance"}
    assert row["balance"] == "1.50000000"


def test_a_ban_and_a_limit_say_how_long_by_the_exchanges_clock() -> None:
    asked = exchange()
    asked.fail("banned")
    asked.fail("rate-limited")
    banned, limited = ask(asked), ask(asked)
    assert f"banned until {T0 + 120_000}." in banned.body.decode()
    assert dict(banned.headers)[b"Retry-After"] == b"120"
    assert dict(limited.headers)[b"Retry-After"] == str(60 - T0 // 1000 % 60).encode()


def test_only_some_faults_cost_weight() -> None:
    asked = exchange()
    for name in ("timeout", "unavailable", "throttled", "waf", "banned"):
        asked.fail(name)
    used = [dict(ask(asked).headers).get(b"X-MBX-USED-WEIGHT-1M") for _ in range(5)]
    weights = [b"%d" % (number * BALANCE_WEIGHT) for number in (1, 2)]
    assert used == [weights[0], None, None, None, weights[1]]


def test_a_fault_takes_the_place_of_the_checks_as_often_as_asked() -> None:
    asked = exchange()
    asked.fail("unavailable", times=2)
    asked.fail("waf")
    assert [ask(asked).status for _ in range(4)] == [503, 503, 403, 401]


def test_a_fault_lasts_until_recovery() -> None:
    asked = exchange()
    asked.fail("gateway", times=None)
    assert {ask(asked).status for _ in range(20)} == {502}
    asked.recover()
    assert ask(asked).status == 401


def test_a_fault_can_wait_for_one_operation() -> None:
    asked = exchange()
    asked.fail("gateway", operation="server_time")
    asked.fail("waf", operation="balance")
    assert [ask(asked).status, ask(asked, TIME_PATH).status] == [403, 502]
    assert [ask(asked).status, ask(asked, TIME_PATH).status] == [401, 200]


def test_a_fault_stops_unknown_paths_too() -> None:
    asked = exchange()
    asked.fail("waf")
    assert [ask(asked, "/nowhere").status, ask(asked, "/nowhere").status] == [403, 404]


def test_a_reply_of_ones_own_goes_out_as_it_is() -> None:
    asked = exchange()
    own = Reply(599, ((b"Retry-After", b"x"), (b"Retry-After", b"y")), b"\xff", code=-7)
    asked.fail(own)
    assert ask(asked) == own


@pytest.mark.parametrize("wrong", [("nosuch", 1, None), ("waf", 0, None), ("waf", 1, "nosuch")])
def test_impossible_faults_are_rejected(wrong: tuple[str, int, str | None]) -> None:
    """An unknown fault or operation and an invalid number of times are rejected."""
    name, times, operation = wrong
    with pytest.raises(ValueError, match=r"unknown fault|times|unknown operation"):
        exchange().fail(name, times, operation=operation)
