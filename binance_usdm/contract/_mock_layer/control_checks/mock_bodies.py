"""Checks of the mock's faults that change a response: what changes, and what stays."""

from __future__ import annotations

import gzip
import json
from typing import Any, Final
from urllib.parse import urlsplit

from binance_usdm.contract._cases.raw_requests import T0, MakeExchange, header_value
from binance_usdm.contract._mock_layer.basics import needs_basics
from binance_usdm.contract._mock_layer.callers import FIRST
from binance_usdm.contract._spec.operations import Operation
from binance_usdm.mock import Reply

# Types that a field can get, as Python reads their JSON.
TYPES: Final[dict[str, type]] = {
    "number": float,
    "text": str,
    "boolean": bool,
    "null": type(None),
    "list": list,
    "object": dict,
}
# Kinds of JSON that is invalid or unusual.
KINDS: Final = (
    *("nan", "infinity", "huge-number", "exponent", "leading-zero", "lone-surrogate"),
    *("duplicate-member", "byte-order-mark", "utf-16", "not-utf-8", "trailing-comma"),
    *("second-value", "deep", "object", "null", "text"),
)
# Faults that respond as without them, but for the delivery or a header.
USUAL: Final = ("latency", "slow", "cut", "reset", "wrong-type")


def every_row_is_changed(operation: Operation, make: MakeExchange) -> None:
    """A fault that changes fields does so in every row, to the named field, and to no other."""
    rows = _rows(operation)
    if not rows:
        return
    first = next(iter(rows[0]))
    exchange = make()
    exchange.seed(operation.id, json.dumps(rows).encode())

    def send(fault: str, **options: Any) -> list[Any]:
        exchange.fail(fault, **options)
        found: list[Any] = json.loads(FIRST.send(exchange, operation).body)
        assert len(found) == len(rows), f"{fault}: {len(found)} rows"
        return found

    for number, (row, found) in enumerate(zip(rows, send("extra-member"), strict=True)):
        known = {name: value for name, value in found.items() if name in row}
        assert known == row != found, f"extra-member, row {number}: {found}"
    for row, found in zip(rows, send("missing-member", member=first), strict=True):
        assert {first: row[first], **found} == row, f"missing-member: {found}"
        assert first not in found, f"missing-member: {found}"
    for becomes, expected in TYPES.items():
        changed = send("retyped-member", member=first, becomes=becomes)
        for row, found in zip(rows, changed, strict=True):
            assert type(found[first]) is expected, f"{becomes}: {found[first]!r}"
            assert {**found, first: row[first]} == row, f"retyped-member, {becomes}: {found}"


def kinds_of_json_differ(operation: Operation, make: MakeExchange) -> None:
    """Each kind of unusual JSON is another change of the body."""
    rows, exchange = _rows(operation), make()
    if not rows:
        return
    exchange.seed(operation.id, json.dumps(rows).encode())
    kind_by_body = {FIRST.send(exchange, operation).body: "no fault"}
    for kind in KINDS:
        exchange.fail("odd-json", kind=kind)
        body = FIRST.send(exchange, operation).body
        assert body not in kind_by_body, f"{kind} is like {kind_by_body[body]}"
        kind_by_body[body] = kind


def shapes_of_errors_differ(operation: Operation, make: MakeExchange) -> None:
    """A 503 has the payload, one without a code, that of a framework, or a page, as it is told."""
    exchange = make()
    for fault, code in (("internal", -1001), ("throttled", -1008), ("unavailable", None)):
        for shape, expected in {
            "default": {"msg"} if code is None else {"code", "msg"},
            "bare": {"msg"},
            "framework": {"timestamp", "path", "msg"},
            "page": None,
        }.items():
            exchange.fail(fault, shape=shape)
            reply = FIRST.send(exchange, operation)
            place = f"{fault}, {shape}: {reply}"
            assert reply.status == 503, place
            if expected is None:
                assert _media_type(reply) == "text/html", place
            else:
                assert {*json.loads(reply.body)} == expected, place


def faults_keep_the_response(operation: Operation, make: MakeExchange) -> None:
    """What only changes the delivery, coding or type leaves status and body, of an error as well."""
    exchange = make()
    normal = FIRST.send(exchange, operation)
    rejected = FIRST.send(exchange, operation, T0, "noSuchParameter=1")
    for fault in USUAL:
        for expected, pairs in ((normal, ()), (rejected, ("noSuchParameter=1",))):
            exchange.fail(fault)
            reply = FIRST.send(exchange, operation, T0, *pairs)
            found = (reply.status, reply.body)
            assert found == (expected.status, expected.body), f"{fault}: {reply}"
    exchange.fail("wrong-type", type="image/png")
    reply = FIRST.send(exchange, operation)
    assert header_value(reply, "Content-Type") == "image/png", f"{reply.headers}"
    exchange.fail("gzip")
    reply = FIRST.send(exchange, operation)
    assert header_value(reply, "Content-Encoding") == "gzip", f"{reply.headers}"
    assert gzip.decompress(reply.body) == normal.body, f"{reply}"
    exchange.fail("redirect")
    reply = FIRST.send(exchange, operation)
    host = urlsplit(header_value(reply, "Location")).hostname
    assert host, f"no redirect to another host: {reply.headers}"
    exchange.fail("latency", 8, seconds=1.0, jitter=0.5)
    waits = {FIRST.send(exchange, operation).delivery.latency for _ in range(8)}
    assert 1 <= min(waits) < max(waits) <= 1.5, f"jitter: {waits}"


CHECKS: Final = tuple(
    needs_basics(check)
    for check in (
        every_row_is_changed,
        kinds_of_json_differ,
        shapes_of_errors_differ,
        faults_keep_the_response,
    )
)


def _rows(operation: Operation) -> list[dict[str, Any]]:
    """Return three rows of a response that has some, with more than one field."""
    example = operation.examples[0]
    row = example[0] if isinstance(example, list) and example else example
    return [row] * 3 if isinstance(row, dict) and len(row) > 1 else []


def _media_type(reply: Reply) -> str:
    return header_value(reply, "Content-Type").partition(";")[0]
