"""Messages, waits, weights, encodings and bodies of responses, and what a client makes of them."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from typing import Final

from binance_usdm import IPBannedError, RateLimitError
from binance_usdm.contract._cases.raw_requests import KEY, T0

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
# Pages that come instead of JSON: headers, the page, and words of the hint for it.
HTML: Final = (b"Content-Type", b"text/html; charset=utf-8")
PAGES: Final[tuple[tuple[tuple[tuple[bytes, bytes], ...], bytes, str], ...]] = (
    ((HTML,), b"<html><title>Sorry</title><p>Not served in your country.", "location"),
    ((HTML,), b"Service unavailable from a restricted location", "location"),
    ((HTML, (b"X-Amzn-Waf-Action", b"challenge")), b"", "only a browser"),
    ((HTML, (b"CF-Mitigated", b"challenge")), b"<html>", "only a browser"),
    ((HTML,), b"<!DOCTYPE html><title>Just a moment...</title>", "only a browser"),
    ((HTML,), b"<title>Error 1015</title><p>You are being rate limited", "fewer requests"),
    ((HTML,), b"<h1>Too many requests</h1>", "fewer requests"),
    ((HTML,), b"<title>Maintenance</title>", "maintenance"),
)
UNKNOWN_PAGES: Final = (
    (b"<html><title>Gate 17\n is&nbsp;closed</title><p>other", "Gate 17 is closed"),
    (b"<html><script>x</script><style>y</style><h1>Gate <b>17</b></h1>", "Gate 17"),
    (b"Gate 17 is closed", "Gate 17 is closed"),
)
MAX_PAGE_CHARACTERS: Final = 120
LONG_PAGE_WORD: Final = "closed"
LONG_PAGE: Final = b"<title>" + b"closed " * 100
# No error may show these parts of one.
UNSAFE_PAGE_PARTS: Final = (KEY, "0f" * 32, "desk@example.com", "203.0.113.7", "/a?user=desk-07")
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


# Responses whose call makes all attempts that its policy allows, or one. With Retry-After: 0 nobody
# waits.
NO_WAIT: Final = (b"Retry-After", b"0")
RETRIED: Final = (
    (408, b'{"code": -1007, "msg": "no"}'),
    (429, b'{"code": -1003, "msg": "no"}'),
    (500, b'{"code": -1000, "msg": "no"}'),
    (502, b"<html>"),
    (503, b'{"code": -1008, "msg": "no"}'),
    (200, b'{"code": -1001, "msg": "no"}'),
    (200, b"<html>"),
    (400, b'{"code": -1006, "msg": "no"}'),
)
# Of those, the overload and the limit, after which a client waits longer.
THROTTLING_STATUSES: Final = (429, 503)
NOT_RETRIED: Final = (
    (400, b'{"code": -1021, "msg": "no"}'),
    (400, b'{"code": -1022, "msg": "no"}'),
    (401, b'{"code": -2015, "msg": "no"}'),
    (403, b"<html>"),
    (404, b"<html>"),
    (418, b'{"code": -1003, "msg": "no"}'),
    (429, b'{"code": -1015, "msg": "no"}'),
    (451, b'{"code": 0, "msg": "no"}'),
    (503, b'{"code": -1016, "msg": "no"}'),
    (302, b"<html>"),
    (200, b"[null]"),
)
# Limits and bans: status, code, Retry-After, and whether it is a ban.
HOLDS: Final = (
    (429, -1003, 100, False),
    (400, -1003, 100, False),
    (418, -1003, 100, True),
    (418, None, 100, True),
)

# Used weight of a header.
WEIGHTS: Final[tuple[tuple[bytes | None, int | None], ...]] = (
    (None, None),
    *((b"%d" % weight, weight) for weight in (0, 17, 2400, 999999)),
    *((text, None) for text in (b"", b"-1", b"1.0", b"x", b"\xef\xbc\x91")),
)


def _deflate_raw(body: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(body) + compressor.flush()


# Amounts of a holding in a row, and of none.
HOLDINGS: Final = ("1", "-1", "-0.00000001", "0.000000000000000001", "1e-18", "-1e-39", "1e39")
NO_HOLDINGS: Final = ("0", "-0", "0.00000000", "-0.00000000", "0E-8", "-0e+8")

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
