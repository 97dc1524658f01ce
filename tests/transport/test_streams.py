"""Event loops, and what a finished reply holds on to."""

from __future__ import annotations

import asyncio
import gc
import math
import warnings
import weakref

import httpx
from raw_server import READ, RawServer, again, reply
from wires import get, send

from binance_usdm._http1 import Call, ReplyParser
from binance_usdm._transport_asyncio import AsyncTransport, _Stream


def test_a_connection_of_another_event_loop_is_not_reused() -> None:
    transport = AsyncTransport()
    with RawServer(again(READ, reply())) as server, warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # a loop closed before its transports: the caller's doing
        asyncio.run(send(transport, get(server.url)))
        asyncio.run(send(transport, get(server.url)))
        assert server.wait(lambda: server.hangups == 1)
        asyncio.run(transport.aclose())
        assert server.wait(lambda: server.hangups == 2)
        gc.collect()


def test_a_reply_that_came_before_the_request_was_sent_is_not_waited_for() -> None:
    class Deaf(asyncio.Transport):
        def write(self, data: bytes | bytearray | memoryview) -> None:
            assert data == b"head"

    async def scenario() -> httpx.Response | httpx.TransportError:
        stream = _Stream(1000)
        early = stream.reply
        stream.connection_made(Deaf())
        stream.data_received(reply(b"busy"))
        async with asyncio.timeout(0.2):
            await stream.exchange(Call((False, "", 0), b"head", math.inf, 1000, fresh=False), early)
        return early.outcome()

    response = asyncio.run(scenario())
    assert isinstance(response, httpx.Response)
    assert response.read() == b"busy"


def test_a_reply_hands_its_body_over_once() -> None:
    finished = ReplyParser(1000)
    finished.feed(reply(b"[]"))
    bodies = [
        response.read() for response in (finished.outcome(), finished.outcome()) if isinstance(response, httpx.Response)
    ]
    assert bodies == [b"[]", b""]  # an idle connection holds its last reply, but not a megabyte of body


def test_a_finished_reply_needs_no_cycle_collector() -> None:
    finished = ReplyParser(1000)
    finished.feed(reply(b"[]"))
    watched = weakref.ref(finished)
    gc.disable()
    try:
        assert finished.reusable
        del finished
        assert watched() is None
    finally:
        gc.enable()
