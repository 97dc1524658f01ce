"""Checks of the mock that no schema states: content, time, keys, parameters, weight, faults."""

from __future__ import annotations

import functools
import json
import re
from datetime import timedelta
from typing import Any, Final

import httpx
from schemathesis import checks as built_in
from schemathesis.errors import FailureGroup

from binance_usdm.contract._cases.expectations import BODY_FAULTS, KEYS, MOCK_FAULTS
from binance_usdm.contract._cases.raw_requests import (
    SECRET,
    T0,
    MakeExchange,
    encode_target,
    header_value,
    send_query,
    send_valid,
    sign,
    signed_target,
    status_and_code,
)
from binance_usdm.contract._cases.schemathesis_setup import Schema, load_schema
from binance_usdm.contract._spec.operations import Operation
from binance_usdm.mock import FAULTS, Delivery, Exchange, ManualClock, Reply, Switches

OK: Final = (200, None)
CONFORMANCE: Final = [
    built_in.status_code_conformance,
    built_in.content_type_conformance,
    built_in.response_headers_conformance,
    built_in.response_schema_conformance,
]


def content_is_exact(operation: Operation, make: MakeExchange) -> None:
    """Each account has what was set for it, digit for digit, else the first example."""
    exchange, first, last = make(), operation.examples[0], operation.examples[-1]
    unusual = [_with_unusual_fields(operation, value) for value in operation.examples]
    for value in (*operation.examples, *unusual):
        exchange.seed(operation.id, value)
        assert _is_exact(send_valid(exchange, operation), value), f"{value}"
    if operation.key_header is not None:
        assert _is_exact(send_valid(make(), operation), first)
        other = _with_unusual_fields(operation, operation.examples[0])
        exchange.add_account("another-key", SECRET, **{operation.id: other})
        exchange.seed(operation.id, last)
        query = sign(operation, operation.query(T0))
        reply = send_query(exchange, operation, query, "another-key")
        assert _is_exact(reply, other), "content of the other account"


def exchange_time_is_sent(operation: Operation, make: MakeExchange) -> None:
    """A field that is the exchange's clock has the time of this moment."""
    clock = ManualClock(T0)
    exchange = make(clock=clock)
    for _ in range(2):
        body = send_valid(exchange, operation, clock.ms).body.decode()
        for name in operation.clock_fields:
            times = {*re.findall(rf'"{name}":\s*(\d+)', body)}
            assert times == {str(clock.ms)}, f"{name}"
        clock.advance(1234)


def keys_are_checked(operation: Operation, make: MakeExchange) -> None:
    """The right key is accepted. No key, other and malformed ones, and two keys get a 401."""
    if operation.key_header is None:
        return
    for keys, code in KEYS:
        query = sign(operation, operation.query(T0))
        reply = send_query(make(), operation, query, *keys)
        assert status_and_code(reply) == ((401, code) if code else OK), f"{keys}"
    without_key = make().handle(operation.method, signed_target(operation), [])
    assert status_and_code(without_key) == (401, -2014), "no key"


def weight_is_counted(operation: Operation, make: MakeExchange) -> None:
    """Each response has the minute's weight. A 429, then a 418 have a wait that holds."""
    clock, weight = ManualClock(T0), operation.weight_of(operation.required_query)
    if not weight:
        assert header_value(send_valid(make(), operation), "X-MBX-USED-WEIGHT-1M") == "0"
        return
    switches = Switches(weight_limit=3 * weight, ban_after=2)
    exchange = make(clock=clock, switches=switches)
    for statuses, shortest, longest in (
        ([200, 200, 200, 429], 1, 60),
        ([200, 200, 200, 429, 429, 418], 120, 3 * 86400),
    ):
        replies = [send_valid(exchange, operation, clock.ms) for _ in statuses]
        assert [reply.status for reply in replies] == statuses
        used = [header_value(reply, "X-MBX-USED-WEIGHT-1M") for reply in replies]
        assert used == [str(weight * number) for number in range(1, len(statuses) + 1)], used
        waits = [header_value(reply, "Retry-After") for reply in replies[3:]]
        assert all(wait.isdigit() for wait in waits), f"{waits}"
        assert shortest <= int(waits[-1]) <= longest, f"{waits}"
        clock.advance(1000 * int(waits[-1]))
    assert send_valid(exchange, operation, clock.ms).status == 200, "after the ban"


def faults_are_described(operation: Operation, make: MakeExchange) -> None:
    """A fault responds as the table says, and as the spec does unless it says otherwise."""
    schema = _schema(json.dumps(operation.document))
    described = schema[operation.path][operation.method]
    for name, fault in FAULTS.items():
        response = _fault_response(make(), operation, name)
        if response is None or (response.status_code == 401 and not operation.key_header):
            # The second is a fault of a key that the operation does not take.
            continue
        if name in BODY_FAULTS and not operation.ends_in_required_scalar:
            continue
        if name == "error-in-200" and operation.accepts_any_object:
            continue
        found, place = (response.status_code, _error_code(response)), f"{name}"
        row = MOCK_FAULTS.get(name)
        if row is not None and row.status is not None:
            assert found == (row.status, row.code), f"{place}: {found}"
        violation = _violation(described, response)
        assert bool(violation) == bool(fault.spec_violation), f"{place}: {violation}"


def every_status_is_produced(operation: Operation, make: MakeExchange) -> None:
    """The mock sends every described status; `5XX` stands for one without a description."""
    exchange = make()
    send_valid(exchange, operation)
    send_valid(exchange, operation, T0, "noSuchParameter=1")
    send_query(exchange, operation, sign(operation, operation.query(T0)), "unknown-key")
    exchange.handle("DELETE", encode_target(operation, ""), [])
    for name, fault in FAULTS.items():
        if not fault.spec_violation:
            _fault_response(exchange, operation, name)
    produced = {str(logged.status) for logged in exchange.requests}
    described = {*operation.responses}
    produced |= {f"{status[0]}XX" for status in produced - described}
    assert described <= produced, f"{described - produced}"


CHECKS: Final = (
    content_is_exact,
    exchange_time_is_sent,
    keys_are_checked,
    weight_is_counted,
    faults_are_described,
    every_status_is_produced,
)


@functools.cache
def _schema(document: str) -> Schema:
    return load_schema(json.loads(document))


def _fault_response(exchange: Exchange, operation: Operation, fault: str) -> httpx.Response | None:
    """Return a fault's response, or `None` if it only changes how the usual one is delivered."""
    exchange.fail(fault)
    reply = exchange.handle(operation.method, operation.sample_path.encode(), [])
    if reply.delivery != Delivery():
        return None
    request = httpx.Request(operation.method, f"https://exchange.invalid{operation.path}")
    headers = list(reply.headers)
    response = httpx.Response(reply.status, headers=headers, content=reply.body, request=request)
    # Schemathesis reads it.
    response.elapsed = timedelta()
    return response


def _violation(operation: Any, response: httpx.Response) -> str:
    """Return how a response differs from its description, if it does."""
    try:
        values = dict.fromkeys(re.findall(r"\{([^}]+)\}", operation.path), "x")
        case = operation.Case(path_parameters=values)
        case.validate_response(response, checks=CONFORMANCE)
    except FailureGroup as group:
        return str(group.exceptions)
    return ""


def _with_unusual_fields(operation: Operation, value: Any) -> Any:
    """Add unknown fields with digits, zeros and letters that must not get lost."""
    rows = value if isinstance(value, list) else [value]
    for row in (row for row in rows if isinstance(row, dict)):
        if operation.has_open_keys:
            continue
        row["newAmount"] = "-0.100000000000000000010"
        row["asset币"] = "币安人生"
        row["newFlag"] = None
    return value


def _is_exact(reply: Reply, value: Any) -> bool:
    """Return whether a reply has exactly this value; 1, 1.0 and true are three values."""
    texts = {_canonical_json(text) for text in (reply.body, json.dumps(value))}
    return reply.status == 200 and len(texts) == 1


def _canonical_json(text: str | bytes) -> str:
    """Return a JSON text with sorted keys, and with all digits of its numbers."""
    return json.dumps(
        json.loads(text, parse_float=lambda digits: {"number": digits}), sort_keys=True
    )


def _error_code(response: httpx.Response) -> int | None:
    try:
        body = response.json()
    except ValueError:
        return None
    return body.get("code") if isinstance(body, dict) and "msg" in body else None
