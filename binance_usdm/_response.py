"""Status, headers and bytes -> a typed value or an error of the tree. Pure: sends nothing, waits for nothing."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
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
from ._http.messages import STALE, TOO_LARGE, Headers, HttpFailure, HttpRequest, HttpResponse
from ._http.threads import TIMEOUT_MESSAGE
from ._redaction import sanitize_text

T = TypeVar("T")

USED_WEIGHT_HEADER: Final = "X-MBX-USED-WEIGHT-1M"
_USED_WEIGHT_LOWER: Final = USED_WEIGHT_HEADER.lower().encode("ascii")
MAX_DECOMPRESSION_RATIO: Final = 4
"""A compressed body may grow to so many times the size that a reply may have."""
_ENCODINGS: Final = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
_DEADLINE_TOLERANCE_SECONDS: Final = 0.02
_SECONDS: Final = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,9})?").fullmatch
_DATE: Final = re.compile(r"[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT").fullmatch


class ParsedValue(NamedTuple):
    """A good reply's typed value; its repr says nothing of the account."""

    parsed: Any

    def __repr__(self) -> str:
        return "<Value>"


def parse_response(
    operation: Operation[T], response: HttpResponse, request: HttpRequest
) -> ParsedValue | APIError | UnexpectedResponse:
    """What the reply to a call means: the operation's value, the exchange's refusal, or something the spec does not describe."""
    status, body, wrong = response.status, b"", None
    try:
        body = decode_content(response, MAX_DECOMPRESSION_RATIO * request.max_reply_bytes)
        if status == 200:
            return ParsedValue(operation.parse_body(body))
    except ResponseMismatch as mismatch:  # a ban is a ban in whatever encoding
        wrong = mismatch
    code, message = _error_payload(body)
    refused = 400 <= status < 600 or (status == 200 and code is not None and code <= 0)  # above 0 it says "ok"
    if refused:
        return make_api_error(status, code, message, parse_retry_after(response.headers), *request.secrets)
    if status == 200 and wrong is not None:
        return UnexpectedResponse(200, wrong.path, wrong.expected, wrong.found, isinstance(wrong, NotJsonError))
    found = "a redirect, which is never followed" if 300 <= status < 400 else "another status"
    return UnexpectedResponse(status, (), "status 200 or an error status", found)


def error_from_failure(failure: HttpFailure, request: HttpRequest, now: float) -> UsdmError:
    """What it means that no reply came until `now`: a time.monotonic() instant, as the deadline is."""
    host = request.route.origin[1]
    if failure.kind == TOO_LARGE:
        return UnexpectedResponse(0, (), f"at most {request.max_reply_bytes} bytes", "more")
    if failure.kind == "ProxyError":  # its reason phrase may echo a password: only a status passes
        status_text = failure.text[:3]
        return TransportError(
            f"the proxy answered {status_text if status_text.isdigit() else 'nothing valid'} ({host})"
        )
    text = sanitize_text(f"{failure.kind}: {failure.text}" if failure.kind else failure.text, *request.secrets)
    if failure.kind == STALE:
        return StaleConnectionError(f"{text} ({host})")
    past_deadline = now > request.deadline - _DEADLINE_TOLERANCE_SECONDS  # a transport may give up before
    return (DeadlineExceeded if past_deadline else TransportError)(f"{text} ({host})")


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
    code, message = (payload.get("code"), payload.get("msg")) if type(payload) is dict else (None, "")
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
    """Seconds the exchange asks to wait, None when it does not. Plain digits, or a date: measured from the reply's own."""
    text = headers.get("retry-after", "").strip()
    if _SECONDS(text):
        return float(text)
    then, now = _http_date_to_ms(text), parse_date_ms(headers)
    return None if then is None or now is None else max(then - now, 0) / 1000


def parse_date_ms(headers: Mapping[str, str]) -> int | None:
    """When the reply was made, in ms and to the second, None when it does not say."""
    return _http_date_to_ms(headers.get("date", "").strip())


def _http_date_to_ms(date: str) -> int | None:
    from email.utils import parsedate_to_datetime  # 5 ms that only whoever must wait pays

    try:
        return int(parsedate_to_datetime(date).timestamp()) * 1000 if _DATE(date) else None
    except ValueError:
        return None
