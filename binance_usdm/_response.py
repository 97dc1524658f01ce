"""Status, headers and bytes -> a typed value or an error of the tree. Pure: sends nothing, waits for nothing."""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Mapping
from operator import attrgetter
from typing import Any, Final, NamedTuple, TypeVar

from binance_usdm_wire import Operation, ResponseMismatch
from binance_usdm_wire.decoding import decode
from binance_usdm_wire.errors import NotJsonError

from ._errors import (
    APIError,
    DeadlineExceeded,
    StaleConnectionError,
    TransportError,
    UnexpectedResponse,
    UsdmError,
    make_api_error,
)
from ._http.messages import STALE, TOO_LARGE, Headers, HttpFailure, HttpResponse
from ._http.threads import TIMEOUT_MESSAGE
from ._redaction import sanitize_text

T = TypeVar("T")

USED_WEIGHT_HEADER: Final = "X-MBX-USED-WEIGHT-1M"
_USED_WEIGHT_LOWER: Final = USED_WEIGHT_HEADER.lower().encode("ascii")
MAX_DECOMPRESSION_RATIO: Final = 4
"""A compressed body may grow to so many times the size that a reply may have."""
_ENCODINGS: Final = {
    "gzip": 16 + zlib.MAX_WBITS,
    "x-gzip": 16 + zlib.MAX_WBITS,
    "deflate": zlib.MAX_WBITS,
}
_DEADLINE_TOLERANCE_SECONDS: Final = 0.02
MAX_DATE_OFFSET_MS: Final = 12 * 3600 * 1000
"""A Date farther away from the clock is not believed; one beside a clock in the wrong time zone is."""
_SECONDS: Final = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,9})?").fullmatch
_DATE: Final = re.compile(
    r"[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT"
).fullmatch


class ParsedValue(NamedTuple):
    """A good reply's typed value; its repr says nothing of the account."""

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
        secrets: What is removed from every message.
        max_response_bytes: Bound of a response; a compressed body may grow to four times that.

    Returns:
        `ParsedValue`; `APIError` when the exchange rejected the request; `UnexpectedResponse` when the spec does not
        describe the response.
    """
    status, body, mismatch = response.status, b"", None
    try:
        body = decode_content(response, MAX_DECOMPRESSION_RATIO * max_response_bytes)
        if status == 200:
            return ParsedValue(operation.parse_body(body))
    except (
        ResponseMismatch
    ) as found:  # An error status counts even when the body cannot be decoded.
        mismatch = found
    code, message = _error_payload(body)
    if _is_error(status, code):
        return make_api_error(status, code, message, parse_retry_after(response.headers), *secrets)
    if status == 200 and mismatch is not None:
        is_retryable = isinstance(mismatch, NotJsonError)
        return UnexpectedResponse(
            200, mismatch.path, mismatch.expected, mismatch.found, is_retryable
        )
    found_status = (
        "a redirect, which is never followed" if 300 <= status < 400 else "another status"
    )
    return UnexpectedResponse(status, (), "status 200 or an error status", found_status)


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
    if len(set(accounts)) > 1:
        known, expected = accounts[0], "the account of the first row"
    else:
        known = account_by_attribute.setdefault(attribute, accounts[0])
        expected = "the account of this client's earlier responses"
    for number, account in enumerate(accounts):
        if account != known:
            field = rows[number].WIRE_NAMES[attribute]
            path = (number, field) if rows is parsed else (field,)
            return UnexpectedResponse(200, path, expected, "another account")
    return None


def _is_error(status: int, code: int | None) -> bool:
    """Return whether status and code say that the request was rejected. A code above 0 in a 200 says "ok"."""
    return 400 <= status < 600 or (status == 200 and code is not None and code <= 0)


def error_from_failure(
    failure: HttpFailure,
    host: str,
    secrets: tuple[str, ...],
    max_response_bytes: int,
    deadline: float,
) -> UsdmError:
    """Return the error for a request without a response.

    Args:
        failure: What the transport says.
        host: Named in the message.
        secrets: What is removed from the message.
        max_response_bytes: Named when the response was larger.
        deadline: Instant of `time.monotonic()`; after it the error is a DeadlineExceeded.
    """
    if failure.kind == TOO_LARGE:
        return UnexpectedResponse(0, (), f"at most {max_response_bytes} bytes", "more")
    if (
        failure.kind == "ProxyError"
    ):  # Its reason phrase may echo a password: only a status and our own words pass.
        status, _, hint = failure.text.partition(":")
        words = f"the proxy answered {status[:3] if status[:3].isdigit() else 'nothing valid'}"
        error: UsdmError = TransportError(
            f"{words}{f':{hint}' if hint and not failure.is_retryable else ''} ({host})"
        )
    elif failure.kind == STALE:
        return StaleConnectionError(f"{failure.kind}: {failure.text} ({host})")
    else:
        text = sanitize_text(
            f"{failure.kind}: {failure.text}" if failure.kind else failure.text, *secrets
        )
        is_late = (
            time.monotonic() > deadline - _DEADLINE_TOLERANCE_SECONDS
        )  # A transport may give up before.
        error = (DeadlineExceeded if is_late else TransportError)(f"{text} ({host})")
    if not failure.is_retryable:
        error.retryable = False
    return error


def map_thread_error(error: OSError | UsdmError) -> UsdmError:
    """Why no result came: for a reason of its own, its time was up, or no thread could be had."""
    if isinstance(error, UsdmError):
        return error
    if isinstance(error, TimeoutError):
        return DeadlineExceeded(TIMEOUT_MESSAGE)
    return TransportError(sanitize_text(str(error)))


def _error_payload(body: bytes) -> tuple[int | None, str]:
    """Code and message of an error body; None and "" where there is none, as in a page."""
    try:
        payload = decode(body)
    except ResponseMismatch:
        return None, ""
    code, message = (
        (payload.get("code"), payload.get("msg")) if type(payload) is dict else (None, "")
    )
    return code if type(code) is int else None, message if type(message) is str else ""


def decode_content(response: HttpResponse, limit: int) -> bytes:
    """The body without its Content-Encoding; a compressed one (never asked for) grows to `limit` bytes and no further."""
    if response.headers.get_bytes(b"content-encoding") is None:
        return response.body
    encoding = response.headers["content-encoding"].strip().lower()
    if encoding in {"identity", ""}:
        return response.body
    if encoding not in _ENCODINGS:
        raise ResponseMismatch((), "a body as asked for", "an unknown content encoding")
    inflater = zlib.decompressobj(_ENCODINGS[encoding])
    try:
        body = inflater.decompress(response.body, limit)
    except zlib.error:
        raise ResponseMismatch((), f"a body in {encoding}", "something else") from None
    if inflater.unconsumed_tail:
        raise ResponseMismatch((), f"at most {limit} bytes", "more")
    if not inflater.eof or inflater.unused_data:
        raise ResponseMismatch((), f"a body in {encoding}", "more or less than one")
    return body


def parse_used_weight(headers: Headers) -> int | None:
    """Weight used in the current UTC minute, None when the exchange did not say so in plain digits."""
    text = headers.get_bytes(_USED_WEIGHT_LOWER)
    return int(text) if text is not None and text.isdigit() and len(text) < 10 else None


def parse_retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that the exchange asks to wait, None when it does not say so.

    Plain digits, or a date: that is measured from the response's own Date, else from this machine's clock.
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
    return (
        left_ms / 1000 if left_ms > 0 else None
    )  # A past date says nothing where the two clocks cannot be compared.


def exchange_time_ms(headers: Mapping[str, str], clock_ms: int) -> int:
    """Return the exchange's time of a response: its Date, unless that is hours away from `clock_ms` and cannot be true."""
    date_ms = parse_date_ms(headers)
    return clock_ms if date_ms is None or abs(date_ms - clock_ms) > MAX_DATE_OFFSET_MS else date_ms


def parse_date_ms(headers: Mapping[str, str]) -> int | None:
    """When the reply was made, in ms and to the second, None when it does not say."""
    return _http_date_to_ms(headers.get("date", "").strip())


def _http_date_to_ms(date: str) -> int | None:
    from email.utils import parsedate_to_datetime  # 5 ms that only whoever must wait pays

    try:
        return int(parsedate_to_datetime(date).timestamp()) * 1000 if _DATE(date) else None
    except ValueError:
        return None
