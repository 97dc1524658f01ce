"""How one GET travels: sockets, TLS, deadline, reuse. Knows no key, no signature, no retry and no exchange.

Two transports: `SyncTransport` on blocking sockets here, `AsyncTransport` on asyncio next door. They differ in how they wait
and in nothing else. No redirects, cookies, environment or logging; a proxy only by CONNECT; none sends a request twice.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, Self

from .messages import HttpFailure, HttpResult
from .parser import POOL, READ, WRITE, ResponseParser, failure_from_exception
from .pool import AddressInfo, ConnectionPool, OriginPool
from .proxy import ConnectResponseReader
from .readiness import SocketWaiter
from .tls import tls_context

if TYPE_CHECKING:
    import httpx

    from .messages import HttpRequest

RECV_BYTES = 1 << 16  # not less than TLS gives at once; of a plain socket, a large reply comes in few pieces
NETWORK_ERRORS = (
    OSError,
    ValueError,
    OverflowError,
)  # the last two: hosts and ports that no resolver or TLS library takes


class SyncConnection:
    """One connection: a socket that never blocks, waited for here. Timeouts of its own, set for each step, would cost system calls."""

    __slots__ = ("_incoming", "_socket", "close")

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._socket, self._incoming, self.close = sock, SocketWaiter(sock.fileno()), sock.close

    def is_usable(self) -> bool:
        return not self._incoming.wait(0)

    def send(self, data: memoryview, call: HttpRequest) -> None:
        while data:
            left = call.time_left()  # nothing is sent too late
            try:
                data = data[self._socket.send(data) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                if not SocketWaiter(self._socket.fileno(), writing=True).wait(left):
                    raise TimeoutError from None

    def receive(self, call: HttpRequest) -> bytes:
        while self._incoming.wait(call.time_left()):
            try:
                return self._socket.recv(RECV_BYTES)
            except (BlockingIOError, ssl.SSLWantReadError):
                pass  # a part of what TLS gives at once
        raise TimeoutError


class SyncTransport(ConnectionPool[SyncConnection]):
    """What a client sends its calls through by default; make one yourself to share its connections between clients, one an account.

    `max_connections` bounds the calls under way to one origin, and so the connections, kept ones included; further calls wait for their
    turn, first come first served, within their own deadline. Safe for threads. Close it after the clients; closing a client closes it.
    `proxy` is as that of a client: of an https call it sees the host and the port only. Nothing is sent twice.

    `handle_request` is for a transport of yours that stands before this one: it takes and gives what those of httpx do. The bounds are in
    the request's extensions, as clients write them: `deadline` (a time.monotonic() instant) for waiting, name resolution, connecting, TLS,
    sending and reading together; `max_reply_bytes` for a reply with all its heads; `fresh`: whether to use no kept connection; perhaps
    `target` (bytes), sent in place of the URL's path and query. A reply is not decoded.
    It raises only httpx.TransportError: a StaleConnection where `fresh` may help.
    """

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        from . import httpx_adapter as border

        call = border.request_from_httpx(request)
        del request  # its repr shows the URL, and some tracebacks show locals
        return border.response_to_httpx(call if isinstance(call, HttpFailure) else self.send(call))

    def close(self) -> None:
        self._close_all_idle()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    _is_usable = staticmethod(SyncConnection.is_usable)

    @staticmethod
    def _discard(connection: SyncConnection) -> None:
        connection.close()

    def send(self, call: HttpRequest) -> HttpResult:
        """Send a GET and read its reply to the end; whatever the network does, nothing is raised."""
        if refused := self._rejection(call):
            return refused
        stream, phase, parser = None, self._connect_phase, ResponseParser(call.max_reply_bytes)
        place = self._origin_pool(call.route.origin)
        if not place.acquire_slot() and not self._wait_for_slot(place, call):
            return failure_from_exception(TimeoutError(), POOL)
        try:
            stream = self._pop_idle(place, call)
            parser.on_reused_connection = stream is not None
            stream = stream or SyncConnection(self._connect(call))
            phase = WRITE
            stream.send(memoryview(call.head), call)  # no byte shows in a view's repr: some tracebacks show locals
            phase = READ
            while not parser.complete:
                parser.feed(stream.receive(call))
        except NETWORK_ERRORS as error:
            parser.connection_lost(error, phase)
        finally:
            self._release(place, stream, parser)
        return parser.result()

    def _wait_for_slot(self, place: OriginPool[SyncConnection], call: HttpRequest) -> bool:
        gate = threading.Lock()
        gate.acquire()
        if place.acquire_slot(gate.release):
            return True
        mine = False
        try:
            mine = gate.acquire(timeout=max(call.deadline - time.monotonic(), 0))
        finally:  # an interrupt keeps no turn from the others
            if not mine:
                place.cancel_wait(gate.release)
        return mine

    def _connect(self, call: HttpRequest) -> socket.socket:
        *others, last = self._resolve(call.route.origin).result(call.time_left())
        for index, address in enumerate(others):
            with contextlib.suppress(OSError):
                return self._open_connection(call, address, len(others) + 1 - index)
        return self._open_connection(call, last, 1)

    def _open_connection(self, call: HttpRequest, address: AddressInfo, shares: int) -> socket.socket:
        family, kind, protocol, _, place = address
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(call.time_left(shares))  # an address that swallows packets leaves time for the next one
            sock.connect(place)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._proxy:
                tunnel = ConnectResponseReader()
                sock.sendall(self._proxy.connect_request(call.route.origin))
                while not tunnel.established:
                    sock.settimeout(call.time_left(shares))
                    tunnel.feed(sock.recv(RECV_BYTES))
            tls, host, _ = call.route.origin
            if tls:  # without TLS's own goodbye an end counts as an error: anybody on the way can cause it
                context = tls_context()  # takes its time once
                sock.settimeout(call.time_left(shares))
                sock = context.wrap_socket(sock, server_hostname=host, suppress_ragged_eofs=False)
        except BaseException:
            sock.close()
            raise
        return sock
