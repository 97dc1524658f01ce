"""The mock exchange as an httpx transport, without a socket. Plays latency, slow bodies, cuts and resets in the words of httpx."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import httpx

from .reply import Delivery, Reply

if TYPE_CHECKING:
    from .exchange import Exchange


class ExchangeTransport(httpx.MockTransport):
    """For sync and async clients; ``address`` is the IP address that the requests come from.

    A latency above the request's read timeout ends in ``httpx.ReadTimeout`` when that time is over, as on a socket.
    """

    def __init__(self, exchange: Exchange, address: str = "127.0.0.1") -> None:
        super().__init__(exchange)
        self._exchange, self._address = exchange, address

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        reply = self._asked(request)
        seconds, late = _latency(reply, request)
        if seconds:
            time.sleep(seconds)
        return _response(reply, request, late, _Body(reply, request))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        reply = self._asked(request)
        seconds, late = _latency(reply, request)
        if seconds:
            await asyncio.sleep(seconds)
        return _response(reply, request, late, _Body(reply, request))

    def _asked(self, request: httpx.Request) -> Reply:
        target = request.extensions.get("target", request.url.raw_path)
        return self._exchange.handle(request.method, target, request.headers.raw, request.content, self._address)


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that comes in pieces, and may end before its end."""

    def __init__(self, reply: Reply, request: httpx.Request) -> None:
        self._reply, self._request = reply, request

    def __iter__(self) -> Iterator[bytes]:
        delivery = self._reply.delivery
        for place, piece in enumerate(delivery.pieces(self._reply.body)):
            if place and delivery.pause:
                time.sleep(delivery.pause)
            yield piece
        self._end(delivery)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        delivery = self._reply.delivery
        for place, piece in enumerate(delivery.pieces(self._reply.body)):
            if place and delivery.pause:
                await asyncio.sleep(delivery.pause)
            yield piece
        self._end(delivery)

    def _end(self, delivery: Delivery) -> None:
        if delivery.reset:
            raise httpx.ReadError("the mock exchange reset the connection", request=self._request)
        if delivery.cut is not None and delivery.cut < len(self._reply.body):
            raise httpx.RemoteProtocolError("the mock exchange cut the reply", request=self._request)


def _latency(reply: Reply, request: httpx.Request) -> tuple[float, bool]:
    """Seconds to wait, and whether the request's read timeout is over then."""
    latency: float = reply.delivery.latency
    limit: float | None = request.extensions.get("timeout", {}).get("read")
    return (limit, True) if limit is not None and latency > limit else (latency, False)


def _response(reply: Reply, request: httpx.Request, late: bool, body: _Body) -> httpx.Response:
    if late:
        raise httpx.ReadTimeout("the mock exchange took too long", request=request)
    if reply.delivery.reset and reply.delivery.cut is None:
        raise httpx.ReadError("the mock exchange reset the connection", request=request)
    headers = list(reply.headers)
    if reply.delivery.chunk or reply.delivery.cut is not None:
        return httpx.Response(reply.status, headers=headers, stream=body)
    return httpx.Response(reply.status, headers=headers, content=reply.body)
