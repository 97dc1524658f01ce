"""How a server can frame a reply, rightly and wrongly: lengths, chunks, heads, statuses."""

from __future__ import annotations

from binance_usdm import UnexpectedResponse
from tests.hostile.server_behavior import CHUNKED, CUT, GOOD, HEAD, MALFORMED, NO_JSON, family
from tests.support.clients import BODY
from tests.support.raw_server import CLOSE_WITHOUT_CLOSE_NOTIFY, response_bytes

SIZE = len(BODY)
GOOD_REPLY = response_bytes(BODY)


def sized(length: bytes, body: bytes = BODY) -> bytes:
    return HEAD + b"Content-Length:" + length + b"\r\n\r\n" + body


def chunks(*lines: bytes) -> bytes:
    return CHUNKED + b"".join(line + b"\r\n" for line in lines)


def coded(*codings: bytes) -> bytes:
    fields = b"".join(b"Transfer-Encoding: " + coding + b"\r\n" for coding in codings)
    return HEAD + fields + b"\r\n" + chunks(b"%x" % SIZE, BODY, b"0", b"").removeprefix(CHUNKED)


def line(first: bytes) -> bytes:
    return GOOD_REPLY.replace(b"HTTP/1.1 200 OK", first)


def field(*fields: bytes) -> bytes:
    return response_bytes(BODY, *fields)


LENGTH = family({
    "a length one too small": (sized(b" %d" % (SIZE - 1)), NO_JSON),
    "a body longer than its length": (sized(b" %d" % SIZE, BODY + b"surplus"), GOOD),
    "two equal lengths": (field(b"Content-Length: %d" % SIZE), MALFORMED),
    "two unequal lengths": (field(b"Content-Length: 2"), MALFORMED),
    "a list of equal lengths": (sized(b" %d, %d" % (SIZE, SIZE)), MALFORMED),
    "a negative length": (sized(b" -1"), MALFORMED),
    "a length with a plus": (sized(b" +%d" % SIZE), MALFORMED),
    "a length in hex": (sized(b" 0x%x" % SIZE), MALFORMED),
    "a length with a fraction": (sized(b" %d.0" % SIZE), MALFORMED),
    "a length with a blank inside": (sized(b" 2 98"), MALFORMED),
    "an empty length": (sized(b""), MALFORMED),
    "a length in words": (sized(b" many"), MALFORMED),
    "a length of 2**64": (sized(b" 18446744073709551616"), MALFORMED),
    "a length that wraps to the right one": (sized(b" %d" % (2**64 + SIZE)), MALFORMED),
    "chunked and a length": (CHUNKED.replace(b"\r\n\r\n",
        b"\r\nContent-Length: %d\r\n\r\n" % SIZE) + BODY, MALFORMED),
    "a length and chunked": (field(b"Transfer-Encoding: chunked"), MALFORMED),
    "identity as transfer encoding": (coded(b"identity"), MALFORMED),
    "gzip as transfer encoding": (coded(b"gzip"), MALFORMED),
    "gzip under chunked": (coded(b"gzip, chunked"), MALFORMED),
    "chunked under gzip": (coded(b"chunked, gzip"), MALFORMED),
    "chunked in one field and then gzip": (coded(b"chunked", b"gzip"), MALFORMED),
    "gzip in one field and then chunked": (coded(b"gzip", b"chunked"), MALFORMED),
    "chunked twice": (coded(b"chunked", b"chunked"), MALFORMED),
    "chunked twice in one field": (coded(b"chunked, chunked"), MALFORMED),
    "chunked with a quality": (coded(b"chunked;q=1"), MALFORMED),
    "chunked with a control character": (coded(b"\x0bchunked"), MALFORMED),
}) + family({
    "a length with blanks around": (sized(b"  %d \t" % SIZE), GOOD),
    "a length with leading zeros": (sized(b" 000%d" % SIZE), GOOD),
    "chunked in capitals": (coded(b"CHUNKED"), GOOD),
}, kept=True) + family({
    "a body shorter than its length": ((sized(b" %d" % (SIZE + 1)), CLOSE_WITHOUT_CLOSE_NOTIFY),
        CUT),
    "no length and no end": ((HEAD + b"\r\n" + BODY, CLOSE_WITHOUT_CLOSE_NOTIFY), GOOD),
    "no length and a line end last": ((HEAD + b"\r\n" + BODY + b"\r\n",
        CLOSE_WITHOUT_CLOSE_NOTIFY), GOOD),
    "no length and cut JSON": ((HEAD + b"\r\n" + BODY[:-9], CLOSE_WITHOUT_CLOSE_NOTIFY), NO_JSON),
    "a largest length that is never sent": ((sized(b" 9223372036854775807"),
        CLOSE_WITHOUT_CLOSE_NOTIFY), CUT),
})  # fmt: skip

WHOLE = (b"%x" % SIZE, BODY)
CHUNK = family({
    "a chunk size with 0x": (chunks(b"0x%x" % SIZE, BODY, b"0", b""), MALFORMED),
    "a negative chunk size": (chunks(b"-1", BODY, b"0", b""), MALFORMED),
    "a chunk size with a plus": (chunks(b"+%x" % SIZE, BODY, b"0", b""), MALFORMED),
    "a chunk size of letters": (chunks(b"size", BODY, b"0", b""), MALFORMED),
    "a chunk size and letters": (chunks(b"%xCANARY" % SIZE, BODY, b"0", b""), MALFORMED),
    "an empty chunk size": (chunks(b"", BODY, b"0", b""), MALFORMED),
    "a chunk size of 2**64": (chunks(b"1" + b"0" * 16, BODY, b"0", b""), MALFORMED),
    "a chunk size that wraps to the right one": (chunks(b"1%016x" % SIZE, BODY, b"0", b""),
        MALFORMED),
    "a chunk one too short": (chunks(b"%x" % (SIZE - 1), BODY, b"0", b""), MALFORMED),
    "a chunk one too long": (chunks(b"%x" % (SIZE + 1), BODY, b"0", b""), MALFORMED),
    "chunks with bare line feeds": (CHUNKED + b"%x\n" % SIZE + BODY + b"\n0\n\n", MALFORMED),
    "a blank before the chunk size": (chunks(b" %x" % SIZE, BODY, b"0", b""), MALFORMED),
    "a NUL in a chunk extension": (chunks(b"%x;a=\0" % SIZE, BODY, b"0", b""), MALFORMED),
    "a line feed in a chunk extension": (chunks(b"%x;a\nb" % SIZE, BODY, b"0", b""), MALFORMED),
    "a trailer without a colon": (chunks(*WHOLE, b"0", b"trailer", b""), MALFORMED),
    "a folded trailer": (chunks(*WHOLE, b"0", b"X: a", b" b", b""), MALFORMED),
    "a chunk after the last one": (chunks(*WHOLE, b"0", b"") + chunks(*WHOLE).removeprefix(CHUNKED),
        GOOD),
}) + family({
    "a chunk extension": (chunks(b'%x;a=b;c="d e"' % SIZE, BODY, b"0;x", b""), GOOD),
    "a chunk extension of 300 kB": (chunks(b"%x;a=" % SIZE + b"b" * 300_000, BODY, b"0", b""),
        GOOD),
    "a chunk a byte": (chunks(*(part for byte in BODY for part in (b"1", bytes([byte]))), b"0",
        b""), GOOD),
    "a chunk size in capitals with zeros": (chunks(b"000%X" % SIZE, BODY, b"000", b""), GOOD),
    "a trailer": (chunks(*WHOLE, b"0", b"X-A: b", b""), GOOD),
    "a trailer that claims chunks": (chunks(*WHOLE, b"0", b"Transfer-Encoding: chunked", b""),
        GOOD),
    "a trailer that claims a coding": (chunks(*WHOLE, b"0", b"Content-Encoding: br",
        b"X-MBX-USED-WEIGHT-1M: 9", b""), (*GOOD, None)),
}, kept=True) + family({
    "a trailer that claims a length": (chunks(*WHOLE, b"0", b"Content-Length: 9", b""), MALFORMED),
}) + family({
    "no last chunk": ((chunks(*WHOLE), CLOSE_WITHOUT_CLOSE_NOTIFY), CUT),
    "no end after the last chunk": ((chunks(*WHOLE, b"0"), CLOSE_WITHOUT_CLOSE_NOTIFY), CUT),
    "an end within a chunk": ((chunks(*WHOLE)[:-40], CLOSE_WITHOUT_CLOSE_NOTIFY), CUT),
})  # fmt: skip

HEADS = family({
    "a folded header": (field(b"X-A: b\r\n c"), MALFORMED),
    "bare line feeds": (GOOD_REPLY.replace(b"\r\n", b"\n"), MALFORMED),
    "bare carriage returns": (GOOD_REPLY.replace(b"\r\n", b"\r"), MALFORMED),
    "a bare carriage return in a value": (field(b"X-A: b\rX-C: d"), MALFORMED),
    "a bare line feed in a value": (field(b"X-A: b\nX-C: d"), MALFORMED),
    "a NUL in a value": (field(b"X-A: b\0c"), MALFORMED),
    "a NUL in a name": (field(b"X-\0A: b"), MALFORMED),
    "a control character in a value": (field(b"X-A: b\x01c"), MALFORMED),
    "DEL in a value": (field(b"X-A: b\x7fc"), MALFORMED),
    "a header without a colon": (field(b"X-A"), MALFORMED),
    "a blank before the colon": (field(b"X-A : b"), MALFORMED),
    "a header without a name": (field(b": b"), MALFORMED),
    "a name with a blank": (field(b"X A: b"), MALFORMED),
    "a name that is no ASCII": (field("X-Ä: b".encode()), MALFORMED),
    "a blank line before the reply": (b"\r\n" + GOOD_REPLY, MALFORMED),
    "status 99": (line(b"HTTP/1.1 99 Low"), MALFORMED),
    "status 099": (line(b"HTTP/1.1 099 Low"), MALFORMED),
    "status 000": (line(b"HTTP/1.1 000 None"), MALFORMED),
    "status 1000": (line(b"HTTP/1.1 1000 High"), MALFORMED),
    "status -200": (line(b"HTTP/1.1 -200 OK"), MALFORMED),
    "a status in words": (line(b"HTTP/1.1 OK 200"), MALFORMED),
    "no status": (line(b"HTTP/1.1"), MALFORMED),
    "a status of Arabic digits": (line("HTTP/1.1 ٢٠٠ OK".encode()), MALFORMED),
    "HTTP/0.9": (BODY, MALFORMED),
    "HTTP/0.9 with a status line": (line(b"HTTP/0.9 200 OK"), MALFORMED),
    "HTTP/1.2": (line(b"HTTP/1.2 200 OK"), MALFORMED),
    "HTTP/2.0": (line(b"HTTP/2.0 200 OK"), MALFORMED),
    "HTTP/2's first frame": (
        b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80\0\x04\0\1\0\0\0\5\0\xff\xff\xff", MALFORMED),
    "HTTP/2's preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", MALFORMED),
    "HTTP/11.1": (line(b"HTTP/11.1 200 OK"), MALFORMED),
    "RTSP": (line(b"RTSP/1.0 200 OK"), MALFORMED),
    "ICY": (line(b"ICY 200 OK"), MALFORMED),
    "http in lower case": (line(b"http/1.1 200 OK"), MALFORMED),
    "HTTP half in lower case": (line(b"HTtp/1.1 200 OK"), MALFORMED),
    "a request instead of a reply": (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", MALFORMED),
    "an SSH server": (b"SSH-2.0-OpenSSH_9.6\r\n", MALFORMED),
    "HTTP and another word": (b"HTTPS/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", MALFORMED),
}) + family({
    "no header but the framing": (GOOD_REPLY, GOOD),
    "a status line without a reason": (line(b"HTTP/1.1 200"), GOOD),
    "a status line with an empty reason": (line(b"HTTP/1.1 200 "), GOOD),
    # The client does not use it.
    "a control character in the reason": (line(b"HTTP/1.1 200 O\x1b[31mK"), GOOD),
    "a reason that is no ASCII": (line("HTTP/1.1 200 好".encode()), GOOD),
    "a value that is no ASCII": (field("X-A: é".encode("latin-1")), GOOD),
    "8000 headers": (field(*(b"X-%d: y" % number for number in range(8000))), GOOD),
    "a header of 300 kB": (field(b"X-A: " + b"b" * 300_000), GOOD),
    "a name of 60 kB": (field(b"X" * 60_000 + b": y"), GOOD),
    "names in capitals": (line(b"HTTP/1.1 200 OK").replace(b"Content-Length", b"CONTENT-LENGTH"),
        GOOD),
    "a type other than JSON": (field(b"Content-Type: text/html; charset=utf-16"), GOOD),
    "a cookie": (field(b"Set-Cookie: a=b", b"Set-Cookie: c=d; Domain=.com"), GOOD),
    "an offer to upgrade": (field(b"Upgrade: h2c", b"Connection: upgrade"), GOOD),
    "HTTP/1.0 that stays": (field(b"Connection: keep-alive").replace(b"/1.1", b"/1.0"), GOOD),
}, kept=True) + family({
    "HTTP/1.0": (line(b"HTTP/1.0 200 OK"), GOOD),
    "a goodbye": (field(b"Connection: close"), GOOD),
    "a goodbye before chunks": (
        chunks(*WHOLE, b"0", b"").replace(b"Tr", b"Connection: close\r\nTr", 1), GOOD),
    "a goodbye among others": (field(b"Connection: keep-alive, close"), GOOD),
})  # fmt: skip
HEADS += family({
    "HTTP/1.0 and nothing": ((b"HTTP/1.0 200 OK\r\n\r\n", CLOSE_WITHOUT_CLOSE_NOTIFY), NO_JSON),
    "a head without an end": ((HEAD + b"X-A: b\r\n", CLOSE_WITHOUT_CLOSE_NOTIFY), CUT),
    "a blank line after the status line": ((HEAD + b"\r\n" + GOOD_REPLY.removeprefix(HEAD),
        CLOSE_WITHOUT_CLOSE_NOTIFY), NO_JSON),
})  # fmt: skip

MOVED = ("status 200 or an error status", "a redirect, which the client does not follow")
OTHER = family(
    {
        f"status {status}": (
            response_bytes(BODY, status=f"{status} Word"),
            (UnexpectedResponse, status, (), MOVED[0], f"status {status}"),
        )
        for status in (201, 202, 203, 206, 226, 299, 600, 999)
    }
    | {"status 304 with a length": (b"HTTP/1.1 304 Same\r\nContent-Length: 5\r\n\r\n",
            (UnexpectedResponse, 304, (), *MOVED)),
       "status 204": (response_bytes(b"", status="204 None"),
            (UnexpectedResponse, 204, (), MOVED[0], "status 204")),
       "status 304": (response_bytes(b"", status="304 Same"),
            (UnexpectedResponse, 304, (), *MOVED))},
    kept=True,
)  # fmt: skip
IN_THE_FRAME = {"length": LENGTH, "chunks": CHUNK, "heads": HEADS, "statuses": OTHER}
