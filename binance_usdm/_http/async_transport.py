"""Send requests with asyncio."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING, Self, cast

from binance_usdm._gates import TaskGate
from binance_usdm._threads import run_awaited

from .addresses import encodable_host, resolve
from .async_connection import AsyncConnection, buffered_connection_class
from .connect import configure, open_socket_async
from .messages import DeadlinePassed, HttpFailure, HttpRequest, HttpResult
from .parser import WRITE, ResponseParser, failure_from_exception
from .pool import ConnectionPool, Lease, send_complete
from .proxy import ConnectResponseReader
from .sync_transport import NETWORK_ERRORS, RECV_BYTES
from .tls import tls_context

if TYPE_CHECKING:
    # Blocking calls never load asyncio: it would take a tenth of the time until the first one.
    import asyncio

    import httpx


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
            connection_class = AsyncConnection if tls else buffered_connection_class()
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
