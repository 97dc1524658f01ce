"""Layer A, what lies just beside of what the document says: routes, blanks, other minutes, other accounts' secrets. One function a claim.

Each takes a document and a way to make an exchange, goes through every operation and raises AssertionError.
"""

from __future__ import annotations

import json
from typing import Final

from binance_usdm.mock import ManualClock, Reply, Switches

from .raw_requests import KEY, SECRET, T0, MakeExchange, ask, ask_well, sign, target
from .spec_facts import Json, OperationFact, operation_facts

METHODS: Final = ("HEAD", "OPTIONS", "PUT", "PATCH", "TRACE", "get")
LONG_WINDOWS: Final = (60_001, 100_000, 10**9)


def routes_are_exact(document: Json, make: MakeExchange) -> None:
    """Good credentials open a path and a method as they are described, and nothing that only looks like them."""
    for fact in operation_facts(document):
        exchange = make(document)
        headers = [(fact.key_header.encode(), KEY.encode())] if fact.key_header else []
        good = target(fact, sign(fact, fact.query(T0)))
        assert exchange.handle(fact.method, good, headers).status == 200, fact.id
        path, mark, query = good.partition(b"?")
        for other in (
            path + b"/",
            b"/" + path,
            path.upper(),
            path[:-1],
            path + b"x",
            path + b"/x",
            path[1:],
            b"/",
        ):
            reply = exchange.handle(fact.method, other + mark + query, headers)
            assert reply.status == 404, f"{fact.id}: {other!r}: {reply.status}"
        for method in METHODS:
            reply = exchange.handle(method, good, headers)
            assert reply.status == 404, f"{fact.id}: {method}: {reply.status}"


def parameters_come_in_any_order(document: Json, make: MakeExchange) -> None:
    for fact in operation_facts(document):
        more = [f"{fact.window}=5000"] if fact.window else []
        query = "&".join(reversed(fact.query(T0, *more).split("&")))
        assert ask(make(document), fact, sign(fact, query)).status == 200, f"{fact.id}: {query}"


def names_are_exact(document: Json, make: MakeExchange) -> None:
    """A parameter whose name has another case is not the parameter."""
    for fact in operation_facts(document):
        more = [f"{fact.window}=5000"] if fact.window else []
        pieces = fact.query(T0, *more).split("&")
        for place, piece in enumerate(pieces if fact.query(T0, *more) else []):
            name, _, value = piece.partition("=")
            for other in {name.lower(), name.upper()} - {name}:
                query = "&".join([*pieces[:place], f"{other}={value}", *pieces[place + 1 :]])
                assert ask(make(document), fact, sign(fact, query)).status == 400, (
                    f"{fact.id}: {query}"
                )


def long_windows_hold(document: Json, make: MakeExchange) -> None:
    """No maximum is documented."""
    for fact in operation_facts(document):
        for window in LONG_WINDOWS if fact.window else ():
            for late, status in ((window, 200), (window + 1, 400)):
                reply = ask_well(make(document), fact, T0 - late, f"{fact.window}={window}")
                assert reply.status == status, (
                    f"{fact.id}: {late} ms late, window {window}: {reply.body!r}"
                )


def minutes_are_those_of_the_clock(document: Json, make: MakeExchange) -> None:
    """A limit that is used up stays so until the clock's minute is over, to the millisecond; Retry-After says when."""
    for fact in operation_facts(document):
        start = T0 // 60_000 * 60_000 + 1
        clock = ManualClock(start)
        exchange = make(
            document, clock=clock, switches=Switches(weight_limit=fact.weight, ban_after=10)
        )
        assert ask_well(exchange, fact, clock.ms).status == 200, fact.id
        for second in (0, 29, 31, 58):
            clock.advance(start + 1000 * second - clock.ms)
            reply = ask_well(exchange, fact, clock.ms)
            waits = [value for name, value in reply.headers if name.lower() == b"retry-after"]
            assert (reply.status, waits) == (429, [b"%d" % (60 - second)]), (
                f"{fact.id}: second {second}: {reply}"
            )
        clock.advance(start + 59_998 - clock.ms)
        assert ask_well(exchange, fact, clock.ms).status == 429, f"{fact.id}: the last millisecond"
        clock.advance(1)
        assert ask_well(exchange, fact, clock.ms).status == 200, f"{fact.id}: the next minute"


def bans_get_longer(document: Json, make: MakeExchange) -> None:
    """Whoever goes on after a ban is banned for longer, up to three days."""
    for fact in operation_facts(document):
        clock, waits = ManualClock(T0), [0]
        exchange = make(document, clock=clock, switches=Switches(weight_limit=1, ban_after=0))
        while len(waits) < 30 and waits[-1] < 3 * 86400:
            exchange.spend(1)
            reply = ask_well(exchange, fact, clock.ms)
            waits.append(_header(reply, b"retry-after"))
            assert reply.status == 418, f"{fact.id}: {reply.status} after {waits}"
            assert waits[-1] > waits[-2], f"{fact.id}: {waits}"
            clock.advance(1000 * waits[-1])
        assert (waits[1], waits[-1]) == (120, 3 * 86400), f"{fact.id}: {waits}"


def refused_calls_cost_weight(document: Json, make: MakeExchange) -> None:
    for fact in operation_facts(document):
        exchange = make(document)
        replies = [
            ask_well(exchange, fact, T0, *more)
            for more in (["noSuchParameter=1"], ["noSuchParameter=1"], [])
        ]
        used = [_header(reply, b"x-mbx-used-weight-1m") for reply in replies]
        assert used == [fact.weight * count for count in (1, 2, 3)], f"{fact.id}: {used}"


def keys_are_taken_as_they_are(document: Json, make: MakeExchange) -> None:
    for fact in operation_facts(document):
        for key in (
            (f" {KEY}", f"{KEY} ", f"{KEY}\t", f"{KEY}x", KEY[:-1]) if fact.key_header else ()
        ):
            reply = ask(make(document), fact, sign(fact, fact.query(T0)), key)
            assert reply.status == 401, f"{fact.id}: {key!r}"


def secrets_belong_to_their_keys(document: Json, make: MakeExchange) -> None:
    """With two accounts, each key opens with its own secret and with no other."""
    for fact in operation_facts(document):
        if fact.key_header is None or fact.signature is None:
            continue
        exchange = make(document)
        exchange.add_account("another-key", "another-secret")
        for key, own in ((KEY, SECRET), ("another-key", "another-secret")):
            for secret in (SECRET, "another-secret"):
                wanted = (200, None) if secret == own else (400, -1022)
                reply = ask(exchange, fact, sign(fact, fact.query(T0), secret), key)
                assert _said(reply, fact) == wanted, f"{fact.id}: {key} with {secret}"


CHECKS: Final = (
    routes_are_exact,
    parameters_come_in_any_order,
    names_are_exact,
    long_windows_hold,
    minutes_are_those_of_the_clock,
    bans_get_longer,
    refused_calls_cost_weight,
    keys_are_taken_as_they_are,
    secrets_belong_to_their_keys,
)


def _header(reply: Reply, wanted: bytes) -> int:
    return next(int(value) for name, value in reply.headers if name.lower() == wanted)


def _said(reply: Reply, fact: OperationFact) -> tuple[int, int | None]:
    return reply.status, None if reply.status == 200 else json.loads(reply.body).get("code")
