"""What must work before other checks of the mock can say anything."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeAlias
from weakref import WeakKeyDictionary

from binance_usdm.contract._cases.raw_requests import MakeExchange, header_value
from binance_usdm.contract._spec.operations import Operation

from .callers import FIRST, OTHER, OTHER_KEY, OTHER_SECRET

MockCheck: TypeAlias = Callable[[Operation, MakeExchange], None]


def basic_requests_work(operation: Operation, make: MakeExchange) -> None:
    """A valid request gets what was set for its account, with the weight of the operation."""
    exchange = make()
    exchange.add_account(OTHER_KEY, OTHER_SECRET)
    exchange.seed(operation.id, b"[1]")
    bodies = {FIRST: b"[1]"}
    if operation.key_header:
        exchange.seed(operation.id, b"[2]", OTHER_KEY)
        bodies[OTHER] = b"[2]"
    weight = operation.weight_of(operation.required_query)
    for caller, body in bodies.items():
        reply = caller.send(exchange, operation)
        assert (reply.status, reply.body) == (200, body), f"{caller.key}: {reply}"
        used = header_value(reply, "X-MBX-USED-WEIGHT-1M")
        assert caller is OTHER or used == str(weight), f"used weight {used}, not {weight}"


def needs_basics(check: MockCheck) -> MockCheck:
    """Return a check that says nothing when `basic_requests_work` has something to say.

    It would repeat the same, and hide what it is about.
    """

    @functools.wraps(check)
    def check_if_basics_work(operation: Operation, make: MakeExchange) -> None:
        if _do_basics_work(operation, make):
            check(operation, make)

    return check_if_basics_work


# By the function that makes exchanges, which each run of the layer has of its own.
_works: WeakKeyDictionary[MakeExchange, dict[str, bool]] = WeakKeyDictionary()


def _do_basics_work(operation: Operation, make: MakeExchange) -> bool:
    known = _works.setdefault(make, {})
    if operation.id not in known:
        try:
            basic_requests_work(operation, make)
            known[operation.id] = True
        except Exception:  # noqa: BLE001 - it is a problem of that check
            known[operation.id] = False
    return known[operation.id]
