"""Checks of the mock: which requests a fault or a later body is for, and what it leaves alone."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

from binance_usdm.contract._cases.raw_requests import T0, MakeExchange, header_value
from binance_usdm.contract._mock_layer.basics import needs_basics
from binance_usdm.contract._mock_layer.callers import (
    FIRST,
    OTHER,
    OTHER_ADDRESS,
    OTHER_KEY,
    OTHER_SECRET,
    Caller,
)
from binance_usdm.contract._spec.operations import Operation, operations
from binance_usdm.mock import FAULTS, Exchange, ManualClock, Reply

# A response that nothing else gives.
TEAPOT: Final = Reply(599, ((b"X-Made-By", b"a test"),), b"made by a test", -99)
# Rules of a fault, and which of these requests it is for: first key, other key, and so on.
RULES: Final[tuple[tuple[dict[str, Any], tuple[int, ...]], ...]] = (
    ({}, (1,)),
    ({"times": 2}, (1, 2)),
    ({"times": None}, (1, 2, 3, 4, 5, 6)),
    ({"nth": 3}, (3,)),
    ({"nth": 2, "times": 3}, (2, 3, 4)),
    ({"nth": 6, "times": None}, (6,)),
    ({"nth": 7}, ()),
)
# The same for the other key alone, whose requests are the second, fourth and sixth.
RULES_OF_A_KEY: Final[tuple[tuple[dict[str, Any], tuple[int, ...]], ...]] = (
    ({}, (2,)),
    ({"times": 2}, (2, 4)),
    ({"times": None}, (2, 4, 6)),
    ({"nth": 2}, (4,)),
    ({"nth": 2, "times": 2}, (4, 6)),
    ({"nth": 4}, ()),
)


def faults_hit_their_requests(operation: Operation, make: MakeExchange) -> None:
    """A fault responds to as many requests as it says, from the first that it is for."""
    for rules, expected in RULES:
        found = _hits(make, operation, **rules)
        assert found == expected, f"{rules}: {found}"
    for rule in ({"operation": operation.id}, {"path": operation.sample_path}):
        found = _hits(make, operation, nth=2, times=2, **rule)
        assert found == (2, 3), f"{rule}: {found}"
    found = _hits(make, operation, path="/no/such/path", times=None)
    assert not found, f"for another path: {found}"


def faults_hit_their_key(operation: Operation, make: MakeExchange) -> None:
    """A fault for a key responds to its requests only, and counts no others."""
    for rules, expected in RULES_OF_A_KEY if operation.key_header else ():
        found = _hits(make, operation, api_key=OTHER_KEY, **rules)
        assert found == expected, f"{rules}: {found}"
    if operation.key_header:
        found = _hits(make, operation, api_key="no-such-key", times=None)
        assert not found, f"for an unknown key: {found}"


def faults_hit_their_operation(operation: Operation, make: MakeExchange) -> None:
    """A fault for another path or operation neither responds nor goes away, and counts no others."""
    exchange = make()
    exchange.fail(TEAPOT, path="/no/such/path", nth=3)
    statuses = [
        exchange.handle("GET", path.encode(), []).status
        for path in ("/no/such/path", "/other/path", *["/no/such/path"] * 2)
    ]
    assert FIRST.send(exchange, operation).status == 200
    assert statuses == [404, 404, 404, TEAPOT.status], f"{statuses}"
    exchange.fail(TEAPOT, operation=operation.id)
    status = exchange.handle("GET", b"/no/such/path", []).status
    assert status == 404, f"for {operation.id}, at another path: {status}"
    assert FIRST.send(exchange, operation).status == TEAPOT.status


def faults_wait_in_line(operation: Operation, make: MakeExchange) -> None:
    """Faults respond in the order in which they were added, until they are forgotten."""
    exchange = make()
    for status in (590, 591, 592, 593):
        exchange.fail(replace(TEAPOT, status=status))
    found = [FIRST.send(exchange, operation).status for _ in range(3)]
    exchange.recover()
    found.append(FIRST.send(exchange, operation).status)
    assert found == [590, 591, 592, 200], f"{found}"


def custom_responses_are_sent(operation: Operation, make: MakeExchange) -> None:
    """A custom response is sent as it is, and it is in the log as such."""
    exchange = make()
    exchange.fail(TEAPOT)
    reply = FIRST.send(exchange, operation)
    assert reply == TEAPOT, f"{reply}"
    logged = exchange.requests[-1]
    found = (logged.status, logged.code, logged.fault, logged.response_body)
    assert found == (TEAPOT.status, TEAPOT.code, "reply", TEAPOT.body), f"{found}"


def faults_leave_the_rest_alone(operation: Operation, make: MakeExchange) -> None:
    """After a fault everybody has the usual response, and another address its weight."""
    weight = operation.weight_of(operation.required_query)
    expected = _body(_exchange(make), operation, FIRST)
    others = _body(_exchange(make), operation, OTHER)
    elsewhere = replace(OTHER, address=OTHER_ADDRESS)
    exchange = _exchange(make)
    for name in FAULTS:
        # What the one before left behind shows here as well.
        exchange.recover()
        exchange.fail(name)
        OTHER.send(exchange, operation)
        reply = elsewhere.send(exchange, operation)
        assert json.loads(reply.body) == others, f"{name}: {reply}"
        used = header_value(reply, "X-MBX-USED-WEIGHT-1M")
        assert used == str(weight), f"{name}: weight {used} of another address"
        for caller, body in ((OTHER, others), (FIRST, expected)):
            assert _body(exchange, operation, caller) == body, f"{name}: {caller.key}"


def bodies_wait_for_their_response(operation: Operation, make: MakeExchange) -> None:
    """A body for the nth response comes with it and stays; errors and other accounts do not count."""
    exchange = _exchange(make)
    exchange.seed(operation.id, b"[1]")
    exchange.seed(operation.id, b"[3]", nth=3)
    exchange.seed(operation.id, b"[4]", nth=4)
    FIRST.send(exchange, operation, T0, "noSuchParameter=1")
    exchange.fail("internal")
    FIRST.send(exchange, operation)
    others = [OTHER.send(exchange, operation).body] if operation.key_header else []
    found = [FIRST.send(exchange, operation).body for _ in range(5)]
    assert found == [b"[1]", b"[1]", b"[3]", b"[4]", b"[4]"], f"{found}"
    for body in others:
        assert OTHER.send(exchange, operation).body == body, "another account"


def bodies_wait_for_their_time(operation: Operation, make: MakeExchange) -> None:
    """A body for a later time is there from that millisecond on, for its account only."""
    clock = ManualClock(T0)
    exchange = _exchange(make, clock=clock)
    key = OTHER_KEY if operation.key_header else None
    exchange.seed(operation.id, b"[0]", key)
    exchange.seed(operation.id, b"[2]", key, after_ms=2000)
    exchange.seed(operation.id, b"[1]", key, after_ms=1000)
    for ms, body in ((0, b"[0]"), (999, b"[0]"), (1000, b"[1]"), (1999, b"[1]"), (2000, b"[2]")):
        clock.ms = T0 + ms
        found = OTHER.send(exchange, operation, clock.ms).body
        assert found == body, f"{found!r} after {ms} ms"
        if key:
            reply = FIRST.send(exchange, operation, clock.ms)
            assert reply.body not in (b"[0]", b"[1]", b"[2]"), "another account"
    exchange.seed(operation.id, b"[4]", key, after_ms=2)
    exchange.seed(operation.id, b"[3]", key, after_ms=1)
    clock.ms += 2
    found = OTHER.send(exchange, operation, clock.ms).body
    assert found == b"[4]", f"{found!r} when two are due"


def bodies_belong_to_their_operation(operation: Operation, make: MakeExchange) -> None:
    """What is set for an operation, now or later, changes no other one."""
    exchange = make()
    expected = FIRST.send(exchange, operation).body
    for other in operations(operation.document):
        if other.id != operation.id:
            exchange.seed(other.id, b"[0]")
            exchange.seed(other.id, b"[1]", nth=1)
            exchange.seed(other.id, b"[2]", after_ms=0)
    found = FIRST.send(exchange, operation).body
    assert found == expected, f"{found!r}"


CHECKS: Final = tuple(
    needs_basics(check)
    for check in (
        faults_hit_their_requests,
        faults_hit_their_key,
        faults_hit_their_operation,
        faults_wait_in_line,
        custom_responses_are_sent,
        faults_leave_the_rest_alone,
        bodies_wait_for_their_response,
        bodies_wait_for_their_time,
        bodies_belong_to_their_operation,
    )
)


def _exchange(make: MakeExchange, **options: Any) -> Exchange:
    exchange = make(**options)
    exchange.add_account(OTHER_KEY, OTHER_SECRET)
    return exchange


def _hits(make: MakeExchange, subject: Operation, /, **rules: Any) -> tuple[int, ...]:
    """Return which of six requests a fault responds to."""
    exchange = _exchange(make)
    exchange.fail(TEAPOT, **rules)
    replies = [caller.send(exchange, subject) for caller in (FIRST, OTHER) * 3]
    for reply in replies:
        assert reply.status in (200, TEAPOT.status), f"{reply.status}"
    return tuple(n for n, reply in enumerate(replies, 1) if reply.status == TEAPOT.status)


def _body(exchange: Exchange, operation: Operation, caller: Caller) -> Any:
    reply = caller.send(exchange, operation)
    assert reply.status == 200, f"{caller.key}: {reply.status}"
    return json.loads(reply.body)
