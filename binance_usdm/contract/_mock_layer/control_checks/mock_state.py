"""Checks of the mock: what a reset, a recovery, and a saved and loaded scenario keep and forget."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from binance_usdm.contract._cases.raw_requests import T0, MakeExchange, header_value
from binance_usdm.contract._mock_layer.basics import needs_basics
from binance_usdm.contract._mock_layer.callers import (
    ADDRESS,
    FIRST,
    OTHER,
    OTHER_ADDRESS,
    OTHER_KEY,
    OTHER_SECRET,
    Caller,
)
from binance_usdm.contract._spec.operations import Operation
from binance_usdm.mock import Exchange, ManualClock, Switches

HOUR_MS: Final = 3_600_000
STUB: Final = "GET /no/such/path"
# The operation whose bodies a scenario may have as rows.
ROWS_OPERATION: Final = "balance"
LIMIT: Final = 10**6
LIMITED_ADDRESS: Final = "203.0.113.3"
# Its ban is over.
FREE_ADDRESS: Final = "203.0.113.4"
SECOND: Final = Caller("second-key", "second-secret")
BLIND: Final = Caller("blind-key", "blind-secret")
CALLERS: Final = {
    "the first key": FIRST,
    "its account's second key": SECOND,
    "the second key from afar": replace(SECOND, address="198.51.100.1"),
    "a key without a permission": BLIND,
    "another account": OTHER,
    "a banned address": replace(FIRST, address=OTHER_ADDRESS),
    "an address at its limit": replace(FIRST, address=LIMITED_ADDRESS),
    "the default address": replace(FIRST, address="127.0.0.1"),
    "a key of later": Caller("later-key", "later-secret"),
}
HEADERS: Final = ("X-MBX-USED-WEIGHT-1M", "Retry-After", "Date")


def reset_forgets_everything(operation: Operation, make: MakeExchange) -> None:
    """After a reset an exchange is as it was made: accounts, bodies, faults, weight, clock, log."""
    exchange, fresh = make(clock=ManualClock(T0)), make(clock=ManualClock(T0))
    _fill(exchange, operation)
    exchange.reset()
    assert (exchange.requests, exchange.used_weight) == ([], 0), "log or weight"
    assert not exchange.counts, f"{exchange.counts}"
    found, expected = (_observe(each, operation) for each in (exchange, fresh))
    assert found == expected, f"{_difference(found, expected)}"


def reset_sets_up_again(operation: Operation, make: MakeExchange) -> None:
    """What `setup` does is there from the start and after every reset, once."""

    def set_up(exchange: Exchange) -> None:
        exchange.add_account(OTHER_KEY, OTHER_SECRET)
        exchange.fail("internal", times=2)

    exchange = make(setup=set_up)
    for _ in range(3):
        statuses = [OTHER.send(exchange, operation).status for _ in range(3)]
        assert statuses == [503, 503, 200], f"{statuses}"
        exchange.reset()


def recovery_keeps_accounts(operation: Operation, make: MakeExchange) -> None:
    """`recover` forgets faults, bans and weight of every address, and nothing else."""
    exchange = make(clock=ManualClock(T0))
    _fill(exchange, operation)
    exchange.recover()
    assert FIRST.send(exchange, operation, exchange.clock()).body == b"[1]", "the bodies"
    exchange.recover()
    for caller in (OTHER, replace(OTHER, address=OTHER_ADDRESS)):
        reply = caller.send(exchange, operation, exchange.clock())
        assert reply.status == 200, f"{reply.status} at {caller.address}"
        used = header_value(reply, "X-MBX-USED-WEIGHT-1M")
        assert used == str(operation.weight_of(operation.required_query)), f"{used}"


def saved_scenario_is_loaded(operation: Operation, make: MakeExchange) -> None:
    """A loaded scenario is what was saved: keys, bodies, faults, switches, clock, weight, bans."""
    exchange, twin = make(clock=ManualClock(T0)), make(clock=ManualClock(T0))
    for each in (exchange, twin):
        _fill(each, operation)
    saved = exchange.save_scenario()
    # What comes later is not in it.
    exchange.add_account("later-key", "later-secret")
    exchange.seed(operation.id, b"[9]")
    exchange.fail("waf", times=None)
    exchange.ban(10_000, OTHER_ADDRESS)
    exchange.switches = Switches(weight_limit=1)
    exchange.clock.advance(HOUR_MS)
    exchange.load_scenario(saved)
    assert exchange.save_scenario() == saved, "saved again"
    found, expected = (_observe(each, operation) for each in (exchange, twin))
    assert found == expected, f"{_difference(found, expected)}"


def scenario_bodies_are_exact(operation: Operation, make: MakeExchange) -> None:
    """A body of a scenario is sent as it stands there; amounts of rows keep every digit."""
    exchange = make(clock=ManualClock(T0))
    body = operation.example_bodies[0]
    reply: dict[str, Any] = {"operation": operation.id, "text": f" {body}"}
    expected = reply["text"].encode()
    keys = [{"api_key": FIRST.key, "api_secret": FIRST.secret}]
    for _ in range(2):
        exchange.load_scenario({"accounts": [{"keys": keys, "replies": [reply]}]})
        found = FIRST.send(exchange, operation, exchange.clock()).body
        assert expected in found, f"{found[:200]!r}"
        if operation.id != ROWS_OPERATION:
            return
        amount = "-0.10000000000000000000000000000001"
        reply = {"operation": operation.id, "rows": [{"asset": "USDT", "balance": amount}]}
        expected = f'"{amount}"'.encode()


def bad_scenario_changes_nothing(operation: Operation, make: MakeExchange) -> None:
    """A scenario that is not valid is refused as a whole."""
    exchange, twin = make(clock=ManualClock(T0)), make(clock=ManualClock(T0))
    for each in (exchange, twin):
        _fill(each, operation)
    wrong = {"accounts": [{"keys": [{"api_key": "new-key"}]}], "faults": [{"fault": "no-such"}]}
    try:
        exchange.load_scenario(wrong)
    except ValueError:
        pass
    else:
        raise AssertionError("an unknown fault was accepted")
    found, expected = (_observe(each, operation) for each in (exchange, twin))
    assert found == expected, f"{_difference(found, expected)}"


def exchanges_share_nothing(operation: Operation, make: MakeExchange) -> None:
    """Two exchanges in one process have nothing in common."""
    exchange, other = make(), make()
    # Names that no other exchange had.
    key, path = f"key-of-{operation.id}", f"/path-of/{operation.id}"
    exchange.add_account(key, OTHER_SECRET)
    exchange.stub(f"GET {path}", b"[1]")
    exchange.seed(operation.id, b"[1]")
    exchange.ban(90, "198.51.100.9")
    exchange.fail("internal", operation=operation.id)
    reply = replace(FIRST, address="198.51.100.9").send(other, operation)
    assert reply.status == 200, f"{reply.status}: a ban or a fault of the other exchange"
    assert reply.body != b"[1]", "a body of the other exchange"
    assert other.handle("GET", path.encode(), []).status == 404, "a stub of the other exchange"
    if operation.key_header:
        reply = Caller(key, OTHER_SECRET).send(other, operation)
        assert reply.status != 200, "a key of the other exchange"


CHECKS: Final = tuple(
    needs_basics(check)
    for check in (
        reset_forgets_everything,
        reset_sets_up_again,
        recovery_keeps_accounts,
        saved_scenario_is_loaded,
        scenario_bodies_are_exact,
        bad_scenario_changes_nothing,
        exchanges_share_nothing,
    )
)


def _fill(exchange: Exchange, operation: Operation) -> None:
    """Set something of every kind."""
    exchange.switches = Switches(
        weight_limit=LIMIT, ban_after=1, unknown_parameter=None, date_offset=7
    )
    exchange.add_account(OTHER_KEY, OTHER_SECRET)
    options: dict[str, Any] = {"addresses": ["203.0.113.0/24"], "permissions": ["reading"]}
    exchange.add_key(exchange.account, SECOND.key, SECOND.secret, **options)
    exchange.add_key(exchange.account, BLIND.key, BLIND.secret, permissions=["futures"])
    exchange.seed(operation.id, b"[1]")
    exchange.seed(operation.id, b"[2]", nth=3)
    exchange.seed(operation.id, b"[3]", after_ms=HOUR_MS)
    if operation.key_header:
        exchange.seed(operation.id, b"[4]", OTHER_KEY)
    exchange.stub(STUB, b"[5]")
    exchange.spend(LIMIT + 1, LIMITED_ADDRESS)
    CALLERS["an address at its limit"].send(exchange, operation)
    exchange.fail("internal", 2, operation=operation.id, nth=3)
    exchange.ban(90, OTHER_ADDRESS)
    exchange.ban(1, FREE_ADDRESS)
    exchange.spend(11, ADDRESS)
    exchange.spend(3)
    exchange.clock.advance(1234)


def _observe(exchange: Exchange, operation: Operation) -> dict[str, Any]:
    """Return what callers find: status, body and headers of responses, now and an hour later."""
    found: dict[str, Any] = {"time": exchange.clock()}
    for hour in range(2):
        now = exchange.clock()
        for name, caller in CALLERS.items():
            for number in range(2):
                reply = caller.send(exchange, operation, now, *["noSuchParameter=1"] * number)
                headers = [header_value(reply, header) for header in HEADERS]
                found[f"{name}, {hour}, {number}"] = (reply.status, reply.body, headers)
        method, path = STUB.split()
        found[f"stub, {hour}"] = exchange.handle(method, path.encode(), [], address=ADDRESS)
        exchange.clock.advance(HOUR_MS)
    exchange.spend(exchange.switches.weight_limit + 1, FREE_ADDRESS)
    caller = replace(FIRST, address=FREE_ADDRESS)
    replies = [caller.send(exchange, operation, exchange.clock()) for _ in range(12)]
    found["the next ban"] = [(reply.status, header_value(reply, HEADERS[1])) for reply in replies]
    return found


def _difference(found: dict[str, Any], expected: dict[str, Any]) -> str:
    name = next(name for name in expected if found.get(name) != expected[name])
    return f"{name}: {found.get(name)}, not {expected[name]}"
