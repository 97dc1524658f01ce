"""Failing to connect, and several addresses."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time

import httpx
import pytest

from binance_usdm._http.async_transport import AsyncTransport
from binance_usdm._http.connections.tls import tls_context
from tests.http.drivers import TIMEOUTS, AsyncDriver, Wire, make_request, send
from tests.support.raw_server import READ, STAY_SILENT, RawServer, repeat, response_bytes
from tests.support.timing import check_duration, retry_if_late

FAMILY = (socket.AF_INET, socket.SOCK_STREAM, 0, "")


def test_a_refused_connection_is_a_connect_error(wire: Wire, closed_port: int) -> None:
    with pytest.raises(httpx.ConnectError, match="connecting failed: ECONNREFUSED"):
        wire.send(make_request(f"http://127.0.0.1:{closed_port}/"))


@pytest.mark.parametrize("host", ["a" * 70 + ".invalid", ".invalid", "127.0.0.1:99999"])
def test_a_host_that_cannot_be_is_a_connect_error(wire: Wire, host: str) -> None:
    with pytest.raises(httpx.ConnectError):
        wire.send(make_request(f"https://{host}/"))


def test_a_name_that_nobody_knows_is_named_as_that(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(httpx.ConnectError, match="name cannot be resolved"):
        wire.send(make_request("http://nowhere.example/"), 1)


def test_a_name_without_addresses_is_a_connect_error(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [])
    with pytest.raises(httpx.ConnectError, match="connecting failed"):
        wire.send(make_request("http://nowhere.example/"), 1)


@pytest.mark.promise("R1")
@retry_if_late
def test_a_resolver_that_hangs_ends_at_the_deadline(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait(5) and [])
    began = time.monotonic()
    try:
        with pytest.raises(TIMEOUTS) as caught:
            # Another name for each client: they would share a look-up.
            wire.send(make_request(f"http://{type(wire).__name__}.example/".lower()), 0.1)
        took = time.monotonic() - began
    finally:
        release.set()
    check_duration(took, at_most=0.2)
    assert isinstance(wire, AsyncDriver) or caught.type is httpx.ConnectTimeout


def test_an_address_that_refuses_is_passed_over(
    wire: Wire, monkeypatch: pytest.MonkeyPatch, closed_port: int
) -> None:
    with RawServer(repeat(READ, response_bytes())) as server:
        addresses = [(*FAMILY, ("127.0.0.1", port)) for port in (closed_port, server.port)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: addresses)
        assert wire.send(make_request("http://two.addresses/")).content == b"[]"


@pytest.mark.promise("R1")
@retry_if_late
def test_a_dead_address_leaves_time_for_the_next_one(
    wire: Wire, monkeypatch: pytest.MonkeyPatch, swallower: tuple[str, int]
) -> None:
    with RawServer(repeat(READ, response_bytes())) as server:
        addresses = [(*FAMILY, swallower), (*FAMILY, ("127.0.0.1", server.port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: addresses)
        began = time.monotonic()
        assert wire.send(make_request("http://two.addresses/"), 10).content == b"[]"
        check_duration(time.monotonic() - began, at_least=0.2, at_most=1)


@pytest.mark.promise("R1")
def test_a_stalled_handshake_leaves_time_for_the_next_address(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RawServer([STAY_SILENT]) as stalled, RawServer([]) as ends:
        addresses = [(*FAMILY, ("127.0.0.1", server.port)) for server in (stalled, ends)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: addresses)
        # The trust store is loaded once, which takes time.
        tls_context()
        with pytest.raises((httpx.ConnectError, *TIMEOUTS)):
            wire.send(make_request("https://two.addresses/"), 1)
        assert ends.connections == 1
        assert stalled.wait(lambda: stalled.hangups == 1)


@retry_if_late
def test_all_addresses_dead_take_the_whole_time_and_no_more(
    wire: Wire, monkeypatch: pytest.MonkeyPatch, swallower: tuple[str, int]
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(*FAMILY, swallower)] * 3)
    began = time.monotonic()
    with pytest.raises(TIMEOUTS):
        wire.send(make_request("http://three.addresses/"), 0.15)
    check_duration(time.monotonic() - began, at_least=0.14, at_most=0.25)


@pytest.mark.parametrize("what", ["resolver", "address"])
@retry_if_late
def test_async_connecting_keeps_the_deadline(
    what: str, monkeypatch: pytest.MonkeyPatch, swallower: tuple[str, int]
) -> None:
    """The asyncio transport ends connecting at the deadline without a timeout of the caller."""
    release, slow = threading.Event(), what == "resolver"
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *_, **__: (slow and release.wait(5)) or [(*FAMILY, swallower)]
    )

    async def scenario() -> None:
        request = make_request("http://slow.example/", deadline=time.monotonic() + 0.1)
        with pytest.raises(httpx.ConnectTimeout):
            await send(AsyncTransport(), request, 2)

    began = time.monotonic()
    asyncio.run(scenario())
    check_duration(time.monotonic() - began, at_most=0.25)
    release.set()


def test_a_failed_attempt_leaves_no_socket_open(wire: Wire, closed_port: int) -> None:
    def attempt(url: str) -> None:
        with pytest.raises(httpx.ConnectError):
            wire.send(make_request(url))

    # The first attempt opens what is opened once.
    attempt(f"http://127.0.0.1:{closed_port}/")
    before = sorted(os.listdir("/proc/self/fd"))
    attempt(f"http://127.0.0.1:{closed_port}/")
    assert sorted(os.listdir("/proc/self/fd")) == before
