"""What is sent and what is taken for a reply."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable

import httpx
import pytest

from binance_usdm import SyncTransport
from binance_usdm._http.httpx_adapter import ResponseTooLarge
from tests.http.drivers import CHUNKED, SyncDriver, Wire, make_request
from tests.support.raw_server import (
    READ,
    RESET,
    STAY_SILENT,
    RawServer,
    Step,
    repeat,
    response_bytes,
)


def test_the_head_is_sent_as_prepared(wire: Wire) -> None:
    with RawServer(repeat(READ, response_bytes())) as server:
        target = b"/fapi/v3/balance?recvWindow=5000&signature=a%2Fb%3D"
        wire.send(
            make_request(
                server.url + "elsewhere?x=1",
                [(b"X-MBX-APIKEY", b"key"), (b"hOST", b"gateway")],
                target=target,
            )
        )
        wire.send(make_request(server.url + "p?b=%2f&a=1"))
    host = b"Host: 127.0.0.1:%d\r\n" % server.port
    assert server.requests == [
        b"GET " + target + b" HTTP/1.1\r\nX-MBX-APIKEY: key\r\nhOST: gateway\r\n\r\n",
        b"GET /p?b=%2f&a=1 HTTP/1.1\r\n" + host + b"\r\n",
    ]


def test_a_head_larger_than_the_send_buffer_arrives_whole(wire: Wire) -> None:
    with RawServer([READ, response_bytes()]) as server:
        assert wire.send(make_request(server.url, [(b"X", b"x" * 6_000_000)])).content == b"[]"
    assert len(server.requests[0]) > 6_000_000


@pytest.mark.promise("S16")
@pytest.mark.parametrize(
    "request_",
    [
        *[
            make_request("", target=target)
            for target in (b"/a b", b"/a\r\nX: 1", b"/a\n", b"/\0", b"/\xff", b"x", b"")
        ],
        *[
            make_request("", [(b"X-K", value)])
            for value in (b"a\r\nX: 1", b"a\nb", b"a\rb", b"a\0b", b"\x7f")
        ],
        *[
            make_request("", [(name, b"1")])
            for name in (b"X-K\r\nY", b"X K", b"X:", b"", b"X\0", b"X\xff")
        ],
        *[make_request("", [(name, b"4")]) for name in (b"Content-Length", b"transfer-encoding")],
        httpx.Request("HEAD", "", extensions={"target": b"/"}),
        httpx.Request("GET", "", content=b"body", extensions={"target": b"/"}),
        httpx.Request("GET", "", content=iter([b""]), extensions={"target": b"/"}),
    ],
    ids=repr,
)
def test_a_request_that_could_smuggle_is_refused_before_a_byte_is_sent(
    wire: Wire, request_: httpx.Request
) -> None:
    with RawServer([STAY_SILENT]) as server:
        request_.url = httpx.URL(server.url)
        with pytest.raises(httpx.LocalProtocolError):
            wire.send(request_)
    assert server.connections == 0


def test_a_request_without_bounds_is_refused_in_words() -> None:
    words = "missing request extensions: deadline, max_reply_bytes, fresh"
    with (
        RawServer([STAY_SILENT]) as server,
        SyncTransport() as transport,
        pytest.raises(httpx.LocalProtocolError, match=words),
    ):
        transport.handle_request(httpx.Request("GET", server.url))
    assert server.connections == 0


@pytest.mark.parametrize("seconds", [30 * 86400.0, math.inf, math.nan])
def test_a_deadline_that_no_socket_can_wait_for_is_none_to_fail_by(
    wire: Wire, seconds: float
) -> None:
    with RawServer([READ, response_bytes()]) as server:
        request = make_request(server.url)
        request.extensions = {**request.extensions, "deadline": time.monotonic() + seconds}
        assert wire.send(request).content == b"[]"


@pytest.mark.parametrize("pieces", [False, True], ids=["whole", "bytewise"])
@pytest.mark.parametrize(
    ("sent", "body"),
    [
        (response_bytes(b"[1]"), b"[1]"),
        (response_bytes(b"\r\n\r\n"), b"\r\n\r\n"),
        (b"HTTP/1.1 200\r\ncontent-length: 2\r\n\r\n[]", b"[]"),
        (CHUNKED, b"[1,2]"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"2;a=b\r\n[]\r\n0\r\nX-A: trailer\r\n\r\n",
            b"[]",
        ),
        (b"HTTP/1.1 200 OK\r\nX-A: b\r\n\r\nto the end\r\n", b"to the end\r\n"),
        (b"HTTP/1.0 200 OK\r\n\r\n", b""),
        (response_bytes(b"", status="204 No Content"), b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", b""),
        (
            b"HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 103 Hints\r\nX-A: early\r\nContent-Length: 9\r\n\r\n"
            + response_bytes(b"[2]"),
            b"[2]",
        ),
    ],
    ids=["length", "blank", "terse", "chunked", "trailers", "eof", "1.0", "204", "304", "1xx"],
)
def test_every_legal_framing_is_read_to_its_end(
    wire: Wire, sent: bytes, body: bytes, pieces: bool
) -> None:
    steps = [bytes([byte]) for byte in sent] if pieces else [sent]
    with RawServer([READ, *steps]) as server:
        response = wire.send(make_request(server.url))
    assert response.content == body
    # It comes neither from trailers nor from a 1xx response.
    assert response.headers.get("x-a") == ("b" if b": b\r" in sent else None)


def test_headers_arrive_as_sent_and_the_body_is_not_decoded(wire: Wire) -> None:
    with RawServer(
        [READ, response_bytes(b"\x1f\x8b?", b"Content-Encoding: gzip", b"X-A: 1", b"x-a: \xe9")]
    ) as server:
        request = make_request(server.url, deadline=time.monotonic() + 2)
        if isinstance(wire, SyncDriver):
            response = wire.transport.handle_request(request)
        else:
            response = wire.runner.run(wire.transport.handle_async_request(request))
    assert isinstance(response.stream, httpx.ByteStream)
    assert b"".join(response.stream) == b"\x1f\x8b?"
    assert response.headers.raw[1:] == [
        (b"Content-Encoding", b"gzip"),
        (b"X-A", b"1"),
        (b"x-a", b"\xe9"),
    ]


@pytest.mark.promise("S10")
@pytest.mark.parametrize("status", [200, 302, 418, 451, 520, 599, 600, 999])
def test_every_status_of_three_digits_passes_and_no_redirect_is_followed(
    wire: Wire, status: int
) -> None:
    with RawServer(
        repeat(READ, response_bytes(b"x", b"Location: /other", status=f"{status} Word"))
    ) as server:
        response = wire.send(make_request(server.url))
    assert (response.status_code, response.content, len(server.requests)) == (status, b"x", 1)


@pytest.mark.promise("R16")
@pytest.mark.parametrize(
    "sent",
    [
        b"CANARY\r\n\r\n",
        b"\r\n" + response_bytes(b"CANARY"),
        b"RTSP/1.0 200 CANARY\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/2.0 200 CANARY\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 99 CANARY\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 099 CANARY\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 1000 CANARY\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 CANARY\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n" + response_bytes(),
        b"HTTP/1.1 101 CANARY\r\n\r\n",
        response_bytes(b"[]", b"Content-Length: 2", b"X: CANARY"),
        response_bytes(b"[]", b"Content-Length: 3", b"X: CANARY"),
        response_bytes(b"2\r\n[]\r\n0\r\n\r\n", b"Transfer-Encoding: chunked", b"X: CANARY"),
        CHUNKED.replace(b"\r\n\r\n3", b"\r\nContent-Length: 5\r\n\r\n3"),
        CHUNKED.replace(b": chunked", b": gzip, chunked"),
        CHUNKED.replace(b": chunked", b": gzip\r\nTransfer-Encoding: chunked"),
        CHUNKED.replace(b": chunked", b": chunked\r\nTransfer-Encoding: chunked"),
        CHUNKED.replace(b": chunked", b": identity"),
        CHUNKED.replace(b"3\r\n", b"3CANARY\r\n"),
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        b"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: CANARY\r\n folded\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: \0CANARY\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_a_malformed_reply_is_refused_in_fixed_words(wire: Wire, sent: bytes) -> None:
    with RawServer([READ, sent, STAY_SILENT], repeat(READ, response_bytes())) as server:
        with pytest.raises(httpx.RemoteProtocolError) as caught:
            wire.send(make_request(server.url))
        assert wire.send(make_request(server.url)).content == b"[]"
    assert str(caught.value) == "the response is not valid HTTP/1.1"
    assert server.connections == 2


@pytest.mark.promise("R16")
@pytest.mark.parametrize(
    ("sent", "where"),
    [
        (b"", "without a response"),
        (b"HTTP/1.1 20", "within the response"),
        (b"HTTP/1.1 200 OK\r\n", "within the response"),
        (b"HTTP/1.1 200 OK\r\nX: y\r\n\r", "within the response"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "within the response"),
        (response_bytes(b"[1]")[:-1], "within the response"),
        (CHUNKED[:-1], "within the response"),
        (CHUNKED[:-9], "within the response"),
    ],
)
def test_an_end_before_the_end_is_a_truncated_reply(wire: Wire, sent: bytes, where: str) -> None:
    with RawServer([READ, sent]) as server, pytest.raises(httpx.RemoteProtocolError, match=where):
        wire.send(make_request(server.url))


@pytest.mark.promise("R16")
def test_a_reset_is_a_read_error(wire: Wire) -> None:
    with (
        RawServer([READ, b"HTTP/1.1 200", 0.02, RESET]) as server,
        pytest.raises(httpx.ReadError, match="ECONNRESET"),
    ):
        wire.send(make_request(server.url))


@pytest.mark.promise("S14")
def test_a_reply_of_exactly_the_limit_passes_and_one_byte_more_does_not(wire: Wire) -> None:
    sent = b"HTTP/1.1 103 Hints\r\n\r\n" + response_bytes(b"x" * 100_000)
    with RawServer(repeat(READ, sent)) as server:
        assert (
            len(wire.send(make_request(server.url, max_reply_bytes=len(sent))).content) == 100_000
        )
        with pytest.raises(ResponseTooLarge, match=f"larger than {len(sent) - 1} bytes"):
            wire.send(make_request(server.url, max_reply_bytes=len(sent) - 1))
        wire.send(make_request(server.url))
    assert server.connections == 2  # what was too much for one call is not left for the next


@pytest.mark.promise("S14")
@pytest.mark.parametrize(
    ("start", "more"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 4000 + b"\r\n"),
        (b"HTTP/1.1 200 OK\r\nX: ", b"y" * 4000),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"z" * 4000),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n", b"z" * 4000),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"fa0\r\n" + b"z" * 4000 + b"\r\n",
        ),
        (b"", b"HTTP/1.1 102 Processing\r\n\r\n" * 200),
    ],
    ids=["headers", "one header", "eof body", "body", "chunks", "1xx"],
)
def test_an_endless_reply_is_cut_at_the_limit(wire: Wire, start: bytes, more: bytes) -> None:
    def script() -> Iterable[Step]:
        yield from (READ, start)
        while True:
            yield more

    with RawServer(script) as server, pytest.raises(ResponseTooLarge):
        wire.send(make_request(server.url, max_reply_bytes=100_000))
