"""Checks of the mock: what responds to an unknown path and to another method, and which headers."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final

from binance_usdm.contract._cases.raw_requests import (
    KEY,
    T0,
    MakeExchange,
    header_value,
    key_headers,
    send_valid,
    signed_target,
)
from binance_usdm.contract._mock_layer.basics import needs_basics
from binance_usdm.contract._mock_layer.callers import FIRST, read_rejection
from binance_usdm.contract._spec.error_messages import match_message
from binance_usdm.contract._spec.operations import Operation, operations
from binance_usdm.mock import ManualClock, Reply, Switches

OTHER_METHODS: Final = ("PUT", "PATCH", "OPTIONS", "FOO")


def unknown_routes_say_so(operation: Operation, make: MakeExchange) -> None:
    """An unknown path and another method get a 404 with -5000 that names both, key or not."""
    exchange, path = make(), operation.sample_path
    routes = [("GET", "/no/such/path"), ("POST", f"{path}/x")]
    routes += [(method, path) for method in OTHER_METHODS]
    for method, other in routes:
        for headers in (key_headers(operation, KEY), []):
            query = signed_target(operation).partition(b"?")[2]
            found = read_rejection(exchange.handle(method, other.encode() + b"?" + query, headers))
            place = f"{method} {other}: {found}"
            assert found[:2] == (404, -5000), place
            parts = match_message(operation.document, found.code, found.message)
            assert parts == (other, method), place


def unknown_routes_follow_the_switches(operation: Operation, make: MakeExchange) -> None:
    """With `wrong_method` the path's methods are named, with `not_found` a page is sent."""
    path = operation.sample_path.encode()
    allowed = {
        each.method for each in operations(operation.document) if each.matches(path.decode())
    }
    exchange = make(switches=Switches(wrong_method=405))
    reply = exchange.handle("PATCH", path, [])
    assert read_rejection(reply)[:2] == (405, -5000), f"{reply}"
    assert {*header_value(reply, "Allow").split(", ")} == allowed, f"{reply.headers}"
    reply = exchange.handle("PATCH", b"/no/such/path", [])
    assert (reply.status, header_value(reply, "Allow")) == (404, ""), f"{reply}"
    page = make(switches=Switches(not_found="html")).handle("GET", b"/no/such/path", [])
    assert page.status == 404, f"{page}"
    assert header_value(page, "Content-Type").startswith("text/html"), f"{page}"
    assert b"<html" in page.body, f"{page}"


def date_is_the_clock(operation: Operation, make: MakeExchange) -> None:
    """Every response has one Date, the exchange's clock in whole seconds."""
    # Around a second's edge, and with one digit in the day.
    for ms in (T0, T0 - T0 % 1000, T0 - T0 % 1000 - 1, 1_583_020_799_999):
        exchange = make(clock=ManualClock(ms))
        replies = [
            send_valid(exchange, operation, ms),
            send_valid(exchange, operation, ms, "noSuchParameter=1"),
            exchange.handle("GET", b"/no/such/path", []),
        ]
        for fault in ("waf", "internal"):
            exchange.fail(fault)
            replies.append(send_valid(exchange, operation, ms))
        expected = format_datetime(datetime.fromtimestamp(ms // 1000, UTC), usegmt=True)
        for reply in replies:
            dates = _values(reply, "Date")
            assert dates == [expected], f"{reply.status}: {dates}, not {expected}"


def headers_follow_the_switches(operation: Operation, make: MakeExchange) -> None:
    """Used weight, Retry-After and Date can be left out, the Date moved, and all be lower case."""
    # On a whole second, so that the Date is the same with each switch.
    now, weight = T0 - T0 % 1000, operation.weight_of(operation.required_query)
    rejected = Switches(weight_limit=1, ban_after=0)

    def names(switches: Switches) -> set[str]:
        exchange = make(clock=ManualClock(now), switches=switches)
        if weight:
            exchange.spend(1, FIRST.address)
        reply = FIRST.send(exchange, operation, now)
        return {name.decode() for name, _ in reply.headers}

    usual = names(rejected)
    for switch, gone in {
        "used_weight": {"X-MBX-USED-WEIGHT-1M"},
        "retry_after": {"Retry-After"} & usual,
    }.items():
        found = names(rejected.with_changes({switch: False}))
        assert found == usual - gone, f"{switch}: {found}"
    found = names(rejected.with_changes({"date_offset": None}))
    assert found == usual - {"Date"}, f"date_offset: {found}"
    found = names(rejected.with_changes({"lower_case_headers": True}))
    assert found == {name.lower() for name in usual}, f"{found}"
    exchange = make(clock=ManualClock(now), switches=Switches(date_offset=-90))
    dates = _values(send_valid(exchange, operation, now), "Date")
    expected = format_datetime(datetime.fromtimestamp(now // 1000 - 90, UTC), usegmt=True)
    assert dates == [expected], f"{dates}"


CHECKS: Final = tuple(
    needs_basics(check)
    for check in (
        unknown_routes_say_so,
        unknown_routes_follow_the_switches,
        date_is_the_clock,
        headers_follow_the_switches,
    )
)


def _values(reply: Reply, name: str) -> list[str]:
    return [value.decode() for key, value in reply.headers if key.decode().lower() == name.lower()]
