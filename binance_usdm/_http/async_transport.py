"""The same GET on asyncio. Knows waiting without blocking; all else is in `_transport` and `_http1`."""

from __future__ import annotations

import contextlib
import math
import socket
import ssl
import time
from typing import TYPE_CHECKING, Self, cast

from .messages import HttpFailure, HttpResult
from .parser import POOL, WRITE, ResponseParser, failure_from_exception
from .pool import AddressInfo, ConnectionPool, OriginPool
from .proxy import ConnectResponseReader
from .readiness import SocketWaiter
from .sync_transport import NETWORK_ERRORS, RECV_BYTES
from .tls import tls_context

if TYPE_CHECKING:  # whoever makes blocking calls only need not load it: a tenth of the time until the first call
    import asyncio

    import httpx

    from .messages import HttpRequest


class AsyncConnection:
    """An asyncio.Protocol: one connection. Its present or last reply says whether it may be used again."""

    def __init__(self, max_reply_bytes: int) -> None:
        import asyncio

        self.parser = ResponseParser(max_reply_bytes)  # it may begin before the request is sent
        self._get_running_loop = asyncio.get_running_loop
        self._loop = self._get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._incoming: SocketWaiter | None = None
        self._deadline = self._timer_due_at = math.inf
        self._deadline_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # asyncio has set TCP_NODELAY

    def data_received(self, data: bytes) -> None:
        self.parser.feed(data)
        self._wake_waiter()

    def pause_writing(self) -> None:
        """A request is small: nothing more is going to be written."""

    resume_writing = pause_writing

    def eof_received(self) -> None:
        tls = self._transport.get_extra_info("ssl_object")
        try:
            end = tls.read(1) if tls else b""  # asyncio does not tell whether TLS's goodbye came; this does
        except ssl.SSLError:
            self.connection_lost(None)
        else:
            self.data_received(end)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._deadline_timer:
            self._deadline_timer.cancel()
        self.parser.connection_lost(exc)
        self._wake_waiter()

    def _wake_waiter(self) -> None:
        if self.parser.complete and not self.parser.keep_alive:
            self.abort()
        if self.parser.complete and self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    async def send(self, call: HttpRequest, reply: ResponseParser) -> None:
        self.parser, self._deadline = reply, call.deadline
        if call.deadline < self._timer_due_at:
            self._schedule_deadline()
        self._transport.write(call.head)
        if not reply.complete:
            self._waiter = self._loop.create_future()
            await self._waiter

    def _schedule_deadline(self) -> None:
        # it stays set for the calls to come, which most often end long before: setting one for each would cost as much as sending
        if self._deadline_timer:
            self._deadline_timer.cancel()
        self._timer_due_at = self._deadline
        self._deadline_timer = self._loop.call_later(self._deadline - time.monotonic(), self._on_deadline)

    def _on_deadline(self) -> None:
        self._deadline_timer, self._timer_due_at = None, math.inf
        if self.parser.complete:
            return
        if time.monotonic() < self._deadline:
            self._schedule_deadline()
        else:
            self.connection_lost(TimeoutError())

    def is_usable(self) -> bool:
        if self._loop is not self._get_running_loop() or not self.parser.keep_alive:
            return False
        if self._incoming is None:
            self._incoming = SocketWaiter(self._transport.get_extra_info("socket").fileno())
        return not self._incoming.wait(0)  # the loop may not have looked for long

    def abort(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._transport.abort)  # close() would wait for the peer's TLS goodbye
        except RuntimeError:  # the loop is closed and runs nothing any more; at least the peer learns of the end
            sock = self._transport.get_extra_info("socket")  # uvloop has closed it by then, and has none
            with contextlib.suppress(OSError):
                if sock is not None:
                    sock.shutdown(socket.SHUT_RDWR)


class AsyncTransport(ConnectionPool[AsyncConnection]):
    """As SyncTransport, on asyncio and safe for tasks. A cancelled call closes its connection.

    A connection belongs to the event loop that opened it; others open their own.
    """

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        from . import httpx_adapter as border

        call = border.request_from_httpx(request)
        del request  # its repr shows the URL, and some tracebacks show locals
        return border.response_to_httpx(call if isinstance(call, HttpFailure) else await self.send(call))

    async def aclose(self) -> None:
        import asyncio

        self._close_all_idle()
        for _ in range(2):  # one turn of the loop to abort, one to close the sockets
            await asyncio.sleep(0)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    _is_usable = staticmethod(AsyncConnection.is_usable)
    _discard = staticmethod(AsyncConnection.abort)

    async def send(self, call: HttpRequest) -> HttpResult:
        if refused := self._rejection(call):
            return refused
        stream, phase, parser = None, self._connect_phase, ResponseParser(call.max_reply_bytes)
        place = self._origin_pool(call.route.origin)
        if not place.acquire_slot() and not await self._wait_for_slot(place, call):
            return failure_from_exception(TimeoutError(), POOL)
        try:
            stream = self._pop_idle(place, call)
            parser.on_reused_connection = stream is not None
            if stream is None:
                stream = await self._connect(call)
                parser = stream.parser
            phase = WRITE
            call.time_left()  # nothing is sent too late
            await stream.send(call, parser)
        except NETWORK_ERRORS as error:  # later failures are the reply's
            parser.connection_lost(error, phase)
        finally:
            self._release(place, stream, parser)
        return parser.result()

    async def _wait_for_slot(self, place: OriginPool[AsyncConnection], call: HttpRequest) -> bool:
        import asyncio

        loop = asyncio.get_running_loop()
        slot: asyncio.Future[bool] = loop.create_future()

        def resolve(got_slot: bool) -> None:
            if not slot.done():
                slot.set_result(got_slot)

        def wake() -> None:
            if asyncio._get_running_loop() is loop:  # most often; the other way costs a system call
                resolve(True)
            else:
                loop.call_soon_threadsafe(resolve, True)

        if place.acquire_slot(wake):
            return True
        alarm = loop.call_later(call.deadline - time.monotonic(), resolve, False)
        try:
            got_slot = await slot
        except BaseException:
            place.cancel_wait(wake)
            raise
        finally:
            alarm.cancel()
        if not got_slot:
            place.cancel_wait(wake)
        return got_slot

    async def _connect(self, call: HttpRequest) -> AsyncConnection:
        import asyncio

        # one address after another: Python 3.11's happy_eyeballs_delay leaks the socket of a cancelled attempt
        async with asyncio.timeout(call.time_left()):
            *others, last = await asyncio.wrap_future(self._resolve(call.route.origin))
        for index, address in enumerate(others):
            with contextlib.suppress(OSError):
                async with asyncio.timeout(call.time_left(len(others) + 1 - index)):
                    return await self._open_connection(call, address)
        async with asyncio.timeout(call.time_left()):
            return await self._open_connection(call, last)

    async def _open_connection(self, call: HttpRequest, address: AddressInfo) -> AsyncConnection:
        import asyncio

        loop, (tls, host, _), (family, kind, protocol, _, place) = (
            asyncio.get_running_loop(),
            call.route.origin,
            address,
        )
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            await loop.sock_connect(sock, place)
            if self._proxy:
                tunnel = ConnectResponseReader()
                await loop.sock_sendall(sock, self._proxy.connect_request(call.route.origin))
                while not tunnel.established:
                    tunnel.feed(await loop.sock_recv(sock, RECV_BYTES))
        except BaseException:
            sock.close()
            raise
        context, name = (tls_context(), host) if tls else (None, None)
        try:
            stream = AsyncConnection(call.max_reply_bytes)
            await loop.create_connection(
                lambda: cast("asyncio.Protocol", stream), sock=sock, ssl=context, server_hostname=name
            )
        except BaseException:
            with contextlib.suppress(OSError):  # asyncio has closed it, or goes on with a handshake nobody waits for
                sock.shutdown(socket.SHUT_RDWR)
            raise
        return stream
