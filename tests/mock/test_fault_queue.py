"""Test fault options and the matching of requests: operation, path, key, number, probability."""

from __future__ import annotations

import json
from typing import Any

import pytest

from binance_usdm.mock import FAULTS, Delivery, Exchange, ManualClock, Reply
from binance_usdm.mock.core.packaged_files import load_packaged_spec
from binance_usdm.mock.faults.body_changes import JSON_QUIRKS, REPLACEMENT_VALUES
from tests.support.signed_requests import PATH, T0, send_query, sign_query
from tests.support.spec_facts import BALANCE_WEIGHT, TIME_PATH


@pytest.fixture
def exchange() -> Exchange:
    return Exchange(clock=ManualClock(T0))


def test_a_fault_waits_for_one_key(exchange: Exchange) -> None:
    exchange.add_account("other", "its secret")
    exchange.fail("waf", api_key="other")
    assert [
        send_query(exchange).status,
        send_query(exchange, sign_query(secret="its secret"), "other").status,
    ] == [
        200,
        403,
    ]
    assert send_query(exchange, sign_query(secret="its secret"), "other").status == 200


def test_a_fault_waits_for_one_path_also_one_that_there_is_not(exchange: Exchange) -> None:
    exchange.fail("gateway", path="/fapi/v2/balance")
    assert [send_query(exchange).status, send_query(exchange, path="/fapi/v2/balance").status] == [
        200,
        502,
    ]


def test_a_fault_lets_those_before_the_nth_pass(exchange: Exchange) -> None:
    exchange.fail("waf", nth=3, times=2, operation="balance")
    seen = []
    for _ in range(6):
        exchange.handle("GET", TIME_PATH.encode(), [])  # does not count: it fits nothing
        seen.append(send_query(exchange).status)
    assert seen == [200, 200, 403, 403, 200, 200]


def test_the_nth_is_counted_also_while_other_faults_answer(exchange: Exchange) -> None:
    exchange.fail("unavailable")
    exchange.fail("waf", nth=3)
    exchange.fail("gateway", nth=2)
    assert [send_query(exchange).status for _ in range(4)] == [503, 502, 403, 200]


def test_two_faults_due_at_once_answer_one_after_the_other(exchange: Exchange) -> None:
    exchange.fail("waf", nth=2)
    exchange.fail("gateway", nth=2)
    assert [send_query(exchange).status for _ in range(4)] == [200, 403, 502, 200]


def test_a_fault_of_the_good_answer_is_of_the_account_that_asks(exchange: Exchange) -> None:
    exchange.add_account("desk", "its secret", balance=b'[{"asset":"DESK"}]')
    exchange.fail("extra-member")
    assert b"DESK" in send_query(exchange, sign_query(secret="its secret"), "desk").body


@pytest.mark.promise("M5")
def test_weight_of_faults(
    exchange: Exchange,
) -> None:
    """Faults of the exchange cost weight and say so; those of proxies and firewalls do not."""
    for name in FAULTS:
        used = exchange.used_weight
        options: dict[str, Any] = {"code": -2015} if name == "error" else {}
        exchange.fail(name, **options)
        reply = send_query(exchange)
        weight = dict(reply.headers).get(b"X-MBX-USED-WEIGHT-1M")
        page = dict(reply.headers).get(b"Content-Type") == b"text/html"
        free = page or reply.status >= 500 or reply.status == 451
        assert (weight is None, exchange.used_weight - used) == (
            free,
            0 if free else BALANCE_WEIGHT,
        ), name


def test_chance_is_repeatable_and_about_as_often_as_asked() -> None:
    def statuses(seed: int) -> list[int]:
        exchange = Exchange(clock=ManualClock(T0), random_seed=seed)
        exchange.fail("unavailable", times=None, probability=0.3)
        return [send_query(exchange).status for _ in range(200)]

    assert statuses(1) == statuses(1)
    assert statuses(1) != statuses(2)
    assert 30 < statuses(1).count(503) < 90


def test_a_fault_by_chance_lets_those_behind_it_have_their_turn(exchange: Exchange) -> None:
    exchange.fail("waf", times=None, probability=0.5)
    exchange.fail("gateway", times=None)
    assert {send_query(exchange).status for _ in range(30)} == {403, 502}


@pytest.mark.parametrize("code", [int(code) for code in load_packaged_spec()["x-error-codes"]])
@pytest.mark.promise("M16")
def test_every_code_of_the_contract_can_be_answered(exchange: Exchange, code: int) -> None:
    exchange.fail("error", code=code)
    exchange.fail("error", code=code, status=499)
    usual, own = send_query(exchange), send_query(exchange)
    said = json.loads(usual.body)
    assert (said["code"], usual.code, own.status) == (code, code, 499)
    assert said["msg"] in load_packaged_spec()["x-error-codes"][str(code)]["messages"]
    assert 400 <= usual.status < 600


def test_a_code_nobody_knows_can_be_answered_too(exchange: Exchange) -> None:
    exchange.fail("error", code=-9999)
    reply = send_query(exchange)
    assert (reply.status, reply.code) == (400, -9999)


@pytest.mark.parametrize(
    ("fault", "code"),
    [("unknown", None), ("unavailable", None), ("throttled", -1008), ("internal", -1001)],
)
@pytest.mark.promise("M7")
def test_messages_and_shapes_of_503(exchange: Exchange, fault: str, code: int | None) -> None:
    """A 503 has four messages, each in all shapes that were observed."""
    for shape in ("default", "bare", "framework", "page"):
        exchange.fail(fault, shape=shape)
    default, bare, framework, page = (send_query(exchange) for _ in range(4))
    assert {reply.status for reply in (default, bare, framework, page)} == {503}
    text = json.loads(default.body)["msg"]
    assert json.loads(default.body) == (
        {"msg": text} if code is None else {"code": code, "msg": text}
    )
    assert json.loads(bare.body) == {"msg": text}
    assert json.loads(framework.body) == {"timestamp": T0, "path": PATH, "msg": text}
    assert page.body.startswith(b"<!DOCTYPE html>")


@pytest.mark.parametrize("kind", REPLACEMENT_VALUES)
def test_a_member_can_change_its_type(exchange: Exchange, kind: str) -> None:
    exchange.fail("retyped-member", member="balance", becomes=kind)
    rows = json.loads(send_query(exchange).body)
    assert {type(row["balance"]) for row in rows} == {type(REPLACEMENT_VALUES[kind])}
    assert {type(row["asset"]) for row in rows} == {str}


def test_a_member_that_there_is_not_is_not_put_in(exchange: Exchange) -> None:
    exchange.fail("retyped-member", member="noSuchMember")
    assert b"noSuchMember" not in send_query(exchange).body


def test_a_member_can_go(exchange: Exchange) -> None:
    exchange.fail("missing-member", member="asset")
    exchange.fail("missing-member")
    named, last = (json.loads(send_query(exchange).body) for _ in range(2))
    good = json.loads(send_query(exchange).body)
    assert [{*row} for row in named] == [{*row} - {"asset"} for row in good]
    assert [[*row] for row in last] == [[*row][:-1] for row in good]


@pytest.mark.parametrize("kind", JSON_QUIRKS)
def test_odd_json_is_never_what_a_good_call_gets(exchange: Exchange, kind: str) -> None:
    exchange.fail("odd-json", kind=kind)
    odd, good = send_query(exchange), send_query(exchange)
    assert (odd.status, odd.body == good.body) == (200, False)
    exchange.fail("odd-json", kind=kind, operation="server_time")
    assert (
        exchange.handle("GET", TIME_PATH.encode(), []).body
        != exchange.handle("GET", TIME_PATH.encode(), []).body
    )


def test_odd_json_of_an_empty_wallet_is_possible(exchange: Exchange) -> None:
    exchange.seed("balance", b"[]")
    for fault in (
        "missing-member",
        "retyped-member",
        "extra-member",
        *["odd-json"] * len(JSON_QUIRKS),
    ):
        exchange.fail(fault)
        assert send_query(exchange).status == 200


def test_a_seed_that_is_no_json_stays_as_strange_as_it_was(exchange: Exchange) -> None:
    exchange.seed("balance", b"\xff no JSON")
    for fault in (
        "missing-member",
        "retyped-member",
        "extra-member",
        "truncated",
        *["odd-json"] * len(JSON_QUIRKS),
    ):
        exchange.fail(fault)
        assert send_query(exchange).status == 200
    for kind in JSON_QUIRKS:
        exchange.fail("odd-json", kind=kind)
        assert send_query(exchange).status == 200


def test_a_fault_of_the_way_leaves_the_answer_as_it_is(exchange: Exchange) -> None:
    good = send_query(exchange)
    options: dict[str, dict[str, Any]] = {
        "latency": {"seconds": 0.5},
        "slow": {"chunk": 7, "pause": 0.25},
        "cut": {"after": 3},
        "reset": {"after": 4},
    }
    for name, given in options.items():
        exchange.fail(name, **given)
    late, slow, cut, reset = (send_query(exchange) for _ in range(4))
    assert {reply.body for reply in (late, slow, cut, reset)} == {good.body}
    assert [reply.delivery for reply in (late, slow, cut, reset)] == [
        Delivery(latency=0.5),
        Delivery(chunk=7, pause=0.25),
        Delivery(cut=3),
        Delivery(reset=True, cut=4),
    ]
    assert exchange.used_weight == 5 * BALANCE_WEIGHT, "each was weighed once"
    exchange.fail("latency", seconds=0)
    assert send_query(exchange, "signature=no").code == -1102, "the checks are made"


def test_jitter_is_bounded_and_repeatable() -> None:
    def latencies() -> list[float]:
        exchange = Exchange(clock=ManualClock(T0))
        exchange.fail("latency", times=None, seconds=1.0, jitter=0.5)
        return [send_query(exchange).delivery.latency for _ in range(50)]

    assert latencies() == latencies()
    assert all(1.0 <= seconds <= 1.5 for seconds in latencies())
    assert len({*latencies()}) > 40


def test_another_content_type_is_all_that_changes(exchange: Exchange) -> None:
    good = send_query(exchange)
    exchange.fail("wrong-type", type="text/plain; charset=utf-8")
    reply = send_query(exchange)
    assert (reply.status, reply.body) == (200, good.body)
    assert dict(reply.headers)[b"Content-Type"] == b"text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("waf", {"seconds": 1}, "unknown option seconds; expected: none"),
        ("latency", {"second": 1}, "unknown option second; expected: seconds, jitter"),
        ("latency", {"seconds": "1"}, "seconds must be"),
        ("latency", {"seconds": -1}, "a number of 0 or more"),
        ("latency", {"seconds": float("inf")}, "seconds must be"),
        ("latency", {"seconds": float("nan")}, "seconds must be"),
        ("cut", {"after": 1.5}, "after must be"),
        ("cut", {"after": True}, "after must be"),
        ("cut", {"after": -1}, "an integer of 0 or more"),
        ("odd-json", {"kind": "odd"}, "kind must be nan"),
        ("unknown", {"shape": "round"}, "shape must be default, bare, framework, page"),
        ("retyped-member", {"becomes": "float"}, "becomes must be number"),
        ("error", {"code": "-1000"}, "code must be"),
        ("error", {"status": 42}, "status must be"),
        ("error", {"code": 5}, "code must be"),
        ("error", {"status": 600}, "status must be"),
        ("wrong-type", {"type": "text/plain\r\nX-Key: 1"}, "type must be"),
        ("wrong-type", {"type": ""}, "type must be"),
    ],
)
def test_invalid_options_are_rejected(
    exchange: Exchange, name: str, options: dict[str, Any], says: str
) -> None:
    """An unknown option or an invalid value is rejected with the option's name."""
    with pytest.raises(ValueError, match=says):
        exchange.fail(name, **options)
    assert send_query(exchange).status == 200, "nothing was queued"


@pytest.mark.parametrize(
    "wrong",
    [
        {"nth": 0},
        {"nth": 1.0},
        {"probability": 0},
        {"probability": 1.1},
        {"probability": "x"},
        {"times": True},
    ],
)
def test_a_rule_that_nothing_meets_is_refused(exchange: Exchange, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        exchange.fail("waf", **wrong)


def test_a_reply_of_ones_own_takes_no_options(exchange: Exchange) -> None:
    with pytest.raises(ValueError, match="no options"):
        exchange.fail(Reply(500), seconds=1)


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (Reply(200, ((b"Content-Length", b"many"),)), "Content-Length"),
        (Reply(200, ((b"content-length", b"-1"),)), "Content-Length"),
        (Reply(200, ((b"X-Bad", b"a\r\nb: c"),)), "header"),
        (Reply(200, ((b"X Bad", b"a"),)), "header"),
        (Reply(700), "from 200 to 599"),
        (Reply(101), "from 200 to 599"),
    ],
)
def test_response_that_no_server_can_send_is_rejected(
    exchange: Exchange, reply: Reply, text: str
) -> None:
    with pytest.raises(ValueError, match=text):
        exchange.fail(reply)
    assert send_query(exchange).status == 200


def test_every_fault_tells_what_it_is() -> None:
    assert all(len(fault.description) > 10 for fault in FAULTS.values())
