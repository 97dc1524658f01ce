"""The same GET on asyncio. Knows waiting without blocking; all else is in `_transport` and `_http1`."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from typing import cast

import httpx

from ._http1 import CONNECT, Call, Origin, Outcome, ReplyParser, delivered, prepared, translated
from ._transport import FAILURES, Pool, readable


class _Stream(asyncio.Protocol):
    """One asyncio connection. Its present or last reply says whether it may be used again."""

    def __init__(self, reply: ReplyParser) -> None:
        self._reply, self._loop = reply, asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # asyncio has set TCP_NODELAY

    def data_received(self, data: bytes) -> None:
        self._reply.feed(data)
        self._settle()

    def eof_received(self) -> None:
        tls = self._transport.get_extra_info("ssl_object")
        try:
            self.data_received(
                tls.read(1) if tls else b""
            )  # asyncio does not tell whether TLS's goodbye came; this does
        except ssl.SSLError:
            self.connection_lost(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._reply.lose(exc)
        self._settle()

    def _settle(self) -> None:
        if self._reply.done and not self._reply.reusable:
            self.discard()
        if self._reply.done and self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    async def exchange(self, call: Call, reply: ReplyParser) -> None:
        self._reply = reply
        self._transport.write(call.head)
        if not reply.done:
            self._waiter = self._loop.create_future()
            await self._waiter

    def usable(self) -> bool:
        if self._loop is not asyncio.get_running_loop() or not self._reply.reusable:
            return False
        return not readable(self._transport.get_extra_info("socket").fileno())  # the loop may not have looked for long

    def discard(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._transport.abort)  # close() would wait for the peer's TLS goodbye
        except RuntimeError:  # the loop is closed and runs nothing any more; at least the peer learns of the end
            with contextlib.suppress(OSError):
                self._transport.get_extra_info("socket").shutdown(socket.SHUT_RDWR)


class AsyncTransport(Pool[_Stream], httpx.AsyncBaseTransport):
    """As SyncTransport, on asyncio and safe for tasks, but without timers: wrap a call in asyncio.timeout().

    A cancelled call closes its connection. A connection belongs to the event loop that opened it; others open their own.
    Where a host has several addresses, one that swallows packets takes the whole time.
    """

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        call = prepared(request, self._closed)
        del request  # its repr shows the URL, and some tracebacks show locals
        return delivered(await self._exchanged(call) if isinstance(call, Call) else call)

    async def aclose(self) -> None:
        self._shut()
        for _ in range(2):  # one turn of the loop to abort, one to close the sockets
            await asyncio.sleep(0)

    def _usable(self, connection: _Stream) -> bool:
        return connection.usable()

    def _discard(self, connection: _Stream) -> None:
        connection.discard()

    async def _exchanged(self, call: Call) -> Outcome:
        stream, reply = None, ReplyParser(self._limit)
        try:
            stream = self._taken(call.origin) or await self._connected(call.origin, reply)
            await stream.exchange(call, reply)
            if reply.reusable:
                self._keep(call.origin, stream)
                stream = None
            return reply.outcome()
        except FAILURES as error:  # later failures are the reply's
            return translated(error, CONNECT)
        finally:
            if stream is not None:
                stream.discard()

    async def _connected(self, origin: Origin, reply: ReplyParser) -> _Stream:
        tls, host, port = origin
        context, name = (self._context(), host) if tls else (None, None)
        # one address after another: Python 3.11's happy_eyeballs_delay leaks the socket of a cancelled attempt
        _, stream = await asyncio.get_running_loop().create_connection(
            lambda: _Stream(reply), host, port, ssl=context, server_hostname=name
        )
        return stream
