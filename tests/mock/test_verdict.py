"""Test the verdict: which rejections a test asked for, and how groups are kept apart."""

from __future__ import annotations

from binance_usdm.mock import DEFAULT_API_KEY, DEFAULT_API_SECRET, Exchange, Reply, Switches
from binance_usdm.mock.state.verdict import Verdict
from tests.support.spec_facts import BALANCE_PATH, TIME_PATH

LATE = f"{BALANCE_PATH}?timestamp=1&signature=x"


def send(exchange: Exchange, target: str = TIME_PATH) -> int:
    headers = [(b"X-MBX-APIKEY", DEFAULT_API_KEY.encode())]
    return exchange.handle("GET", target.encode(), headers).status


def verdict_of(exchange: Exchange) -> Verdict:
    return exchange._engine.verdict


def test_bans_and_weight_of_a_test_are_expected() -> None:
    """What follows from `ban` and `spend` is expected, also the ban after ignored 429s."""
    exchange = Exchange(switches=Switches(ban_after=1))
    exchange.ban()
    assert send(exchange) == 418
    exchange.recover()
    exchange.clock.freeze()
    exchange.spend(2400)
    assert [send(exchange) for _ in range(3)] == [429, 418, 418]
    # The ban that follows lasts longer than the minute of the weight.
    exchange.clock.advance(60_000)
    assert send(exchange) == 418
    assert (verdict_of(exchange).rejected_count, verdict_of(exchange).unexpected_count) == (5, 0)


def test_weight_of_the_program_is_unexpected() -> None:
    """A program that uses up its weight is rejected unexpectedly, also after a test's minute."""
    exchange = Exchange(switches=Switches(weight_limit=1))
    exchange.clock.freeze()
    exchange.spend(5)
    assert send(exchange) == 429
    exchange.clock.advance(60_000)
    assert [send(exchange) for _ in range(2)] == [200, 429]
    assert verdict_of(exchange).unexpected_count == 1


def test_a_timestamp_is_expected_once_the_clock_is_set() -> None:
    """A -1021 counts as expected only while the exchange has another time than the machine."""
    exchange = Exchange()
    assert send(exchange, LATE) == 400
    assert verdict_of(exchange).unexpected_count == 1
    exchange.clock.advance(10_000)
    exchange.fail("waf")
    assert send(exchange, LATE) == 403
    assert verdict_of(exchange).unexpected_count == 1
    exchange.clock.reset()
    assert send(exchange, LATE) == 400
    assert verdict_of(exchange).unexpected_count == 2


def test_groups_are_bounded() -> None:
    """Reasons that differ in numbers only are one group, and a scan of paths is bounded."""
    exchange = Exchange()
    for timestamp in (1, 2_000):
        send(exchange, f"{BALANCE_PATH}?timestamp={timestamp}&signature=x")
    assert [group.count for group in verdict_of(exchange).groups] == [2]
    for number in range(100):
        send(exchange, f"/path-{number}")
    assert len(verdict_of(exchange).groups) == 51
    assert verdict_of(exchange).groups[-1].target == "other requests"
    assert verdict_of(exchange).rejected_count == 102


def test_the_log_says_what_answered() -> None:
    """An unknown path that a fault answered was not rejected; one with a late 404 was."""
    exchange = Exchange()
    exchange.fail(Reply(200, body=b"{}"), path="/fapi/v2/account")
    exchange.fail("latency", path="/nowhere", seconds=0)
    assert [send(exchange, path) for path in ("/fapi/v2/account", "/nowhere")] == [200, 404]
    answered, late = exchange.requests
    assert (answered.fault, answered.refusal) == ("reply", "")
    assert (late.fault, late.refusal) == ("latency", "unknown path or method")
    assert verdict_of(exchange).fault_count == 1


def test_no_reason_shows_a_secret() -> None:
    """What a reason repeats is redacted, and a line break in it is escaped."""
    exchange = Exchange()
    send(exchange, "/nowhere")
    (logged,) = exchange.requests
    logged.refusal = f"no parameter is called\n{DEFAULT_API_SECRET}"
    verdict = Verdict()
    verdict.add_rejected(logged, exchange._engine.redactor(), is_expected=False)
    assert verdict.groups[0].reason == "no parameter is called\\n(secret)"
