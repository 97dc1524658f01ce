"""Checks that the mock sends what the document describes of responses, and nothing else."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from binance_usdm.contract._cases.raw_requests import (
    T0,
    MakeExchange,
    encode_target,
    send_query,
    send_valid,
    sign,
)
from binance_usdm.contract._spec.document import JSON_TYPE, Json, resolve
from binance_usdm.contract._spec.operations import Operation
from binance_usdm.mock import FAULTS, Delivery, Exchange, Reply

# Headers of HTTP itself, which no document lists.
GENERAL_HEADERS: Final = {
    *("cache-control", "connection", "content-encoding", "content-length", "content-type", "date"),
    *("keep-alive", "server", "transfer-encoding", "vary"),
}


def headers_are_described(operation: Operation, make: MakeExchange) -> None:
    """A response has headers of HTTP and those described for its status, and each of them once."""
    for reply in _described_replies(operation, make):
        described = {name.lower() for name in _described(operation, reply).get("headers", {})}
        others = _header_names(reply) - described - GENERAL_HEADERS
        assert not others, f"HTTP {reply.status} has {', '.join(sorted(others))}: {reply}"
        assert len(_header_names(reply)) == len(reply.headers), f"a header twice: {reply}"


def every_header_is_sent(operation: Operation, make: MakeExchange) -> None:
    """Each described header comes with at least one response of its status."""
    sent: dict[str, set[str]] = defaultdict(set)
    for reply in _replies(operation, make):
        sent[_described_status(operation, reply.status)] |= _header_names(reply)
    # That a status is never sent is the matter of `every_status_is_produced`.
    for status in {*operation.responses} & {*sent}:
        headers = resolve(operation.document, operation.responses[status]).get("headers", {})
        missing = [name for name in headers if name.lower() not in sent[status]]
        assert not missing, f"HTTP {status} never has {', '.join(missing)}"


def media_types_are_described(operation: Operation, make: MakeExchange) -> None:
    """An error response has a media type that the document describes for its status."""
    for reply in _described_replies(operation, make):
        if reply.status < 400:
            # Generated cases look at it.
            continue
        content = _described(operation, reply).get("content", {})
        assert _media_type(reply) in content, f"HTTP {reply.status} is {_media_type(reply)}"


def every_media_type_is_sent(operation: Operation, make: MakeExchange) -> None:
    """Each described media type comes with a response of its status.

    An error payload that no fault has is asked for by status and code.
    """
    sent: dict[str, set[str]] = defaultdict(set)
    for reply in (*_replies(operation, make), *_asked_for(operation, make())):
        sent[_described_status(operation, reply.status)].add(_media_type(reply))
    for status, node in operation.responses.items():
        missing = {*resolve(operation.document, node).get("content", {})} - sent[status]
        assert not missing, f"HTTP {status} is never {', '.join(sorted(missing))}"


def error_codes_are_listed(operation: Operation, make: MakeExchange) -> None:
    """Code and message of an error are listed, or are an example of the response."""
    listed = operation.document.get("x-error-codes", {})
    exchange = make()
    for code in listed:
        exchange.fail("error", code=int(code))
    more = [send_valid(exchange, operation) for _ in listed]
    if operation.window:
        more.append(send_valid(exchange, operation, T0, f"{operation.window}=x"))
    for reply in (*_described_replies(operation, make), *more):
        code, message = _error(reply)
        if code is None:
            continue
        # Not -1022.0, which equals -1022.
        assert type(code) is int, f"code {code!r}: {reply}"
        if [code, message] in _examples(operation, reply):
            continue
        assert str(code) in listed, f"code {code} is not listed: {reply}"
        messages = listed[str(code)].get("messages")
        is_listed = messages is None or any(_is_filled(each, message) for each in messages)
        assert is_listed, f"not a message of {code}: {message}"


CHECKS: Final = (
    headers_are_described,
    every_header_is_sent,
    media_types_are_described,
    every_media_type_is_sent,
    error_codes_are_listed,
)


def _replies(operation: Operation, make: MakeExchange) -> Iterator[Reply]:
    """Yield a valid response, rejections of every kind, and faults that the document describes."""
    exchange = make()
    valid = operation.query(T0)
    yield send_valid(exchange, operation)
    yield send_valid(exchange, operation, T0, "noSuchParameter=1")
    for method, target in (("DELETE", encode_target(operation, "")), ("GET", b"/no/such/path")):
        yield exchange.handle(method, target, [])
    if operation.window:
        yield send_valid(exchange, operation, T0, f"{operation.window}=0")
        yield send_valid(exchange, operation, T0, f"{operation.window}=1", f"{operation.window}=1")
    if operation.timestamp:
        yield send_valid(exchange, operation, T0 - 10**9)
        yield send_query(exchange, operation, sign(operation, operation.required_query))
    if operation.signature:
        yield send_query(exchange, operation, sign(operation, valid, "another-secret"))
    if operation.key_header:
        for key in ("unknown-key", "a b"):
            yield send_query(exchange, operation, sign(operation, valid), key)
    for name, fault in FAULTS.items():
        if not fault.spec_violation:
            exchange.fail(name)
            reply = send_valid(exchange, operation)
            if reply.delivery == Delivery() and (reply.status != 401 or operation.key_header):
                yield reply


def _described_replies(operation: Operation, make: MakeExchange) -> Iterator[Reply]:
    """Yield those of a status that the document describes."""
    for reply in _replies(operation, make):
        if _described_status(operation, reply.status):
            yield reply


def _asked_for(operation: Operation, exchange: Exchange) -> Iterator[Reply]:
    """Yield the described examples of errors as faults that name status and code."""
    for status, node in operation.responses.items():
        if not status.startswith(("4", "5")):
            continue
        for example in _json_examples(operation, node):
            if example.get("code"):
                number = int(status.replace("XX", "20"))
                exchange.fail("error", status=number, code=example["code"])
                yield send_valid(exchange, operation)


def _described_status(operation: Operation, status: int) -> str:
    """Return the status as the document has it, by itself or as a range."""
    names = (str(status), f"{status // 100}XX", "default")
    return next((name for name in names if name in operation.responses), "")


def _described(operation: Operation, reply: Reply) -> Json:
    status = _described_status(operation, reply.status)
    return resolve(operation.document, operation.responses.get(status, {}))


def _header_names(reply: Reply) -> set[str]:
    return {name.decode("latin-1").lower() for name, _ in reply.headers}


def _media_type(reply: Reply) -> str:
    values = [value for name, value in reply.headers if name.lower() == b"content-type"]
    return values[0].decode("latin-1").partition(";")[0] if values else ""


def _error(reply: Reply) -> tuple[int | None, str]:
    """Return code and message of an error response; no code if it is none."""
    if reply.status < 400 or _media_type(reply) != JSON_TYPE:
        return None, ""
    body = json.loads(reply.body)
    return body.get("code"), body.get("msg", "")


def _json_examples(operation: Operation, node: Json) -> list[Any]:
    content = resolve(operation.document, node).get("content", {}).get(JSON_TYPE, {})
    examples = content.get("examples", {}).values()
    return [resolve(operation.document, each)["value"] for each in examples]


def _examples(operation: Operation, reply: Reply) -> list[list[Any]]:
    """Return codes and messages of the examples for the status of a response."""
    examples = _json_examples(operation, _described(operation, reply))
    return [[each.get("code"), each.get("msg")] for each in examples]


def _is_filled(template: str, message: str) -> bool:
    """Return whether a message is a listed one, with a value for each %s."""
    return re.fullmatch(re.escape(template).replace("%s", ".+"), message) is not None
