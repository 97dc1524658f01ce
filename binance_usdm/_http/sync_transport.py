"""Send requests over blocking sockets."""

from __future__ import annotations

import socket
import ssl
import time
from typing import TYPE_CHECKING, Any, Self

from binance_usdm._gates import ThreadGate, run_to_end
from binance_usdm._interrupts import raise_if_from_handler
from binance_usdm._threads import run_blocking

from .addresses import AddressInfo, encodable_host, resolve
from .connect import configure, open_socket
from .messages import DeadlinePassed, HttpFailure, HttpRequest, HttpResult, time_until
from .parser import READ, WRITE, failure_from_exception
from .pool import ConnectionPool, Lease, send_complete
from .proxy import ConnectResponseReader
from .readiness import SocketWaiter
from .tls import tls_context

if TYPE_CHECKING:
    import httpx

RECV_BYTES = 1 << 16
"""Not less than TLS gives at once; of a plain socket, a large response comes in few pieces."""
NETWORK_ERRORS = (OSError, ValueError, OverflowError, DeadlinePassed)
"""What the network raises; ValueError and OverflowError: for hosts and ports that no resolver or TLS library takes."""


class SyncConnection:
    """A socket that never blocks, and is waited for here: time-outs of a socket would cost system calls."""

    __slots__ = ("_incoming", "_socket", "abort")

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._incoming = SocketWaiter(sock.fileno())
        self.abort = sock.close

    def is_usable(self) -> bool:
        """Return whether nothing came on the idle connection: bytes, its end or an error."""
        return not self._incoming.wait(0)

    def send(self, data: memoryview, lease: Lease[Any]) -> None:
        """Send all bytes. Raises DeadlinePassed, or what the socket raises."""
        while data:
            left = lease.time_left()  # Nothing is sent too late.
            try:
                data = data[self._socket.send(data) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                if not SocketWaiter(self._socket.fileno(), writing=True).wait(left):
                    raise DeadlinePassed from None

    def receive(self, lease: Lease[Any]) -> bytes:
        """Return the bytes that came, b"" at the end. Raises DeadlinePassed, or what the socket raises."""
        while self._incoming.wait(lease.time_left()):
            try:
                return self._socket.recv(RECV_BYTES)
            except (BlockingIOError, ssl.SSLWantReadError):
                pass  # A part of what TLS gives at once.
        raise DeadlinePassed


def is_socket_timeout(error: BaseException) -> bool:
    """Return whether a socket's own time-out raised this: the system's ETIMEDOUT has a number, a handler's has frames."""
    if not isinstance(error, TimeoutError) or error.errno is not None:
        return False
    raise_if_from_handler(error)
    return True


class SyncTransport(ConnectionPool[SyncConnection]):
    """HTTP/1.1 transport on blocking sockets. Safe for threads.

    Share one between the clients of several accounts to share the bound of connections. Close it after the clients: a
    client closes only a transport that it made itself. Requests are never sent twice, and redirects, cookies and the
    environment's proxies are not used.

    Args:
        proxy: `http://[user:pass@]host[:port]`, used by CONNECT: of an https request it sees host and port only.
        max_connections: Connections to one origin, idle ones included. Further requests wait, first come, first served,
            within their own deadline.
        keepalive_expiry: Seconds after which an idle connection is closed.
        share_connections: Whether a connection that one API key used may carry another key's requests. It saves
            handshakes with many accounts; HTTP/1.1 cannot tell whose response a gateway sends late or twice.

    `handle_request` is for a transport of yours that stands before this one: it takes and gives what those of httpx do. The bounds are in
    the request's extensions, as clients write them: `deadline` (a time.monotonic() instant) for waiting, name resolution, connecting, TLS,
    sending and reading together; `max_reply_bytes` for a response with all its heads; `fresh`: whether to use no idle connection; perhaps
    `target` (bytes), sent instead of the URL's path and query. A response is not decoded.
    It raises only httpx.TransportError: a StaleConnection where `fresh` may help.
    """

    make_gate = ThreadGate
    run_in_thread = staticmethod(run_blocking)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        from . import httpx_adapter

        complete = httpx_adapter.request_from_httpx(request)
        del request  # Keep secrets out of tracebacks: its repr shows the URL.
        if isinstance(complete, HttpFailure):
            return httpx_adapter.response_to_httpx(complete)
        http_request, partition, bounds = complete
        lease = self.lease(http_request.template.origin, partition, **bounds)
        return httpx_adapter.response_to_httpx(
            run_to_end(send_complete(self, http_request, lease, ThreadGate))
        )

    def close(self) -> None:
        """Close all idle connections; requests that wait for a connection fail, later ones too."""
        self._close_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    async def connect(self, lease: Lease[SyncConnection]) -> HttpFailure | None:
        """Open a connection for the lease: names, TCP, proxy, TLS. Returns why there is none. Never suspends."""
        lease.make_room()
        try:
            lease.adopt(SyncConnection(self._open_connection(lease)))
        except NETWORK_ERRORS as error:
            raise_if_from_handler(error)
            failure = failure_from_exception(error, self._connect_phase)
        else:
            return None
        return failure

    async def send(self, lease: Lease[SyncConnection], request: HttpRequest) -> HttpResult:
        """Send a GET and read its response to the end. The network raises nothing. Never suspends."""
        connection, parser, phase = lease.connection, lease.parser, WRITE
        assert connection is not None
        lease.was_sent = True
        try:
            connection.send(memoryview(request.encode()), lease)  # No byte shows in a view's repr.
            phase = READ
            while not parser.complete:
                parser.feed(connection.receive(lease))
        except NETWORK_ERRORS as error:
            raise_if_from_handler(error)
            parser.connection_lost(error, phase)
        return parser.result()

    def _open_connection(self, lease: Lease[SyncConnection]) -> socket.socket:
        """Connect, through the proxy and TLS if there are any. An address that fails later leaves time for the others."""
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
        """Return the addresses of the server, or of the proxy. Raises DeadlinePassed, or what the resolver raises."""
        return run_to_end(resolve(*self._server(lease), ThreadGate(), lease.deadline))

    def _server(self, lease: Lease[SyncConnection]) -> tuple[str, int]:
        return (self._proxy.host, self._proxy.port) if self._proxy else lease.origin[1:]

    def _prepare(
        self, sock: socket.socket, lease: Lease[SyncConnection], deadline: float
    ) -> socket.socket:
        """Open the proxy's tunnel and start TLS where they are needed. The socket is closed when that fails."""
        try:
            configure(sock)
            if self._proxy:
                self._open_tunnel(sock, lease, deadline)
            if lease.origin[0]:
                return start_tls(sock, lease.origin[1], deadline)
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


def start_tls(sock: socket.socket, host: str, deadline: float) -> ssl.SSLSocket:
    """Agree on TLS and check the server's certificate."""
    context = tls_context()  # It takes its time once.
    sock.settimeout(time_until(deadline))
    # Without close_notify an end counts as an error: anybody on the path can cause it.
    return context.wrap_socket(
        sock, server_hostname=encodable_host(host), suppress_ragged_eofs=False
    )
