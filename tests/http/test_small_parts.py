"""The small parts of the transports alone: slots, idle connections, addresses, proxy, requests."""

from __future__ import annotations

import errno
import socket
import time
from typing import Any

import httpx
import pytest

from binance_usdm._concurrency.gates import ThreadGate
from binance_usdm._http.addresses import is_loopback
from binance_usdm._http.connections.connect import open_socket
from binance_usdm._http.connections.origin_pool import IdleConnection, OriginPool, Slots
from binance_usdm._http.connections.proxy import (
    PLAINTEXT_PROXY_PROBLEM,
    ConnectResponseReader,
    TunnelError,
)
from binance_usdm._http.httpx_adapter import request_from_httpx
from binance_usdm._http.messages import HttpFailure
from binance_usdm._http.sync_transport import SyncTransport


def test_a_slot_that_is_held_is_given_to_nobody() -> None:
    """A waiter gets a slot when one is free, and not before."""
    slots = Slots(1)
    assert slots.try_acquire("holder")
    slots.join("waiter", ThreadGate())
    slots.assign_free()
    assert slots.holders == {"holder"}
    slots.release("holder")
    assert slots.holders == {"waiter"}


def test_excess_connections_are_the_oldest() -> None:
    """Idle connections and holders together are at most the limit."""
    pool = OriginPool[Any](3)
    for number in range(3):
        pool.push(IdleConnection(number, None))
    assert [*pool.pop_excess()] == []
    assert pool.slots.try_acquire("one")
    assert [*pool.pop_excess()] == [0]
    assert pool.slots.try_acquire("two")
    assert [*pool.pop_excess()] == [1]
    assert len(pool) == 1


@pytest.mark.parametrize("host", ["[::1]", "::1", "127.0.0.9", "LocalHost"])
def test_a_loopback_host_is_this_machine(host: str) -> None:
    """Also in the brackets of a URL."""
    assert is_loopback(host)


def test_an_address_that_refuses_has_its_number(closed_port: int) -> None:
    """The error says what the operating system said."""
    address = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", closed_port))
    with pytest.raises(ConnectionRefusedError) as caught:
        open_socket("two.addresses", [address], time.monotonic() + 10)
    assert caught.value.errno == errno.ECONNREFUSED
    assert caught.value.strerror


def test_an_address_that_cannot_be_tried_has_its_number() -> None:
    """Broadcast needs a permission of the socket, which it has not."""
    address = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("255.255.255.255", 9))
    with pytest.raises(OSError, match=r"\w") as caught:
        open_socket("two.addresses", [address], time.monotonic() + 10)
    assert caught.value.errno in (errno.ENETUNREACH, errno.EACCES)
    assert caught.value.strerror


def test_no_address_is_an_error() -> None:
    """A name without addresses is told as such."""
    with pytest.raises(OSError, match=r"^the host name has no address$"):
        open_socket("no.addresses", [], time.monotonic() + 10)


@pytest.mark.parametrize(
    ("begin", "end"), [(b"", b"nonsense\r\n\r\n"), (b"HTTP/1.1 200", b""), (b"H", b"")]
)
def test_a_response_to_connect_that_is_not_valid(begin: bytes, end: bytes) -> None:
    """Cut or not HTTP: the message is the same, and shows nothing of it."""
    reader = ConnectResponseReader()
    if begin:
        reader.feed(begin)
    with pytest.raises(TunnelError, match=r"^the proxy's response to CONNECT is not valid$"):
        reader.feed(end)


def test_plain_http_through_another_machine_is_refused() -> None:
    """A proxy on another machine would read the request."""
    with SyncTransport("http://proxy.example:8080") as transport:
        failure = transport.rejection((False, "127.0.0.1", 80))
        assert failure is not None
        assert (failure.kind, failure.text) == ("LocalProtocolError", PLAINTEXT_PROXY_PROBLEM)
        assert not failure.is_retryable
        assert transport.rejection((True, "fapi.binance.com", 443)) is None


@pytest.mark.parametrize(
    "request_",
    [
        httpx.Request("POST", "https://fapi.binance.com/"),
        httpx.Request("GET", "https://fapi.binance.com/", content=b"body"),
    ],
)
def test_only_a_get_without_a_body_is_sent(request_: httpx.Request) -> None:
    """Asking again would not help."""
    failure = request_from_httpx(request_)
    assert isinstance(failure, HttpFailure)
    assert (failure.kind, failure.is_retryable) == ("LocalProtocolError", False)
    assert "GET" in failure.text
