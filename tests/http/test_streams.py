"""Event loops, and what a finished reply holds on to."""

from __future__ import annotations

import asyncio
import gc
import math
import warnings
import weakref

import httpx

from binance_usdm._http.async_transport import AsyncTransport
from binance_usdm._http.connections.async_connection import AsyncConnection
from binance_usdm._http.connections.parser import ResponseParser
from binance_usdm._http.httpx_adapter import response_to_httpx
from binance_usdm._http.messages import HttpRequest, HttpResponse, HttpResult, RequestTemplate
from tests.http.drivers import make_request, send
from tests.support.raw_server import READ, RawServer, repeat, response_bytes


def test_a_connection_of_another_event_loop_is_not_reused() -> None:
    transport = AsyncTransport()
    with RawServer(repeat(READ, response_bytes())) as server, warnings.catch_warnings():
        # The event loop is closed before its transports, which is the caller's fault.
        warnings.simplefilter("ignore", ResourceWarning)
        asyncio.run(send(transport, make_request(server.url)))
        asyncio.run(send(transport, make_request(server.url)))
        assert server.wait(lambda: server.hangups == 1)
        asyncio.run(transport.aclose())
        assert server.wait(lambda: server.hangups == 2)
        gc.collect()


def test_a_connection_without_its_socket_is_discarded() -> None:
    """A connection whose event loop has closed the socket is discarded without an error."""

    class Gone(asyncio.Transport):  # as uvloop's
        def get_extra_info(self, name: str, default: object = None) -> None:
            assert name == "socket"

    async def make_connection() -> AsyncConnection:
        stream = AsyncConnection(ResponseParser(1000))
        stream.connection_made(Gone())
        return stream

    asyncio.run(make_connection()).abort()


def test_a_reply_is_to_others_as_one_of_httpx() -> None:
    parser = ResponseParser(1000)
    parser.feed(response_bytes(b'{"a": 1}', b"X-Twice: 1", b"x-twice: 2"))
    ours = response_to_httpx(parser.result())
    theirs = httpx.Response(200, headers=ours.headers.raw, stream=httpx.ByteStream(b'{"a": 1}'))
    for name in vars(theirs):
        if name != "stream":
            assert getattr(ours, name) == getattr(theirs, name), name
    assert ours.headers.get_list("X-Twice") == ["1", "2"]
    assert ours.read() == theirs.read() == b'{"a": 1}'
    assert (ours.json(), ours.is_success, ours.is_closed) == (
        theirs.json(),
        theirs.is_success,
        theirs.is_closed,
    )


def test_a_reply_that_came_before_the_request_was_sent_is_not_waited_for() -> None:
    class Deaf(asyncio.Transport):
        def write(self, data: bytes | bytearray | memoryview) -> None:
            assert bytes(data).startswith(b"GET / HTTP/1.1")

    async def scenario() -> HttpResult:
        early = ResponseParser(1000)
        stream = AsyncConnection(early)
        stream.connection_made(Deaf())
        stream.data_received(response_bytes(b"busy"))
        async with asyncio.timeout(0.2):
            await stream.send(
                HttpRequest(b"/", RequestTemplate.build((False, "", 0), ())), early, math.inf
            )
        return early.result()

    response = asyncio.run(scenario())
    assert isinstance(response, HttpResponse)
    assert response.body == b"busy"


def test_a_reply_hands_its_body_over_once() -> None:
    finished = ResponseParser(1000)
    finished.feed(response_bytes(b"[]"))
    bodies = [
        response.body
        for response in (finished.result(), finished.result())
        if isinstance(response, HttpResponse)
    ]
    # An idle connection holds its last reply, but not a megabyte of body.
    assert bodies == [b"[]", b""]


def test_a_finished_reply_needs_no_cycle_collector() -> None:
    finished = ResponseParser(1000)
    finished.feed(response_bytes(b"[]"))
    watched = weakref.ref(finished)
    gc.disable()
    try:
        assert finished.keep_alive
        del finished
        assert watched() is None
    finally:
        gc.enable()
