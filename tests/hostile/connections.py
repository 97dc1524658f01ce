"""Behaviors of connections: interim responses, time, resets, TLS, redirects, size."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from binance_usdm import AuthenticationError, ServerError, TransportError, UnexpectedResponse
from tests.hostile.framing import GOOD_REPLY, MOVED, SIZE, WHOLE, chunks, field, sized
from tests.hostile.server_behavior import (  # fmt: skip
    CHUNKED,
    CUT,
    ELSEWHERE,
    GONE,
    GOOD,
    HEAD,
    LATE,
    MALFORMED,
    MIB,
    NO_JSON,
    NOTHING,
    RESET_UNTOUCHED,
    SHORT,
    TOO_LARGE,
    Expected,
    ServerBehavior,
    Steps,
    family,
)
from tests.support.clients import BODY
from tests.support.raw_server import (
    CLOSE_WITHOUT_CLOSE_NOTIFY,
    RESET,
    STAY_SILENT,
    Step,
    response_bytes,
)
from tests.support.spec_facts import BALANCE_PATH

POISON = response_bytes(BODY.replace(b"12.5", b"66.6"))  # another account's money
EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"

INTERIM = family({
    "100 before the reply": (b"HTTP/1.1 100 Continue\r\n\r\n" + GOOD_REPLY, GOOD),
    "102 before the reply": (b"HTTP/1.1 102 Processing\r\n\r\n" + GOOD_REPLY, GOOD),
    "103 before the reply": (EARLY + GOOD_REPLY, GOOD),
    "199 before the reply": (b"HTTP/1.1 199 Odd\r\n\r\n" + GOOD_REPLY, GOOD),
    "103 with a length": (EARLY.replace(b"Link", b"Content-Length: 9\r\nLink") + GOOD_REPLY, GOOD),
    "103 with a used weight": (
        EARLY.replace(b"Link", b"X-MBX-USED-WEIGHT-1M: 9\r\nLink") + GOOD_REPLY, (*GOOD, None)),
    "a thousand 103": (EARLY * 1000 + GOOD_REPLY, GOOD),
}, kept=True) + family({
    "199 with a length": (b"HTTP/1.1 199 Odd\r\nContent-Length: 5\r\n\r\n" + GOOD_REPLY, MALFORMED),
    "101": (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n"
        + GOOD_REPLY, MALFORMED),
    "101 without an upgrade": (b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + GOOD_REPLY, MALFORMED),
    "only 100 and the end": ((b"HTTP/1.1 100 Continue\r\n\r\n", CLOSE_WITHOUT_CLOSE_NOTIFY), CUT),
    "interim replies without end": (lambda: itertools.repeat(EARLY * 500), TOO_LARGE),
})  # fmt: skip


def drip(start: bytes, drop: bytes, pause: float = 0.02) -> Steps:
    return lambda: (start, *(pause, drop) * 40, STAY_SILENT)


def slowly(data: bytes, pieces: int, pause: float) -> Iterator[Step]:
    size = -(-len(data) // pieces)
    for at in range(0, len(data), size):
        yield from (pause, data[at : at + size])


TIME = family({
    "silence": ((STAY_SILENT,), LATE),
    "a head that drips": (drip(HEAD + b"X: ", b"x"), LATE),
    "a status line that drips": (drip(b"", b"H"), MALFORMED),
    "headers that drip": (drip(HEAD, b"X: y\r\n"), LATE),
    "a body that drips": (drip(sized(b" 9999", b""), b" "), LATE),
    "a body without a length that drips": (drip(HEAD + b"\r\n", b" "), LATE),
    "chunks that drip": (drip(CHUNKED, b"1\r\n \r\n"), LATE),
    "a chunk size that drips": (drip(CHUNKED, b"0"), LATE),
    "a chunk extension that drips": (drip(CHUNKED + b"1;", b"a"), LATE),
    "trailers that drip": (drip(chunks(*WHOLE, b"0"), b"X: y\r\n"), LATE),
    "100 without end": (drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), LATE),
    "103 without end": (drip(b"", EARLY), LATE),
    "199 without end": (drip(b"", b"HTTP/1.1 199 Odd\r\n\r\n"), LATE),
    "silence after half a status line": ((b"HTTP/1.", STAY_SILENT), LATE),
    "silence after the head": ((sized(b" %d" % SIZE, b""), STAY_SILENT), LATE),
    "silence within the body": ((GOOD_REPLY[:-1], STAY_SILENT), LATE),
    "silence within a chunk": ((chunks(*WHOLE)[:-9], STAY_SILENT), LATE),
    "silence before the last chunk": ((chunks(*WHOLE), STAY_SILENT), LATE),
    "silence after an interim reply": ((EARLY, STAY_SILENT), LATE),
    "a body without a length or an end": ((HEAD + b"\r\n" + BODY, STAY_SILENT), LATE),
}, timeout=SHORT) + family({
    "a good reply byte by byte": (tuple(bytes([byte]) for byte in GOOD_REPLY), GOOD),
    "good chunks byte by byte": (tuple(bytes([byte]) for byte in EARLY + chunks(*WHOLE, b"0", b"")),
        GOOD),
    "a good reply in slow pieces": (lambda: slowly(GOOD_REPLY, 8, 0.02), GOOD),
}, kept=True) + [
    ServerBehavior("silence at once", (STAY_SILENT,), LATE, timeout=SHORT, unasked=True),
    ServerBehavior("TLS that never answers", (STAY_SILENT,), LATE, timeout=SHORT, unasked=True,
        tls=True),
    ServerBehavior("TLS that drips", drip(b"\x16\x03\x03\x40\x00", b"\x02"), LATE, timeout=SHORT,
        unasked=True, tls=True),
]  # fmt: skip

ENDS = [*family({
    "an end instead of a reply": ((CLOSE_WITHOUT_CLOSE_NOTIFY,), NOTHING),
    "a reset instead of a reply": ((RESET,), RESET_UNTOUCHED),
    "a reset within the status line": ((b"HTTP/1.1 2", 0.04, RESET), GONE),
    "a reset within the head": ((HEAD + b"X-A", 0.04, RESET), GONE),
    "a reset after an interim reply": ((EARLY, 0.04, RESET), GONE),
    "a reset after the head": ((sized(b" 9", b""), 0.04, RESET), GONE),
    "a reset within the body": ((GOOD_REPLY[:-1], 0.04, RESET), GONE),
    "a reset within a chunk": ((chunks(*WHOLE)[:-9], 0.04, RESET), GONE),
    "a reset before the last chunk": ((chunks(*WHOLE), 0.04, RESET), GONE),
    "a reset that ends a body without a length": ((HEAD + b"\r\n" + BODY, 0.04, RESET), GONE),
}),
    ServerBehavior("an end at once", (CLOSE_WITHOUT_CLOSE_NOTIFY,), (TransportError,),
        unasked=True),
    ServerBehavior("a reset at once", (RESET,), (TransportError,), unasked=True),
    ServerBehavior("an end while idle", (GOOD_REPLY, CLOSE_WITHOUT_CLOSE_NOTIFY), GOOD, idle=True),
    ServerBehavior("a reset while idle", (GOOD_REPLY, 0.02, RESET), GOOD, idle=True),
]  # fmt: skip


def no_tls(reason: str) -> Expected:
    """Return the outcome when the server's first bytes are not TLS, or OpenSSL thinks so."""
    return (
        TransportError,
        f"ConnectError: connecting failed: the response is not valid TLS ({reason}); "
        "the port looks like one for http: change scheme or port of base_url",
    )


TLS = family({
    "TLS answered in clear": (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        no_tls("WRONG_VERSION_NUMBER")),
    "TLS answered with an alert": (b"\x15\x03\x03\x00\x02\x02\x28",
        (TransportError, "ConnectError: connecting failed: SSLV3_ALERT_HANDSHAKE_FAILURE")),
    "TLS answered with a record of 64 kB": (b"\x16\x03\x03\xff\xff" + b"\x02" * 65535,
        no_tls("PACKET_LENGTH_TOO_LONG")),
    "TLS ended in the handshake": ((0.03, b"\x16\x03\x03\x00\x40\x02", CLOSE_WITHOUT_CLOSE_NOTIFY),
        (TransportError,)),
    "TLS reset in the handshake": ((0.03, RESET), (TransportError,)),
}, unasked=True, tls=True)  # fmt: skip

UNASKED = family({
    "a second reply in the same packet": (GOOD_REPLY + POISON, GOOD),
    "a second reply after chunks": (chunks(*WHOLE, b"0", b"") + POISON, GOOD),
    "half a second reply": (GOOD_REPLY + POISON[:30], GOOD),
    "a byte after the end": (GOOD_REPLY + b"\0", GOOD),
    "a line end after the end": (GOOD_REPLY + b"\r\n", GOOD),
    "the first letter of a reply after the end": (GOOD_REPLY + b"H", GOOD),
    "a line feed after chunks": (chunks(*WHOLE, b"0", b"") + b"\n", GOOD),
    "line ends after an empty body": (response_bytes(b"") + b"\r\n\r\n", NO_JSON),
    "an interim reply after the end": (GOOD_REPLY + EARLY, GOOD),
    "a second reply after a goodbye": (field(b"Connection: close") + POISON, GOOD),
    "a second reply after a 304": (response_bytes(b"", status="304 Not Modified") + POISON,
                                   (UnexpectedResponse, 304, (), "status 200 or an error status")),
}) + family({
    "a second reply while idle": ((GOOD_REPLY, 0.02, POISON), GOOD),
    "a byte while idle": ((GOOD_REPLY, 0.02, b"X"), GOOD),
    "a line end while idle": ((GOOD_REPLY, 0.02, b"\r\n"), GOOD),
    "a 408 while idle": ((GOOD_REPLY, 0.02, response_bytes(b"", status="408 Request Timeout"),
        CLOSE_WITHOUT_CLOSE_NOTIFY), GOOD),
}, idle=True) + [
    ServerBehavior("a refusal before any request",
        (response_bytes(b"", b"Connection: close", status="408 Request Timeout"), STAY_SILENT),
        (ServerError, 408, None, "", None), unasked=True),
]  # fmt: skip

PLACES = {
    "elsewhere": b"http://" + ELSEWHERE + BALANCE_PATH.encode(),
    "over https": b"https://" + ELSEWHERE + b"/",
    "to any scheme": b"//" + ELSEWHERE + b"/",
    "to itself": BALANCE_PATH.encode(), "to a relative path": b"v4/balance",
    "to a script": b"javascript:alert(1)",
    "to a file": b"file:///etc/passwd",
    "to nothing": b"", "to a forged host": b"http://127.0.0.1@" + ELSEWHERE + b"/",
    "to 600 kB": b"/" + b"x" * 600_000,
}  # fmt: skip


def moved(status: int, place: bytes, *fields: bytes) -> tuple[bytes, Expected]:
    return response_bytes(BODY, b"Location: " + place, *fields, status=f"{status} Moved"), (
        UnexpectedResponse,
        status,
        (),
        *MOVED,
    )


REDIRECTS = family(
    {f"{status} elsewhere": moved(status, PLACES["elsewhere"]) for status in (300, 301, 302, 303,
        305, 306, 307, 308, 399)}
    | {f"307 {name}": moved(307, place) for name, place in PLACES.items() if name != "elsewhere"}
    | {
        "200 with a location": (field(b"Location: http://" + ELSEWHERE + b"/",
            b"Refresh: 0; url=http://" + ELSEWHERE + b"/"), GOOD),
        "401 with a challenge": (
            response_bytes(b"", b"WWW-Authenticate: Basic", status="401 Who"),
            (AuthenticationError, 401, None, "", None)),
        "another way to get there": (field(b"Alt-Svc: h2=\"" + ELSEWHERE + b'"',
            b"Link: <http://" + ELSEWHERE + b"/>; rel=preload"), GOOD),
    },
    kept=True,
)  # fmt: skip
BROAD = MIB - len(response_bytes(b"x" * 1_000_000)) + 1_000_000  # a body whose reply is one MiB


SIZES = [
    ServerBehavior("a reply of exactly one MiB", (response_bytes(BODY.ljust(BROAD)),), GOOD,
        kept=True),
    ServerBehavior("a reply of one MiB and a byte", (response_bytes(BODY.ljust(BROAD + 1)),),
        TOO_LARGE),
    ServerBehavior("a refusal of one MiB and a byte",
        (response_bytes(b" " * (BROAD + 1), status="500 No"),), TOO_LARGE),
    ServerBehavior("a head without end", lambda: (HEAD, *(b"X-A: " + b"b" * 9000 + b"\r\n",) * 200),
        TOO_LARGE),
    ServerBehavior("a header without end", lambda: (HEAD + b"X-A: ", *(b"b" * 9000,) * 200),
        TOO_LARGE),
    ServerBehavior("a body without end", lambda: (HEAD + b"\r\n", *(b" " * 9000,) * 200),
        TOO_LARGE),
    ServerBehavior("a length of a GB that is sent",
        lambda: (sized(b" 999999999", b""), *(b" " * 9000,) * 200), TOO_LARGE),
    ServerBehavior("chunks without end",
        lambda: (CHUNKED, *(b"2328\r\n" + b" " * 9000 + b"\r\n",) * 200), TOO_LARGE),
    ServerBehavior("chunks of a byte without end", lambda: (CHUNKED, *(b"1\r\n \r\n" * 9000,) * 50),
        TOO_LARGE),
    ServerBehavior("a chunk extension without end",
        lambda: (CHUNKED + b"1;", *(b"a" * 9000,) * 200), TOO_LARGE),
    ServerBehavior("trailers without end",
        lambda: (chunks(*WHOLE, b"0"), *(b"X-A: b\r\n" * 1000,) * 200), TOO_LARGE),
    ServerBehavior("2 MiB of invalid HTTP", (b"x" * 2 * MIB,), MALFORMED),
]  # fmt: skip
ON_THE_WIRE = {
    "interim": INTERIM, "time": TIME, "ends": ENDS, "tls": TLS, "unasked": UNASKED,
    "redirects": REDIRECTS, "sizes": SIZES,
}  # fmt: skip
