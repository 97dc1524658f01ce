"""Checks of the client that one call with default settings does not show."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from binance_usdm import APIError, ConfigurationError
from binance_usdm.contract._cases.expectations import ATTEMPTS, OTHER_TYPES
from binance_usdm.contract._cases.raw_requests import T0, MakeExchange, send_valid
from binance_usdm.contract._cases.small_changes.values_beside import values_beside
from binance_usdm.contract._client_layers.calls import (
    RecordedCall,
    argument_name,
    call_method,
    call_plain_method,
    optional_arguments,
    python_name,
    sample_arguments,
)
from binance_usdm.contract._client_layers.request_checks.request_parts import (
    RETRY,
    STEP_MS,
    send_calls,
    ticking_clock,
)
from binance_usdm.contract._client_layers.sdk import Sdk, SentRequest
from binance_usdm.contract._spec.operations import Operation
from binance_usdm.mock import ManualClock, Reply

WINDOWS: Final = (None, 1, 3000, 6000, 60000)


def window_is_respected(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """A late call is accepted or rejected as a raw request with the same window is."""
    for window in WINDOWS if operation.window else ():
        for late in ((window or 5000), (window or 5000) + 1):
            pairs = [f"{operation.window}={window}"] if window else []
            exchange = make(clock=ManualClock(T0 + late))
            raw = send_valid(exchange, operation, T0, *pairs)
            call = RecordedCall(sample_arguments(operation, *pairs))
            asyncio.run(call_method(sdk.connect(exchange)[0], operation, call))
            place = f"{late} ms late, window {window}: {call.error!r}"
            found: tuple[int, int | None] = (200, None)
            if call.error is not None:
                assert isinstance(call.error, APIError), place
                found = (call.error.status, call.error.code)
            assert found == (raw.status, raw.code), place


def each_call_has_its_timestamp(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    _, sent = send_calls(sdk, make(), operation, {}, {}, {}, clock=ticking_clock())
    _check_timestamps(operation, sent)


def each_attempt_has_its_timestamp(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """A retry sends a new request with a new timestamp."""
    exchange = make()
    exchange.fail(Reply(500), times=2)
    options = {"retry": RETRY, "clock": ticking_clock()}
    calls, sent = send_calls(sdk, exchange, operation, {}, **options)
    assert calls[0].error is None, f"{calls[0].error!r}"
    _check_timestamps(operation, sent)


def default_window_is_sent(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """The client's window is sent with every signed call that has none, and with no other."""
    calls: list[dict[str, Any]] = [{}]
    calls += [{python_name(operation.window): 1500}] if operation.window else []
    _, sent = send_calls(sdk, make(), operation, *calls, recv_window=3000)
    windows = [each.values_of(operation.window or "recvWindow") for each in sent]
    expected = [["3000"], ["1500"]] if operation.window else [None]
    assert windows == expected, f"{windows}"


def base_path_is_kept(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """A path of the base URL stands before the path of the operation."""
    origin = "https://gateway.invalid:8443"
    _, sent = send_calls(sdk, make(), operation, {}, base_url=f"{origin}/a/b/")
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
            calls, sent = send_calls(sdk, make(), operation, arguments)
            place = f"{arguments}: {len(sent)} requests"
            assert isinstance(calls[0].error, ConfigurationError), place
            assert not sent, place


def only_retryable_errors_are_retried(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    for status, code, count in ATTEMPTS:
        exchange = make()
        body = b"<html>" if code is None else b'{"code":%d,"msg":"no"}' % code
        exchange.fail(Reply(status, (), body), times=None)
        calls, sent = send_calls(sdk, exchange, operation, {}, retry=RETRY)
        error = calls[0].error
        place = f"{status} {code}: {len(sent)} requests, {error!r}"
        assert (len(sent), getattr(error, "status", None)) == (count, status), place
        assert status == 302 or isinstance(error, APIError), place


def plain_methods_do_the_same(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """The method without `_detailed` sends the same, and returns the value or raises the error."""
    for arguments in ({}, optional_arguments(operation)):
        detailed, sent = send_calls(sdk, make(), operation, arguments)
        client, transport = sdk.connect(make())
        call = RecordedCall(sample_arguments(operation) | arguments)
        asyncio.run(call_plain_method(client, operation, call))
        targets = [each.target for each in transport.sent]
        assert targets == [each.target for each in sent], f"{arguments}: {targets}"
        found = (call.parsed, type(call.error))
        assert found == (detailed[0].parsed, type(detailed[0].error)), f"{arguments}: {found}"


def arguments_beside_are_rejected(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """A value of the right type that the schema does not allow is rejected, and nothing is sent."""
    client, transport = sdk.connect(make())
    for parameter in operation.parameters:
        for value in values_beside(parameter):
            arguments = sample_arguments(operation) | {argument_name(parameter): value}
            call = RecordedCall(arguments)
            asyncio.run(call_method(client, operation, call))
            place = f"{argument_name(parameter)}={value!r}"
            assert not transport.sent, f"{place}: {transport.sent[-1].target!r}"
            assert isinstance(call.error, ConfigurationError), f"{place}: {call.error!r}"


CHECKS: Final = (
    window_is_respected,
    each_call_has_its_timestamp,
    each_attempt_has_its_timestamp,
    default_window_is_sent,
    base_path_is_kept,
    arguments_keep_their_type,
    only_retryable_errors_are_retried,
    plain_methods_do_the_same,
    arguments_beside_are_rejected,
)


def _check_timestamps(operation: Operation, sent: list[SentRequest]) -> None:
    found = [each.values_of(operation.timestamp) for each in sent]
    times = [[str(T0 + STEP_MS * index)] for index in range(3)]
    assert found == (times if operation.timestamp else [None] * 3), f"{operation.id}: {found}"
