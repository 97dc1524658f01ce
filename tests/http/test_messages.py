"""What is sent and what is taken for a reply."""

from __future__ import annotations

import math
import time

import httpx
import pytest

from binance_usdm import SyncTransport
from binance_usdm._http.httpx_adapter import ResponseTooLarge
from tests.http.drivers import SyncDriver, Wire, make_request
from tests.support.raw_server import READ, STAY_SILENT, RawServer, repeat, response_bytes
from tests.support.spec_facts import BALANCE_PATH


def test_the_head_is_sent_as_prepared(wire: Wire) -> None:
    with RawServer(repeat(READ, response_bytes())) as server:
        target = BALANCE_PATH.encode() + b"?recvWindow=5000&signature=a%2Fb%3D"
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
