"""Checks of the mock: what its switches and its clock change, and that chance can be repeated."""

from __future__ import annotations

import gzip
from dataclasses import replace
from typing import Any, Final

from binance_usdm.contract._cases.raw_requests import (
    KEY,
    SECRET,
    T0,
    UNLIMITED,
    MakeExchange,
    header_value,
    key_headers,
    signed_target,
    status_and_code,
)
from binance_usdm.contract._cases.small_changes.variant_builder import Builder
from binance_usdm.contract._cases.small_changes.variant_table import iter_variants
from binance_usdm.contract._cases.small_changes.variants import describe_response
from binance_usdm.contract._mock_layer.basics import needs_basics
from binance_usdm.contract._mock_layer.callers import FIRST, OTHER, OTHER_KEY, OTHER_SECRET, Caller
from binance_usdm.contract._mock_layer.request_checks.mock_variants import send_variant
from binance_usdm.contract._spec.operations import Operation
from binance_usdm.mock import ManualClock, Switches

DAY_MS: Final = 86_400_000
# Values of switches that are not the default, and for which the table of small changes has a case.
OTHER_VALUES: Final[tuple[dict[str, Any], ...]] = (
    {"unknown_parameter": -1103},
    {"unknown_parameter": None},
    {"malformed_mandatory": -1100},
    {"malformed_optional": -1130},
    {"out_of_range": -1102},
    {"missing_signature": -1022},
    {"signature_last": False},
    {"window_maximum": 60_000},
    {"microseconds": True},
    {"not_found": "html"},
    {"wrong_method": 405},
)


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


def small_changes_follow_the_switches(operation: Operation, make: MakeExchange) -> None:
    """A small change that a switch is about has the response that the switch names."""
    build = Builder(operation, KEY, SECRET, lambda ms: T0 + ms, is_exact=True)
    exchange = make()
    # What is wrong with the defaults as well is found by the checks of the table.
    variants = [
        each
        for each in iter_variants(build)
        if each.is_right(send_variant(exchange, each), UNLIMITED)
    ]
    for values in OTHER_VALUES:
        switches = replace(UNLIMITED, **values)
        exchange = make(switches=switches)
        for variant in variants:
            # The largest window that is allowed has the same response with each value.
            is_edge = "window_maximum" in values and "60000" in variant.name
            if is_edge or {*variant.expect(switches)} != {*variant.expect(UNLIMITED)}:
                found = send_variant(exchange, variant)
                expected = variant.describe_expected(switches)
                assert variant.is_right(found, switches), (
                    f"{values}, {variant.name}: {describe_response(*found)}; expected: {expected}"
                )


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
    for is_on, accepted, is_compressed in (
        (True, b"gzip", True),
        (True, b"br, gzip;q=0.5", True),
        (True, b"br", False),
        (True, b"br, gzip;q=0", False),
        (False, b"gzip", False),
    ):
        headers = [*key_headers(operation, KEY), (b"Accept-Encoding", accepted)]
        exchange = make(switches=Switches(gzip=is_on))
        reply = exchange.handle(operation.method, signed_target(operation), headers)
        coding = header_value(reply, "Content-Encoding")
        assert coding == ("gzip" if is_compressed else ""), f"{accepted!r}: {coding}"
        body = gzip.decompress(reply.body) if coding else reply.body
        assert body == plain, f"{body!r}"
        exchange.fail("gzip")
        reply = exchange.handle(operation.method, signed_target(operation), headers)
        assert gzip.decompress(reply.body) == plain, "compressed twice"


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

    clock.advance(9000)
    assert_time(T0 + 9000, "advanced")
    clock.advance(-3000)
    assert_time(T0 + 6000, "set back")
    clock.freeze()
    base.advance(50_000)
    assert_time(T0 + 6000, "frozen")
    clock.advance(1000)
    assert_time(T0 + 7000, "advanced while it stands")
    clock.thaw()
    base.advance(1000)
    assert_time(T0 + 8000, "thawed")
    clock.drift(1000)
    base.advance(DAY_MS)
    gained = DAY_MS // 1000
    assert_time(T0 + 8000 + DAY_MS + gained, "drifted")
    clock.drift(-2000)
    assert_time(T0 + 8000 + DAY_MS + gained, "another drift")
    base.advance(DAY_MS)
    assert_time(T0 + 8000 + 2 * DAY_MS - gained, "drifted back")


CHECKS: Final = tuple(
    needs_basics(check)
    for check in (
        replays_follow_the_switch,
        statuses_follow_the_switch,
        small_changes_follow_the_switches,
        order_follows_the_switch,
        key_format_follows_the_switch,
        compression_follows_the_switch,
        chance_can_be_repeated,
        clock_can_be_set,
    )
)
