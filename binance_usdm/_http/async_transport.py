"""The same GET on asyncio. Knows waiting without blocking; all else is in `_transport` and `_http1`."""

from __future__ import annotations

import contextlib
import math
import socket
import ssl
import time
from typing import TYPE_CHECKING, Self, cast

from .messages import Failure, Outcome
from .parser import QUEUE, WRITE, ReplyParser, failed
from .pool import Address, Place, Pool
from .proxy import Tunnel
from .readiness import Ready
from .sync_transport import FAILURES, READ_SIZE
from .tls import tls_context

if TYPE_CHECKING:  # whoever makes blocking calls only need not load it: a tenth of the time until the first call
    import asyncio

    import httpx

    from .messages import Call


class _Stream:
    """An asyncio.Protocol: one connection. Its present or last reply says whether it may be used again."""

    def __init__(self, max_reply_bytes: int) -> None:
        import asyncio

        self.reply = ReplyParser(max_reply_bytes)  # it may begin before the request is sent
        self._running = asyncio.get_running_loop
        self._loop = self._running()
        self._waiter: asyncio.Future[None] | None = None
        self._incoming: Ready | None = None
        self._deadline = self._alarm_at = math.inf
        self._alarm: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # asyncio has set TCP_NODELAY

    def data_received(self, data: bytes) -> None:
        self.reply.feed(data)
        self._settle()

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
        if self._alarm:
            self._alarm.cancel()
        self.reply.lose(exc)
        self._settle()

    def _settle(self) -> None:
        if self.reply.done and not self.reply.reusable:
            self.discard()
        if self.reply.done and self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    async def exchange(self, call: Call, reply: ReplyParser) -> None:
        self.reply, self._deadline = reply, call.deadline
        if call.deadline < self._alarm_at:
            self._set_alarm()
        self._transport.write(call.head)
        if not reply.done:
            self._waiter = self._loop.create_future()
            await self._waiter

    def _set_alarm(self) -> None:
        # it stays set for the calls to come, which most often end long before: setting one for each would cost as much as sending
        if self._alarm:
            self._alarm.cancel()
        self._alarm_at = self._deadline
        self._alarm = self._loop.call_later(self._deadline - time.monotonic(), self._ring)

    def _ring(self) -> None:
        self._alarm, self._alarm_at = None, math.inf
        if self.reply.done:
            return
        if time.monotonic() < self._deadline:
            self._set_alarm()
        else:
            self.connection_lost(TimeoutError())

    def usable(self) -> bool:
        if self._loop is not self._running() or not self.reply.reusable:
            return False
        if self._incoming is None:
            self._incoming = Ready(self._transport.get_extra_info("socket").fileno())
        return not self._incoming.within(0)  # the loop may not have looked for long

    def discard(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._transport.abort)  # close() would wait for the peer's TLS goodbye
        except RuntimeError:  # the loop is closed and runs nothing any more; at least the peer learns of the end
            sock = self._transport.get_extra_info("socket")  # uvloop has closed it by then, and has none
            with contextlib.suppress(OSError):
                if sock is not None:
                    sock.shutdown(socket.SHUT_RDWR)


class AsyncTransport(Pool[_Stream]):
    """As SyncTransport, on asyncio and safe for tasks. A cancelled call closes its connection.

    A connection belongs to the event loop that opened it; others open their own.
    """

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        from . import httpx_adapter as border

        call = border.call_of(request)
        del request  # its repr shows the URL, and some tracebacks show locals
        return border.delivered(call if isinstance(call, Failure) else await self.exchange(call))

    async def aclose(self) -> None:
        import asyncio

        self._shut()
        for _ in range(2):  # one turn of the loop to abort, one to close the sockets
            await asyncio.sleep(0)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    _usable = staticmethod(_Stream.usable)
    _discard = staticmethod(_Stream.discard)

    async def exchange(self, call: Call) -> Outcome:
        if refused := self._refused(call):
            return refused
        stream, phase, parser = None, self._connect_phase, ReplyParser(call.max_reply_bytes)
        place = self._place(call.route.origin)
        if not place.enter() and not await self._turn(place, call):
            return failed(TimeoutError(), QUEUE)
        try:
            stream = self._taken(place, call)
            parser.reused = stream is not None
            if stream is None:
                stream = await self._connected(call)
                parser = stream.reply
            phase = WRITE
            call.left()  # nothing is sent too late
            await stream.exchange(call, parser)
        except FAILURES as error:  # later failures are the reply's
            parser.lose(error, phase)
        finally:
            self._put_back(place, stream, parser)
        return parser.outcome()

    async def _turn(self, place: Place[_Stream], call: Call) -> bool:
        import asyncio

        loop = asyncio.get_running_loop()
        came: asyncio.Future[bool] = loop.create_future()

        def tell(mine: bool) -> None:
            if not came.done():
                came.set_result(mine)

        def wake() -> None:
            if asyncio._get_running_loop() is loop:  # most often; the other way costs a system call
                tell(True)
            else:
                loop.call_soon_threadsafe(tell, True)

        if place.enter(wake):
            return True
        alarm = loop.call_later(call.deadline - time.monotonic(), tell, False)
        try:
            mine = await came
        except BaseException:
            place.give_up(wake)
            raise
        finally:
            alarm.cancel()
        if not mine:
            place.give_up(wake)
        return mine

    async def _connected(self, call: Call) -> _Stream:
        import asyncio

        # one address after another: Python 3.11's happy_eyeballs_delay leaks the socket of a cancelled attempt
        async with asyncio.timeout(call.left()):
            *others, last = await asyncio.wrap_future(self._addresses(call.route.origin))
        for index, address in enumerate(others):
            with contextlib.suppress(OSError):
                async with asyncio.timeout(call.left(len(others) + 1 - index)):
                    return await self._opened(call, address)
        async with asyncio.timeout(call.left()):
            return await self._opened(call, last)

    async def _opened(self, call: Call, address: Address) -> _Stream:
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
                tunnel = Tunnel()
                await loop.sock_sendall(sock, self._proxy.request(call.route.origin))
                while not tunnel.open:
                    tunnel.feed(await loop.sock_recv(sock, READ_SIZE))
        except BaseException:
            sock.close()
            raise
        context, name = (tls_context(), host) if tls else (None, None)
        try:
            stream = _Stream(call.max_reply_bytes)
            await loop.create_connection(
                lambda: cast("asyncio.Protocol", stream), sock=sock, ssl=context, server_hostname=name
            )
        except BaseException:
            with contextlib.suppress(OSError):  # asyncio has closed it, or goes on with a handshake nobody waits for
                sock.shutdown(socket.SHUT_RDWR)
            raise
        return stream
