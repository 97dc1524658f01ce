"""Checks of the mock: what its log says about a request, and that no text has a secret."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Final

from binance_usdm.contract._cases.raw_requests import (
    KEY,
    SECRET,
    T0,
    MakeExchange,
    encode_target,
    key_headers,
    sign,
    signature,
    status_and_code,
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
from binance_usdm.contract._spec.operations import Operation
from binance_usdm.mock import Exchange, Logged, ManualClock, Reply, Switches

FAULT: Final = "internal"
STRANGER: Final = Caller("no-such-key", "no-such-secret")


def log_has_every_request(operation: Operation, make: MakeExchange) -> None:
    """The log has each request with its number, time, address, key, bytes and response."""
    clock = ManualClock(T0)
    exchange = make(clock=clock)
    exchange.add_account(OTHER_KEY, OTHER_SECRET)
    callers = (FIRST, replace(OTHER, address="2001:db8::1"), STRANGER)
    replies: list[Reply] = []
    for caller in callers:
        replies.append(caller.send(exchange, operation, clock.ms))
        clock.advance(777)
    replies.append(exchange.handle("PATCH", b"/no/such/path?a=b%20c", [(b"X-A", b"1")], b"body"))
    for number, (logged, reply) in enumerate(zip(exchange.requests, replies, strict=True), 1):
        assert (logged.number, logged.at_ms) == (number, T0 + 777 * (number - 1)), f"{logged}"
        code = status_and_code(reply)[1]
        found = (logged.status, logged.code, logged.response_body, logged.fault)
        assert found == (reply.status, code, reply.body, None), f"{logged}"
    for logged, caller in zip(exchange.requests, callers, strict=False):
        found_keys = (logged.operation, logged.address, logged.api_key, logged.signature)
        key = caller.key if operation.key_header else ""
        expected = (operation.id, caller.address, key, operation.signature)
        assert found_keys == expected, f"{logged}"
        target = f"{operation.method} {operation.sample_path}"
        assert f"{logged.method} {logged.path}" == target, f"{logged}"
    last = exchange.requests[-1]
    assert (last.method, last.path, last.raw_query) == ("PATCH", "/no/such/path", b"a=b%20c")
    assert (last.operation, last.headers, last.body) == (None, ((b"X-A", b"1"),), b"body")
    counted = Counter((each.operation, each.status, each.code) for each in exchange.requests)
    assert exchange.counts == counted, f"{exchange.counts}"


def log_keeps_the_latest(operation: Operation, make: MakeExchange) -> None:
    """With `log_size` the latest requests are kept, in a list of the caller's, and all counted."""
    exchange = make(log_size=3)
    for number in range(1, 6):
        FIRST.send(exchange, operation)
        kept = [logged.number for logged in exchange.requests]
        assert kept == [*range(max(1, number - 2), number + 1)], f"{kept} of {number}"
    assert sum(exchange.counts.values()) == 5, f"{exchange.counts}"
    exchange.requests.clear()
    assert len(exchange.requests) == 3, "the log itself was cleared"


def log_has_what_was_signed(operation: Operation, make: MakeExchange) -> None:
    """A logged request has its query decoded, and the bytes that had to be signed."""
    exchange = make()
    payload = operation.query(T0, "noSuchParameter=a%20%2Bb")
    target = encode_target(operation, sign(operation, payload))
    exchange.handle(operation.method, target, key_headers(operation, KEY), b"body")
    logged = exchange.requests[-1]
    assert ("noSuchParameter", "a +b") in logged.query, f"{logged}"
    expected = f"{payload}body".encode() if operation.signature else None
    assert logged.signed_payload == expected, f"{logged.signed_payload!r}"


def log_judges_every_request(operation: Operation, make: MakeExchange) -> None:
    """The log says why a request is rejected: as its code does, or by a limit or a ban."""
    weight = operation.weight_of(operation.required_query)
    for name, logged, code in _judged(make, operation, is_answered_by_fault=False):
        assert (logged.fault, logged.code, logged.refusal_code) == (None, code, code), name
        assert bool(logged.refusal) == bool(code), f"{name}: {logged.refusal!r}"
        assert logged.rejection_reason == logged.refusal, f"{name}: {logged.rejection_reason!r}"
    for status in (429, 418) if weight else ():
        exchange = make(switches=Switches(weight_limit=1, ban_after=0 if status == 418 else 1))
        exchange.spend(1, ADDRESS)
        FIRST.send(exchange, operation)
        logged = exchange.requests[-1]
        assert (logged.status, logged.refusal, logged.refusal_code) == (status, "", None)
        assert logged.rejection_reason, f"{logged}"


def log_judges_behind_faults(operation: Operation, make: MakeExchange) -> None:
    """A request that a fault answered is judged as without it, with the fault's name beside."""
    plain = _judged(make, operation, is_answered_by_fault=False)
    answered = _judged(make, operation, is_answered_by_fault=True)
    for (name, expected, _), (_, logged, _) in zip(plain, answered, strict=True):
        assert (logged.fault, logged.status, logged.code) == (FAULT, 503, -1001), (
            f"{name}: {logged}"
        )
        assert logged.refusal_code == expected.refusal_code, f"{name}: {logged.refusal_code}"
        assert logged.refusal == expected.refusal, f"{name}: {logged.refusal!r}"
        assert logged.rejection_reason == expected.refusal, f"{name}: {logged.rejection_reason!r}"
        assert logged.operation == operation.id, f"{name}: {logged.operation}"
    exchange = make()
    for number in range(2):
        if number:
            exchange.fail(FAULT)
        exchange.handle("GET", b"/no/such/path", [])
    refusals = [bool(logged.refusal) for logged in exchange.requests]
    assert refusals == [True, False], f"unknown paths, without and with a fault: {refusals}"


def log_answers_for_signatures(operation: Operation, make: MakeExchange) -> None:
    """`assert_signed` passes valid requests, and names others, also those that a fault answered."""
    if operation.signature is None:
        return
    wrong = replace(FIRST, secret=STRANGER.secret)
    for caller, has_fault, is_valid in (
        (FIRST, False, True),
        (FIRST, True, True),
        (wrong, False, False),
        (wrong, True, False),
        (None, False, False),
    ):
        exchange = make()
        if has_fault:
            exchange.fail(FAULT)
        if caller is not None:
            caller.send(exchange, operation)
        text = _assertion(exchange, operation)
        assert (not text) == is_valid, f"{caller}, fault {has_fault}: {text!r}"
    exchange = make()
    wrong.send(exchange, operation)
    FIRST.send(exchange, operation)
    assert _assertion(exchange, operation), "a wrong signature before a right one"
    exchange = make()
    exchange.add_account(OTHER_KEY, OTHER_SECRET)
    FIRST.send(exchange, operation)
    replace(OTHER, secret=STRANGER.secret).send(exchange, operation)
    exchange.assert_signed(operation=operation.id, api_key=KEY)
    # Of several operations, only the one that is asked for counts.
    exchange.stub(f"GET {STUB_PATH}", b"[]")
    FIRST.send(exchange, stub_operation(operation))
    exchange.assert_signed(operation=f"stub GET {STUB_PATH}")
    assert _assertion(exchange, operation), "a wrong signature beside a stub"


def texts_have_no_secret(operation: Operation, make: MakeExchange) -> None:
    """Reprs, reasons, responses and failed assertions have no secret and no whole signature."""
    exchange = make()
    exchange.add_account(OTHER_KEY, OTHER_SECRET)
    query = operation.query(T0)
    if operation.signature is None:
        return
    queries = [
        sign(operation, query),
        sign(operation, query, SECRET + "\n"),
        sign(operation, query, SECRET.upper()),
        sign(operation, query, OTHER_SECRET),
        sign(operation, query, KEY),
        sign(operation, f"{query}&{SECRET}={SECRET}"),
        f"{operation.signature}={signature(query)}&{query}",
        f"{query}&{operation.signature}={SECRET}",
    ]
    valid = {signature(query, secret) for secret in (SECRET, OTHER_SECRET)}
    for sent in queries:
        reply = exchange.handle(
            operation.method, encode_target(operation, sent), key_headers(operation, KEY)
        )
        logged = exchange.requests[-1]
        texts = [repr(exchange), repr(exchange.account), repr(logged), logged.refusal]
        texts += [logged.rejection_reason, reply.body.decode(), _assertion(exchange, operation)]
        for text in texts:
            for secret in (SECRET, OTHER_SECRET, *valid):
                assert secret.lower() not in text.lower(), f"a secret in {text[:40]!r}…"
        for text in texts[:4]:
            assert KEY not in text, f"the key in {text[:40]!r}…"


CHECKS: Final = tuple(
    needs_basics(check)
    for check in (
        log_has_every_request,
        log_keeps_the_latest,
        log_has_what_was_signed,
        log_judges_every_request,
        log_judges_behind_faults,
        log_answers_for_signatures,
        texts_have_no_secret,
    )
)


def _judged(
    make: MakeExchange, operation: Operation, *, is_answered_by_fault: bool
) -> list[tuple[str, Logged, int | None]]:
    """Return requests as the log has them: what is wrong with each, and the code for that."""
    exchange = make()
    cases: list[tuple[str, Caller, tuple[str, ...], int | None]] = [
        ("nothing", FIRST, (), None),
        ("another parameter", FIRST, ("noSuchParameter=1",), -1104),
    ]
    if operation.key_header:
        cases += [("the key", STRANGER, (), -2015), ("no key", replace(FIRST, key=""), (), -2014)]
    if operation.signature:
        cases.append(("the secret", replace(FIRST, secret=STRANGER.secret), (), -1022))
    if is_answered_by_fault:
        exchange.fail(FAULT, times=None)
    for _, caller, pairs, _ in cases:
        caller.send(exchange, operation, T0, *pairs)
    if operation.timestamp:
        cases.append(("its age", FIRST, (), -1021))
        FIRST.send(exchange, operation, T0 - 10_000)
    return [
        (f"wrong is {case[0]}", logged, case[3])
        for case, logged in zip(cases, exchange.requests, strict=True)
    ]


def _assertion(exchange: Exchange, operation: Operation) -> str:
    """Return what `assert_signed` says, nothing if it passes."""
    try:
        exchange.assert_signed(operation=operation.id)
    except AssertionError as error:
        return str(error)
    return ""
