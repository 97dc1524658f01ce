"""Test weight by IP address and UTC minute: 429, bans, and their end."""

from __future__ import annotations

import hashlib
import hmac
import json
from time import process_time
from typing import Any

import pytest

from binance_usdm.mock import (
    DEFAULT_API_KEY,
    DEFAULT_API_SECRET,
    Exchange,
    ManualClock,
    Reply,
    Switches,
)
from binance_usdm.mock.state.weight import WeightCounter
from tests.support.spec_facts import BALANCE_PATH, BALANCE_WEIGHT, TIME_PATH, TIME_WEIGHT

MINUTE = 60_000
T0 = 28_333_333 * MINUTE  # the first millisecond of a UTC minute
TIME = TIME_PATH.encode()


def balance(
    exchange: Exchange, at: int, key: str = DEFAULT_API_KEY, secret: str = DEFAULT_API_SECRET
) -> Reply:
    query = f"timestamp={at}"
    proof = hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()
    return exchange.handle(
        "GET",
        f"{BALANCE_PATH}?{query}&signature={proof}".encode(),
        [(b"X-MBX-APIKEY", key.encode())],
    )


def time(exchange: Exchange) -> Reply:
    return exchange.handle("GET", TIME, [])


def used(reply: Reply) -> int | None:
    value = dict(reply.headers).get(b"X-MBX-USED-WEIGHT-1M")
    return None if value is None else int(value)


def wait(reply: Reply) -> int:
    return int(dict(reply.headers)[b"Retry-After"])


def test_every_operation_costs_the_weight_of_the_contract() -> None:
    exchange = Exchange(clock=ManualClock(T0))
    one, both = TIME_WEIGHT, TIME_WEIGHT + BALANCE_WEIGHT
    all_three = both + TIME_WEIGHT
    replies = time(exchange), balance(exchange, T0), time(exchange)
    assert [used(reply) for reply in replies] == [one, both, all_three]
    assert exchange.used_weight == all_three


@pytest.mark.promise("M5")
def test_refused_calls_cost_their_weight_and_say_so() -> None:
    exchange = Exchange(clock=ManualClock(T0))
    refused = [
        balance(exchange, T0 - 9000),
        balance(exchange, T0, key="unknown"),
        balance(exchange, T0, secret="x"),
    ]
    assert [reply.code for reply in refused] == [-1021, -2015, -1022]
    assert [used(reply) for reply in refused] == [BALANCE_WEIGHT * number for number in (1, 2, 3)]


def test_a_path_that_does_not_exist_costs_nothing() -> None:
    exchange = Exchange(clock=ManualClock(T0))
    assert used(exchange.handle("GET", b"/nowhere", [])) is None
    assert used(exchange.handle("POST", TIME, [])) is None
    assert used(time(exchange)) == 1


@pytest.mark.promise("M5")
def test_the_window_is_the_utc_minute_not_a_sliding_one() -> None:
    clock = ManualClock(T0 + MINUTE - 1)
    exchange = Exchange(clock=clock)
    assert [used(time(exchange)), used(time(exchange))] == [1, 2]
    clock.advance(1)
    assert used(time(exchange)) == 1


def test_all_accounts_share_the_weight_of_one_address() -> None:
    exchange = Exchange(clock=ManualClock(T0))
    exchange.add_account("second", "secret")
    assert used(balance(exchange, T0)) == BALANCE_WEIGHT
    assert used(balance(exchange, T0, "second", "secret")) == 2 * BALANCE_WEIGHT


def test_foreign_traffic_counts_as_well() -> None:
    exchange = Exchange(clock=ManualClock(T0))
    exchange.spend(2400 - BALANCE_WEIGHT)
    assert (balance(exchange, T0).status, balance(exchange, T0).status) == (200, 429)


def test_the_limit_itself_may_be_used_up() -> None:
    exchange = Exchange(clock=ManualClock(T0), switches=Switches(weight_limit=2 * BALANCE_WEIGHT))
    assert [balance(exchange, T0).status for _ in range(3)] == [200, 200, 429]


@pytest.mark.promise("M6")
def test_429_says_when_the_minute_ends() -> None:
    clock = ManualClock(T0 + 15_500)
    exchange = Exchange(clock=clock, switches=Switches(weight_limit=5))
    exchange.spend(5)
    reply = time(exchange)
    assert (reply.status, reply.code, wait(reply), used(reply)) == (429, -1003, 45, 6)
    assert "current limit is 5 requests per minute" in json.loads(reply.body)["msg"]
    clock.advance(44_499)
    assert (time(exchange).status, wait(time(exchange))) == (429, 1)
    clock.advance(1)
    assert time(exchange).status == 200


@pytest.mark.promise("M6")
def test_going_on_after_429_ends_in_a_ban_that_ends() -> None:
    clock = ManualClock(T0)
    exchange = Exchange(
        clock=clock, switches=Switches(weight_limit=1, ban_after=3, ban_seconds=120)
    )
    assert [time(exchange).status for _ in range(4)] == [200, 429, 429, 429]
    reply = time(exchange)
    assert (reply.status, reply.code, wait(reply)) == (418, -1003, 120)
    assert (
        f"IP banned until {T0 + 120_000}. Please use the websocket" in json.loads(reply.body)["msg"]
    )
    clock.advance(119_001)
    assert (time(exchange).status, wait(time(exchange))) == (418, 1)
    clock.advance(998)
    assert balance(exchange, T0 + 119_999).status == 418, "a ban is for every operation"
    clock.advance(1)
    assert time(exchange).status == 200


def test_refusals_are_counted_by_the_minute() -> None:
    clock = ManualClock(T0)
    exchange = Exchange(clock=clock, switches=Switches(weight_limit=1, ban_after=2))
    for _ in range(5):
        exchange.spend(1)
        assert [time(exchange).status, time(exchange).status] == [429, 429]
        clock.advance(MINUTE)


@pytest.mark.promise("M6")
def test_every_further_ban_is_longer_up_to_three_days() -> None:
    clock = ManualClock(T0)
    exchange = Exchange(
        clock=clock, switches=Switches(weight_limit=1, ban_after=0, ban_seconds=120)
    )
    lasted = []
    for _ in range(14):
        exchange.spend(1)
        lasted.append(wait(time(exchange)))
        clock.advance(1000 * lasted[-1])
    assert lasted[:4] == [120, 240, 480, 960]
    assert lasted[-2:] == [259_200, 259_200]


def test_a_ban_on_demand_lasts_until_its_end_whatever_is_asked() -> None:
    clock = ManualClock(T0)
    exchange = Exchange(clock=clock)
    exchange.ban(seconds=90)
    for _ in range(3):
        reply = balance(exchange, T0)
        assert (reply.status, reply.code, wait(reply)) == (418, -1003, 90)
        assert f"IP banned until {T0 + 90_000}. " in json.loads(reply.body)["msg"]
    assert exchange.handle("GET", b"/nowhere", []).status == 418
    clock.advance(89_999)
    assert (time(exchange).status, wait(time(exchange))) == (418, 1)
    clock.advance(1)
    assert (time(exchange).status, exchange.handle("GET", b"/nowhere", []).status) == (200, 404)


def test_default_ban_follows_switches() -> None:
    """A ban lasts two minutes by default, and its response follows the switches."""
    exchange = Exchange(
        clock=ManualClock(T0), switches=Switches(retry_after=False, caller_ip="203.0.113.7")
    )
    exchange.ban()
    reply = time(exchange)
    assert b"Retry-After" not in dict(reply.headers)
    assert f"IP(203.0.113.7) banned until {T0 + 120_000}. " in json.loads(reply.body)["msg"]


def test_a_ban_on_demand_counts_as_one_for_the_next() -> None:
    clock = ManualClock(T0)
    exchange = Exchange(clock=clock, switches=Switches(ban_after=0, ban_seconds=120))
    exchange.ban(seconds=60)
    clock.advance(MINUTE)
    exchange.spend(2400)
    assert wait(time(exchange)) == 240


def test_thousands_of_bans_are_counted_in_no_time() -> None:
    meter, switches = WeightCounter(), Switches(weight_limit=1, ban_after=0, ban_seconds=0)
    begun = process_time()
    for _ in range(20_000):
        meter.charge(5, 0, switches)
    assert process_time() - begun < 0.5


def test_recovery_ends_every_ban_and_begins_the_minute_anew() -> None:
    exchange = Exchange(clock=ManualClock(T0), switches=Switches(ban_after=0))
    exchange.ban()
    assert time(exchange).status == 418
    exchange.recover()
    assert (time(exchange).status, exchange.used_weight) == (200, 1)
    exchange.spend(2400)
    assert time(exchange).status == 418
    exchange.recover()
    assert time(exchange).status == 200


@pytest.mark.parametrize("seconds", [0, -1, 1.5, True, None])
def test_a_ban_of_no_whole_seconds_is_refused(seconds: Any) -> None:
    exchange = Exchange(clock=ManualClock(T0))
    with pytest.raises(ValueError, match="seconds must be"):
        exchange.ban(seconds)
    assert time(exchange).status == 200
