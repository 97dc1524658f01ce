"""Send requests over blocking sockets."""

from __future__ import annotations

import socket
import ssl
import time
from typing import TYPE_CHECKING, Final, Self

from binance_usdm._concurrency.gates import ThreadGate, run_to_end
from binance_usdm._concurrency.interrupts import raise_if_from_handler
from binance_usdm._concurrency.threads import run_blocking

from .addresses import AddressInfo, encodable_host, resolve
from .connections.connect import configure, open_socket
from .connections.failures import READ, WRITE, failure_from_exception
from .connections.lease import Lease
from .connections.pool import ConnectionPool, send_complete
from .connections.proxy import ConnectResponseReader
from .connections.sync_connection import RECV_BYTES, SyncConnection
from .messages import DeadlinePassed, HttpFailure, HttpRequest, HttpResult, time_until

if TYPE_CHECKING:
    import httpx

NETWORK_ERRORS = (OSError, ValueError, OverflowError, DeadlinePassed)
"""What the network raises.

ValueError and OverflowError are for hosts and ports that the resolver or TLS does not accept.
"""


def is_socket_timeout(error: BaseException) -> bool:
    """Return whether the timeout of a socket raised this, and not the system's ETIMEDOUT.

    Raises:
        TimeoutError: A signal handler raised the error.
    """
    # ETIMEDOUT has a number, and the error of a handler has the handler's frame.
    if not isinstance(error, TimeoutError) or error.errno is not None:
        return False
    raise_if_from_handler(error)
    return True


class SyncTransport(ConnectionPool[SyncConnection]):
    """HTTP/1.1 transport on blocking sockets.

    Safe to share between threads. Pass one to the clients of several accounts to share the bound
    of connections. Close it after the clients: a client closes only a transport that it made
    itself. A request is never sent twice. Redirects, cookies and the proxies of the environment
    are not used.

    A request that finds no free connection waits, in order of arrival, until its deadline. An
    interrupted request leaves the line, or closes its connection.

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
        with SyncTransport(max_connections=20) as transport:
            with Client(key, secret, transport=transport) as client:
                print(client.balance())
    """

    make_gate = ThreadGate
    run_in_thread: Final = staticmethod(run_blocking)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request of httpx and return its response, undecoded.

        It has the form of `httpx.BaseTransport.handle_request()`, for a custom transport that wraps
        this one. Waits for a connection, in order of arrival, then for the response. An
        interrupted caller leaves the line, or closes its connection.

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
            run_to_end(send_complete(self, http_request, lease, ThreadGate))
        )

    def close(self) -> None:
        """Close all idle connections. Requests that wait for a connection fail, and later ones.

        Requests that are being sent end as usual.
        """
        self._close_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    async def connect(self, lease: Lease[SyncConnection]) -> HttpFailure | None:
        """Open a connection for the lease, until its deadline. Never suspends.

        Waits for the name, the TCP connection, the proxy and TLS. An interrupted caller leaves no
        socket behind.

        Returns:
            None when the lease has the connection, else why there is none.
        """
        lease.make_room()
        try:
            lease.adopt(SyncConnection(self._open_connection(lease)))
        except NETWORK_ERRORS as error:
            raise_if_from_handler(error)
            return failure_from_exception(error, self._connect_phase, self.trust)
        return None

    async def send(self, lease: Lease[SyncConnection], request: HttpRequest) -> HttpResult:
        """Send a GET and read its response to the end, until the lease's deadline.

        Never suspends. What the network raises becomes a failure. An interrupted caller leaves the
        response unfinished, so that `release()` closes the connection.
        """
        connection = lease.connection
        parser = lease.parser
        phase = WRITE
        assert connection is not None
        lease.was_sent = True
        try:
            # Keep secrets out of tracebacks: the repr of a memoryview shows no byte.
            connection.send(memoryview(request.encode()), lease)
            phase = READ
            while not parser.complete:
                parser.feed(connection.receive(lease))
        except NETWORK_ERRORS as error:
            raise_if_from_handler(error)
            parser.connection_lost(error, phase)
        return parser.result()

    def _open_connection(self, lease: Lease[SyncConnection]) -> socket.socket:
        """Connect, and open the proxy's tunnel and start TLS where they are needed.

        An address gets an equal share of the time left, so that others can be tried when TLS or
        the tunnel fails.
        """
        addresses = self._resolve(lease)
        while True:
            deadline = lease.deadline
            sock, address = open_socket(self._server(lease)[0], addresses, deadline)
            addresses.remove(address)
            if addresses:
                deadline = time.monotonic() + lease.time_left() / (len(addresses) + 1)
            try:
                return self._prepare(sock, lease, deadline)
            except (OSError, DeadlinePassed) as error:
                raise_if_from_handler(error)
                if not addresses:
                    raise

    def _resolve(self, lease: Lease[SyncConnection]) -> list[AddressInfo]:
        """Return the addresses of the server, or of the proxy.

        Raises:
            DeadlinePassed: The lease's deadline came first.
            OSError: The resolver failed.
        """
        return run_to_end(resolve(*self._server(lease), ThreadGate(), lease.deadline))

    def _server(self, lease: Lease[SyncConnection]) -> tuple[str, int]:
        return (self._proxy.host, self._proxy.port) if self._proxy else lease.origin[1:]

    def _prepare(
        self, sock: socket.socket, lease: Lease[SyncConnection], deadline: float
    ) -> socket.socket:
        """Open the proxy's tunnel and start TLS where they are needed.

        The socket is closed when that fails or is interrupted.
        """
        try:
            configure(sock)
            if self._proxy:
                self._open_tunnel(sock, lease, deadline)
            if lease.origin[0]:
                return start_tls(sock, lease.origin[1], deadline, self.tls_context())
        except BaseException as error:
            sock.close()
            if is_socket_timeout(error):
                raise DeadlinePassed from None
            raise
        return sock

    def _open_tunnel(
        self, sock: socket.socket, lease: Lease[SyncConnection], deadline: float
    ) -> None:
        assert self._proxy is not None
        reader = ConnectResponseReader()
        sock.settimeout(time_until(deadline))
        sock.sendall(self._proxy.connect_request(lease.origin))
        while not reader.established:
            sock.settimeout(time_until(deadline))
            reader.feed(sock.recv(RECV_BYTES))


def start_tls(
    sock: socket.socket, host: str, deadline: float, context: ssl.SSLContext
) -> ssl.SSLSocket:
    """Start TLS and check the server's certificate.

    Args:
        sock: A connected socket, which the result replaces.
        host: The name that the certificate must have.
        deadline: Instant of `time.monotonic()`.
        context: TLS settings. The first ones of a process take time to load, so they are made
            before the time left is computed.
    """
    sock.settimeout(time_until(deadline))
    # An end without close_notify counts as an error, since any host on the path can cause one.
    return context.wrap_socket(
        sock, server_hostname=encodable_host(host), suppress_ragged_eofs=False
    )
