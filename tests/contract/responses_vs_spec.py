"""Layer C: what comes back to the client comes out of it as the spec says: the same value, or the error that it stands for.

Judges by the document, by `mirror` and by the tables beside it; imports no rule of the client.
"""

from __future__ import annotations

import asyncio
import copy
import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx
from hypothesis import Phase, settings

from binance_usdm import IPBannedError, Response, TransportError, UnexpectedResponse
from binance_usdm.mock import FAULTS, Exchange, Reply

from . import error_tables as tables
from . import value_tables as values
from .error_tables import expected_outcome
from .facade import SDKS, Sdk
from .raw_requests import KEY, T0, MakeExchange, ask_well, make_exchange
from .response_bodies import (
    DescribedResponse,
    account_field,
    bodies,
    described,
    describes,
    places,
    with_one_account,
)
from .response_cases import asked, client_of, judged, listening, outcome, same
from .schemathesis_setup import EDGES, GENERATED, Found, tried
from .spec_facts import Json, OperationFact, resolve
from .value_tables import MISSING, sample_body

T = TypeVar("T")
TYPE = (b"Content-Type", b"application/json")
# Random bodies once with each client and each kind of transport; every edge with all four.
HOW = {name: GENERATED if name in ("async", "sync, default transport") else EDGES for name in SDKS}


def run_responses_vs_spec(
    document: Json, sdk: Sdk, make: MakeExchange = make_exchange, how: settings = EDGES
) -> Found:
    """Everything that the client does not keep of what a document says of replies, by name of the check; empty when all is well."""
    return tried(CHECKS, document, sdk, make, how)


def some(items: Iterable[T], how: settings, place: int) -> list[T]:
    """All of them; without random cases every third, at each place others, so that a seeded fault costs less."""
    listed = list(items)
    return listed if Phase.generate in how.phases else listed[place % 3 :: 3]


# values


def described_bodies_come_out_the_same(
    document: Json, sdk: Sdk, make: MakeExchange, how: settings
) -> None:
    """The document's examples, and every good body that schemathesis makes of its schemas, whatever the layout."""
    with listening(sdk) as ask:
        for reply in _good(document):
            samples = [
                sample_body(value, **layout)
                for value in reply.fact.examples
                for layout in values.LAYOUTS.values()
            ]
            for body in (*samples, *bodies(document, reply.schema, how)):
                if describes(document, reply.schema, body):
                    body = with_one_account(document, reply.schema, body)
                    same(document, reply, ask(reply.fact, 200, body, TYPE), body)


def other_bodies_are_refused(document: Json, sdk: Sdk, make: MakeExchange, how: settings) -> None:
    """Every bad body that schemathesis makes of the schemas."""
    with listening(sdk) as ask:
        for reply in _good(document):
            for body in bodies(document, reply.schema, how):
                wanted = expected_outcome(document, reply.schema, 200, body)
                if wanted[0] is not Response:
                    judged(wanted, ask(reply.fact, 200, body, TYPE), reply, body)


def values_are_exact_in_every_place(
    document: Json, sdk: Sdk, make: MakeExchange, how: settings
) -> None:
    with listening(sdk) as ask:
        for reply, path, good, _ in _places(document):
            for value in good:
                put = _put(_longest(reply.fact), path, value)
                if path and path[-1] == account_field(document, reply.schema):
                    for row in put:
                        row[path[-1]] = value
                body = sample_body(put, ensure_ascii=len(path) % 2 == 0)
                same(document, reply, ask(reply.fact, 200, body, TYPE), body)


def wrong_values_are_refused_with_their_place(
    document: Json, sdk: Sdk, make: MakeExchange, how: settings
) -> None:
    with listening(sdk) as ask:
        for reply, path, _, bad in _places(document):
            spoilt = [_put(_longest(reply.fact), path, value) for value in bad]
            spoilt += [_misspelt(_longest(reply.fact), path)] if MISSING in bad else []
            for body in map(sample_body, spoilt):
                came = ask(reply.fact, 200, body, TYPE)
                judged((UnexpectedResponse, 200, None), came, reply, body)
                assert (came.path, came.retryable) == (path, False), (
                    f"{reply.fact.id}: {came.path}, not {path}"
                )


def rows_of_another_account_are_refused(
    document: Json, sdk: Sdk, make: MakeExchange, how: settings
) -> None:
    """Rows that name two accounts, or another one than the client has read before."""
    for reply in _good(document):
        field = account_field(document, reply.schema)
        if field is None:
            continue
        rows = _longest(reply.fact)
        other = [{**row, field: row[field] + "x"} for row in rows]
        for first, second in ((rows, [*rows[:-1], other[-1]]), (rows, other), (other, rows)):
            own, foreign = sample_body(first), sample_body(second)
            with listening(sdk, one_client=True) as ask:
                judged((Response, 200, None), ask(reply.fact, 200, own, TYPE), reply, own)
                came = ask(reply.fact, 200, foreign, TYPE)
                judged((UnexpectedResponse, 200, None), came, reply, foreign)
                assert came.path[1] == field, f"{reply.fact.id}: {came.path}"
                assert not came.retryable, reply.fact.id
                judged((Response, 200, None), ask(reply.fact, 200, own, TYPE), reply, own)


def texts_are_read_strictly(document: Json, sdk: Sdk, make: MakeExchange, how: settings) -> None:
    """What only looks like JSON is refused; a member that nobody described comes out digit by digit."""
    with listening(sdk) as ask:
        for reply in _good(document):
            body = sample_body(_longest(reply.fact))
            for name, spoil in values.NO_JSON.items():
                if (spoilt := spoil(body)) != body:
                    came = ask(reply.fact, 200, spoilt, TYPE)
                    assert outcome(came) == (UnexpectedResponse, 200, None), (
                        f"{reply.fact.id}: {name}: {outcome(came)}"
                    )
                    assert came.path == (), f"{reply.fact.id}: {name}: {came.path}"
                    assert came.retryable, (
                        f"{reply.fact.id}: {name}: it may come whole the next time"
                    )
            for member in values.MEMBERS:
                grown = values.with_member(body, member)
                same(document, reply, ask(reply.fact, 200, grown, TYPE), grown)


def sizes_are_bounded(document: Json, sdk: Sdk, make: MakeExchange, how: settings) -> None:
    """A mebibyte is read, one byte more is not; a list may be long, but not endless."""
    with listening(sdk) as ask:
        for reply in _good(document):
            value = _longest(reply.fact)
            body = sample_body(value)
            full = body.ljust(tables.MIB)
            same(document, reply, ask(reply.fact, 200, full, TYPE), full)
            assert outcome(ask(reply.fact, 200, full + b" ", TYPE)) == (
                UnexpectedResponse,
                0,
                None,
            ), reply.fact.id
            crowded = values.with_member(body, b'"new": [' + b"0," * 60_000 + b"0]")
            if crowded != body:
                assert outcome(ask(reply.fact, 200, crowded, TYPE)) == (
                    UnexpectedResponse,
                    200,
                    None,
                ), reply.fact.id
            if isinstance(value, list):
                many = sample_body((value * 501)[:501])
                same(document, reply, ask(reply.fact, 200, many, TYPE), many)


# what else comes


def every_reply_is_a_value_or_an_error(
    document: Json, sdk: Sdk, make: MakeExchange, how: settings
) -> None:
    with listening(sdk) as ask:
        for reply in _good(document):
            for place, body in enumerate(
                (*tables.MATRIX_BODIES, sample_body(_longest(reply.fact)))
            ):
                for status in {200, *some(tables.MATRIX_STATUSES, how, place)}:
                    wanted = expected_outcome(document, reply.schema, status, body)
                    for kind in some(tables.MATRIX_TYPES, how, status + place):
                        judged(
                            wanted,
                            ask(reply.fact, status, body, (b"Content-Type", kind)),
                            reply,
                            body,
                        )


def refusals_are_told_apart(document: Json, sdk: Sdk, make: MakeExchange, how: settings) -> None:
    """Each described error status with each known code and message; codes nobody knows; whatever schemathesis makes of it."""
    known = document["x-error-codes"]
    said: list[tuple[int | None, str]] = [
        (int(code), known[code]["messages"][0].replace("%s", "7")) for code in known
    ]
    said += [
        (0, "x"),
        (-9999, "x"),
        (-4061, "x"),
        (1, "x"),
        (-1003, tables.BAN),
        (None, "x"),
        (None, tables.BAN),
    ]
    with listening(sdk) as ask:
        for place, reply in enumerate(_errors(document)):
            for code, message in some(said, how, place):
                body = sample_body(
                    {"msg": message} if code is None else {"code": code, "msg": message}
                )
                came = ask(reply.fact, reply.status, body, TYPE, (b"Date", tables.DATE))
                judged(expected_outcome(document, {}, reply.status, body), came, reply, body)
                assert came.message == message, f"{reply.fact.id}: {came!r}"
                assert came.retryable is tables.retryable(type(came), code), (
                    f"{reply.fact.id}: {came!r}"
                )
                assert came.hint or code not in tables.HINTED, f"{reply.fact.id}: {came!r}: no hint"
            for body in some(bodies(document, reply.schema, how), how, place):
                judged(
                    expected_outcome(document, {}, reply.status, body),
                    ask(reply.fact, reply.status, body, TYPE),
                    reply,
                    body,
                )


def messages_are_made_safe(document: Json, sdk: Sdk, make: MakeExchange, how: settings) -> None:
    """What the exchange says is on one line, and names no address, no signature and no key."""
    with listening(sdk) as ask:
        for reply in _errors(document):
            came = ask(
                reply.fact, reply.status, sample_body({"code": -1100, "msg": tables.UNSAFE}), TYPE
            )
            told = [
                text
                for text in tables.TOLD
                for said in (came.message, str(came), repr(came))
                if text in said
            ]
            # where no key is sent there is none to be told, but none to be hidden either
            told = [text for text in told if text != KEY or reply.fact.key_header]
            assert came.message.startswith("first"), f"{reply.fact.id}: {came!r}"
            assert not told, f"{reply.fact.id}: told {told}"


def waits_are_understood(document: Json, sdk: Sdk, make: MakeExchange, how: settings) -> None:
    """Retry-After as seconds or a date; a limit without it lasts until the minute or the ban ends."""
    with listening(sdk) as ask:
        for place, reply in enumerate(_errors(document)):
            for (text, said), (code, message) in some(
                itertools.product(tables.WAITS, tables.SAID), how, place
            ):
                headers = [
                    (b"Date", tables.DATE),
                    *([] if text is None else [(b"Retry-After", text)]),
                ]
                body = sample_body(
                    {"msg": message} if code is None else {"code": code, "msg": message}
                )
                came = ask(reply.fact, reply.status, body, *headers)
                wanted = tables.wait_of(
                    expected_outcome(document, {}, reply.status, body)[0], said, message
                )
                assert _close(came.retry_after, wanted), (
                    f"{came!r}: {text!r}: {came.retry_after}, not {wanted}"
                )
                if isinstance(came, IPBannedError):
                    end = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=T0 + 300_000)
                    assert came.banned_until == (end if message == tables.BAN else None), (
                        f"{came!r}"
                    )


def what_comes_along_is_told(document: Json, sdk: Sdk, make: MakeExchange, how: settings) -> None:
    """Used weight, status, headers and attempts of a good reply; and a body that is compressed though nobody asked."""
    with listening(sdk) as ask:
        for reply in _good(document):
            body = sample_body(_longest(reply.fact))
            for text, weight in tables.WEIGHTS:
                more = [] if text is None else [(b"x-mbx-used-weight-1m", text)]
                came = ask(
                    reply.fact,
                    200,
                    body,
                    TYPE,
                    (b"X-Other", b"a"),
                    (b"X-MBX-USED-WEIGHT", b"99"),
                    *more,
                )
                same(document, reply, came, body)
                assert came.used_weight == weight, f"{reply.fact.id}: {text!r}: {came.used_weight}"
                assert type(came.used_weight) is type(weight), f"{reply.fact.id}: {text!r}"
                along = (
                    came.status_code,
                    came.attempts,
                    came.headers["x-other"],
                    came.headers["CONTENT-TYPE"],
                )
                assert along == (200, 1, "a", "application/json"), f"{reply.fact.id}: {along}"
                assert 0 <= came.elapsed < 60, f"{reply.fact.id}: {came.elapsed}"
            for name, write, understood in tables.ENCODINGS:
                came = ask(reply.fact, 200, write(body), TYPE, (b"Content-Encoding", name))
                if understood:
                    same(document, reply, came, body)
                else:
                    assert outcome(came) == (UnexpectedResponse, 200, None), (
                        f"{reply.fact.id}: {name!r}: {came!r}"
                    )
                refused = ask(
                    reply.fact,
                    400,
                    write(b'{"code": -1021, "msg": "x"}'),
                    (b"Content-Encoding", name),
                )
                code = -1021 if understood else None
                wanted = (tables.error_of(document, 400, code), 400, code)
                assert outcome(refused) == wanted, f"{reply.fact.id}: {name!r}: {refused!r}"


def scripted_faults_are_told_apart(
    document: Json, sdk: Sdk, make: MakeExchange, how: settings
) -> None:
    """Each fault of the mock is the error that the table names, and the one that its bytes are by the document."""
    for reply in _good(document):
        for name in FAULTS:
            exchange, given = _scripted(lambda: make(document), reply.fact, name)
            client = client_of(sdk, exchange.transport)
            with asyncio.Runner() as runner:
                came = asked(client, reply.fact, runner)
            kind, code = tables.FAULTS.get(name, outcome(came)[::2])
            assert outcome(came)[::2] == (kind, code), f"{reply.fact.id}: {name}: {came!r}"
            if given.delivery.reset or given.delivery.cut is not None:
                assert type(came) is TransportError, f"{reply.fact.id}: {name}: {came!r}"
                continue
            sent = httpx.Response(
                given.status, headers=[*given.headers], content=given.body
            )  # without compression
            judged(
                expected_outcome(document, reply.schema, given.status, sent.content),
                came,
                reply,
                sent.content,
            )
            if isinstance(came, Response):
                same(document, reply, came, sent.content)
            elif "retry-after" in sent.headers:
                wanted = float(sent.headers["retry-after"])
                assert _close(came.retry_after, wanted), (
                    f"{reply.fact.id}: {name}: {came.retry_after}"
                )


CHECKS = (
    described_bodies_come_out_the_same,
    other_bodies_are_refused,
    values_are_exact_in_every_place,
    wrong_values_are_refused_with_their_place,
    rows_of_another_account_are_refused,
    texts_are_read_strictly,
    sizes_are_bounded,
    every_reply_is_a_value_or_an_error,
    refusals_are_told_apart,
    messages_are_made_safe,
    waits_are_understood,
    what_comes_along_is_told,
    scripted_faults_are_told_apart,
)


def _good(document: Json) -> list[DescribedResponse]:
    return [reply for reply in described(document) if reply.status == 200]


def _errors(document: Json) -> list[DescribedResponse]:
    return [reply for reply in described(document) if reply.status != 200]


def _longest(fact: OperationFact) -> Any:
    """The richest of an operation's examples."""
    return copy.deepcopy(max(fact.examples, key=lambda value: len(json.dumps(value))))


def _places(
    document: Json,
) -> Iterator[tuple[DescribedResponse, tuple[int | str, ...], list[Any], list[Any]]]:
    """Every place of every operation's richest example, with values that may stand there and values that may not."""
    for reply in _good(document):
        whole = ((), resolve(document, reply.schema), False)
        for path, schema, may_lack in (
            whole,
            *places(document, reply.schema, _longest(reply.fact)),
        ):
            good, bad = values.good_and_bad(schema, may_lack)
            no_member = not path or isinstance(
                path[-1], int
            )  # nothing but a member can be left out
            yield (
                reply,
                path,
                good,
                [value for value in bad if not (no_member and value is MISSING)],
            )


def _put(value: Any, path: tuple[int | str, ...], new: Any) -> Any:
    """The value with another one in a place, or nothing at all there."""
    if not path:
        return new
    inner = value
    for step in path[:-1]:
        inner = inner[step]
    if new is MISSING:
        del inner[path[-1]]
    else:
        inner[path[-1]] = new
    return value


def _misspelt(value: Any, path: tuple[int | str, ...]) -> Any:
    """The value with a member whose name has the other case."""
    inner = value
    for step in path[:-1]:
        inner = inner[step]
    inner[str(path[-1]).swapcase()] = inner.pop(path[-1])
    return value


def _scripted(
    make: Callable[[], Exchange], fact: OperationFact, name: str
) -> tuple[Exchange, Reply]:
    """An exchange that will play a fault, without its waits, and the reply that it is going to give."""
    told, asked = make(), make()
    still: dict[str, Any] = {
        option: 0.0
        for option, default in FAULTS[name].options.items()
        if isinstance(default, float)
    }
    for exchange in (told, asked):
        exchange.fail(name, **still)
    return told, ask_well(asked, fact)


def _close(found: float | None, wanted: float | None, by: float = 1e-6) -> bool:
    return (found is None) == (wanted is None) and abs((found or 0.0) - (wanted or 0.0)) <= by
