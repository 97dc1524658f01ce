"""Both transports behind one blocking interface, and certificates for their tests."""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias
from unittest import mock

import httpx
import trustme

from binance_usdm._http.async_transport import AsyncTransport
from binance_usdm._http.connections.tls import tls_context
from binance_usdm._http.sync_transport import SyncTransport

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[1,\r\n2\r\n2]\r\n0\r\n\r\n"
TIMEOUTS = (httpx.TimeoutException, TimeoutError)
Headers: TypeAlias = list[tuple[bytes, bytes]]


def make_request(url: str, headers: Headers | None = None, **extensions: Any) -> httpx.Request:
    """A request as the clients make it, but for its deadline."""
    return add_default_extensions(httpx.Request("GET", url, headers=headers, extensions=extensions))


def add_default_extensions(request: httpx.Request) -> httpx.Request:
    usual = {"target": request.url.raw_path, "max_reply_bytes": 1 << 20, "fresh": False}
    request.extensions = {**usual, **request.extensions}
    return request


def add_deadline(request: httpx.Request, seconds: float) -> httpx.Request:
    request.extensions = {"deadline": time.monotonic() + seconds, **request.extensions}
    return request


def idle(transport: SyncTransport | AsyncTransport) -> list[list[Any]]:
    """The connections that wait for a call, one deque an origin."""
    return [[kept.connection for kept in pool._idle] for pool in transport._origin_pools.values()]


class SyncDriver:
    """Drives a SyncTransport; time is bounded by the deadline it is given."""

    def __init__(self, **options: Any) -> None:
        self.transport = SyncTransport(**options)

    def send(self, request: httpx.Request, seconds: float = 5.0) -> httpx.Response:
        response = self.transport.handle_request(add_deadline(request, seconds))
        response.read()
        return response

    def shut_down(self) -> None:
        self.transport.close()

    close = shut_down


class AsyncDriver:
    """Drives an AsyncTransport, on one event loop that stands still between calls.

    `asyncio.timeout()` bounds each call.
    """

    def __init__(self, **options: Any) -> None:
        self.transport = AsyncTransport(**options)
        self.runner = asyncio.Runner()

    def send(self, request: httpx.Request, seconds: float = 5.0) -> httpx.Response:
        return self.runner.run(send(self.transport, request, seconds))

    def shut_down(self) -> None:
        self.runner.run(self.transport.aclose())

    def close(self) -> None:
        self.shut_down()
        self.runner.close()


async def send(
    transport: AsyncTransport, request: httpx.Request, seconds: float = 5.0
) -> httpx.Response:
    async with asyncio.timeout(seconds):
        response = await transport.handle_async_request(add_deadline(request, seconds))
    response.read()
    return response


Wire: TypeAlias = SyncDriver | AsyncDriver
Wires: TypeAlias = Callable[..., Wire]


class CertificateAuthority:
    """A certificate authority that no context trusts at first."""

    def __init__(self, folder: Path) -> None:
        self.pem = folder / "authority.pem"
        self._ca = trustme.CA()
        self._ca.cert_pem.write_to_path(self.pem)

    def server(self, *names: str, **dates: Any) -> ssl.SSLContext:
        """Return a server's settings, with a certificate for these names, else for this machine.

        Args:
            *names: Host names and IP addresses.
            **dates: `not_before` and `not_after`.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert(*(names or ("localhost", "127.0.0.1")), **dates).configure_cert(context)
        return context

    def trusted(self) -> ssl.SSLContext:
        """Return a client's settings, which trust this authority and no other."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._ca.configure_trust(context)
        return context

    @contextlib.contextmanager
    def trust_system_wide(self) -> Iterator[None]:
        """Have the settings of the process trust this authority and no other, meanwhile."""
        tls_context.cache_clear()
        with mock.patch.dict(
            os.environ, SSL_CERT_FILE=str(self.pem), SSL_CERT_DIR=str(self.pem.parent / "none")
        ):
            yield
        tls_context.cache_clear()
