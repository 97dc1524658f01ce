"""Layer A, what is no matter of schemas: content, time, repeated parameters, keys, weight, faults. One function a claim.

Each takes a document and a way to make an exchange, goes through every operation and raises AssertionError.
"""

from __future__ import annotations

import copy
import json
import re
from datetime import timedelta
from typing import Any, Final

import httpx
import schemathesis
from schemathesis import checks as built_in
from schemathesis.core.failures import FailureGroup

from binance_usdm.mock import FAULTS, Delivery, Exchange, ManualClock, Reply, Switches

from .raw_requests import KEY, SECRET, T0, MakeExchange, ask, ask_well, sign, target
from .schemathesis_setup import CONFIG
from .spec_facts import Json, OperationFact, operation_facts

# (ms by which the timestamp is ahead of the exchange, window, accepted)
EDGES: Final = (
    (999, None, True),
    (1000, None, False),
    (-5000, None, True),
    (-5001, None, False),
    *((-window, window, True) for window in (1, 3000, 5000, 60000)),
    *((-window - 1, window, False) for window in (1, 3000, 5000, 60000)),
)
# What keys open, and the code of the refusal.
KEYS: Final = (
    ((), 0),
    (("unknown-key",), -2015),
    ((KEY.upper(),), -2015),
    (("",), -2014),
    (("a b",), -2014),
    (("a", "b"), -2014),
)
ANSWERS: Final = {
    "waf": (403, None),
    "not-found": (404, None),
    "timeout": (408, -1007),
    "banned": (418, -1003),
    "rate-limited": (429, -1003),
    "restricted": (451, 0),
    "wrong-environment": (401, -2008),
    "unknown": (503, None),
    "unavailable": (503, None),
    "throttled": (503, -1008),
    "internal": (503, -1001),
    "html-503": (503, None),
    "gateway": (502, None),
    "error-500": (500, -1000),
    "extra-member": (200, None),
    "gzip": (200, None),
    "empty-200": (200, None),
    "truncated": (200, None),
    "html-200": (200, None),
    "error-in-200": (200, -1000),
    "redirect": (302, None),
}
CONFORMANCE: Final = [
    built_in.status_code_conformance,
    built_in.content_type_conformance,
    built_in.response_headers_conformance,
    built_in.response_schema_conformance,
]


def content_is_exact(document: Json, make: MakeExchange) -> None:
    """Each account gets what was seeded for it, digit by digit; the rest gets the document's first example."""
    for fact in operation_facts(document):
        exchange, first = make(document), fact.examples[0]
        for value in (*fact.examples, *map(_awkward, fact.examples)):
            exchange.seed(fact.id, value)
            assert _same(ask_well(exchange, fact), value), f"{fact.id}: {value}"
        if fact.key_header is not None:
            assert _same(ask_well(make(document), fact), first), fact.id
            exchange.add_account("another-key", SECRET, **{fact.id: _awkward(first)})
            exchange.seed(fact.id, fact.examples[-1])
            reply = ask(exchange, fact, sign(fact, fact.query(T0)), "another-key")
            assert _same(reply, _awkward(first)), f"{fact.id}: the other account's content"


def the_clock_is_told(document: Json, make: MakeExchange) -> None:
    """A member that is the exchange's clock says its time at this moment."""
    for fact in operation_facts(document):
        clock = ManualClock(T0)
        exchange = make(document, clock=clock)
        for _ in range(2):
            body = ask_well(exchange, fact, clock.ms).body.decode()
            for name in fact.clocks:
                assert {*re.findall(rf'"{name}":\s*(\d+)', body)} == {str(clock.ms)}, (
                    f"{fact.id}: {name}"
                )
            clock.advance(1234)


def time_is_checked(document: Json, make: MakeExchange) -> None:
    """Accepted from `window` ms behind to 999 ms ahead, both included; the window that counts is the one that was sent."""
    for fact in operation_facts(document):
        for ahead, window, accepted in EDGES if fact.timestamp else ():
            more = [] if window is None else [f"{fact.window}={window}"]
            reply = ask_well(make(document), fact, T0 + ahead, *more)
            wanted = (200, None) if accepted else (400, -1021)
            assert _said(reply) == wanted, f"{fact.id}: {ahead} ms, window {window}: {reply.body!r}"


def duplicates_are_refused(document: Json, make: MakeExchange) -> None:
    """Every parameter once: also one that says the same twice, also the signature."""
    for fact in operation_facts(document):
        pairs = [f"{each['name']}=1" for each in fact.parameters if not each.get("required")]
        pairs += fact.query(T0).split("&") if fact.query(T0) else []
        for pair in pairs:
            reply = ask(make(document), fact, sign(fact, "&".join([*pairs, pair])))
            assert _said(reply) == (400, -1101), f"{fact.id}: {pair} twice: {reply.body!r}"
        if fact.signature:
            query = sign(fact, fact.query(T0))
            reply = ask(make(document), fact, f"{query}&{query.rsplit('&', 1)[-1]}")
            assert _said(reply) == (400, -1101), f"{fact.id}: two signatures: {reply.body!r}"


def unknown_parameters_are_refused(document: Json, make: MakeExchange) -> None:
    for fact in operation_facts(document):
        reply = ask_well(make(document), fact, T0, "noSuchParameter=1")
        assert _said(reply) == (400, -1104), fact.id


def keys_are_checked(document: Json, make: MakeExchange) -> None:
    """The good key opens; no key, another, an empty, a broken one and two of them do not. 401 each time."""
    for fact in operation_facts(document):
        for keys, code in KEYS if fact.key_header else ():
            reply = ask(make(document), fact, sign(fact, fact.query(T0)), *keys)
            wanted = (401, code) if code else (200, None)
            assert _said(reply) == wanted, f"{fact.id}: {keys}"
        if fact.key_header:
            bare = make(document).handle(fact.method, target(fact, sign(fact, fact.query(T0))), [])
            assert _said(bare) == (401, -2014), f"{fact.id}: no key"


def weight_is_counted(document: Json, make: MakeExchange) -> None:
    """Every answer says what the minute has cost; over the limit come 429, then 418, both with a time to wait that holds."""
    for fact in operation_facts(document):
        clock, limits = ManualClock(T0), Switches(weight_limit=3 * fact.weight, ban_after=2)
        exchange = make(document, clock=clock, switches=limits)
        for statuses, shortest, longest in (
            ([200] * 3 + [429], 1, 60),
            ([200] * 3 + [429, 429, 418], 120, 3 * 86400),
        ):
            replies = [ask_well(exchange, fact, clock.ms) for _ in statuses]
            assert [reply.status for reply in replies] == statuses, fact.id
            used = [_header(reply, "X-MBX-USED-WEIGHT-1M") for reply in replies]
            assert used == [str(fact.weight * (place + 1)) for place in range(len(statuses))], (
                f"{fact.id}: {used}"
            )
            waits = [_header(reply, "Retry-After") for reply in replies[3:]]
            assert all(wait.isdigit() for wait in waits), f"{fact.id}: {waits}"
            assert shortest <= int(waits[-1]) <= longest, f"{fact.id}: {waits}"
            clock.advance(1000 * int(waits[-1]))
        assert ask_well(exchange, fact, clock.ms).status == 200, f"{fact.id}: after the ban"


def faults_are_described(document: Json, make: MakeExchange) -> None:
    """A scripted fault answers as its row of the table says, and as the document does, unless it says that it does not."""
    schema = schemathesis.openapi.from_dict(
        dict(document), config=schemathesis.Config.from_dict(CONFIG)
    )
    for fact in operation_facts(document):
        operation = schema[fact.path][fact.method]
        for name, fault in FAULTS.items():
            response = _failing(make(document), fact, name)
            if response is None or (response.status_code == 401 and fact.key_header is None):
                continue  # or a fault about a key, where no key is asked for
            code = response.json().get("code") if _is_error(response) else None
            assert (response.status_code, code) == ANSWERS.get(
                name, (response.status_code, code)
            ), f"{fact.id}: {name}"
            departure = _departure(operation, response)
            assert (departure is not None) == bool(fault.spec_violation), (
                f"{fact.id}: {name}: {departure}"
            )


def every_status_is_produced(document: Json, make: MakeExchange) -> None:
    """Nothing is documented that the mock never answers; `5XX` stands for a fault that has no status of its own."""
    for fact in operation_facts(document):
        exchange = make(document)
        ask_well(exchange, fact)
        ask_well(exchange, fact, T0, "noSuchParameter=1")
        ask(exchange, fact, sign(fact, fact.query(T0)), "unknown-key")
        exchange.handle("DELETE", target(fact, ""), [])
        for name, fault in FAULTS.items():
            if not fault.spec_violation:
                _failing(exchange, fact, name)
        produced = {str(logged.status) for logged in exchange.requests}
        produced |= {f"{status[0]}XX" for status in produced - {*fact.statuses}}
        assert {*fact.statuses} <= produced, f"{fact.id}: {sorted({*fact.statuses} - produced)}"


CHECKS: Final = (
    content_is_exact,
    the_clock_is_told,
    time_is_checked,
    duplicates_are_refused,
    unknown_parameters_are_refused,
    keys_are_checked,
    weight_is_counted,
    faults_are_described,
    every_status_is_produced,
)


def _failing(exchange: Exchange, fact: OperationFact, fault: str) -> httpx.Response | None:
    """What a fault answers; None for one that only changes how the usual answer travels, which no document describes."""
    exchange.fail(fault)
    reply = exchange.handle(fact.method, fact.path.encode(), [])
    if reply.delivery != Delivery():
        return None
    request = httpx.Request(fact.method, f"https://exchange.invalid{fact.path}")
    response = httpx.Response(
        reply.status, headers=list(reply.headers), content=reply.body, request=request
    )
    response.elapsed = timedelta()  # schemathesis asks for it
    return response


def _departure(operation: Any, response: httpx.Response) -> str | None:
    """How an answer is not as the document describes it; None when it is."""
    try:
        operation.Case().validate_response(response, checks=CONFORMANCE)
    except FailureGroup as group:
        return str(group.exceptions)
    return None


def _awkward(value: Any) -> Any:
    """The same content, grown by what must not get lost: digits, zeros, letters beyond ASCII, a member nobody knows."""
    value = copy.deepcopy(value)
    for row in value if isinstance(value, list) else [value]:
        row |= {
            "amountOfTomorrow": "-0.100000000000000000010",
            "asset币": "币安人生",
            "flagOfTomorrow": None,
        }
    return value


def _same(reply: Reply, value: Any) -> bool:
    """Whether a reply holds exactly this JSON value; 1, 1.0 and true are three values."""
    texts = {json.dumps(each, sort_keys=True) for each in (json.loads(reply.body), value)}
    return reply.status == 200 and len(texts) == 1


def _said(reply: Reply) -> tuple[int, int | None]:
    """HTTP status and, from its body, the code of a refusal."""
    return reply.status, None if reply.status == 200 else json.loads(reply.body).get("code")


def _header(reply: Reply, name: str) -> str:
    return next(
        (
            value.decode()
            for known, value in reply.headers
            if known.decode().lower() == name.lower()
        ),
        "",
    )


def _is_error(response: httpx.Response) -> bool:
    try:
        return isinstance(response.json(), dict) and "msg" in response.json()
    except ValueError:
        return False
