"""Many calls at once, and calls given up."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import warnings
import weakref
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from raw_server import HOLD, READ, RawServer, again, reply
from wires import Certificate, SyncWire, get, send

from binance_usdm._http1 import Call, ReplyParser
from binance_usdm._transport_asyncio import AsyncTransport, _Stream


def echo(head: bytes) -> bytes:
    return reply(head.split()[1])


def test_fifty_tasks_get_their_own_replies_and_share_connections() -> None:
    async def scenario(server: RawServer) -> None:
        transport = AsyncTransport()
        for _ in range(4):
            replies = await asyncio.gather(*[send(transport, get(f"{server.url}{n}")) for n in range(50)])
            assert [response.content for response in replies] == [b"/%d" % n for n in range(50)]
        await transport.aclose()

    with RawServer(again(READ, echo)) as server:
        asyncio.run(scenario(server))
    assert server.connections <= 50


def test_eight_threads_get_their_own_replies_and_share_connections() -> None:
    with RawServer(again(READ, echo)) as server, contextlib.closing(SyncWire()) as wire, ThreadPoolExecutor(8) as pool:
        requests = [get(f"{server.url}{n}") for n in range(400)]
        replies = [response.content for response in pool.map(wire.send, requests)]
    assert replies == [b"/%d" % n for n in range(400)]
    assert server.connections <= 8


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_call_cancelled_at_any_moment_closes_its_connection(scheme: str, certificate: Certificate) -> None:
    tls = scheme == "https"

    async def scenario(server: RawServer) -> None:
        transport = AsyncTransport(ssl_context=certificate.trusted())
        url = server.url.replace("127.0.0.1", "localhost") if tls else server.url
        for turns in range(0, 40, 3):
            task = asyncio.create_task(send(transport, get(url)))
            for _ in range(turns):
                await asyncio.sleep(0.0002 if tls else 0)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        assert not any(transport._stacks.values())  # the server never finishes: nothing may have been kept
        assert len(asyncio.all_tasks()) == 1

    with RawServer([READ, b"HTTP/1.1 200 OK\r\n", HOLD], tls=certificate.server() if tls else None) as server:
        asyncio.run(scenario(server))
        with socket.create_connection(("127.0.0.1", server.port)) as last:  # whoever came before is counted before
            assert server.wait(lambda: last.getsockname()[1] in server.peers)
        assert server.connections > 8
        assert server.wait(lambda: server.ended == server.connections)


def test_a_connection_of_another_event_loop_is_not_reused() -> None:
    transport = AsyncTransport()
    with RawServer(again(READ, reply())) as server, warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", ResourceWarning
        )  # a loop that closed before its transports is the caller's doing
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
        early = ReplyParser(1000)
        stream = _Stream(early)
        stream.connection_made(Deaf())
        stream.data_received(reply(b"busy"))
        async with asyncio.timeout(0.2):
            await stream.exchange(Call((False, "", 0), b"head", None), early)
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
