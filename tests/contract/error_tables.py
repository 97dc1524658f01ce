"""Layer C, what no schema says: which error a reply is, how long to wait, what comes along.

Written down from the document and from what the client promises; imports none of its tables.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Callable
from typing import Final

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

from .raw_requests import KEY, T0
from .response_bodies import decode_value, describes, names_one_account
from .spec_facts import Json

ExpectedOutcome = tuple[type, int, int | None]
"""What came of a reply: the class of the response or error, HTTP status, the exchange's code."""
MIB: Final = 1 << 20

# Which error a refusal is: by its code where the document gives that a kind of its own, else by its status.
KINDS: Final[dict[str, type[APIError]]] = {
    "authentication": AuthenticationError,
    "timestamp": TimestampError,
    "rate-limit": RateLimitError,
    "server": ServerError,
}
STATUSES: Final[dict[int, type[APIError]]] = {
    401: AuthenticationError,
    403: ForbiddenError,
    408: ServerError,
    418: IPBannedError,
    429: RateLimitError,
    451: ForbiddenError,
}
HINTED: Final = {
    -1021,
    -1022,
    -2008,
    -2014,
    -2015,
    -4109,
}  # what goes wrong at the first try, mostly
UNSAFE: Final = (
    f"first\nsecond\x1b[31m from 203.0.113.7 or 2001:db8::7, signature={'0f' * 32}, key {KEY}"
)
TOLD: Final = (
    "\n",
    "\x1b",
    "203.0.113.7",
    "2001:db8::7",
    "0f0f",
    KEY,
)  # what of it no error may tell
PERMANENT: Final = {-1015, -1016}  # a limit of orders, a service that is gone: no retry helps


def error_of(document: Json, status: int, code: int | None, message: str = "") -> type[APIError]:
    """The class of a refusal, after the document's codes; a ban is one whatever its code."""
    by_status = STATUSES.get(status, ServerError if status >= 500 else BadRequestError)
    if by_status is IPBannedError:
        return by_status
    found = KINDS.get(document["x-error-codes"].get(str(code), {}).get("kind", ""), by_status)
    return (
        IPBannedError
        if found is RateLimitError and re.search(r"banned until \d{13}\b", message)
        else found
    )


def retryable(kind: type, code: int | None) -> bool:
    return kind in (RateLimitError, ServerError) and code not in PERMANENT


def expected_outcome(document: Json, schema: Json, status: int, body: bytes) -> ExpectedOutcome:
    """What must come of a reply, from the document alone."""
    if status == 200 and describes(document, schema, body):
        one_account = names_one_account(document, schema, body)
        return Response if one_account else UnexpectedResponse, 200, None
    code, message = _refusal(body)
    refused = status == 200 and code is not None and code <= 0
    if refused or 400 <= status < 600:
        return error_of(document, status, code, message), status, code
    return UnexpectedResponse, status, None


def _refusal(body: bytes) -> tuple[int | None, str]:
    try:
        value = decode_value(body)
    except (ValueError, RecursionError):
        return None, ""
    code, message = (
        (value.get("code"), value.get("msg")) if isinstance(value, dict) else (None, None)
    )
    return code if type(code) is int else None, message if type(message) is str else ""


# Every one of these statuses comes with every one of these types and bodies, and with a good body.
MATRIX_STATUSES: Final = (
    200, 201, 202, 204, 206, 226, 300, 302, 304, 308, 400, 401, 403, 404, 408, 409, 418, 429, 451, 499, 500, 502, 503, 504, 520, 599, 600,
)  # fmt: skip
MATRIX_TYPES: Final = (
    b"application/json",
    b"text/html",
    b"application/octet-stream; charset=utf-16",
)
MATRIX_BODIES: Final = (
    b"", b"null", b"0", b'"[]"', b"[]", b"{}", b"[null]", b"[[]]", b"[{}]", b"<html>", b"\xff\xfe", b"[" * 3000,
    b'{"code": -1021, "msg": "x"}', b'{"code": -1003, "msg": null}', b'{"code": 0}', b'{"msg": "x"}', b'{"code": "x", "msg": 1}',
    b'{"code": "-1021", "msg": "x"}',
    b'{"code": 1, "msg": "ok"}', b'{"code": -1.0, "msg": "x"}', b'{"code": -99999999999999999999, "msg": "x"}',
    b'{"code": true, "msg": "\\u0000"}', b'{"code": -1022, "code": -1022}', b'[{"code": -1021, "msg": "x"}]', b'{"code": [], "msg": {}}',
    b'{"code": -2015, "msg": "\\ud800"}', b'{"code": -1003, "msg": "banned until 1591702913943."}',
)  # fmt: skip

BAN: Final = f"Way too many requests; IP banned until {T0 + 300_000}. Please use the websocket for live updates to avoid bans."
# (Retry-After, seconds) beside a Date of 11:36:53.
DATE: Final = b"Tue, 09 Jun 2020 11:36:53 GMT"
WAITS: Final[tuple[tuple[bytes | None, float | None], ...]] = (
    (None, None), (b"7", 7.0), (b" 7 ", 7.0), (b"0", 0.0), (b"0.5", 0.5), (b"90000", 90000.0), (b"9999999", 9999999.0),
    (b"Tue, 09 Jun 2020 11:37:03 GMT", 10.0), (b"Tue, 09 Jun 2020 11:36:03 GMT", 0.0),
    (b"", None), (b"soon", None), (b"-1", None), (b"1e3", None), (b"7,5", None), (b"0x7", None), (b"\xef\xbc\x97", None),
    (b"Tue, 99 Jun 2020 11:37:03 GMT", None),
)  # fmt: skip
SAID: Final[tuple[tuple[int | None, str], ...]] = (
    (None, "no"),
    (None, BAN),
    (-1003, "no"),
    (-1003, BAN),
)
LONGEST_WAIT, MINUTE_LEFT, MIN_BAN_SECONDS = 3 * 86400.0, 7.0, 120.0
BAN_LEFT: Final = 300.943  # from the reply's Date, which has no ms


def wait_of(kind: type, said: float | None, message: str = "") -> float | None:
    """Seconds that an error says to wait, when its reply says so many: a limit always says some, at most three days."""
    if kind is IPBannedError:
        return min(
            max(said or 0.0, BAN_LEFT if message == BAN else 0.0) or MIN_BAN_SECONDS, LONGEST_WAIT
        )
    if kind is RateLimitError:
        return MINUTE_LEFT if said is None else min(said, LONGEST_WAIT)
    return said


WEIGHTS: Final = (
    (None, None), (b"0", 0), (b"17", 17), (b"2400", 2400), (b"999999", 999999),
    (b"", None), (b"-1", None), (b"1.0", None), (b"x", None), (b"\xef\xbc\x91", None),
)  # fmt: skip


def _deflated(body: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(body) + compressor.flush()


_BLANKS: Final = gzip.compress(b" ")
_BOMB: Final = zlib.compress(b" " * 4 * MIB + b"[]")
# (name, how the body is written, understood)
ENCODINGS: Final[tuple[tuple[bytes, Callable[[bytes], bytes], bool], ...]] = (
    (b"identity", bytes, True),
    (b"", bytes, True),
    (b"gzip", gzip.compress, True),
    (b" X-GZip ", gzip.compress, True),
    (b"deflate", zlib.compress, True),
    (b"deflate", _deflated, False),
    (b"gzip", bytes, False),
    (b"gzip", lambda body: gzip.compress(body)[:-1], False),
    (b"gzip", lambda body: gzip.compress(body) + b"x", False),
    (b"gzip, gzip", lambda body: gzip.compress(gzip.compress(body)), False),
    (b"gzip", lambda body: _BLANKS + gzip.compress(body), False),
    (b"deflate", lambda body: _BOMB, False),
    (b"br", bytes, False),
    (b"\xff", bytes, False),
)

# What a scripted fault of the mock is to the caller. One that is not named here is judged by `due` alone.
FAULTS: Final[dict[str, tuple[type, int | None]]] = {
    "waf": (ForbiddenError, None),
    "not-found": (BadRequestError, None),
    "timeout": (ServerError, -1007),
    "banned": (IPBannedError, -1003),
    "rate-limited": (RateLimitError, -1003),
    "restricted": (ForbiddenError, 0),
    "wrong-environment": (AuthenticationError, -2008),
    "unknown": (ServerError, None),
    "unavailable": (ServerError, None),
    "throttled": (ServerError, -1008),
    "internal": (ServerError, -1001),
    "html-503": (ServerError, None),
    "gateway": (ServerError, None),
    "error-500": (ServerError, -1000),
    "error": (ServerError, -1000),
    "extra-member": (Response, None),
    "missing-member": (UnexpectedResponse, None),
    "retyped-member": (UnexpectedResponse, None),
    "odd-json": (UnexpectedResponse, None),
    "wrong-type": (Response, None),
    "gzip": (Response, None),
    "empty-200": (UnexpectedResponse, None),
    "truncated": (UnexpectedResponse, None),
    "html-200": (UnexpectedResponse, None),
    "error-in-200": (ServerError, -1000),
    "redirect": (UnexpectedResponse, None),
    "latency": (Response, None),
    "slow": (Response, None),
    "cut": (TransportError, None),
    "reset": (TransportError, None),
}
