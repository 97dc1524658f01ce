"""Error responses: status, code and body, Retry-After, used weight, messages unfit for a log."""

from __future__ import annotations

import json
from typing import Any

from binance_usdm import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ForbiddenError,
    IPBannedError,
    RateLimitError,
    ServerError,
    TimestampError,
    UnexpectedResponse,
)  # fmt: skip
from tests.hostile.bodies import BAN, BAN_SECONDS, TEXT
from tests.hostile.server_behavior import GOOD, HEAD, MALFORMED, NO_JSON, Expected, family, mismatch
from tests.support.canaries import KEY, SECRET
from tests.support.clients import BODY, SPEC
from tests.support.raw_server import CLOSE_WITHOUT_CLOSE_NOTIFY, Step, response_bytes

STATUSES: dict[int, type[APIError]] = {
    **dict.fromkeys((400, 402, 404, 405, 410, 411, 413, 414, 415, 416, 417, 420, 422, 426, 428, 431,
        499), BadRequestError),
    401: AuthenticationError,
    403: ForbiddenError, 408: ServerError, 418: IPBannedError, 429: RateLimitError,
    451: ForbiddenError,
    **dict.fromkeys((500, 501, 502, 503, 504, 505, 507, 511, *range(520, 531), 599), ServerError),
}  # fmt: skip
SHAPES: dict[str, tuple[bytes, int | None, str]] = {
    "a page": (b"<html><title>no</title></html>", None, ""), "nothing": (b"", None, ""),
    "an array": (b"[]", None, ""),
    "null": (b"null", None, ""),
    "half JSON": (b'{"code": -1021, "ms', None, ""), "a text": (b'"no"', None, ""),
    "a code of text": (b'{"code": "-1021"}', None, ""),
    "a message alone": (b'{"msg": "no"}', None, "no"), "a code alone": (b'{"code": -9}', -9, ""),
    "a null code": (b'{"code": null, "msg": "no"}', None, "no"),
    "a fraction as code": (b'{"code": -1021.5, "msg": "no"}', None, "no"),
    "a code of 300 digits": (b'{"code": -' + b"9" * 300 + b', "msg": "no"}', None, "no"),
    "a code of 400 digits": (b'{"code": -' + b"9" * 400 + b', "msg": "no"}', None, ""),
    "a message of numbers": (b'{"code": -9, "msg": 5}', -9, ""),
    "two codes": (b'{"code": -9, "code": -1021, "msg": "no"}', None, ""),
    "the balance": (BODY, None, ""), "bytes": (b"\xff\xfe\0", None, ""),
    "a depth bomb": (b"[" * 100_000, None, ""),
    "more members": (b'{"code": -9, "msg": "no", "data": {"retryAfter": 5}}', -9, "no"),
    "a positive code": (b'{"code": 7, "msg": "no"}', 7, "no"),
}  # fmt: skip


def refused(status: int, code: int | None, message: str, *fields: bytes) -> bytes:
    content: dict[str, Any] = {"msg": message} if code is None else {"code": code, "msg": message}
    return response_bytes(
        json.dumps(content, ensure_ascii=False).encode(), *fields, status=f"{status} Word"
    )


# The longest ban, and the shortest one, which counts when the response has no end.
LONGEST = 3 * 86400.0
BANNED = 120.0


def of_this_minute(seconds: float | None) -> bool:
    """What may be left of a minute."""
    return seconds is not None and 0 < seconds <= 60


_HELD: dict[type[APIError], Any] = {RateLimitError: of_this_minute, IPBannedError: BANNED}


def expected_error(
    kind: type[APIError], status: int, code: int | None, message: str, seconds: Any = None
) -> Expected:
    """Return the outcome of an error response.

    Without `seconds` a limit lasts until the minute ends, and a ban for its shortest time.
    """
    if seconds is None:
        seconds = _HELD.get(kind)
    return (kind, status, code, message, seconds)


REFUSED = family({
    **{f"status {status}": (refused(status, None, "no"),
        expected_error(kind, status, None, "no")) for status, kind in STATUSES.items()},
    **{f"{status} with {name}": (response_bytes(content, status=f"{status} Word"),
        expected_error(STATUSES[status], status, code, message))
       for status in (400, 403, 418, 429, 503)
       for name, (content, code, message) in SHAPES.items()},
    "403 with JSON called HTML": (refused(403, -1003, "no", b"Content-Type: text/html"),
        expected_error(RateLimitError, 403, -1003, "no")),
    "418 with another code": (refused(418, -1021, "no"),
        expected_error(IPBannedError, 418, -1021, "no")),
    "400 with a ban": (refused(400, -1003, BAN),
        expected_error(IPBannedError, 400, -1003, BAN, BAN_SECONDS)),
    "500 with -1021": (refused(500, -1021, "no"), expected_error(TimestampError, 500, -1021, "no")),
    "451 with code 0": (refused(451, 0, "no"), expected_error(ForbiddenError, 451, 0, "no")),
}, kept=True)  # fmt: skip

# For the reader alone: every body with every status.
CODES = {int(code): about["kind"] for code, about in SPEC["x-error-codes"].items()}
NO_BANS = (
    "IP banned until soon",
    "IP banned until 176241288014",
    "IP banned until 17624128801420",
    "banned 1762412880142",
)
CODINGS = (b"br", b"gzip", b"gzip, gzip")
EVERY_STATUS = family({
    **{f"{status} and {name}": (
        response_bytes(content, b"Content-Type: text/html", status=f"{status} Word"),
        expected_error(kind, status, code, message))
       for status, kind in STATUSES.items()
       for name, (content, code, message) in SHAPES.items()},
    **{f"{status} and a body in {coding.decode()} that is none": (
        response_bytes(b"\x1f\x8bnone", b"Content-Encoding: " + coding, status=f"{status} Word"),
        expected_error(kind, status, None, ""))
       for status, kind in STATUSES.items() for coding in CODINGS},
    **{f"{status} and code {code}": (refused(status, code, "no"),
        expected_error(kind, status, code, "no"))
       for status, kind in STATUSES.items() for code in (0, -1, -9999, 401, 403, 418, 429)},
    **{f"418 and code {code}": (refused(418, code, "no"),
        expected_error(IPBannedError, 418, code, "no")) for code in CODES},
    **{f"{status} and a ban": (refused(status, -1003, BAN),
        expected_error(IPBannedError, status, -1003, BAN)) for status in STATUSES},
    **{f"no ban: {text}": (refused(429, -1003, text),
        expected_error(RateLimitError, 429, -1003, text)) for text in NO_BANS},
    **{f"{status} and {name}": (response_bytes(content, status=f"{status} Word"),
        (UnexpectedResponse, status, (), "status 200 or an error status"))
       for status in (201, 202, 206, 226, 299, 300, 302, 307, 399, 600, 999)
       for name, (content, _, _) in SHAPES.items()},
}, kept=True)  # fmt: skip

SECONDS: dict[str, float | None] = {
    "5": 5, "0": 0, "0.25": 0.25, "007": 7, "1000000000": LONGEST, "-1": None, "": None,
    "1e9": None, "inf": None, "nan": None,
    "+5": None, "0x10": None, "5s": None,
    "5, 9": None, "1_000": None, "٥": None, "9" * 10_000: None, "5" + " " * 10_000: 5,
    "soon": None,
    "\t5\t": 5, "5;": None,
    "1.": None, ".5": None, ".": None, "1,5": None, "1e400": None,
    "Wed, 21 Okt 2015 07:28:00 GMT": None,
}  # fmt: skip
WAITS = family({
    **{f"Retry-After {text!r:.24}": (
        refused(429, -1003, "no", b"Retry-After: " + text.encode()),
        expected_error(RateLimitError, 429, -1003, "no", seconds))
       for text, seconds in SECONDS.items()},
    "Retry-After twice": (
        refused(429, -1003, "no", b"Retry-After: 5", b"Retry-After: 9"),
        expected_error(RateLimitError, 429, -1003, "no")),
    "Retry-After as a date": (
        refused(429, -1003, "no", b"Retry-After: Wed, 21 Oct 2015 07:28:00 GMT",
                b"Date: Wed, 21 Oct 2015 07:27:30 GMT"),
        expected_error(RateLimitError, 429, -1003, "no", 30)),
    "Retry-After as a date without now": (
        refused(429, -1003, "no", b"Retry-After: Wed, 21 Oct 2015 07:28:00 GMT"),
        expected_error(RateLimitError, 429, -1003, "no")),
    "Retry-After as a date gone by": (
        refused(429, -1003, "no", b"Retry-After: Wed, 21 Oct 2015 07:28:00 GMT",
                b"Date: Wed, 21 Oct 2026 07:27:30 GMT"),
        expected_error(RateLimitError, 429, -1003, "no", 0)),
    "Retry-After as no date": (
        refused(429, -1003, "no", b"Retry-After: Wed, 99 Oct 2015 07:28:00 GMT",
                b"Date: Wed, 21 Oct 2026 07:27:30 GMT"),
        expected_error(RateLimitError, 429, -1003, "no")),
    "a ban that outlasts Retry-After": (refused(418, -1003, BAN, b"Retry-After: 120"),
        (IPBannedError, 418, -1003, BAN, BAN_SECONDS)),
    "Retry-After that outlasts a ban": (refused(418, -1003, BAN, b"Retry-After: 400"),
        (IPBannedError, 418, -1003, BAN, 400)),
}, kept=True)  # fmt: skip
# Without a limit, the seconds are as the response has them.
HINTS = family({
    **{f"Retry-After {text!r:.24} of a 503": (
        refused(503, -1, "no", b"Retry-After: " + text.encode()),
        (ServerError, 503, -1, "no", 1e9 if seconds == LONGEST else seconds))
       for text, seconds in SECONDS.items()},
    **{f"Retry-After {text} of a 503": (
        refused(503, -1, "no", b"Retry-After: " + text.encode(),
                b"Date: Wed, 21 Oct 2015 07:27:32 GMT"), (ServerError, 503, -1, "no", seconds))
       for text, seconds in {
        "Wed, 21 Oct 2015 07:28:00 GMT": 28, "Wed, 21 Oct 2015 07:27:00 GMT": 0,
        "Wed, 99 Oct 2015 07:28:00 GMT": None}.items()},
    "Retry-After of a 503 twice": (
        refused(503, -1, "no", b"Retry-After: 5", b"Retry-After: 9"),
        (ServerError, 503, -1, "no", None)),
}, kept=True)  # fmt: skip
USED: dict[str, int | None] = {
    "12": 12, "0": 0, "007": 7, "999999999": 999_999_999, "9999999999": None, "-1": None,
    "+1": None, "1e3": None, "12.0": None,
    "": None, "1 2": None,
    "x": None, "٣": None, "²": None, "0x10": None, "NaN": None, "9" * 100_000: None,
}  # fmt: skip
WEIGHTS = family({
    **{f"used weight {text!r:.24}": (
        response_bytes(BODY, b"X-MBX-USED-WEIGHT-1M: " + text.encode()), (*GOOD, weight))
       for text, weight in USED.items()},
    "used weight twice": (response_bytes(BODY, b"X-MBX-USED-WEIGHT-1M: 5",
        b"x-mbx-used-weight-1m: 9"), (*GOOD, None)),
    "used weight in lower case": (response_bytes(BODY, b"x-mbx-used-weight-1m: 9"), (*GOOD, 9)),
    "another interval's weight": (response_bytes(BODY, b"X-MBX-USED-WEIGHT-1D: 9",
        b"X-MBX-USED-WEIGHT: 8"), (*GOOD, None)),
}, kept=True)  # fmt: skip

TEXTS = {
    "a\r\nERROR forged": "a\\r\\nERROR forged",
    "\x1b[31mred\x1b]0;title\x07": "\\x1b[31mred\\x1b]0;title\\x07",
    "right\u202eleft\u2066": "right\\u202eleft\\u2066",
    "x" * 900_000: "x" * 512 + "…", "\n" * 400_000: "\\n" * 256 + "…",
    "no, request ip: 203.0.113.7": "no, request ip: [address]",
    "no, request ip: 2001:db8:0:1:2:3:4:5": "no, request ip: [address]",
    "no, ::ffff:203.0.113.7 here": "no, [address] here",
    "x" * 505 + " 203.0.113.7": "x" * 505 + " [addre…",
    "x" * 1015 + " 203.0.113.7": "x" * 512 + "…",
    "%s %n %(key)s {0.__class__} ${jndi:ldap://a}": "%s %n %(key)s {0.__class__} ${jndi:ldap://a}",
    "a\0b": "a\\x00b",
    "余额不足": "余额不足",
    "\ud83d\ude80".encode("utf-16", "surrogatepass").decode("utf-16"): "🚀",
    "zero\u200bwidth\ufeff\u2028": "zero\\u200bwidth\\ufeff\\u2028",
    "?a=1&signature=0f0f0f&b=2": "?a=1&signature=[redacted]&b=2",
}  # fmt: skip
WORDS = family({
    f"the text {text!r:.40}".replace("::", ".."): (refused(400, -1102, text),
        (BadRequestError, 400, -1102, safe, None)) for text,
    safe in TEXTS.items()
}, kept=True)  # fmt: skip


def echoing(due: Expected, *parts: str) -> tuple[tuple[Step, ...], Expected]:
    """The request's own secrets come back in the message."""

    def respond(head: bytes) -> bytes:
        found = {
            "target": head.split(b" ")[1].decode(),
            "signature": head.partition(b"signature=")[2].split(b" ")[0].decode(),
        }
        return refused(400, -1102, "".join(found.get(part, part) for part in parts))

    return (respond,), due


def one_line(head: bytes) -> bytes:
    return head.replace(b"\r\n", b" ")


ECHOES = family({
    "the key in the message": (refused(401, -2015, f"no such key {KEY}!"),
        (AuthenticationError, 401, -2015)),
    "the key at the bound": (refused(401, -2015, "x" * 1015 + KEY),
        (AuthenticationError, 401, -2015, "x" * 512 + "…")),
    "the request in the message": echoing((BadRequestError, 400, -1102), "bad request line: GET ",
        "target"),
    "the signature in the message": echoing((BadRequestError, 400, -1102), "wrong: ", "signature"),
    "half the signature at the bound": echoing((BadRequestError, 400, -1102), "x" * 480,
        " signature=", "signature"),
    "a request behind a long one": echoing((BadRequestError, 400, -1102),
        "signature=" + "f" * 1000 + " ", "ip 203.0.113.7"),
    "the key as a member": (response_bytes(json.dumps([{"accountAlias": KEY, SECRET: 1}]).encode()),
        mismatch("nothing", TEXT, 0, "asset")),
    "the key as the reason": (response_bytes(b"", status=f"500 {KEY}"),
        (ServerError, 500, None, "", None)),
    "the key as a header": (
        response_bytes(b"", b"X-A: " + KEY.encode(),
                       b"Location: /?signature=f00&k=" + KEY.encode(), status="307 Go"),
        (UnexpectedResponse, 307)),
}, kept=True)  # fmt: skip
ECHOES += family({
    "the head instead of a reply": ((lambda head: head,), MALFORMED),
    "the head as a header": ((lambda head: HEAD + b"X: " + one_line(head) + b"\r\n\r\n[",
        CLOSE_WITHOUT_CLOSE_NOTIFY), NO_JSON),
    "the head in the head": ((lambda head: HEAD + head,), MALFORMED),
}) + family({
    "the head as the reason": (
        (lambda head: response_bytes(b"", status="400 " + one_line(head).decode()),),
        (BadRequestError, 400, None, "", None)),
    "the head as the body": ((lambda head: response_bytes(head),), NO_JSON),
}, kept=True)  # fmt: skip
IN_REFUSALS = {
    "refused": REFUSED,
    "waits": WAITS,
    "weights": WEIGHTS,
    "words": WORDS,
    "echoes": ECHOES,
}
