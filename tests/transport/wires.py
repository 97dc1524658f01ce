"""What the tests of the transports share: both transports behind one blocking face, and a certificate."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import httpx

from binance_usdm._transport import SyncTransport
from binance_usdm._transport_asyncio import AsyncTransport

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[1,\r\n2\r\n2]\r\n0\r\n\r\n"
TIMEOUTS = (httpx.TimeoutException, TimeoutError)
Headers: TypeAlias = list[tuple[bytes, bytes]]


def get(url: str, headers: Headers | None = None, **extensions: Any) -> httpx.Request:
    return httpx.Request("GET", url, headers=headers, extensions=extensions)


class SyncWire:
    """Drives a SyncTransport; time is bounded by the deadline it is given."""

    def __init__(self, **options: Any) -> None:
        self.transport = SyncTransport(**options)

    def send(self, request: httpx.Request, seconds: float = 5.0) -> httpx.Response:
        request.extensions = {"deadline": time.monotonic() + seconds, **request.extensions}
        response = self.transport.handle_request(request)
        response.read()
        return response

    def shut(self) -> None:
        self.transport.close()

    close = shut


class AsyncWire:
    """Drives an AsyncTransport, on one loop that rests between calls; time is bounded by asyncio.timeout."""

    def __init__(self, **options: Any) -> None:
        self.transport = AsyncTransport(**options)
        self.runner = asyncio.Runner()

    def send(self, request: httpx.Request, seconds: float = 5.0) -> httpx.Response:
        return self.runner.run(send(self.transport, request, seconds))

    def shut(self) -> None:
        self.runner.run(self.transport.aclose())

    def close(self) -> None:
        self.shut()
        self.runner.close()


async def send(transport: AsyncTransport, request: httpx.Request, seconds: float = 5.0) -> httpx.Response:
    async with asyncio.timeout(seconds):
        response = await transport.handle_async_request(request)
    response.read()
    return response


Wire: TypeAlias = SyncWire | AsyncWire
Wires: TypeAlias = Callable[..., Wire]


class Certificate:
    """A self-signed certificate for localhost, which is its own authority."""

    def __init__(self, folder: Path) -> None:
        self.pem, self.key = folder / "cert.pem", folder / "key.pem"
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        names = ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        command += [*names, "-keyout", str(self.key), "-out", str(self.pem)]
        subprocess.run(command, check=True, capture_output=True)

    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.pem, self.key)
        return context

    def trusted(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.pem)
        return context
