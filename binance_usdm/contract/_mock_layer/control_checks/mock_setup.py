"""Checks of the mock: what a test sets up, and what it must not be able to set up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

import httpx

from binance_usdm.contract._cases.raw_requests import (
    KEY,
    T0,
    MakeExchange,
    header_value,
    signed_target,
)
from binance_usdm.contract._mock_layer.basics import needs_basics
from binance_usdm.contract._mock_layer.callers import (
    FIRST,
    OTHER,
    OTHER_ADDRESS,
    OTHER_KEY,
    OTHER_SECRET,
    Caller,
)
from binance_usdm.contract._spec.operations import Operation
from binance_usdm.contract._spec.response_model import ok_responses
from binance_usdm.mock import Delivery, Exchange, Switches

STUB_PATH: Final = "/no/such/path"
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
        stub = replace(operation, method="GET", path=STUB_PATH, declared=())
        return caller.send(exchange, stub, timestamp).status

    wrong_secret = replace(FIRST, secret=OTHER_SECRET)
    statuses = [send(each) for each in (None, FIRST, wrong_secret, Caller("no-such-key"))]
    assert statuses == [200, 200, 400, 401], f"{statuses}"
    if operation.timestamp:
        assert send(FIRST, T0 - 100_000) == 400, "an old request to a stub"


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


def transports_keep_the_address(operation: Operation, make: MakeExchange) -> None:
    """A transport sends what `handle` would get, from its address."""
    exchange = make()
    headers = {operation.key_header: KEY} if operation.key_header else {}
    url = f"https://exchange.invalid{signed_target(operation).decode()}"
    expected = FIRST.send(exchange, operation).body
    for address in (OTHER_ADDRESS, "127.0.0.1"):
        has_default = address == "127.0.0.1"
        transport = exchange.transport if has_default else exchange.transport_from(address)
        response = transport.handle_request(httpx.Request(operation.method, url, headers=headers))
        logged = exchange.requests[-1]
        assert (response.status_code, response.content) == (200, expected), f"{response}"
        assert logged.address == address, f"{logged}"


CHECKS: Final = tuple(
    needs_basics(check)
    for check in (
        wrong_settings_are_refused,
        accounts_have_their_alias,
        stubs_are_verified,
        faults_take_options,
        certain_failures_cost_nothing,
        transports_keep_the_address,
    )
)


def _assert_refused(setting: Callable[[], object], name: str) -> None:
    try:
        setting()
    except ValueError:
        return
    raise AssertionError(f"{name} was accepted")
