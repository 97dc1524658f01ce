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
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Generic, TypeAlias, TypeVar

import httpx

from ._http1 import CONNECT, READ, VIA, WRITE, Call, Origin, Outcome, Proxy, ReplyParser, Tunnel, delivered, prepared

MAX_IDLE = 1000  # only bursts fill it; closing what a burst needed would make the next one pay for as many handshakes
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


class Pool(Generic[_C]):
    """Idle connections by origin, newest first. Each step is one atomic dict or deque operation, so threads need no lock."""

    _usable: Callable[[_C], bool]  # whether an idle connection may carry another call
    _discard: Callable[[_C], None]

    def __init__(self, proxy: Proxy | None = None) -> None:
        self._proxy, self._connecting, self._closed = proxy, VIA if proxy else CONNECT, False
        self._stacks: dict[tuple[int, Origin], deque[_C]] = {}

    def _addresses(self, origin: Origin) -> Future[Sequence[Address]]:
        """Ask where to connect to; the system's resolver takes no time limit."""
        host, port = (self._proxy.host, self._proxy.port) if self._proxy else origin[1:]
        return aside(functools.partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM))

    def _idle(self, origin: Origin) -> deque[_C]:
        # Those from before a fork are the parent's, and so are their replies. They stay under its number, unclosed:
        # an event loop's poller is shared with the parent, which would hear no more of a socket closed here.
        return self._stacks.setdefault((os.getpid(), origin), deque())

    def _taken(self, call: Call) -> _C | None:
        idle = self._idle(call.origin)
        with contextlib.suppress(IndexError):
            while not call.fresh:
                connection = idle.pop()
                if self._usable(connection):
                    return connection
                self._discard(connection)
        return None

    def _put_back(self, origin: Origin, connection: _C | None, reply: ReplyParser) -> None:
        idle = self._idle(origin)
        if connection is not None and reply.reusable:
            idle.append(connection)
        elif connection is not None:
            self._discard(connection)
        # stale: the others were idle for longer; closed: perhaps by another thread just now
        self._drop(idle, but=0 if reply.stale or self._closed else MAX_IDLE)

    def _drop(self, idle: deque[_C], but: int) -> None:
        with contextlib.suppress(IndexError):
            while len(idle) > but:
                self._discard(idle.popleft())

    def _shut(self) -> None:
        self._closed = True
        for (process, _), idle in list(self._stacks.items()):
            if process == os.getpid():
                self._drop(idle, but=0)


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
    """Sends GET requests over blocking sockets; a reply is read to its end and not decoded. Safe for threads.

    A request must have these extensions: `target` (bytes), which is sent in place of the URL's path and query; `deadline`
    (a time.monotonic() instant), which bounds name resolution, connecting, TLS, sending and reading together;
    `max_reply_bytes`, which bounds a reply with all its heads; `fresh`: whether to use no kept connection.
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
        phase, sock, unsent = self._connecting, self._taken(call), memoryview(call.head)
        reply = ReplyParser(call.max_reply_bytes, reused=sock is not None)
        try:
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
            self._put_back(call.origin, sock, reply)
        return reply.outcome()

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
