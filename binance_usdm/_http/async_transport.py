"""Send requests with asyncio."""

from __future__ import annotations

import contextlib
import math
import socket
import ssl
import time
from functools import cache
from typing import TYPE_CHECKING, Final, Self, cast

from .connect import configure, encodable_host, open_socket_async, resolve
from .gates import TaskGate
from .messages import HttpFailure, HttpRequest, HttpResult
from .parser import READ, WRITE, DeadlinePassed, ResponseParser, failure_from_exception
from .pool import ConnectionPool, Lease, send_complete
from .proxy import ConnectResponseReader
from .readiness import SocketWaiter
from .sync_transport import NETWORK_ERRORS, RECV_BYTES
from .threads import run_awaited
from .tls import tls_context

if TYPE_CHECKING:
    # Blocking calls never load asyncio: it would take a tenth of the time until the first one.
    import asyncio

    import httpx

_BUFFER_BYTES: Final = 256 * 1024


class AsyncConnection:
    """An asyncio.Protocol: one connection. The parser of its present or last response says whether it may be used again."""

    def __init__(self, parser: ResponseParser) -> None:
        import asyncio

        self.parser = parser  # A response may begin before the request is sent.
        self._get_running_loop = asyncio._get_running_loop
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._incoming: SocketWaiter | None = None
        self._deadline = self._timer_due_at = math.inf
        self._deadline_timer: asyncio.TimerHandle | None = None
        self._is_lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.parser.feed(data)
        self._wake_waiter()

    def pause_writing(self) -> None:
        """A request is small: nothing more is going to be written."""

    resume_writing = pause_writing

    def eof_received(self) -> None:
        tls = self._transport.get_extra_info("ssl_object")
        try:
            end = (
                tls.read(1) if tls else b""
            )  # asyncio does not say whether close_notify came; this does.
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
        """Send a request and wait until `parser` has its response, or why there is none."""
        self.parser, self._deadline = parser, deadline
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
        # The timer stays set for later requests, most of which end long before: one for each costs as much as sending.
        if self._deadline_timer:
            self._deadline_timer.cancel()
        self._timer_due_at = self._deadline
        self._deadline_timer = self._loop.call_later(
            self._deadline - time.monotonic(), self._on_deadline
        )

    def _on_deadline(self) -> None:
        self._deadline_timer, self._timer_due_at = None, math.inf
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
        return not self._incoming.wait(0)  # The loop may not have looked for long.

    def abort(self) -> None:
        """Close at once, from any thread and any event loop."""
        self._is_lost = True
        if self._loop.is_closed():
            self._close_socket()
            return
        try:
            if self._loop is self._get_running_loop():
                self._transport.abort()  # close() would wait for the peer's close_notify.
            else:
                self._loop.call_soon_threadsafe(self._transport.abort)
        except RuntimeError:
            self._close_socket()

    def _close_socket(self) -> None:
        # The loop is closed and runs nothing any more. uvloop has closed the socket by then, and has none.
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
def _buffered_connection_class() -> type[AsyncConnection]:
    """Return the class of connections without TLS. It is made when asyncio is loaded."""
    import asyncio

    class BufferedConnection(AsyncConnection, asyncio.BufferedProtocol):
        """Receives into a buffer that it keeps.

        For other protocols asyncio maps and unmaps 256 KiB for each response: a call over http
        costs 0.80 of that (`benchmarks/run.py`, 12 assets, one call at a time). Under TLS asyncio
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


class AsyncTransport(ConnectionPool[AsyncConnection]):
    """HTTP/1.1 transport for asyncio. Safe for tasks.

    Share one between the clients of several accounts to share the bound of connections. Close it after the clients: a
    client closes only a transport that it made itself. A cancelled request closes its connection. Connections belong to
    the event loop that opened them; another loop opens its own. Requests are never sent twice, and redirects, cookies and
    the environment's proxies are not used.

    Args:
        proxy: `http://[user:pass@]host[:port]`, used by CONNECT: of an https request it sees host and port only.
        max_connections: Connections to one origin, idle ones included. Further requests wait, first come, first served,
            within their own deadline.
        keepalive_expiry: Seconds after which an idle connection is closed.
        share_connections: Whether a connection that one API key used may carry another key's requests. It saves
            handshakes with many accounts; HTTP/1.1 cannot tell whose response a gateway sends late or twice.

    `handle_async_request` takes and gives what httpx's transports do, with the extensions that
    `SyncTransport.handle_request` describes.
    """

    make_gate = TaskGate
    run_in_thread = staticmethod(run_awaited)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        from . import httpx_adapter

        complete = httpx_adapter.request_from_httpx(request)
        del request  # Keep secrets out of tracebacks: its repr shows the URL.
        if isinstance(complete, HttpFailure):
            return httpx_adapter.response_to_httpx(complete)
        http_request, partition, bounds = complete
        lease = self.lease(http_request.template.origin, partition, **bounds)
        return httpx_adapter.response_to_httpx(
            await send_complete(self, http_request, lease, TaskGate)
        )

    async def aclose(self) -> None:
        """Close all idle connections; requests that wait for a connection fail, later ones too."""
        import asyncio

        self._close_all()
        for _ in range(2):  # One turn of the loop to abort, one to close the sockets.
            await asyncio.sleep(0)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    async def connect(self, lease: Lease[AsyncConnection]) -> HttpFailure | None:
        """Open a connection for the lease: names, TCP, proxy, TLS. Returns why there is none."""
        import asyncio

        lease.make_room()
        try:
            async with asyncio.timeout(lease.time_left()):
                lease.adopt(await self._open_connection(lease))
        except NETWORK_ERRORS as error:
            # asyncio's own has no number; the operating system's ETIMEDOUT has one.
            is_late = isinstance(error, TimeoutError) and error.errno is None
            failure = failure_from_exception(
                DeadlinePassed() if is_late else error, self._connect_phase
            )
        else:
            return None
        return failure

    async def send(self, lease: Lease[AsyncConnection], request: HttpRequest) -> HttpResult:
        """Send a GET and read its response to the end. The network raises nothing."""
        connection, parser = lease.connection, lease.parser
        assert connection is not None
        lease.was_sent = True
        try:
            lease.time_left()  # Nothing is sent too late.
            await connection.send(request, parser, lease.deadline)
        except NETWORK_ERRORS as error:  # Later failures are the response's.
            parser.connection_lost(error, WRITE)
        return parser.result()

    async def _open_connection(self, lease: Lease[AsyncConnection]) -> AsyncConnection:
        """Connect, through the proxy and TLS if there are any. An address that fails later leaves time for the others."""
        import asyncio

        server, port = (self._proxy.host, self._proxy.port) if self._proxy else lease.origin[1:]
        addresses = await resolve(server, port, TaskGate(), lease.deadline)
        while True:
            sock, address = await open_socket_async(server, addresses)
            addresses.remove(address)
            try:
                async with asyncio.timeout(lease.time_left() / (len(addresses) + 1)):
                    return await self._prepare(sock, lease)
            except (OSError, DeadlinePassed):
                if not addresses:
                    raise

    async def _prepare(self, sock: socket.socket, lease: Lease[AsyncConnection]) -> AsyncConnection:
        """Open the proxy's tunnel and start TLS where they are needed. The socket is closed when that fails."""
        import asyncio

        loop = asyncio.get_running_loop()
        tls, host, _ = lease.origin
        try:
            configure(sock)
            if self._proxy:
                await self._open_tunnel(loop, sock, lease)
        except BaseException:
            sock.close()
            raise
        try:
            lease.parser = ResponseParser(
                lease.max_response_bytes
            )  # That of an earlier address may have failed.
            connection_class = AsyncConnection if tls else _buffered_connection_class()
            connection = connection_class(lease.parser)
            await loop.create_connection(
                lambda: cast("asyncio.Protocol", connection),
                sock=sock,
                ssl=tls_context() if tls else None,
                server_hostname=cast("str", encodable_host(host)) if tls else None,
            )
        except BaseException:
            with contextlib.suppress(
                OSError
            ):  # asyncio has closed it, or goes on with a handshake nobody waits for.
                sock.shutdown(socket.SHUT_RDWR)
            raise
        return connection

    async def _open_tunnel(
        self, loop: asyncio.AbstractEventLoop, sock: socket.socket, lease: Lease[AsyncConnection]
    ) -> None:
        assert self._proxy is not None
        reader = ConnectResponseReader()
        await loop.sock_sendall(sock, self._proxy.connect_request(lease.origin))
        while not reader.established:
            reader.feed(await loop.sock_recv(sock, RECV_BYTES))
