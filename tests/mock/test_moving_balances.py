"""Test bodies that take over later: from a response on, or from a time of the mock's clock on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from binance_usdm.mock import Exchange, ManualClock, row
from binance_usdm.mock.admin.routes import AdminApi
from tests.support.signed_requests import T0, send_query, sign_query
from tests.support.spec_facts import TIME_PATH

ACCOUNT = "GET /fapi/v3/account"


@pytest.fixture
def exchange() -> Exchange:
    exchange = Exchange(clock=ManualClock(T0))
    exchange.seed("balance", [row("USDT", balance="100")])
    return exchange


def usdt(exchange: Exchange, key: str | None = None, secret: str = "") -> str:
    """Read the balance of USDT once, without a client."""
    query = sign_query(f"timestamp={exchange.clock()}", secret) if key else None
    reply = send_query(exchange, query, **({"key": key} if key else {}))
    assert reply.status == 200, reply.body
    return str(json.loads(reply.body)[0]["balance"])


def test_a_balance_moves_by_response(exchange: Exchange) -> None:
    """`nth` counts the next responses, whatever the order of the calls to `seed`."""
    exchange.seed("balance", [row("USDT", balance="70")], nth=4)
    exchange.seed("balance", [row("USDT", balance="80")], nth=2)
    assert [usdt(exchange) for _ in range(5)] == ["100", "80", "80", "70", "70"]


def test_a_balance_moves_by_time(exchange: Exchange) -> None:
    """`after_ms` counts from now, to the millisecond, by the exchange's clock."""
    exchange.seed("balance", [row("USDT", balance="70")], after_ms=2000)
    exchange.seed("balance", [row("USDT", balance="80")], after_ms=1000)
    seen = [usdt(exchange)]
    for step in (999, 1, 999, 1, 60_000):
        exchange.clock.advance(step)
        seen.append(usdt(exchange))
    assert seen == ["100", "100", "80", "80", "70", "70"]


def test_what_was_skipped_never_comes(exchange: Exchange) -> None:
    """A clock that jumps over two times shows the later body, and does not go back."""
    exchange.seed("balance", [row("USDT", balance="80")], after_ms=2000)
    exchange.seed("balance", [row("USDT", balance="70")], after_ms=1000)
    exchange.clock.advance(5000)
    assert [usdt(exchange), usdt(exchange)] == ["80", "80"]


def test_a_response_is_later_than_a_time(exchange: Exchange) -> None:
    """A body that waits for this response wins over one whose time came before it."""
    exchange.seed("balance", [row("USDT", balance="1")], nth=1)
    exchange.seed("balance", [row("USDT", balance="2")], after_ms=0)
    assert usdt(exchange) == "1"


def test_only_responses_with_the_body_count(exchange: Exchange) -> None:
    """Rejected requests, limits and faults do not move a balance; a late response does."""
    exchange.seed("balance", [row("USDT", balance="80")], nth=2)
    exchange.fail("unavailable")
    exchange.fail("extra-member")
    assert [send_query(exchange).status for _ in range(2)] == [503, 200]
    assert send_query(exchange, "timestamp=1").status == 400
    exchange.spend(2400)
    assert send_query(exchange).status == 429
    exchange.recover()
    assert usdt(exchange) == "100"
    exchange.fail("latency", seconds=0)
    assert usdt(exchange) == "80"


def test_a_fault_changes_the_body_of_the_time(exchange: Exchange) -> None:
    """A fault of the normal body has the balance that is due."""
    exchange.seed("balance", [row("USDT", balance="80")], after_ms=1000)
    exchange.clock.advance(1000)
    exchange.fail("extra-member")
    assert b'"80"' in send_query(exchange).body


def test_every_account_moves_alone(exchange: Exchange) -> None:
    """The responses of another account do not count."""
    exchange.add_account("other", "its secret", balance=[row("USDT", balance="5")])
    exchange.seed("balance", [row("USDT", balance="6")], "other", nth=2)
    assert [usdt(exchange) for _ in range(3)] == ["100"] * 3
    assert [usdt(exchange, "other", "its secret") for _ in range(3)] == ["5", "6", "6"]
    assert usdt(exchange) == "100"


def test_the_present_body_can_be_set_meanwhile(exchange: Exchange) -> None:
    """A body for now leaves those that wait."""
    exchange.seed("balance", [row("USDT", balance="80")], nth=3)
    exchange.seed("balance", [row("USDT", balance="90")])
    assert [usdt(exchange) for _ in range(3)] == ["90", "90", "80"]


def test_a_stub_moves(exchange: Exchange) -> None:
    """A stub has its own order of bodies, and needs a first one."""
    with pytest.raises(ValueError, match="GET /fapi/v3/account needs a first body"):
        exchange.stub(ACCOUNT, {"step": 2}, nth=2)
    exchange.stub(ACCOUNT, {"step": 1})
    exchange.stub(ACCOUNT, {"step": 2}, nth=2)
    exchange.stub(ACCOUNT, {"step": 3}, after_ms=1000)
    path = ACCOUNT.removeprefix("GET ").encode()
    seen = []
    for step in (0, 0, 1000):
        exchange.clock.advance(step)
        seen.append(json.loads(exchange.handle("GET", path, ()).body)["step"])
    assert seen == [1, 2, 3]


def test_an_operation_without_a_key_moves(exchange: Exchange) -> None:
    """Its bodies are those of the first account."""
    exchange.seed("server_time", {"serverTime": 7}, nth=2)
    bodies = [exchange.handle("GET", TIME_PATH.encode(), ()).body for _ in range(2)]
    assert [json.loads(body)["serverTime"] for body in bodies] == [T0, 7]


def test_a_reset_forgets_what_waits(exchange: Exchange) -> None:
    """Nothing of a test reaches the next one."""
    exchange.seed("balance", [row("USDT", balance="80")], nth=1)
    exchange.reset()
    assert usdt(exchange) == "122607.35137903"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"nth": 0}, "nth must be an integer of 1 or more"),
        ({"nth": True}, "nth must be an integer of 1 or more"),
        ({"nth": 1.0}, "nth must be an integer of 1 or more"),
        ({"after_ms": -1}, "after_ms must be an integer of 0 or more"),
        ({"after_ms": 0.5}, "after_ms must be an integer of 0 or more"),
        ({"nth": 1, "after_ms": 1}, "pass either nth or after_ms"),
    ],
)
def test_a_moment_is_checked(exchange: Exchange, options: dict[str, Any], said: str) -> None:
    """A wrong number is an error, and changes nothing."""
    with pytest.raises(ValueError, match=said):
        exchange.seed("balance", [], **options)
    assert [usdt(exchange), usdt(exchange)] == ["100", "100"]


def test_the_admin_api_sets_later_bodies(exchange: Exchange) -> None:
    """`POST replies` has the same two moments."""
    value = [row("USDT", balance="80")]
    body = {"operation": "balance", "value": value, "nth": 2}
    admin = AdminApi(exchange._engine)
    headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
    sent = json.dumps(body).encode()
    reply = admin.handle("POST", "/__admin/replies", b"", headers, sent, "127.0.0.1")
    assert reply.status == 200, reply.body
    assert [usdt(exchange) for _ in range(2)] == ["100", "80"]
