"""Checks of the client's errors, waits and metadata."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import httpx

from binance_usdm import IPBannedError, Response, TransportError
from binance_usdm.contract._cases import expectations as expected
from binance_usdm.contract._cases import response_tables as tables
from binance_usdm.contract._cases.expectations import BODY_FAULTS
from binance_usdm.contract._cases.raw_requests import KEY, T0, send_valid
from binance_usdm.contract._cases.response_bodies import generate_bodies
from binance_usdm.contract._cases.sample_values import encode
from binance_usdm.contract._client_layers.response_cases import (
    JSON,
    UNEXPECTED,
    ResponseCase,
    make_client,
    outcome_of,
)
from binance_usdm.contract._client_layers.value_differences import EPOCH
from binance_usdm.mock import FAULTS


def every_response_is_a_value_or_an_error(case: ResponseCase) -> None:
    bodies = (*tables.MATRIX_BODIES, encode(case.operation.richest_example))
    for number, body in enumerate(bodies):
        for status in {200, *case.thin_out(tables.MATRIX_STATUSES, number)}:
            outcome = expected.expected_outcome(case.response, status, body)
            for content_type in case.thin_out(tables.MATRIX_TYPES, status + number):
                case.expect(outcome, body, (b"Content-Type", content_type), status=status)


def response_metadata_is_returned(case: ResponseCase) -> None:
    """Used weight, status, headers and attempts; and a body that is compressed nevertheless."""
    body, more = encode(case.operation.richest_example), (b"X-MBX-USED-WEIGHT", b"99")
    for text, weight in tables.WEIGHTS:
        used = [] if text is None else [(b"x-mbx-used-weight-1m", text)]
        received = case.expect_value(body, JSON, (b"X-Other", b"a"), more, *used)
        found = received.used_weight
        assert (found, type(found)) == (weight, type(weight)), f"{text!r}: {found}"
        headers = (received.headers["x-other"], received.headers["CONTENT-TYPE"])
        counts = (received.status_code, received.attempts)
        assert (*counts, *headers) == (200, 1, "a", "application/json"), f"{counts} {headers}"
        assert 0 <= received.elapsed < 60, f"{received.elapsed}"
    for coding, encode_body, is_decoded in tables.ENCODINGS:
        header = (b"Content-Encoding", coding)
        if is_decoded:
            case.check_value(case.receive(encode_body(body), JSON, header), body)
        else:
            case.expect(UNEXPECTED, encode_body(body), JSON, header)
        code = -1021 if is_decoded else None
        outcome = (expected.error_class(case.operation.document, 400, code), 400, code)
        case.expect(outcome, encode_body(b'{"code": -1021, "msg": "x"}'), header, status=400)


def mock_faults_are_classified(case: ResponseCase) -> None:
    """Each fault of the mock is the error that it stands for, and the one that its bytes are."""
    for name, fault in FAULTS.items():
        delays = [option for option, value in fault.options.items() if isinstance(value, float)]
        options: dict[str, Any] = dict.fromkeys(delays, 0.0)
        exchange, twin = case.make_exchange(), case.make_exchange()
        # Without Date, which has no fraction, the header alone says how long to wait.
        exchange.switches = replace(exchange.switches, date_offset=None)
        exchange.fail(name, **options)
        twin.fail(name, **options)
        reply = send_valid(twin, case.operation)
        received = case.call(make_client(case.sdk, exchange.transport))
        place = f"{name}: {received!r}"
        is_body_fault = name in BODY_FAULTS and not case.operation.ends_in_required_scalar
        is_any = name == "error-in-200" and case.operation.accepts_any_object
        if (row := expected.MOCK_FAULTS.get(name)) is not None and not (is_body_fault or is_any):
            assert outcome_of(received)[::2] == (row.outcome, row.code), place
        if reply.delivery.reset or reply.delivery.cut is not None:
            assert type(received) is TransportError, place
            continue
        # httpx removes the compression.
        sent = httpx.Response(reply.status, headers=[*reply.headers], content=reply.body)
        outcome = expected.expected_outcome(case.response, reply.status, sent.content)
        assert outcome_of(received) == outcome, f"{place}, not {outcome}"
        if isinstance(received, Response):
            case.check_value(received, sent.content)
        elif (seconds := sent.headers.get("retry-after")) is not None:
            assert _is_close(received.retry_after, float(seconds)), place


def error_responses_are_classified(case: ResponseCase) -> None:
    """A described status with each known code, with unknown ones, and with generated bodies."""
    known = case.operation.document["x-error-codes"]
    cases: list[tuple[int | None, str]] = [
        (int(code), known[code]["messages"][0].replace("%s", "7")) for code in known
    ]
    cases += [(code, "x") for code in (0, -9999, -4061, 1, None)]
    cases += [(code, tables.BAN_MESSAGE) for code in (-1003, None)]
    for code, message in case.thin_out(cases):
        body = _error_body(code, message)
        outcome = expected.expected_error(case.response, case.response.status, body)
        error = case.expect(outcome, body, JSON, (b"Date", tables.DATE))
        assert error.message == message, f"{error!r}"
        assert error.retryable is expected.is_retryable(type(error), code), f"{error!r}"
        assert error.hint or code not in expected.HINTED_CODES, f"{error!r}: no hint"
        hint = known.get(str(code), {}).get("hint", "")
        # A ban is explained as one, whatever its code.
        is_explained = hint in error.hint or type(error) is IPBannedError
        assert is_explained, f"{error!r}: not the hint of its code: {hint}"
    for body in case.thin_out(generate_bodies(case.response, case.how)):
        case.expect(expected.expected_error(case.response, case.response.status, body), body, JSON)


def messages_are_sanitized(case: ResponseCase) -> None:
    """A message has one line, and no address, signature or key."""
    error = case.receive(encode({"code": -1100, "msg": tables.UNSAFE_MESSAGE}), JSON)
    shown = f"{error.message}{error}{error!r}"
    parts = [part for part in tables.UNSAFE_PARTS if part in shown]
    # A call that sends no key has none to remove.
    parts = [part for part in parts if part != KEY or case.operation.key_header]
    assert error.message.startswith("first"), f"{error!r}"
    assert not parts, f"shows {parts}"


def waits_are_read(case: ResponseCase) -> None:
    """Retry-After is seconds or a date; without it a limit ends with the minute or the ban."""
    end = EPOCH + timedelta(milliseconds=T0 + 300_000)
    cases = itertools.product(tables.WAITS, tables.MESSAGES)
    for (text, seconds), (code, message) in case.thin_out(cases):
        body = _error_body(code, message)
        headers = [] if text is None else [(b"Retry-After", text)]
        error = case.receive(body, (b"Date", tables.DATE), *headers)
        error_class = expected.expected_error(case.response, case.response.status, body)[0]
        wait = tables.expected_wait(error_class, seconds, message)
        assert _is_close(error.retry_after, wait), f"{error!r}: {text!r}: not {wait}"
        if isinstance(error, IPBannedError):
            is_known = message == tables.BAN_MESSAGE
            assert error.banned_until == (end if is_known else None), f"{error!r}"


# Checks of responses with status 200, and of error responses.
OK_CHECKS: Final = (
    every_response_is_a_value_or_an_error,
    response_metadata_is_returned,
    mock_faults_are_classified,
)
ERROR_CHECKS: Final = (error_responses_are_classified, messages_are_sanitized, waits_are_read)


def _error_body(code: int | None, message: str) -> bytes:
    return encode({"msg": message} if code is None else {"code": code, "msg": message})


def _is_close(found: float | None, wanted: float | None) -> bool:
    return (found is None) == (wanted is None) and abs((found or 0.0) - (wanted or 0.0)) <= 1e-6
