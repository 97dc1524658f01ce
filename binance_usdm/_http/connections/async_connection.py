"""One connection of an asyncio event loop."""

from __future__ import annotations

import contextlib
import math
import socket
import ssl
import time
from functools import cache
from typing import TYPE_CHECKING, Final, cast

from binance_usdm._concurrency.interrupts import raise_if_from_handler
from binance_usdm._http.messages import DeadlinePassed, HttpRequest

from .failures import READ
from .parser import ResponseParser
from .readiness import SocketWaiter

if TYPE_CHECKING:
    # Blocking calls never load asyncio: it would take a tenth of the time until the first one.
    import asyncio

_BUFFER_BYTES: Final = 256 * 1024


class AsyncConnection:
    """One connection, as an `asyncio.Protocol`.

    Args:
        parser: Parser of the first response, which may begin before the request is sent. The
            parser of the current or last response says whether the connection may be used again.
    """

    def __init__(self, parser: ResponseParser) -> None:
        import asyncio

        self.parser = parser
        self._get_running_loop = asyncio._get_running_loop
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._incoming: SocketWaiter | None = None
        self._deadline = math.inf
        self._timer_due_at = math.inf
        self._deadline_timer: asyncio.TimerHandle | None = None
        self._is_lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.parser.feed(data)
        self._wake_waiter()

    def pause_writing(self) -> None:
        """Do nothing. A request is small, and nothing else is written after it."""

    resume_writing = pause_writing

    def eof_received(self) -> None:
        tls = self._transport.get_extra_info("ssl_object")
        try:
            # asyncio does not report whether close_notify came. Reading does.
            end = tls.read(1) if tls else b""
        except ssl.SSLError:
            self.connection_lost(None)
        else:
            self.data_received(end)
        self._is_lost = True

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_lost = True
        if self._deadline_timer:
            self._deadline_timer.cancel()
        self.parser.connection_lost(exc, READ)
        self._wake_waiter()

    def _wake_waiter(self) -> None:
        if self.parser.complete and not self.parser.keep_alive:
            self.abort()
        if self.parser.complete and self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    async def send(self, request: HttpRequest, parser: ResponseParser, deadline: float) -> None:
        """Send a request and wait until `parser` has its response, or why there is none.

        A cancelled caller leaves the response unfinished, so that the connection is not reused.

        Args:
            request: What to send.
            parser: A new parser.
            deadline: Instant of `time.monotonic()`. Then the parser has a failure.
        """
        self.parser = parser
        self._deadline = deadline
        if self._is_lost:
            parser.connection_lost(None)
            return
        if deadline < self._timer_due_at:
            self._schedule_deadline()
        self._transport.write(request.encode())
        if not parser.complete:
            self._waiter = self._loop.create_future()
            await self._waiter

    def _schedule_deadline(self) -> None:
        # The timer stays set for later requests, most of which end long before it. Setting one for
        # each request costs as much as sending it.
        if self._deadline_timer:
            self._deadline_timer.cancel()
        self._timer_due_at = self._deadline
        self._deadline_timer = self._loop.call_later(
            self._deadline - time.monotonic(), self._on_deadline
        )

    def _on_deadline(self) -> None:
        self._deadline_timer = None
        self._timer_due_at = math.inf
        if self.parser.complete:
            return
        if time.monotonic() < self._deadline:
            self._schedule_deadline()
        else:
            self.parser.connection_lost(DeadlinePassed(), READ)
            self._wake_waiter()

    def is_usable(self) -> bool:
        """Return whether an idle connection may carry another request of the running event loop."""
        if self._is_lost or self._loop is not self._get_running_loop():
            return False
        if not (self.parser.keep_alive or self.parser.is_untouched):
            return False
        if self._incoming is None:
            self._incoming = SocketWaiter(self._transport.get_extra_info("socket").fileno())
        # The event loop may not have polled the socket for long.
        return not self._incoming.wait(0)

    def abort(self) -> None:
        """Close at once, from any thread and any event loop."""
        self._is_lost = True
        if self._loop.is_closed():
            self._close_socket()
            return
        try:
            if self._loop is self._get_running_loop():
                # close() would wait for the peer's close_notify.
                self._transport.abort()
            else:
                self._loop.call_soon_threadsafe(self._transport.abort)
        except RuntimeError as error:
            raise_if_from_handler(error)
            self._close_socket()

    def _close_socket(self) -> None:
        # The event loop is closed and runs nothing any more. uvloop has closed the socket by then,
        # and returns none.
        sock = self._transport.get_extra_info("socket")
        if sock is None:
            return
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        raw = getattr(sock, "_sock", None)
        with contextlib.suppress(OSError):
            if raw is not None:
                raw.close()


@cache
def buffered_connection_class() -> type[AsyncConnection]:
    """Return the class of connections without TLS.

    Its base class is in asyncio, which only the first asyncio client loads.
    """
    import asyncio

    class BufferedConnection(AsyncConnection, asyncio.BufferedProtocol):
        """A connection that receives into a buffer that it keeps.

        For other protocols asyncio maps and unmaps 256 KiB for each response. With the buffer a
        call over http costs 0.77 of what it costs without (median CPU of six rounds of 2,000
        balances with 11 assets, November 2026), 0.91 with 100 calls at once. Under TLS asyncio
        keeps a buffer itself.
        """

        def __init__(self, parser: ResponseParser) -> None:
            super().__init__(parser)
            self._buffer = memoryview(bytearray(_BUFFER_BYTES))

        def get_buffer(self, sizehint: int) -> memoryview:
            return self._buffer

        def buffer_updated(self, nbytes: int) -> None:
            self.data_received(bytes(self._buffer[:nbytes]))

    return BufferedConnection
