"""Layer B: what the client sends is what the spec says, byte for byte, and what it returns is what came. Knows no private name of it."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from hypothesis import settings

from binance_usdm import APIError
from binance_usdm.mock import ManualClock

from .facade import Facade, RecordedCall, Sdk, SentRequest, arguments_of, call_method, python_name
from .raw_requests import KEY, SECRET, T0, MakeExchange, ask_well, make_exchange, sign
from .schemathesis_setup import (
    EDGES,
    Case,
    Check,
    Found,
    Schema,
    accepts_only_what_is_described,
    schema_of,
    tried,
    try_cases,
)
from .spec_facts import Json, OperationFact, operation_facts, undescribed, unsigned

HEADERS = frozenset({b"host", b"user-agent", b"accept", b"accept-encoding"})
WINDOWS = (None, 1, 3000, 6000, 60000)


def run_requests_vs_spec(
    document: Json, sdk: Sdk, make: MakeExchange = make_exchange, how: settings = EDGES
) -> Found:
    """Everything that the client does not keep of a document, by name of the check; empty when all is well."""
    schema, checks = client_schema(document, sdk, make)
    return try_cases(schema, checks, how) | tried(CHECKS, document, sdk, make)


def client_schema(
    document: Json, sdk: Sdk, make: MakeExchange = make_exchange
) -> tuple[Schema, list[Check]]:
    """Cases for the client, seen as a server that takes the arguments a caller gives, and how to judge them."""
    exchange = make(document)
    for fact in operation_facts(document):
        longest = max(fact.examples, key=lambda value: len(json.dumps(value)))
        exchange.seed(
            fact.id, longest * 2 if isinstance(longest, list) else longest
        )  # a row may come twice
    facade = Facade(document, *sdk.opened(exchange))
    return schema_of(unsigned(document), facade), checks_of(document, facade)


def checks_of(document: Json, facade: Facade) -> list[Check]:
    """What leaves the client and what comes out of it, for one case."""
    by_route = {(fact.method, fact.path): fact for fact in operation_facts(document)}
    plain = {(fact.method, fact.path): fact for fact in operation_facts(unsigned(document))}
    origin = document["servers"][0]["url"]

    def wire_conformance(context: Any, response: Any, case: Case) -> None:
        """One request: exactly the case's own serialisation, then timestamp and signature; no header too many, no body.

        None at all for arguments that the document does not allow.
        """
        call, route = facade.calls.get(case.id), (response.request.method, case.path)
        if call is None:
            return
        serialised = urlsplit(response.request.url).query
        bad = undescribed(plain[route], serialised)
        assert len(call.sent) == (0 if bad else 1), (
            f"{len(call.sent)} requests; bad arguments: {bad}"
        )
        departures = [] if bad else _departures(by_route[route], origin, serialised, call.sent[0])
        assert not departures, "; ".join(departures)

    def transparent(context: Any, response: Any, case: Case) -> None:
        """The value is what the exchange sent, member by member and digit by digit."""
        call = facade.calls.get(case.id)
        if call is not None and call.sent and call.error is None:
            came = json.loads(call.sent[-1].reply)
            assert json.dumps(call.parsed, sort_keys=True) == json.dumps(came, sort_keys=True)

    return [wire_conformance, transparent, accepts_only_what_is_described(unsigned(document))]


def expected_query(fact: OperationFact, serialised: str) -> str:
    """The only query that may leave the client: a case as schemathesis wrote it, in the spec's order, stamped and signed."""
    order = [each["name"] for each in fact.parameters]
    # requests writes a blank as in a form, the client as RFC 3986 does: to the exchange they are the same
    pieces = [piece for piece in serialised.replace("+", "%20").split("&") if piece]
    pieces.sort(key=lambda piece: order.index(piece.partition("=")[0]))
    return sign(fact, "&".join([*pieces, *([f"{fact.timestamp}={T0}"] if fact.timestamp else [])]))


def _departures(fact: OperationFact, origin: str, serialised: str, sent: SentRequest) -> list[str]:
    """What is not as it must be in one request."""
    query = expected_query(fact, serialised)
    wanted = f"{fact.path}?{query}" if query else fact.path
    names = [name.lower() for name, _ in sent.headers]
    key = fact.key_header.lower().encode() if fact.key_header else None
    keys = [value for name, value in sent.headers if name.lower() == key]
    elsewhere = [value for name, value in sent.headers if name.lower() != key]
    secrets = [each.encode() for each in (KEY, SECRET)]
    rules = {
        f"target {sent.target!r}, not {wanted!r}": sent.target == wanted.encode(),
        f"method {sent.method}": sent.method == fact.method,
        f"origin {sent.origin}": sent.origin == origin,
        f"key header {len(keys)} times": len(keys) == (1 if key else 0),
        "another key": all(value == KEY.encode() for value in keys),
        f"headers {names}": {*names} - {key} <= HEADERS and len({*names}) == len(names),
        "another host": (b"Host", origin.partition("//")[2].encode()) in sent.headers,
        "a secret elsewhere": not any(
            each in text for each in secrets for text in (*elsewhere, sent.target, sent.body)
        ),
        "the secret as key": not any(SECRET.encode() in value for value in keys),
        f"a body of {len(sent.body)} bytes": not sent.body,
    }
    return [departure for departure, kept in rules.items() if not kept]


def window_is_respected(document: Json, sdk: Sdk, make: MakeExchange) -> None:
    """A call that comes late is accepted or refused exactly as a request made by hand with the same window."""
    for fact in operation_facts(document):
        for window in WINDOWS if fact.window else ():
            for late in ((window or 5000), (window or 5000) + 1):
                more = [f"{fact.window}={window}"] if window else []
                exchange = make(document, clock=ManualClock(T0 + late))
                by_hand = ask_well(exchange, fact, T0, *more)
                call = RecordedCall(arguments_of(fact, "&".join([fact.required, *more])))
                asyncio.run(call_method(sdk.opened(exchange)[0], python_name(fact.id), call))
                status, code = (
                    (call.error.status, call.error.code)
                    if isinstance(call.error, APIError)
                    else (200, None)
                )
                assert call.error is None or isinstance(call.error, APIError), (
                    f"{fact.id}: {call.error!r}"
                )
                assert (status, code) == (by_hand.status, by_hand.code), (
                    f"{fact.id}: {late} ms late, window {window}"
                )


def only_what_is_asked_is_sent(document: Json, sdk: Sdk, make: MakeExchange) -> None:
    """A call with no more than it needs sends no more: no default of the client's own, whatever it is worth."""
    for fact in operation_facts(document):
        client, recorder = sdk.opened(make(document))
        asyncio.run(
            call_method(
                client, python_name(fact.id), RecordedCall(arguments_of(fact, fact.required))
            )
        )
        needed = [each["name"] for each in fact.parameters if each.get("required")]
        wanted = sorted(name for name in (*needed, fact.timestamp, fact.signature) if name)
        for sent in recorder.sent:
            query = sent.target.partition(b"?")[2].decode()
            assert sorted(name for name, _ in parse_qsl(query, keep_blank_values=True)) == wanted, (
                f"{fact.id}: {query}"
            )


def arguments_are_declared(document: Json, sdk: Sdk, make: MakeExchange) -> None:
    """The client's own list of operations and their arguments is the document's."""
    known = {
        fact.id: {python_name(each["name"]) for each in fact.parameters}
        for fact in operation_facts(document)
    }
    assert {
        name: {each.name for each in found.parameters} for name, found in sdk.operations.items()
    } == known


CHECKS = (window_is_respected, only_what_is_asked_is_sent, arguments_are_declared)
