"""A connection is used again only after a clean end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from binance_usdm import ConfigurationError
from binance_usdm._concurrency.gates import TaskGate, ThreadGate, run_to_end
from binance_usdm._http.async_transport import AsyncTransport
from binance_usdm._http.connections.lease import Lease
from binance_usdm._http.sync_transport import SyncTransport
from tests.http.drivers import SyncDriver, Wire, add_deadline, idle, make_request, send
from tests.support.raw_server import READ, STAY_SILENT, RawServer, Step, repeat, response_bytes


@pytest.mark.promise("R15")
def test_a_running_loop_closes_an_idle_connection_that_stirs_at_once() -> None:
    async def scenario(server: RawServer) -> None:
        transport = AsyncTransport()
        await send(transport, make_request(server.url))
        # No call was made meanwhile.
        assert await asyncio.to_thread(server.wait, lambda: server.hangups == 1)
        assert (await send(transport, make_request(server.url))).content == b"2"
        await transport.aclose()

    with RawServer(
        [READ, response_bytes(), 0.03, b"X", STAY_SILENT], repeat(READ, response_bytes(b"2"))
    ) as server:
        asyncio.run(scenario(server))


def test_small_packets_are_not_held_back(wire: Wire) -> None:
    with RawServer(repeat(READ, response_bytes())) as server:
        wire.send(make_request(server.url))
        [[connection]] = idle(wire.transport)
        sock = getattr(connection, "_socket", None) or connection._transport.get_extra_info(
            "socket"
        )
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_origins_do_not_share_connections(wire: Wire) -> None:
    with (
        RawServer(repeat(READ, response_bytes(b"1"))) as one,
        RawServer(repeat(READ, response_bytes(b"2"))) as two,
    ):
        bodies = [wire.send(make_request(url)).content for url in (one.url, two.url) * 2]
    assert bodies == [b"1", b"2"] * 2
    assert (one.connections, two.connections) == (1, 1)


def test_an_ipv6_literal_works(wire: Wire) -> None:
    try:
        server = RawServer(repeat(READ, response_bytes()), host="::1")
    except OSError:
        pytest.skip("no IPv6 loopback here")
    with server:
        assert wire.send(make_request(server.url)).content == b"[]"
    assert b"\r\nHost: [::1]:%d\r\n" % server.port in server.requests[0]


def test_closing_empties_the_pool_and_refuses_later_calls(wire: Wire) -> None:
    with RawServer(repeat(READ, response_bytes())) as server:
        wire.send(make_request(server.url))
        assert server.hangups == 0
        wire.shut_down()
        assert server.wait(lambda: server.hangups == 1)
        with pytest.raises(httpx.ConnectError, match="the transport is closed"):
            wire.send(make_request(server.url))
    assert server.connections == 1


def test_a_call_in_flight_outlasts_close() -> None:
    """A call that is in flight when the client closes is finished, and its connection closed."""
    read, finish = threading.Event(), threading.Event()

    def script() -> Iterable[Step]:
        yield READ
        read.set()
        finish.wait(2)
        yield from (response_bytes(), STAY_SILENT)

    with (
        RawServer(script) as server,
        ThreadPoolExecutor() as pool,
        contextlib.closing(SyncDriver()) as wire,
    ):
        call = pool.submit(wire.send, make_request(server.url))
        assert read.wait(2)
        wire.shut_down()
        finish.set()
        assert call.result(2).content == b"[]"
        assert server.wait(lambda: server.hangups == 1)


def test_waiting_calls_are_served_in_order() -> None:
    """No more calls than allowed are under way, and the call that came first goes first."""
    order: list[bytes] = []

    def heard(head: bytes) -> bytes:
        order.append(head.split(b" ")[1])
        return response_bytes()

    async def scenario(server: RawServer) -> None:
        transport = AsyncTransport(max_connections=1)
        calls = [
            asyncio.create_task(send(transport, make_request(f"{server.url}/{number}")))
            for number in range(9)
        ]
        await asyncio.sleep(0.01)
        calls[4].cancel()  # while it waits
        done = await asyncio.gather(*calls, return_exceptions=True)
        assert [isinstance(call, httpx.Response) for call in done] == [
            number != 4 for number in range(9)
        ]
        await transport.aclose()

    with RawServer(repeat(READ, 0.01, heard)) as server:
        asyncio.run(scenario(server))
        assert server.connections == 1
        assert order == [b"//%d" % number for number in range(9) if number != 4]


def test_threads_wait_for_their_turn_no_longer_than_their_deadline() -> None:
    transport, release = SyncTransport(max_connections=1), threading.Event()

    def call(path: str, seconds: float) -> object:
        try:
            return transport.handle_request(
                add_deadline(make_request(f"{server.url}/{path}"), seconds)
            ).read()
        except httpx.TransportError as error:
            return type(error)

    def heard(head: bytes) -> bytes:
        if b"/first " in head:
            release.wait(5)
        return response_bytes(b"[1]" if b"/first " in head else b"[2]")

    with RawServer(repeat(READ, heard)) as server, ThreadPoolExecutor(3) as pool:
        first = pool.submit(call, "first", 5.0)
        assert server.wait(lambda: server.connections == 1)
        late, patient = pool.submit(call, "late", 0.05), pool.submit(call, "patient", 5.0)
        assert late.result(2) is httpx.PoolTimeout
        release.set()
        assert (first.result(2), patient.result(2)) == (b"[1]", b"[2]")
        assert call("afterwards", 5.0) == b"[2]"  # no turn was lost
        assert server.connections == 1
    transport.close()


def lease_of(transport: SyncTransport | AsyncTransport) -> Lease[Any]:
    return transport.lease(
        (False, "", 0),
        None,
        deadline=time.monotonic() + 5,
        max_response_bytes=1000,
        needs_new_connection=False,
    )


@pytest.mark.parametrize("late", [False, True], ids=["waiting", "just called"])
def test_the_turn_of_a_cancelled_call_goes_to_the_next(late: bool) -> None:
    async def wait(lease: Lease[Any]) -> None:
        try:
            await lease.wait_for_slot(TaskGate())
        finally:
            lease.holders.discard(lease.token)
            lease.release()

    async def scenario() -> None:
        transport = AsyncTransport(max_connections=1)
        first, second, third = lease_of(transport), lease_of(transport), lease_of(transport)
        assert first.try_acquire_slot()
        task = asyncio.create_task(wait(second))
        await asyncio.sleep(0)
        for step in (first.release, task.cancel) if late else (task.cancel, first.release):
            step()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert third.try_acquire_slot()
        assert not lease_of(transport).try_acquire_slot()

    asyncio.run(scenario())


def test_the_turn_of_an_interrupted_call_goes_to_the_next() -> None:
    class Interrupted(ThreadGate):
        async def wait(self, seconds: float) -> str:
            raise KeyboardInterrupt

    transport = SyncTransport(max_connections=1)
    first, second, third = lease_of(transport), lease_of(transport), lease_of(transport)
    assert first.try_acquire_slot()
    with pytest.raises(KeyboardInterrupt):
        run_to_end(second.wait_for_slot(Interrupted()))
    second.release()
    first.release()
    assert third.try_acquire_slot()


@pytest.mark.parametrize("most", [0, -1, 1.5, True, None, "2"])
def test_a_bound_that_is_none_is_refused(most: Any) -> None:
    for kind in (SyncTransport, AsyncTransport):
        with pytest.raises(ConfigurationError, match="max_connections"):
            kind(max_connections=most)


def test_a_forked_process_leaves_the_parent_s_connections_alone(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RawServer(repeat(READ, response_bytes())) as server:
        wire.send(make_request(server.url))
        parent = os.getpid()
        monkeypatch.setattr(os, "getpid", lambda: parent + 1)
        wire.send(make_request(server.url))
        assert (server.connections, server.hangups) == (2, 0)
        wire.send(make_request(server.url))
        assert server.connections == 2
        wire.shut_down()
        assert server.wait(lambda: server.hangups == 1)
        monkeypatch.undo()
        wire.shut_down()  # the parent's
        assert server.wait(lambda: server.hangups == 2)
