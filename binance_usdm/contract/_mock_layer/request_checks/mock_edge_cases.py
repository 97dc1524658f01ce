"""Checks of the mock just beside what the spec says: routes, other minutes, other accounts."""

from __future__ import annotations

from typing import Final

from binance_usdm.contract._cases.raw_requests import (
    KEY,
    SECRET,
    T0,
    MakeExchange,
    header_value,
    key_headers,
    send_query,
    send_valid,
    sign,
    signed_target,
    status_and_code,
)
from binance_usdm.contract._spec.operations import Operation
from binance_usdm.mock import ManualClock, Switches

METHODS: Final = ("HEAD", "OPTIONS", "PUT", "PATCH", "TRACE", "get")


def routes_are_exact(operation: Operation, make: MakeExchange) -> None:
    """A valid request is accepted at its path and method, and at none that is similar."""
    exchange, headers = make(), key_headers(operation, KEY)
    target = signed_target(operation)
    assert exchange.handle(operation.method, target, headers).status == 200
    path, mark, query = target.partition(b"?")
    paths = [path + b"/", b"/" + path, path.upper(), path[:-1], path + b"x", path + b"/x"]
    if operation.path_parameters:
        # Other values of the parameters have other ends.
        paths = [path + b"/", b"/" + path, path + b"/x"]
    for other in (*paths, path[1:], b"/"):
        reply = exchange.handle(operation.method, other + mark + query, headers)
        assert reply.status == 404, f"{other!r}: {reply.status}"
    for method in METHODS:
        reply = exchange.handle(method, target, headers)
        assert reply.status == 404, f"{method}: {reply.status}"


def minutes_follow_the_clock(operation: Operation, make: MakeExchange) -> None:
    """A used up limit lasts until the minute of the clock ends, to the millisecond."""
    start = T0 // 60_000 * 60_000 + 1
    clock = ManualClock(start)
    weight = operation.weight_of(operation.required_query)
    if not weight:
        return
    switches = Switches(weight_limit=weight, ban_after=10)
    exchange = make(clock=clock, switches=switches)
    assert send_valid(exchange, operation, clock.ms).status == 200
    for second in (0, 29, 31, 58):
        clock.advance(start + 1000 * second - clock.ms)
        reply = send_valid(exchange, operation, clock.ms)
        found = (reply.status, header_value(reply, "Retry-After"))
        assert found == (429, str(60 - second)), f"second {second}: {reply}"
    for ms, status in ((start + 59_998, 429), (start + 59_999, 200)):
        clock.advance(ms - clock.ms)
        assert send_valid(exchange, operation, clock.ms).status == status, f"{ms - start} ms"


def bans_get_longer(operation: Operation, make: MakeExchange) -> None:
    """Each ban is longer than the one before, up to three days."""
    if not operation.weight_of(operation.required_query):
        return
    clock, waits = ManualClock(T0), [0]
    exchange = make(clock=clock, switches=Switches(weight_limit=1, ban_after=0))
    while len(waits) < 30 and waits[-1] < 3 * 86400:
        exchange.spend(1)
        reply = send_valid(exchange, operation, clock.ms)
        waits.append(int(header_value(reply, "Retry-After")))
        assert reply.status == 418, f"{reply.status} after {waits}"
        assert waits[-1] > waits[-2], f"{waits}"
        clock.advance(1000 * waits[-1])
    assert (waits[1], waits[-1]) == (120, 3 * 86400), f"{waits}"


def rejected_requests_cost_weight(operation: Operation, make: MakeExchange) -> None:
    exchange = make()
    extra: tuple[list[str], ...] = (["noSuchParameter=1"], ["noSuchParameter=1"], [])
    replies = [send_valid(exchange, operation, T0, *pairs) for pairs in extra]
    used = [int(header_value(reply, "X-MBX-USED-WEIGHT-1M")) for reply in replies]
    weight = operation.weight_of(operation.required_query)
    assert used == [weight * count for count in (1, 2, 3)], f"{used}"


def keys_are_exact(operation: Operation, make: MakeExchange) -> None:
    """A key with spaces, more or fewer letters is another key."""
    others = (f" {KEY}", f"{KEY} ", f"{KEY}\t", f"{KEY}x", KEY[:-1])
    for key in others if operation.key_header else ():
        query = sign(operation, operation.query(T0))
        reply = send_query(make(), operation, query, key)
        assert reply.status == 401, f"{key!r}"


def secrets_belong_to_their_keys(operation: Operation, make: MakeExchange) -> None:
    """With two accounts, each key works with its own secret only."""
    secrets = {KEY: SECRET, "another-key": "another-secret"}
    if operation.key_header is None or operation.signature is None:
        return
    exchange = make()
    exchange.add_account("another-key", secrets["another-key"])
    for key in secrets:
        for owner, secret in secrets.items():
            expected = (200, None) if owner == key else (400, -1022)
            query = sign(operation, operation.query(T0), secret)
            reply = send_query(exchange, operation, query, key)
            assert status_and_code(reply) == expected, f"{key} with {secret}"


CHECKS: Final = (
    routes_are_exact,
    minutes_follow_the_clock,
    bans_get_longer,
    rejected_requests_cost_weight,
    keys_are_exact,
    secrets_belong_to_their_keys,
)
