"""Checks of the mock: whose weight is used up, who is banned, until when, and what says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from binance_usdm.contract._cases.raw_requests import (
    T0,
    MakeExchange,
    header_value,
    key_headers,
    signed_target,
)
from binance_usdm.contract._mock_layer.basics import needs_basics
from binance_usdm.contract._mock_layer.callers import (
    ADDRESS,
    FIRST,
    OTHER,
    OTHER_ADDRESS,
    OTHER_KEY,
    OTHER_SECRET,
    read_rejection,
)
from binance_usdm.contract._spec.error_messages import match_message
from binance_usdm.contract._spec.operations import Operation
from binance_usdm.mock import Exchange, ManualClock, Reply, Switches

WEIGHT_HEADER: Final = "X-MBX-USED-WEIGHT-1M"
# The same address as a socket for IPv6 shows it.
MAPPED_ADDRESS: Final = f"::ffff:{ADDRESS}"
# Just before and behind the edges of a second.
BAN_MS: Final = (0, 1, 999, 1000, 88_999, 89_000, 89_001, 89_999)
BAN_SECONDS: Final = 90


def weight_belongs_to_the_address(operation: Operation, make: MakeExchange) -> None:
    """All keys of an address use up its weight; the same keys elsewhere use up another one."""
    exchange, weight = _exchange_with_two_keys(make), _weight(operation)
    elsewhere = replace(FIRST, address=OTHER_ADDRESS)
    mapped = replace(OTHER, address=MAPPED_ADDRESS)
    for number, (caller, times) in enumerate(
        ((FIRST, 1), (OTHER, 2), (elsewhere, 1), (FIRST, 3), (mapped, 4), (elsewhere, 2)), 1
    ):
        used = header_value(caller.send(exchange, operation), WEIGHT_HEADER)
        assert used == str(times * weight), f"request {number}: {used}, weight {weight}"


def limits_belong_to_the_address(operation: Operation, make: MakeExchange) -> None:
    """A used up minute rejects all keys of its address, and no request of another one."""
    weight = _weight(operation)
    if not weight:
        return
    for is_spent in (False, True):
        exchange = _exchange_with_two_keys(make, Switches(weight_limit=weight))
        if is_spent:
            exchange.spend(weight, ADDRESS)
        else:
            assert FIRST.send(exchange, operation).status == 200
        callers = (OTHER, FIRST, *(replace(each, address=OTHER_ADDRESS) for each in (FIRST, OTHER)))
        statuses = [caller.send(exchange, operation).status for caller in callers]
        assert statuses == [429, 429, 200, 429], f"{statuses}"


def bans_belong_to_the_address(operation: Operation, make: MakeExchange) -> None:
    """A ban rejects all keys of its address, and no request of another one."""
    weight = _weight(operation)
    for is_set in (True, False) if weight else (True,):
        limit = 10**9 if is_set else weight
        exchange = _exchange_with_two_keys(make, Switches(weight_limit=limit, ban_after=0))
        if is_set:
            exchange.ban(BAN_SECONDS, ADDRESS)
        else:
            FIRST.send(exchange, operation)
        statuses = [caller.send(exchange, operation).status for caller in (OTHER, FIRST)]
        assert statuses == [418, 418], f"{statuses}"
        elsewhere = replace(FIRST, address=OTHER_ADDRESS)
        assert elsewhere.send(exchange, operation).status == 200, "another address"


def bans_reject_every_request(operation: Operation, make: MakeExchange) -> None:
    """A ban ends at its millisecond, whatever was sent until then, and each response says when."""
    clock = ManualClock(T0)
    exchange = make(clock=clock)
    exchange.ban(BAN_SECONDS)
    end = T0 + 1000 * BAN_SECONDS
    headers = key_headers(operation, FIRST.key)
    for ms in BAN_MS:
        clock.ms = T0 + ms
        target = signed_target(operation, clock.ms)
        for name, reply in {
            "a valid request": exchange.handle(operation.method, target, headers),
            "no query": exchange.handle(operation.method, operation.sample_path.encode(), []),
            "an unknown path": exchange.handle("GET", b"/no/such/path", headers),
            "another method": exchange.handle("PATCH", target, headers),
        }.items():
            assert_is_ban(operation, reply, clock.ms, end, f"{name} after {ms} ms")
    clock.ms = end
    reply = exchange.handle(operation.method, signed_target(operation, end), headers)
    assert reply.status == 200, f"{reply.status} at the end of the ban"


def limits_say_when_they_end(operation: Operation, make: MakeExchange) -> None:
    """A 429 tells the limit and a 418 its end in ms, in the documented text, as Retry-After does."""
    weight = _weight(operation)
    switches = Switches(weight_limit=weight or 1, ban_after=1, ban_seconds=300)
    exchange = make(switches=switches)
    for status in (200, 429, 418) if weight else ():
        reply = FIRST.send(exchange, operation)
        assert reply.status == status, f"{reply.status} instead of {status}"
        if status != 200:
            _assert_says_when(operation, reply, switches)
    for fault in ("rate-limited", "banned"):
        exchange = make(switches=switches)
        exchange.fail(fault)
        _assert_says_when(operation, FIRST.send(exchange, operation), switches)
    address = "198.51.100.9"
    exchange = make(switches=replace(switches, caller_ip=address))
    exchange.ban(BAN_SECONDS, ADDRESS)
    body = FIRST.send(exchange, operation).body
    assert address.encode() in body, f"{body!r} does not name the caller"


def limit_is_that_of_production(operation: Operation, make: MakeExchange) -> None:
    """Without a switch 2400 weight can be used in a minute, and the next request is rejected."""
    weight = _weight(operation)
    if not weight:
        return
    exchange = make(switches=Switches())
    exchange.spend(2400 - weight, ADDRESS)
    statuses = [FIRST.send(exchange, operation).status for _ in range(2)]
    assert statuses == [200, 429], f"{statuses}"


def minutes_forgive_rejected_calls(operation: Operation, make: MakeExchange) -> None:
    """Calls that were rejected in an earlier minute do not count for a ban."""
    weight, clock = _weight(operation), ManualClock(T0)
    if not weight:
        return
    exchange = make(clock=clock, switches=Switches(weight_limit=weight, ban_after=2))
    for expected in ([200, 429, 429], [200, 429, 429], [200, 429, 429, 418]):
        statuses = [FIRST.send(exchange, operation, clock.ms).status for _ in expected]
        assert statuses == expected, f"{statuses}"
        clock.advance(60_000)


def spent_weight_is_counted(operation: Operation, make: MakeExchange) -> None:
    """What another program spends is in the weight of its address and minute, to the unit."""
    clock, weight = ManualClock(T0), _weight(operation)
    exchange = make(clock=clock)
    address = "127.0.0.1"
    caller = replace(FIRST, address=address)
    exchange.spend(7)
    exchange.spend(100, OTHER_ADDRESS)
    exchange.spend(30, address)
    for spent in (37, 0):
        used = header_value(caller.send(exchange, operation, clock.ms), WEIGHT_HEADER)
        assert used == str(spent + weight), f"{used} after {spent} was spent"
        assert exchange.used_weight == spent + weight, f"{exchange.used_weight}"
        clock.advance(60_000)


CHECKS: Final = tuple(
    needs_basics(check)
    for check in (
        weight_belongs_to_the_address,
        limits_belong_to_the_address,
        bans_belong_to_the_address,
        bans_reject_every_request,
        limits_say_when_they_end,
        limit_is_that_of_production,
        minutes_forgive_rejected_calls,
        spent_weight_is_counted,
    )
)


def assert_is_ban(operation: Operation, reply: Reply, now: int, end: int, place: str) -> None:
    """Check that a response is that of a ban with an end, in ms like the present time."""
    rejection = read_rejection(reply)
    assert rejection[:2] == (418, -1003), f"{place}: {rejection}"
    parts = match_message(operation.document, -1003, rejection.message)
    assert parts == (str(end),), f"{place}: the ban ends at {end}, not as in {rejection.message!r}"
    wait = header_value(reply, "Retry-After")
    assert wait == str(-(-(end - now) // 1000)), f"{place}: Retry-After {wait}, end {end}"


def _assert_says_when(operation: Operation, reply: Reply, switches: Switches) -> None:
    if reply.status == 418:
        end = T0 + 1000 * switches.ban_seconds
        assert_is_ban(operation, reply, T0, end, "the ban")
        return
    rejection = read_rejection(reply)
    assert rejection[:2] == (429, -1003), f"{rejection}"
    parts = match_message(operation.document, -1003, rejection.message)
    assert parts == (str(switches.weight_limit),), f"{rejection.message!r}"
    wait = header_value(reply, "Retry-After")
    assert wait == str(-(-(60_000 - T0 % 60_000) // 1000)), f"Retry-After {wait}"


def _exchange_with_two_keys(make: MakeExchange, switches: Switches | None = None) -> Exchange:
    exchange = make(switches=switches) if switches else make()
    exchange.add_account(OTHER_KEY, OTHER_SECRET)
    return exchange


def _weight(operation: Operation) -> int:
    return operation.weight_of(operation.required_query)
