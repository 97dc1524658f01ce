"""What the contract says beyond schemas, written by hand as a second opinion on the product.

Nothing here is imported from the product's tables, and nothing repeats the spec.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeAlias

from binance_usdm import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ForbiddenError,
    IPBannedError,
    RateLimitError,
    Response,
    ServerError,
    TimestampError,
    TransportError,
    UnexpectedResponse,
)

from .exact_json import decode
from .raw_requests import KEY, T0
from .response_model import DescribedResponse
from .spec_model import Json

Outcome: TypeAlias = tuple[type, int, int | None]
"""Class of the response or error, HTTP status, and the exchange's code."""

# Timestamps that are accepted or not: ms ahead of the exchange's clock, window.
TIMESTAMPS: Final[tuple[tuple[int, int | None, bool], ...]] = (
    (999, None, True),
    (1000, None, False),
    (-5000, None, True),
    (-5001, None, False),
    *((-window, window, True) for window in (1, 3000, 5000, 60000)),
    *((-window - 1, window, False) for window in (1, 3000, 5000, 60000)),
)
# Keys that are sent, and the code of the error response; 0 for a valid key.
KEYS: Final[tuple[tuple[tuple[str, ...], int], ...]] = (
    ((KEY,), 0),
    (("unknown-key",), -2015),
    ((KEY.upper(),), -2015),
    (("",), -2014),
    (("a b",), -2014),
    (("a", "b"), -2014),
)
# Status and code of a response, and the requests of a client with three attempts.
ATTEMPTS: Final = (
    (400, -1022, 1),
    (400, -1102, 1),
    (401, -2015, 1),
    (403, None, 1),
    (404, None, 1),
    (500, -1000, 3),
    (503, None, 3),
    (302, None, 1),
)
# Values that are not of a type, though Python or an HTML form would accept them.
OTHER_TYPES: Final[dict[str, tuple[Any, ...]]] = {
    "integer": (True, 5000.0, "5000", Decimal(5000), b"5000", [5000]),
    "boolean": (1, 0, "true", "false"),
    "string": (1, 1.5, True, b"x", ["x"]),
}


class MockFault(NamedTuple):
    """A fault of the mock: its response, and what the client makes of it.

    A fault without a status changes the usual response.
    """

    status: int | None
    code: int | None
    outcome: type


MOCK_FAULTS: Final = {
    "waf": MockFault(403, None, ForbiddenError),
    "not-found": MockFault(404, None, BadRequestError),
    "timeout": MockFault(408, -1007, ServerError),
    "banned": MockFault(418, -1003, IPBannedError),
    "rate-limited": MockFault(429, -1003, RateLimitError),
    "restricted": MockFault(451, 0, ForbiddenError),
    "wrong-environment": MockFault(401, -2008, AuthenticationError),
    "unknown": MockFault(503, None, ServerError),
    "unavailable": MockFault(503, None, ServerError),
    "throttled": MockFault(503, -1008, ServerError),
    "internal": MockFault(503, -1001, ServerError),
    "html-503": MockFault(503, None, ServerError),
    "gateway": MockFault(502, None, ServerError),
    "error-500": MockFault(500, -1000, ServerError),
    "error": MockFault(500, -1000, ServerError),
    "extra-member": MockFault(200, None, Response),
    "missing-member": MockFault(200, None, UnexpectedResponse),
    "retyped-member": MockFault(200, None, UnexpectedResponse),
    "odd-json": MockFault(200, None, UnexpectedResponse),
    "wrong-type": MockFault(None, None, Response),
    "gzip": MockFault(200, None, Response),
    "empty-200": MockFault(200, None, UnexpectedResponse),
    "truncated": MockFault(200, None, UnexpectedResponse),
    "html-200": MockFault(200, None, UnexpectedResponse),
    "error-in-200": MockFault(200, -1000, ServerError),
    "redirect": MockFault(302, None, UnexpectedResponse),
    "latency": MockFault(None, None, Response),
    "slow": MockFault(None, None, Response),
    "cut": MockFault(None, None, TransportError),
    "reset": MockFault(None, None, TransportError),
}

CLASS_BY_KIND: Final[dict[str, type[APIError]]] = {
    "authentication": AuthenticationError,
    "timestamp": TimestampError,
    "rate-limit": RateLimitError,
    "server": ServerError,
}
CLASS_BY_STATUS: Final[dict[int, type[APIError]]] = {
    401: AuthenticationError,
    403: ForbiddenError,
    408: ServerError,
    418: IPBannedError,
    429: RateLimitError,
    451: ForbiddenError,
}
# What goes wrong first, mostly.
HINTED_CODES: Final = {-1021, -1022, -2008, -2014, -2015, -4109}
# A limit of orders, and a service that was shut down.
PERMANENT_CODES: Final = {-1015, -1016}


def error_class(document: Json, status: int, code: int | None, message: str = "") -> type[APIError]:
    """Return the class of an error response: by the kind of its code, else by its status.

    HTTP status 418 always means a ban, and a limit whose message says so is one.
    """
    default = ServerError if status >= 500 else BadRequestError
    by_status = CLASS_BY_STATUS.get(status, default)
    kind = document["x-error-codes"].get(str(code), {}).get("kind", "")
    by_code = CLASS_BY_KIND.get(kind, by_status)
    is_ban = by_code is RateLimitError and re.search(r"banned until \d{13}\b", message)
    return IPBannedError if is_ban or by_status is IPBannedError else by_code


def is_retryable(error: type, code: int | None) -> bool:
    return error in (RateLimitError, ServerError) and code not in PERMANENT_CODES


def expected_outcome(response: DescribedResponse, status: int, body: bytes) -> Outcome:
    """Return what the client makes of a response, by the spec."""
    if status == 200 and response.describes(body):
        is_valid = response.names_one_account(body)
        return Response if is_valid else UnexpectedResponse, 200, None
    return expected_error(response, status, body)


def expected_error(response: DescribedResponse, status: int, body: bytes) -> Outcome:
    """Return what the client makes of a response whose body is not a described value."""
    code, message = _code_and_message(body)
    if (status == 200 and code is not None and code <= 0) or 400 <= status < 600:
        return error_class(response.document, status, code, message), status, code
    return UnexpectedResponse, status, None


def _code_and_message(body: bytes) -> tuple[int | None, str]:
    try:
        value = decode(body)
    except (ValueError, RecursionError):
        value = None
    fields = value if isinstance(value, dict) else {}
    code, message = fields.get("code"), fields.get("msg")
    return code if type(code) is int else None, message if type(message) is str else ""


# Messages.
UNSAFE_MESSAGE: Final = (
    f"first\nsecond\x1b[31m from 203.0.113.7 or 2001:db8::7, signature={'0f' * 32}, key {KEY}"
)
# No error may show these parts of it.
UNSAFE_PARTS: Final = ("\n", "\x1b", "203.0.113.7", "2001:db8::7", "0f0f", KEY)
BAN_MESSAGE: Final = (
    f"Way too many requests; IP banned until {T0 + 300_000}. "
    "Please use the websocket for live updates to avoid bans."
)
MESSAGES: Final[tuple[tuple[int | None, str], ...]] = (
    (None, "no"),
    (None, BAN_MESSAGE),
    (-1003, "no"),
    (-1003, BAN_MESSAGE),
)

# Waits: Retry-After, and its seconds beside this Date.
DATE: Final = b"Tue, 09 Jun 2020 11:36:53 GMT"
WAITS: Final[tuple[tuple[bytes | None, float | None], ...]] = (
    (None, None),
    (b"7", 7.0),
    (b" 7 ", 7.0),
    (b"0", 0.0),
    (b"0.5", 0.5),
    (b"90000", 90000.0),
    (b"9999999", 9999999.0),
    (b"Tue, 09 Jun 2020 11:37:03 GMT", 10.0),
    (b"Tue, 09 Jun 2020 11:36:03 GMT", 0.0),
    (b"Tue, 99 Jun 2020 11:37:03 GMT", None),
    *((text, None) for text in (b"", b"soon", b"-1", b"1e3", b"7,5", b"0x7", b"\xef\xbc\x97")),
)
LONGEST_WAIT: Final = 3 * 86400.0
SHORTEST_BAN: Final = 120.0
REST_OF_MINUTE: Final = 7.0
# Date has no milliseconds.
REST_OF_BAN: Final = 300.943


def expected_wait(error: type, seconds: float | None, message: str = "") -> float | None:
    """Return the seconds that an error says to wait, by those of its Retry-After."""
    if error is IPBannedError:
        rest = REST_OF_BAN if message == BAN_MESSAGE else 0.0
        return min(max(seconds or 0.0, rest) or SHORTEST_BAN, LONGEST_WAIT)
    if error is RateLimitError:
        return REST_OF_MINUTE if seconds is None else min(seconds, LONGEST_WAIT)
    return seconds


# Used weight of a header.
WEIGHTS: Final[tuple[tuple[bytes | None, int | None], ...]] = (
    (None, None),
    *((b"%d" % weight, weight) for weight in (0, 17, 2400, 999999)),
    *((text, None) for text in (b"", b"-1", b"1.0", b"x", b"\xef\xbc\x91")),
)


def _deflate_raw(body: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(body) + compressor.flush()


MIB: Final = 1 << 20
_BOMB: Final = zlib.compress(b" " * 4 * MIB + b"[]")
# Content-Encoding, how the body is encoded, whether the client decodes it.
ENCODINGS: Final[tuple[tuple[bytes, Callable[[bytes], bytes], bool], ...]] = (
    (b"identity", bytes, True),
    (b"", bytes, True),
    (b"gzip", gzip.compress, True),
    (b" X-GZip ", gzip.compress, True),
    (b"deflate", zlib.compress, True),
    (b"deflate", _deflate_raw, False),
    (b"gzip", bytes, False),
    (b"gzip", lambda body: gzip.compress(body)[:-1], False),
    (b"gzip", lambda body: gzip.compress(body) + b"x", False),
    (b"gzip", lambda body: gzip.compress(b" ") + gzip.compress(body), False),
    (b"gzip, gzip", lambda body: gzip.compress(gzip.compress(body)), False),
    (b"deflate", lambda body: _BOMB, False),
    (b"br", bytes, False),
    (b"\xff", bytes, False),
)

# Each of these statuses comes with each of these types and bodies, and with a valid body.
MATRIX_STATUSES: Final = (
    *(200, 201, 202, 204, 206, 226, 300, 302, 304, 308),
    *(400, 401, 403, 404, 408, 409, 418, 429, 451, 499),
    *(500, 502, 503, 504, 520, 599, 600),
)
MATRIX_TYPES: Final = (
    b"application/json",
    b"text/html",
    b"application/octet-stream; charset=utf-16",
)
MATRIX_BODIES: Final = (
    *(
        b"",
        b"null",
        b"0",
        b'"[]"',
        b"[]",
        b"{}",
        b"[null]",
        b"[[]]",
        b"[{}]",
        b"<html>",
        b"\xff\xfe",
    ),
    b"[" * 3000,
    b'{"code": -1021, "msg": "x"}',
    b'{"code": -1003, "msg": null}',
    b'{"code": 0}',
    b'{"msg": "x"}',
    b'{"code": "x", "msg": 1}',
    b'{"code": "-1021", "msg": "x"}',
    b'{"code": 1, "msg": "ok"}',
    b'{"code": -1.0, "msg": "x"}',
    b'{"code": -99999999999999999999, "msg": "x"}',
    b'{"code": true, "msg": "\\u0000"}',
    b'{"code": -1022, "code": -1022}',
    b'[{"code": -1021, "msg": "x"}]',
    b'{"code": [], "msg": {}}',
    b'{"code": -2015, "msg": "\\ud800"}',
    b'{"code": -1003, "msg": "banned until 1591702913943."}',
)
