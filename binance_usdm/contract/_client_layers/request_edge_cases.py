"""Checks of the client that one call with default settings does not show."""

from __future__ import annotations

import asyncio
import itertools
from hmac import compare_digest
from typing import Any, Final

from binance_usdm import APIError, ConfigurationError, RetryPolicy
from binance_usdm.contract._cases.expectations import ATTEMPTS, OTHER_TYPES
from binance_usdm.contract._cases.raw_requests import KEY, SECRET, T0, MakeExchange
from binance_usdm.contract._cases.signing import compute_signature
from binance_usdm.contract._client_layers.calls import (
    RecordedCall,
    argument_name,
    call_method,
    call_plain_method,
    python_name,
    sample_arguments,
)
from binance_usdm.contract._client_layers.sdk import Sdk, SentRequest
from binance_usdm.contract._spec.operations import Operation
from binance_usdm.mock import Exchange, Reply

RETRY: Final = RetryPolicy(attempts=3, random=lambda: 0.0)
STEP_MS: Final = 7


def each_call_has_its_timestamp(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    _, sent = _call(sdk, make(), operation, {}, {}, {}, clock=_ticking_clock())
    _check_timestamps(operation, sent)


def each_attempt_has_its_timestamp(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """A retry sends a new request with a new timestamp."""
    exchange = make()
    exchange.fail(Reply(500), times=2)
    options = {"retry": RETRY, "clock": _ticking_clock()}
    calls, sent = _call(sdk, exchange, operation, {}, **options)
    assert calls[0].error is None, f"{calls[0].error!r}"
    _check_timestamps(operation, sent)


def default_window_is_sent(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """The client's window is sent with every signed call that has none, and with no other."""
    calls: list[dict[str, Any]] = [{}]
    calls += [{python_name(operation.window): 1500}] if operation.window else []
    _, sent = _call(sdk, make(), operation, *calls, recv_window=3000)
    windows = [each.values_of(operation.window or "recvWindow") for each in sent]
    expected = [["3000"], ["1500"]] if operation.window else [None]
    assert windows == expected, f"{windows}"


def base_path_is_kept(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """A path of the base URL stands before the path of the operation."""
    origin = "https://gateway.invalid:8443"
    _, sent = _call(sdk, make(), operation, {}, base_url=f"{origin}/a/b/")
    found = [(each.origin, each.target.partition(b"?")[0].decode()) for each in sent]
    assert found == [(origin, f"/a/b{operation.sample_path}")], f"{found}"


def arguments_keep_their_type(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """A value of another type is rejected, and nothing is sent."""
    for parameter in operation.parameters:
        schema = parameter["schema"]
        is_decimal = schema.get("format") == "decimal" or "content" in parameter
        values = () if is_decimal else OTHER_TYPES.get(schema["type"], ())
        for value in values:
            arguments = {argument_name(parameter): value}
            calls, sent = _call(sdk, make(), operation, arguments)
            place = f"{arguments}: {len(sent)} requests"
            assert isinstance(calls[0].error, ConfigurationError), place
            assert not sent, place


def only_retryable_errors_are_retried(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    for status, code, count in ATTEMPTS:
        exchange = make()
        body = b"<html>" if code is None else b'{"code":%d,"msg":"no"}' % code
        exchange.fail(Reply(status, (), body), times=None)
        calls, sent = _call(sdk, exchange, operation, {}, retry=RETRY)
        error = calls[0].error
        place = f"{status} {code}: {len(sent)} requests, {error!r}"
        assert (len(sent), getattr(error, "status", None)) == (count, status), place
        assert status == 302 or isinstance(error, APIError), place


def plain_methods_do_the_same(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """The method without `_detailed` sends the same, and returns the value or raises the error."""
    window = {python_name(operation.window): 1500} if operation.window else {}
    for arguments in ({}, window):
        detailed, sent = _call(sdk, make(), operation, arguments)
        client, transport = sdk.connect(make())
        call = RecordedCall(sample_arguments(operation) | arguments)
        asyncio.run(call_plain_method(client, operation, call))
        targets = [each.target for each in transport.sent]
        assert targets == [each.target for each in sent], f"{arguments}: {targets}"
        found = (call.parsed, type(call.error))
        assert found == (detailed[0].parsed, type(detailed[0].error)), f"{arguments}: {found}"


def each_client_sends_its_key(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """Of two clients in one process each sends its own key and signs with its own secret."""
    if operation.key_header is None:
        return
    exchange = make()
    accounts = {KEY: SECRET, "another-key": "another-secret"}
    exchange.add_account("another-key", accounts["another-key"])
    name = operation.key_header.lower().encode()
    transports = {}
    for key, secret in accounts.items():
        transports[key] = sdk.transport(exchange)
        client = sdk.client(key, secret, transport=transports[key], clock=lambda: T0)
        call = RecordedCall(sample_arguments(operation))
        asyncio.run(call_method(client, operation, call))
    for key, transport in transports.items():
        for sent in transport.sent:
            keys = {value for header, value in sent.headers if header.lower() == name}
            others = {other.encode() for other in accounts} - {key.encode()}
            assert not keys & others, f"the client of {key} sends the key of another"


def secrets_of_any_length_sign(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """A signature has the whole secret, also where HMAC hashes it first (above 64 bytes)."""
    if operation.signature is None:
        return
    is_valid: dict[str, bool] = {}
    for secret in (SECRET, *("x" * length for length in (1, 63, 64, 65, 200))):
        transport = sdk.transport(make())
        client = sdk.client(KEY, secret, transport=transport, clock=lambda: T0)
        asyncio.run(call_method(client, operation, RecordedCall(sample_arguments(operation))))
        for sent in transport.sent:
            payload, _, digits = sent.query.rpartition(f"&{operation.signature}=")
            is_valid[secret] = compare_digest(digits, compute_signature(payload, secret))
    # A client that signs nothing correctly is found by other checks.
    wrong = [len(secret) for secret, valid in is_valid.items() if not valid]
    assert not is_valid.get(SECRET) or not wrong, f"secrets of {wrong} characters"


def host_has_its_port(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """The Host header has the port, unless it is the one of the scheme."""
    for base_url in ("https://gateway.invalid:8443", "https://gateway.invalid:443"):
        _, sent = _call(sdk, make(), operation, {}, base_url=base_url)
        for request in sent:
            expected = request.origin.partition("//")[2].encode()
            hosts = [value for name, value in request.headers if name.lower() == b"host"]
            assert hosts == [expected], f"{base_url}: {hosts}"


CHECKS: Final = (
    each_call_has_its_timestamp,
    each_attempt_has_its_timestamp,
    default_window_is_sent,
    base_path_is_kept,
    arguments_keep_their_type,
    only_retryable_errors_are_retried,
    plain_methods_do_the_same,
    each_client_sends_its_key,
    secrets_of_any_length_sign,
    host_has_its_port,
)


def _call(
    sdk: Sdk, exchange: Exchange, operation: Operation, *arguments: dict[str, Any], **options: Any
) -> tuple[list[RecordedCall], list[SentRequest]]:
    """Call one client once with each arguments, and return the calls and all requests."""
    client, transport = sdk.connect(exchange, **options)
    required = sample_arguments(operation)
    calls = [RecordedCall(required | each) for each in arguments]

    async def call_all() -> None:
        for call in calls:
            await call_method(client, operation, call)

    asyncio.run(call_all())
    return calls, transport.sent


def _ticking_clock() -> Any:
    return itertools.count(T0, STEP_MS).__next__


def _check_timestamps(operation: Operation, sent: list[SentRequest]) -> None:
    found = [each.values_of(operation.timestamp) for each in sent]
    times = [[str(T0 + STEP_MS * index)] for index in range(3)]
    assert found == (times if operation.timestamp else [None] * 3), f"{operation.id}: {found}"
