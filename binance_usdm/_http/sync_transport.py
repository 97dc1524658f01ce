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

from .messages import Failure, Outcome
from .parser import QUEUE, READ, WRITE, ReplyParser, failed
from .pool import Address, Place, Pool
from .proxy import Tunnel
from .readiness import Ready
from .tls import tls_context

if TYPE_CHECKING:
    import httpx

    from .messages import Call

READ_SIZE = 1 << 16  # not less than TLS gives at once; of a plain socket, a large reply comes in few pieces
FAILURES = (OSError, ValueError, OverflowError)  # the last two: hosts and ports that no resolver or TLS library takes


class _Stream:
    """One connection: a socket that never blocks, waited for here. Timeouts of its own, set for each step, would cost system calls."""

    __slots__ = ("_incoming", "_socket", "close")

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._socket, self._incoming, self.close = sock, Ready(sock.fileno()), sock.close

    def usable(self) -> bool:
        return not self._incoming.within(0)

    def send(self, data: memoryview, call: Call) -> None:
        while data:
            left = call.left()  # nothing is sent too late
            try:
                data = data[self._socket.send(data) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                if not Ready(self._socket.fileno(), writing=True).within(left):
                    raise TimeoutError from None

    def receive(self, call: Call) -> bytes:
        while self._incoming.within(call.left()):
            try:
                return self._socket.recv(READ_SIZE)
            except (BlockingIOError, ssl.SSLWantReadError):
                pass  # a part of what TLS gives at once
        raise TimeoutError


class SyncTransport(Pool[_Stream]):
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

        call = border.call_of(request)
        del request  # its repr shows the URL, and some tracebacks show locals
        return border.delivered(call if isinstance(call, Failure) else self.exchange(call))

    def close(self) -> None:
        self._shut()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    _usable = staticmethod(_Stream.usable)

    @staticmethod
    def _discard(connection: _Stream) -> None:
        connection.close()

    def exchange(self, call: Call) -> Outcome:
        """Send a GET and read its reply to the end; whatever the network does, nothing is raised."""
        if refused := self._refused(call):
            return refused
        stream, phase, parser = None, self._connect_phase, ReplyParser(call.max_reply_bytes)
        place = self._place(call.route.origin)
        if not place.enter() and not self._turn(place, call):
            return failed(TimeoutError(), QUEUE)
        try:
            stream = self._taken(place, call)
            parser.reused = stream is not None
            stream = stream or _Stream(self._connected(call))
            phase = WRITE
            stream.send(memoryview(call.head), call)  # no byte shows in a view's repr: some tracebacks show locals
            phase = READ
            while not parser.done:
                parser.feed(stream.receive(call))
        except FAILURES as error:
            parser.lose(error, phase)
        finally:
            self._put_back(place, stream, parser)
        return parser.outcome()

    def _turn(self, place: Place[_Stream], call: Call) -> bool:
        gate = threading.Lock()
        gate.acquire()
        if place.enter(gate.release):
            return True
        mine = False
        try:
            mine = gate.acquire(timeout=max(call.deadline - time.monotonic(), 0))
        finally:  # an interrupt keeps no turn from the others
            if not mine:
                place.give_up(gate.release)
        return mine

    def _connected(self, call: Call) -> socket.socket:
        *others, last = self._addresses(call.route.origin).result(call.left())
        for index, address in enumerate(others):
            with contextlib.suppress(OSError):
                return self._opened(call, address, len(others) + 1 - index)
        return self._opened(call, last, 1)

    def _opened(self, call: Call, address: Address, steps: int) -> socket.socket:
        family, kind, protocol, _, place = address
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(call.left(steps))  # an address that swallows packets leaves time for the next one
            sock.connect(place)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._proxy:
                tunnel = Tunnel()
                sock.sendall(self._proxy.request(call.route.origin))
                while not tunnel.open:
                    sock.settimeout(call.left(steps))
                    tunnel.feed(sock.recv(READ_SIZE))
            tls, host, _ = call.route.origin
            if tls:  # without TLS's own goodbye an end counts as an error: anybody on the way can cause it
                context = tls_context()  # takes its time once
                sock.settimeout(call.left(steps))
                sock = context.wrap_socket(sock, server_hostname=host, suppress_ragged_eofs=False)
        except BaseException:
            sock.close()
            raise
        return sock
