"""Turn an HTTP response into a typed value or an error."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from operator import attrgetter
from typing import Any, Final, NamedTuple, TypeVar

from binance_usdm._errors import APIError, UnexpectedResponse
from binance_usdm._http.messages import Headers, HttpResponse
from binance_usdm_wire import Operation, ResponseMismatch
from binance_usdm_wire.decoding import decode
from binance_usdm_wire.errors import NotJsonError

from .content_encoding import decode_content
from .error_mapping import make_api_error

T = TypeVar("T")
E = TypeVar("E", APIError, UnexpectedResponse)

USED_WEIGHT_HEADER: Final = "X-MBX-USED-WEIGHT-1M"
MAX_DECOMPRESSION_RATIO: Final = 4
"""A compressed body may grow to this many times the maximum size of a response."""
MAX_DATE_OFFSET_MS: Final = 12 * 3600 * 1000
"""A Date that is farther from the clock is ignored. A clock in a wrong time zone stays within."""
_USED_WEIGHT_LOWER: Final = USED_WEIGHT_HEADER.lower().encode("ascii")
_SECONDS: Final = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,9})?").fullmatch


class ParsedValue(NamedTuple):
    """The typed value of a response. Its `repr` shows nothing of the account."""

    parsed: Any

    def __repr__(self) -> str:
        return "<ParsedValue>"


def parse_response(
    operation: Operation[T],
    response: HttpResponse,
    secrets: tuple[str, ...],
    max_response_bytes: int,
) -> ParsedValue | APIError | UnexpectedResponse:
    """Convert an HTTP response to a value.

    Args:
        operation: The operation that was called.
        response: Status, headers and body.
        secrets: Strings that are redacted in every message.
        max_response_bytes: Maximum size of a response. A compressed body may grow to four times
            that.

    Returns:
        `ParsedValue`; `APIError` if the exchange rejected the request; `UnexpectedResponse` if the
        spec does not describe the response.
    """
    status = response.status
    body = b""
    mismatch = None
    try:
        body = decode_content(response, MAX_DECOMPRESSION_RATIO * max_response_bytes)
        if status == 200:
            return ParsedValue(operation.parse_body(body))
    # An error status counts even when the body cannot be decoded.
    except ResponseMismatch as problem:
        mismatch = problem
    code, message = _parse_error_body(body)
    if _is_error(status, code):
        retry_after = parse_retry_after(response.headers)
        error = make_api_error(status, code, message, retry_after, *secrets)
        return _with_hint(error, response, body, secrets)
    if status == 200 and mismatch is not None:
        is_retryable = isinstance(mismatch, NotJsonError)
        unexpected = UnexpectedResponse(
            200, mismatch.path, mismatch.expected, mismatch.found, is_retryable
        )
        return _with_hint(unexpected, response, body, secrets) if is_retryable else unexpected
    found = f"status {status}"
    if 300 <= status < 400:
        found = "a redirect, which the client does not follow"
    unexpected = UnexpectedResponse(status, (), "status 200 or an error status", found)
    return _with_hint(unexpected, response, body, secrets)


def find_account_mismatch(
    operation: Operation[Any], parsed: Any, account_by_attribute: dict[str, str]
) -> UnexpectedResponse | None:
    """Return an error when rows do not belong to the account of this client, else None.

    Args:
        operation: The operation that was called.
        parsed: Its value: a list of rows or one object.
        account_by_attribute: The account that earlier responses named. The first response with
            rows adds it.
    """
    attribute = operation.account_attribute
    rows = parsed if type(parsed) is list else [parsed]
    if attribute is None or not rows:
        return None
    accounts = list(map(attrgetter(attribute), rows))
    known = accounts[0]
    expected = "the account of the first row"
    if accounts.count(known) == len(accounts):
        known = account_by_attribute.setdefault(attribute, known)
        if known == accounts[0]:
            return None
        expected = "the account of this client's earlier responses"
    for number, account in enumerate(accounts):
        if account != known:
            field = rows[number].WIRE_NAMES[attribute]
            path = (number, field) if rows is parsed else (field,)
            return UnexpectedResponse(200, path, expected, "another account")
    return None


def _with_hint(error: E, response: HttpResponse, body: bytes, secrets: tuple[str, ...]) -> E:
    """Return an error with what its message, or the page that came instead, says of the cause."""
    # The import takes some ms, which only an error has to pay.
    from .error_pages import add_hint

    add_hint(error, body, response.headers, secrets)
    return error


def _is_error(status: int, code: int | None) -> bool:
    """Return whether the exchange rejected the request. A 200 with a code above 0 means success."""
    return 400 <= status < 600 or (status == 200 and code is not None and code <= 0)


def _parse_error_body(body: bytes) -> tuple[int | None, str]:
    """Return code and message of an error body; None and "" for one without, such as HTML."""
    try:
        payload = decode(body)
    except ResponseMismatch:
        return None, ""
    if type(payload) is not dict:
        return None, ""
    code = payload.get("code")
    message = payload.get("msg")
    return code if type(code) is int else None, message if type(message) is str else ""


def parse_used_weight(headers: Headers) -> int | None:
    """Return the weight used in the current UTC minute, None without a valid header."""
    text = headers.get_bytes(_USED_WEIGHT_LOWER)
    return int(text) if text is not None and text.isdigit() and len(text) < 10 else None


def parse_retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that the exchange asks to wait, None when it does not say.

    The header is a number, or a date: that is compared with the response's Date, else with this
    machine's clock.
    """
    text = headers.get("retry-after", "").strip()
    if _SECONDS(text):
        return float(text)
    end_ms = _http_date_to_ms(text)
    if end_ms is None:
        return None
    now_ms = parse_date_ms(headers)
    if now_ms is not None:
        return max(end_ms - now_ms, 0) / 1000
    left_ms = end_ms - time.time_ns() // 1_000_000
    # Without a Date a past instant means nothing: the two clocks cannot be compared.
    return left_ms / 1000 if left_ms > 0 else None


def exchange_time_ms(headers: Mapping[str, str], clock_ms: int) -> int:
    """Return a response's Date in ms, or `clock_ms` if it has none or one that cannot be true."""
    date_ms = parse_date_ms(headers)
    return clock_ms if date_ms is None or abs(date_ms - clock_ms) > MAX_DATE_OFFSET_MS else date_ms


def parse_date_ms(headers: Mapping[str, str]) -> int | None:
    """Return a response's Date in ms, exact to the second. None when it has none."""
    return _http_date_to_ms(headers.get("date", "").strip())


def _http_date_to_ms(text: str) -> int | None:
    # Only a call that must wait has to pay for the import.
    from binance_usdm_wire.http_dates import parse_http_date

    date = parse_http_date(text)
    return None if date is None else int(date.timestamp()) * 1000
