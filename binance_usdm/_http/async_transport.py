"""Send requests with asyncio."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING, Final, Self, cast

from binance_usdm._concurrency.gates import TaskGate
from binance_usdm._concurrency.threads import run_awaited

from .addresses import encodable_host, resolve
from .connections.async_connection import AsyncConnection, buffered_connection_class
from .connections.connect import configure, open_socket_async
from .connections.failures import WRITE, failure_from_exception
from .connections.lease import Lease
from .connections.parser import ResponseParser
from .connections.pool import ConnectionPool, send_complete
from .connections.proxy import ConnectResponseReader
from .connections.sync_connection import RECV_BYTES
from .messages import DeadlinePassed, HttpFailure, HttpRequest, HttpResult
from .sync_transport import NETWORK_ERRORS

if TYPE_CHECKING:
    # Blocking calls never load asyncio: it would take a tenth of the time until the first one.
    import asyncio

    import httpx


class AsyncTransport(ConnectionPool[AsyncConnection]):
    """HTTP/1.1 transport for asyncio.

    Safe to share between tasks. Pass one to the clients of several accounts to share the bound of
    connections. Close it after the clients: a client closes only a transport that it made itself.
    A request is never sent twice. Redirects, cookies and the proxies of the environment are not
    used.

    A request that finds no free connection waits, in order of arrival, until its deadline. A
    cancelled request leaves the line, or closes its connection. Connections belong to the event
    loop that opened them. Another loop opens new ones.

    Args:
        proxy: `http://[user:pass@]host[:port]`. The proxy is used by CONNECT, so of an https
            request it sees host and port only.
        max_connections: Connections to one origin, idle ones included.
        keepalive_expiry: Seconds after which an idle connection is closed.
        share_connections: Whether a connection that one API key used may carry the requests of
            another one. This saves TLS handshakes with many accounts. However, when a gateway
            sends a response late or twice, HTTP/1.1 does not show which request it belongs to.
        ssl_context: TLS settings of all connections, such as
            `ssl.create_default_context(cafile=...)` for a private certificate authority. It must
            check certificates and host names. A proxy is reached without TLS.

    Raises:
        ConfigurationError: An argument is invalid. The message never contains its value.

    Example:
        async with AsyncTransport(max_connections=20) as transport:
            async with AsyncClient(key, secret, transport=transport) as client:
                print(await client.balance())
    """

    make_gate = TaskGate
    run_in_thread: Final = staticmethod(run_awaited)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request of httpx and return its response, undecoded.

        It has the form of `httpx.AsyncBaseTransport.handle_async_request()`, for a custom transport
        that wraps this one. Waits for a connection, in order of arrival, then for the response. A
        cancelled caller leaves the line, or closes its connection.

        Args:
            request: A GET without a body, with these extensions, which clients set:
                `deadline` is an instant of `time.monotonic()` that bounds waiting, name
                resolution, connecting, TLS, sending and reading together.
                `max_reply_bytes` bounds a response with all its heads.
                `fresh` forbids idle connections.
                `target` (optional, bytes) is sent instead of the URL's path and query.
                `partition` (optional) separates idle connections; see `share_connections`.

        Raises:
            httpx.TransportError: There is no complete response. It is a `StaleConnection` when the
                server closed an idle connection, and `fresh` may help.
        """
        from . import httpx_adapter

        complete = httpx_adapter.request_from_httpx(request)
        # Keep secrets out of tracebacks: the request's repr shows the URL.
        del request
        if isinstance(complete, HttpFailure):
            return httpx_adapter.response_to_httpx(complete)
        http_request, partition, bounds = complete
        lease = self.lease(http_request.template.origin, partition, **bounds)
        return httpx_adapter.response_to_httpx(
            await send_complete(self, http_request, lease, TaskGate)
        )

    async def aclose(self) -> None:
        """Close all idle connections. Requests that wait for a connection fail, and later ones.

        Returns after two rounds of the event loop, in which it closes the sockets. Requests that
        are being sent end as usual.
        """
        import asyncio

        self._close_all()
        if asyncio._get_running_loop() is None:
            return
        # In the first round the loop aborts the connections, in the second it closes the sockets.
        for _ in range(2):
            await asyncio.sleep(0)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    async def connect(self, lease: Lease[AsyncConnection]) -> HttpFailure | None:
        """Open a connection for the lease, until its deadline.

        Waits for the name, the TCP connection, the proxy and TLS. A cancelled caller leaves no
        socket behind.

        Returns:
            None when the lease has the connection, else why there is none.
        """
        import asyncio

        lease.make_room()
        try:
            async with asyncio.timeout(lease.time_left()):
                lease.adopt(await self._open_connection(lease))
        except NETWORK_ERRORS as error:
            # A TimeoutError of asyncio has no number. The one of the operating system has.
            is_late = isinstance(error, TimeoutError) and error.errno is None
            cause = DeadlinePassed() if is_late else error
            return failure_from_exception(cause, self._connect_phase, self.trust)
        return None

    async def send(self, lease: Lease[AsyncConnection], request: HttpRequest) -> HttpResult:
        """Send a GET and read its response to the end, until the lease's deadline.

        What the network raises becomes a failure. A cancelled caller leaves the response
        unfinished, so that `release()` closes the connection.
        """
        connection = lease.connection
        parser = lease.parser
        assert connection is not None
        lease.was_sent = True
        try:
            # Nothing is sent after the deadline.
            lease.time_left()
            await connection.send(request, parser, lease.deadline)
        except NETWORK_ERRORS as error:
            # Errors after sending are noted by the connection itself.
            parser.connection_lost(error, WRITE)
        return parser.result()

    async def _open_connection(self, lease: Lease[AsyncConnection]) -> AsyncConnection:
        """Connect, and open the proxy's tunnel and start TLS where they are needed.

        An address gets an equal share of the time left, so that others can be tried when TLS or
        the tunnel fails.
        """
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
        """Open the proxy's tunnel and start TLS where they are needed.

        The socket is closed when that fails or is cancelled.
        """
        import asyncio

        loop = asyncio.get_running_loop()
        tls, host, _ = lease.origin
        try:
            configure(sock)
            context = self.tls_context() if tls else None
            if self._proxy:
                await self._open_tunnel(loop, sock, lease)
        except BaseException:
            sock.close()
            raise
        try:
            # The parser of an earlier address may have failed.
            lease.parser = ResponseParser(lease.max_response_bytes, over_tls=tls)
            connection_class = AsyncConnection if tls else buffered_connection_class()
            connection = connection_class(lease.parser)
            await loop.create_connection(
                lambda: cast("asyncio.Protocol", connection),
                sock=sock,
                ssl=context,
                server_hostname=cast("str", encodable_host(host)) if tls else None,
            )
        except BaseException:
            # asyncio has closed the socket, or would go on with a handshake that is not needed.
            with contextlib.suppress(OSError):
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
