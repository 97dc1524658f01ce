"""How one GET travels: sockets, TLS, deadline, reuse. Knows no key, no signature, no retry and no exchange.

Two httpx transports: `SyncTransport` on blocking sockets here, `AsyncTransport` on asyncio next door. They differ in how they wait
and in nothing else. No redirects, cookies, environment or logging; a proxy only by CONNECT; no request is sent twice.
"""

import contextlib
import functools
import os
import select
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Generic, TypeAlias, TypeVar

import httpx

from ._errors import ConfigurationError
from ._http1 import (
    CONNECT,
    QUEUE,
    READ,
    VIA,
    WRITE,
    Call,
    Origin,
    Outcome,
    Proxy,
    ReplyParser,
    Tunnel,
    delivered,
    prepared,
    translated,
)

MAX_CONNECTIONS = 100  # to one origin; more calls than that wait for their turn, each within its deadline
READ_SIZE = 1 << 16
FAILURES = (OSError, ValueError, OverflowError)  # the last two: hosts and ports that no resolver or TLS library takes
Address: TypeAlias = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]  # as getaddrinfo() gives it


@functools.cache
def tls_context() -> ssl.SSLContext:
    """Return the process's TLS settings: TLS 1.2 or newer, certificate and host name checked, the system's trust store.

    Built on first use: loading the store takes about 50 ms. SSL_CERT_FILE and SSL_CERT_DIR replace the store, as
    everywhere with OpenSSL. SSLKEYLOGFILE has no effect; only ssl.create_default_context() reads it.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # implies CERT_REQUIRED and check_hostname
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_default_certs()
    return context


_C = TypeVar("_C")
_T = TypeVar("_T")


class Place(Generic[_C]):
    """The connections to one origin: the idle ones, newest first, and how many calls may be under way. Who came first, goes first."""

    def __init__(self, most: int) -> None:
        self.idle: deque[_C] = deque()
        self._free, self._waiting, self._lock = most, deque[Callable[[], object]](), threading.Lock()

    def enter(self, wake: Callable[[], object] | None = None) -> bool:
        """Take a turn. If there is none, False; then `wake` is called when one was taken for the caller."""
        with self._lock:
            if self._free > 0:
                self._free -= 1
                return True
            if wake is not None:
                self._waiting.append(wake)
            return False

    def leave(self) -> None:
        """Give a turn back."""
        while True:
            with self._lock:
                if not self._waiting:
                    self._free += 1
                    return
                wake = self._waiting.popleft()
            with contextlib.suppress(RuntimeError):  # an event loop that has ended needs no turn
                wake()
                return

    def give_up(self, wake: Callable[[], object]) -> None:
        """Wait no longer; a turn that came meanwhile is given back."""
        with self._lock:
            if wake in self._waiting:
                self._waiting.remove(wake)
                return
        self.leave()


class Pool(Generic[_C]):
    """Connections by origin. Each step on the idle ones is one atomic dict or deque operation, so threads need no lock for them."""

    _usable: Callable[[_C], bool]  # whether an idle connection may carry another call
    _discard: Callable[[_C], None]

    def __init__(self, proxy: Proxy | None = None, *, max_connections: int = MAX_CONNECTIONS) -> None:
        if type(max_connections) is not int or max_connections < 1:
            raise ConfigurationError("max_connections must be a whole number, 1 or more")
        self._proxy, self._connecting, self._closed = proxy, VIA if proxy else CONNECT, False
        self._most = max_connections
        self._places: dict[tuple[int, Origin], Place[_C]] = {}

    def _addresses(self, origin: Origin) -> Future[Sequence[Address]]:
        """Ask where to connect to; the system's resolver takes no time limit."""
        host, port = (self._proxy.host, self._proxy.port) if self._proxy else origin[1:]
        return aside(functools.partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM))

    def _place(self, origin: Origin) -> Place[_C]:
        # Those from before a fork are the parent's, and so are their replies. They stay under its number, unclosed:
        # an event loop's poller is shared with the parent, which would hear no more of a socket closed here.
        key = (os.getpid(), origin)
        return self._places.get(key) or self._places.setdefault(key, Place(self._most))

    def _taken(self, place: Place[_C], call: Call) -> _C | None:
        try:
            while not call.fresh:
                connection = place.idle.pop()
                if self._usable(connection):
                    return connection
                self._discard(connection)
        except IndexError:
            pass
        return None

    def _put_back(self, place: Place[_C], connection: _C | None, reply: ReplyParser) -> None:
        if connection is not None and reply.reusable:
            place.idle.append(connection)
        place.leave()
        if connection is not None and not reply.reusable:
            self._discard(connection)
        # stale: the others were idle for longer; closed: perhaps by another thread just now
        most = 0 if reply.stale or self._closed else self._most
        if len(place.idle) > most:
            self._drop(place.idle, most)

    def _drop(self, idle: deque[_C], but: int) -> None:
        with contextlib.suppress(IndexError):
            while len(idle) > but:
                self._discard(idle.popleft())

    def _shut(self) -> None:
        self._closed = True
        for (process, _), place in list(self._places.items()):
            if process == os.getpid():
                self._drop(place.idle, but=0)


def readable(fd: int) -> bool:
    """Whether an idle socket has anything to read: its end, an error, or bytes nobody asked for."""
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([fd], [], [], 0)[0])
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    return bool(poller.poll(0))


def aside(work: Callable[[], _T]) -> Future[_T]:
    """Begin what may hang, in a thread that nobody must wait for, not even the interpreter at its end."""
    answer: Future[_T] = Future()
    answer.set_running_or_notify_cancel()  # it always comes, wanted or not

    def go() -> None:
        try:
            answer.set_result(work())
        except BaseException as error:  # every failure is that of whoever asks for the result  # noqa: BLE001
            answer.set_exception(error)

    try:
        threading.Thread(target=go, name="binance-usdm", daemon=True).start()
    except RuntimeError as error:  # no more threads, or the interpreter ends
        answer.set_exception(OSError(str(error)))
    return answer


class SyncTransport(Pool[socket.socket], httpx.BaseTransport):
    """What a client sends its calls through by default; make one yourself to share its connections between clients, one an account.

    `max_connections` bounds the calls under way to one origin, and so the connections, kept ones included; further calls wait for their
    turn, first come first served, within their own deadline. Safe for threads. Close it after the clients; closing a client closes it.

    It sends GET requests over blocking sockets; a reply is read to its end and not decoded. A request must have these extensions, as
    those of the clients do: `deadline` (a time.monotonic() instant), which bounds waiting, name resolution, connecting, TLS, sending and
    reading together; `max_reply_bytes`, which bounds a reply with all its heads; `fresh`: whether to use no kept connection. It may have
    `target` (bytes), sent in place of the URL's path and query, and `route`, in place of the rest of it and of the headers.
    Of an https call a `proxy` sees the host and the port only.
    Raises only httpx.TransportError; it is a StaleConnection where `fresh` may help. Nothing is sent twice.
    """

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        call = prepared(request, self._closed)
        del request  # its repr shows the URL, and some tracebacks show locals
        return delivered(self._exchanged(call) if isinstance(call, Call) else call)

    def close(self) -> None:
        self._shut()

    @staticmethod
    def _usable(connection: socket.socket) -> bool:
        return not readable(connection.fileno())

    _discard = staticmethod(socket.socket.close)

    def _exchanged(self, call: Call) -> Outcome:
        place = self._place(call.origin)
        if not place.enter() and not self._turn(place, call):
            return translated(TimeoutError(), QUEUE)
        sock, phase, reply, unsent = None, self._connecting, ReplyParser(call.max_reply_bytes), memoryview(call.head)
        try:
            sock = self._taken(place, call)
            reply.reused = sock is not None
            sock = sock or self._connected(call)
            phase = WRITE
            while unsent:
                sock.settimeout(call.left())
                unsent = unsent[sock.send(unsent) :]
            phase = READ
            while not reply.done:
                sock.settimeout(call.left())
                reply.feed(sock.recv(READ_SIZE))
        except FAILURES as error:
            reply.lose(error, phase)
        finally:
            self._put_back(place, sock, reply)
        return reply.outcome()

    def _turn(self, place: Place[socket.socket], call: Call) -> bool:
        gate = threading.Lock()
        gate.acquire()
        if place.enter(gate.release) or gate.acquire(timeout=max(call.deadline - time.monotonic(), 0)):
            return True
        place.give_up(gate.release)
        return False

    def _connected(self, call: Call) -> socket.socket:
        *others, last = self._addresses(call.origin).result(call.left())
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
                sock.sendall(self._proxy.request(call.origin))
                while not tunnel.open:
                    sock.settimeout(call.left(steps))
                    tunnel.feed(sock.recv(READ_SIZE))
            tls, host, _ = call.origin
            if tls:  # without TLS's own goodbye an end counts as an error: anybody on the way can cause it
                context = tls_context()  # takes its time once
                sock.settimeout(call.left(steps))
                sock = context.wrap_socket(sock, server_hostname=host, suppress_ragged_eofs=False)
        except BaseException:
            sock.close()
            raise
        return sock
