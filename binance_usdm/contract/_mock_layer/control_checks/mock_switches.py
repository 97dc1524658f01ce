"""Checks of the mock: what its switches and its clock change, and that chance can be repeated."""

from __future__ import annotations

import gzip
from typing import Final

from binance_usdm.contract._cases.raw_requests import (
    KEY,
    T0,
    MakeExchange,
    header_value,
    key_headers,
    signed_target,
    status_and_code,
)
from binance_usdm.contract._mock_layer.basics import needs_basics
from binance_usdm.contract._mock_layer.callers import FIRST, OTHER, OTHER_KEY, OTHER_SECRET, Caller
from binance_usdm.contract._spec.operations import Operation
from binance_usdm.mock import ManualClock, Switches

DAY_MS: Final = 86_400_000


def replays_follow_the_switch(operation: Operation, make: MakeExchange) -> None:
    """A signature is accepted again, and with `refuse_replay` once for each request."""
    for is_refused, last in ((False, 200), (True, 400)) if operation.signature else ():
        exchange = make(switches=Switches(refuse_replay=is_refused))
        exchange.add_account(OTHER_KEY, OTHER_SECRET)
        callers = (FIRST, OTHER, FIRST)
        statuses = [caller.send(exchange, operation).status for caller in callers]
        assert statuses == [200, 200, last], f"refused: {is_refused}, {statuses}"


def statuses_follow_the_switch(operation: Operation, make: MakeExchange) -> None:
    """A code has the status that `statuses` gives it, and other codes have theirs."""
    exchange = make(switches=Switches(statuses={-1104: 422}))
    reply = FIRST.send(exchange, operation, T0, "noSuchParameter=1")
    assert status_and_code(reply) == (422, -1104), f"{reply}"
    if operation.key_header:
        reply = Caller("no-such-key").send(exchange, operation)
        assert reply.status == 401, f"{reply}"


def order_follows_the_switch(operation: Operation, make: MakeExchange) -> None:
    """Of two things that are wrong, the one whose check comes first is told."""
    orders = {
        -2015: ("key", "parameters", "timestamp", "signature"),
        -1104: ("parameters", "key", "timestamp", "signature"),
    }
    for code, order in orders.items() if operation.key_header else ():
        exchange = make(switches=Switches(order=order))
        reply = Caller("no-such-key").send(exchange, operation, T0, "noSuchParameter=1")
        assert status_and_code(reply)[1] == code, f"{order}: {reply.body!r}"


def key_format_follows_the_switch(operation: Operation, make: MakeExchange) -> None:
    """A key of another form than `key_format` has the code for that, others are looked up."""
    exchange = make(switches=Switches(key_format="[a-z-]{8,64}"))
    for key, code in (("no-such-key", -2015), ("short", -2014)) if operation.key_header else ():
        reply = Caller(key).send(exchange, operation)
        assert status_and_code(reply) == (401, code), f"{key}: {reply.body!r}"


def compression_follows_the_switch(operation: Operation, make: MakeExchange) -> None:
    """With `gzip` a body is compressed for those who accept it, and is the same."""
    plain = FIRST.send(make(), operation).body
    for is_on, accepted in ((True, b"gzip"), (True, b"br"), (False, b"gzip")):
        headers = [*key_headers(operation, KEY), (b"Accept-Encoding", accepted)]
        exchange = make(switches=Switches(gzip=is_on))
        reply = exchange.handle(operation.method, signed_target(operation), headers)
        coding = header_value(reply, "Content-Encoding")
        assert coding == ("gzip" if is_on and accepted == b"gzip" else ""), (
            f"{accepted!r}: {coding}"
        )
        body = gzip.decompress(reply.body) if coding else reply.body
        assert body == plain, f"{body!r}"


def chance_can_be_repeated(operation: Operation, make: MakeExchange) -> None:
    """A fault with a probability hits the same requests for the same seed, and after a reset."""
    found = []
    for seed in (5, 5, 6):
        exchange = make(random_seed=seed)
        for _ in range(2):
            exchange.fail("internal", times=None, probability=0.5)
            found.append([FIRST.send(exchange, operation).status for _ in range(24)])
            exchange.reset()
    assert found[0] == found[1] == found[2] == found[3], "seed 5"
    assert found[4] == found[5] != found[0], "seed 6"
    assert {*found[0]} == {200, 503}, f"probability 0.5: {found[0]}"


def clock_can_be_set(operation: Operation, make: MakeExchange) -> None:
    """The clock steps, stands still, goes on and drifts, and requests are judged by it."""
    base = ManualClock(T0)
    exchange = make(clock=base)
    clock = exchange.clock

    def assert_time(expected: int, place: str) -> None:
        assert FIRST.send(exchange, operation, expected).status == 200, place
        assert exchange.requests[-1].at_ms == expected, f"{place}: {exchange.requests[-1]}"
        assert clock() == expected, f"{place}: {clock()}"

    clock.advance(7000)
    assert_time(T0 + 7000, "advanced")
    clock.freeze()
    base.advance(50_000)
    assert_time(T0 + 7000, "frozen")
    clock.thaw()
    base.advance(1000)
    assert_time(T0 + 8000, "thawed")
    clock.drift(1000)
    base.advance(DAY_MS)
    assert_time(T0 + 8000 + DAY_MS + DAY_MS // 1000, "drifted")


CHECKS: Final = tuple(
    needs_basics(check)
    for check in (
        replays_follow_the_switch,
        statuses_follow_the_switch,
        order_follows_the_switch,
        key_format_follows_the_switch,
        compression_follows_the_switch,
        chance_can_be_repeated,
        clock_can_be_set,
    )
)
