"""The mock exchange as an httpx transport."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator

import httpx

from binance_usdm.mock.core.response import Reply

from .asgi import Handler
from .delivery import response_head


class ExchangeTransport(httpx.MockTransport):
    """Transport for sync and async clients, without a socket. Works under asyncio and trio.

    Latency, slow bodies, cuts and resets are simulated with the exceptions of httpx. A latency or
    a pause above the request's read timeout raises `httpx.ReadTimeout` after that time, as on a
    socket. An exception of a custom verifier is raised to the caller of the client.

    Args:
        handle: Function that responds to a request.
        address: IP address that the requests come from.
    """

    def __init__(self, handle: Handler, address: str = "127.0.0.1") -> None:
        super().__init__(self.handle_request)
        self._exchange_handle = handle
        self._address = address

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        reply = self._handle(request)
        for seconds in _delays(reply.delivery.latency, request):
            time.sleep(seconds)
        return _to_httpx_response(reply, request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        reply = self._handle(request)
        for seconds in _delays(reply.delivery.latency, request):
            await _sleep(seconds)
        return _to_httpx_response(reply, request)

    def _handle(self, request: httpx.Request) -> Reply:
        target = request.extensions.get("target", request.url.raw_path)
        return self._exchange_handle(
            request.method, target, request.headers.raw, request.content, self._address
        )


class _PacedBody(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Body that arrives in pieces, and may end early."""

    def __init__(self, reply: Reply, announced: int, request: httpx.Request) -> None:
        self._steps = _body_steps(reply, announced, request)

    def __iter__(self) -> Iterator[bytes]:
        for step in self._steps:
            if isinstance(step, bytes):
                yield step
            else:
                time.sleep(step)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for step in self._steps:
            if isinstance(step, bytes):
                yield step
            else:
                await _sleep(step)


def _body_steps(reply: Reply, announced: int, request: httpx.Request) -> Iterator[bytes | float]:
    """Return the pieces of a body, and the seconds to wait between them.

    Raises:
        httpx.ReadError: The connection is reset before the end.
        httpx.RemoteProtocolError: The connection is closed before the end.
    """
    received_bytes = 0
    for piece in reply.delivery.pieces(reply.body[:announced]):
        if received_bytes:
            yield from _delays(reply.delivery.pause, request)
        yield piece
        received_bytes += len(piece)
    if received_bytes < announced and reply.delivery.reset:
        raise httpx.ReadError("the mock exchange reset the connection", request=request)
    if received_bytes < announced:
        raise httpx.RemoteProtocolError("the mock exchange cut the response", request=request)


def _delays(seconds: float, request: httpx.Request) -> Iterator[float]:
    """Return the seconds to wait, if any.

    Raises:
        httpx.ReadTimeout: The request's read timeout is shorter.
    """
    limit: float | None = request.extensions.get("timeout", {}).get("read")
    if limit is not None and seconds > limit:
        yield limit
        raise httpx.ReadTimeout("timed out while waiting for the mock exchange", request=request)
    if seconds:
        yield seconds


async def _sleep(seconds: float) -> None:
    # Imported here, since a sync client does not need it. httpx depends on it.
    from anyio import sleep

    await sleep(seconds)


def _to_httpx_response(reply: Reply, request: httpx.Request) -> httpx.Response:
    if reply.delivery.reset and reply.delivery.cut is None:
        raise httpx.ReadError("the mock exchange reset the connection", request=request)
    announced, headers = response_head(reply)
    if request.method == "HEAD":
        return httpx.Response(reply.status, headers=headers, content=b"")
    if reply.delivery.chunk or reply.delivery.cut is not None or announced != len(reply.body):
        return httpx.Response(
            reply.status, headers=headers, stream=_PacedBody(reply, announced, request)
        )
    return httpx.Response(reply.status, headers=headers, content=reply.body)
