"""Checks of the mock: what a test sets up, and what it must not be able to set up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any, Final

from binance_usdm.contract._cases.raw_requests import (
    KEY,
    T0,
    MakeExchange,
    header_value,
)
from binance_usdm.contract._mock_layer.basics import needs_basics
from binance_usdm.contract._mock_layer.callers import (
    ADDRESS,
    FIRST,
    OTHER,
    OTHER_KEY,
    OTHER_SECRET,
    STUB_PATH,
    Caller,
    stub_operation,
)
from binance_usdm.contract._spec.document import resolve
from binance_usdm.contract._spec.operations import Operation, operations
from binance_usdm.contract._spec.response_model import ok_responses
from binance_usdm.mock import Delivery, Exchange, ManualClock, Switches

SCALARS: Final = ("string", "integer", "number", "boolean")
# When a body is sent: now, or later.
BODY_OPTIONS: Final[tuple[dict[str, Any], ...]] = ({}, {"nth": 2}, {"after_ms": 1})
PING_PATH: Final = "/fapi/v1/ping"
# What nobody may set.
WRONG: Final[dict[str, Callable[[Exchange], object]]] = {
    "a key of another account": lambda exchange: exchange.add_account(KEY, OTHER_SECRET),
    "a key twice": lambda exchange: exchange.add_key(exchange.account, KEY, OTHER_SECRET),
    "no address": lambda exchange: exchange.add_account("k", "s", addresses=["here"]),
    "no permission": lambda exchange: exchange.add_account("k", "s", permissions=["all"]),
    "an unknown operation": lambda exchange: exchange.seed("no_such_operation", []),
    "negative weight": lambda exchange: exchange.spend(-1),
    "a ban of no time": lambda exchange: exchange.ban(0),
    "an unknown fault": lambda exchange: exchange.fail("no-such-fault"),
    "an unknown option": lambda exchange: exchange.fail("internal", seconds=1),
    "a fault for no request": lambda exchange: exchange.fail("internal", 0),
    "a fault for an unknown operation": lambda exchange: exchange.fail("internal", operation="no"),
    "an unknown switch": lambda exchange: Switches().with_changes({"no_such_switch": 1}),
}


def wrong_settings_are_refused(operation: Operation, make: MakeExchange) -> None:
    """What cannot be, and a body that the document forbids, raises and changes nothing."""
    exchange = make()
    expected = FIRST.send(exchange, operation)
    for name, setting in WRONG.items():
        _assert_refused(partial(setting, exchange), name)
    if operation.result.get("type") in ("array", "object"):
        _assert_refused(lambda: exchange.seed(operation.id, 1), "a body that is a number")
    found = FIRST.send(exchange, operation)
    assert (found.status, found.body) == (expected.status, expected.body), f"{found}"


def accounts_have_their_alias(operation: Operation, make: MakeExchange) -> None:
    """A field that identifies the account differs from account to account, not from key to key."""
    field = next(
        each.account_field
        for each in ok_responses(operation.document)
        if each.operation.id == operation.id
    )
    if field is None or not operation.key_header:
        return
    exchange = make()
    exchange.add_account(OTHER_KEY, OTHER_SECRET)
    exchange.add_account("third-key", OTHER_SECRET)
    callers = (FIRST, OTHER, Caller("third-key", OTHER_SECRET))
    bodies = {caller.send(exchange, operation).body for caller in callers}
    assert len(bodies) == len(callers), f"{field} is the same in two accounts"


def stubs_are_verified(operation: Operation, make: MakeExchange) -> None:
    """A stub needs no key; a key, signature or timestamp that comes with it must be valid."""
    if not operation.signature:
        return
    exchange = make()
    exchange.stub(f"GET {STUB_PATH}", b"[1]")

    def send(caller: Caller | None, timestamp: int = T0) -> int:
        if caller is None:
            return exchange.handle("GET", STUB_PATH.encode(), []).status
        return caller.send(exchange, stub_operation(operation), timestamp).status

    wrong_secret = replace(FIRST, secret=OTHER_SECRET)
    statuses = [send(each) for each in (None, FIRST, wrong_secret, Caller("no-such-key"))]
    assert statuses == [200, 200, 400, 401], f"{statuses}"
    if operation.timestamp:
        assert send(FIRST, T0 - 100_000) == 400, "an old request to a stub"


def stubs_have_their_body(operation: Operation, make: MakeExchange) -> None:
    """A stub has a body, later ones, and weight; the path that clients ping is there at once."""
    clock = ManualClock(T0)
    exchange = make(clock=clock)

    def get(path: str) -> tuple[int, bytes, str]:
        reply = exchange.handle("GET", path.encode(), [], address=ADDRESS)
        return reply.status, reply.body, header_value(reply, "X-MBX-USED-WEIGHT-1M")

    exchange.stub(f"GET {STUB_PATH}", {"amount": Decimal("1E-8"), "币": 1.5})
    first = '{"amount":"0.00000001","币":1.5}'.encode()
    exchange.stub(f"GET {STUB_PATH}", b"[2]", nth=2)
    exchange.stub(f"GET {STUB_PATH}", b"[3]", after_ms=5)
    bodies = [first, b"[2]", b"[2]"]
    found = [get(STUB_PATH) for _ in bodies]
    assert found == [(200, body, str(n)) for n, body in enumerate(bodies, 1)], f"{found}"
    clock.advance(5)
    assert get(STUB_PATH)[:2] == (200, b"[3]"), "a body for a later time"
    # An operation of the document instead would be judged as one.
    if not any(each.path == PING_PATH for each in operations(operation.document)):
        assert get(PING_PATH)[:2] == (200, b"{}"), PING_PATH
    for path in (STUB_PATH, PING_PATH):
        assert get(f"{path}-more")[0] != 200, f"{path}-more"


def credentials_are_told(operation: Operation, make: MakeExchange) -> None:
    """`api_key` and `api_secret` are those of the first account, for the clients of a test."""
    exchange = make()
    exchange.add_account(OTHER_KEY, OTHER_SECRET)
    found = (exchange.api_key, exchange.api_secret)
    assert found == (FIRST.key, FIRST.secret), "they are others"


def bodies_are_validated(operation: Operation, make: MakeExchange) -> None:
    """A body without a required field, or with one of another type, is refused; later ones, too."""
    exchange, result = make(), operation.result
    items = resolve(operation.document, result.get("items", {}))
    schema = items if result.get("type") == "array" else result
    example = operation.examples[0]
    row = example[0] if isinstance(example, list) and example else example
    if not isinstance(row, dict):
        return
    for name in (*schema.get("required", ()),):
        without = {key: value for key, value in row.items() if key != name}
        kind = resolve(operation.document, schema["properties"].get(name, {})).get("type")
        retyped = {**row, name: {"no such key": 1}}
        for changed in (without, retyped) if kind in SCALARS else (without,):
            body = [row, changed] if isinstance(example, list) else changed
            for options in BODY_OPTIONS:
                seed = partial(exchange.seed, operation.id, body, **options)
                _assert_refused(seed, f"{name} of {changed}")


def faults_take_options(operation: Operation, make: MakeExchange) -> None:
    """Options of a fault are in its response and its delivery."""
    exchange = make()
    for code, status in ((-1121, 400), (-1000, 500)):
        exchange.fail("error", code=code, status=status)
        FIRST.send(exchange, operation)
        found = (exchange.requests[-1].status, exchange.requests[-1].code)
        assert found == (status, code), f"error: {found}"
    options: dict[str, tuple[dict[str, Any], Delivery]] = {
        "latency": ({"seconds": 0.25, "jitter": 0.0}, Delivery(latency=0.25)),
        "slow": ({"chunk": 3, "pause": 0.5}, Delivery(chunk=3, pause=0.5)),
        "cut": ({"after": 3}, Delivery(cut=3)),
        "reset": ({"after": 4}, Delivery(cut=4, reset=True)),
    }
    for fault, (given, delivery) in options.items():
        exchange.fail(fault, **given)
        found_delivery = FIRST.send(exchange, operation).delivery
        assert found_delivery == delivery, f"{fault}: {found_delivery}"


def certain_failures_cost_nothing(operation: Operation, make: MakeExchange) -> None:
    """A 503 that says that nothing was done, and the firewall, cost no weight."""
    weight = operation.weight_of(operation.required_query)
    for fault in ("unavailable", "throttled", "waf"):
        exchange = make()
        exchange.fail(fault, times=3)
        for _ in range(3):
            FIRST.send(exchange, operation)
        used = header_value(FIRST.send(exchange, operation), "X-MBX-USED-WEIGHT-1M")
        assert used == str(weight), f"{fault}: weight {used}, not {weight}"


CHECKS: Final = tuple(
    needs_basics(check)
    for check in (
        wrong_settings_are_refused,
        accounts_have_their_alias,
        stubs_are_verified,
        stubs_have_their_body,
        credentials_are_told,
        bodies_are_validated,
        faults_take_options,
        certain_failures_cost_nothing,
    )
)


def _assert_refused(setting: Callable[[], object], name: str) -> None:
    try:
        setting()
    except ValueError:
        return
    raise AssertionError(f"{name} was accepted")
