"""How one GET travels: sockets, TLS, deadline, reuse. Knows no key, no signature, no retry and no exchange.

Two httpx transports: `SyncTransport` on blocking sockets here, `AsyncTransport` on asyncio next door. They differ in how they wait
and in nothing else. No redirects, proxies, cookies, environment or logging; no request is sent twice.
"""

import contextlib
import errno
import functools
import os
import queue
import select
import socket
import ssl
import threading
from abc import ABC, abstractmethod
from collections import deque
from typing import Any, Generic, TypeVar

import httpx

from ._http1 import CONNECT, READ, WRITE, Call, Origin, Outcome, ReplyParser, delivered, prepared, translated

MAX_REPLY_BYTES = 1 << 20  # 500 assets are about 120 kB
MAX_IDLE = 1000  # only bursts fill it; closing what a burst needed would make the next one pay for as many handshakes
_READ_SIZE = 1 << 16
FAILURES = (OSError, ValueError, OverflowError)  # the last two: hosts and ports that no resolver or TLS library takes


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


class Pool(ABC, Generic[_C]):
    """Idle connections by origin, newest first. Each step is one atomic deque operation, so threads need no lock."""

    def __init__(
        self,
        *,
        ssl_context: ssl.SSLContext | None = None,
        max_reply_bytes: int = MAX_REPLY_BYTES,
        max_idle: int = MAX_IDLE,
    ) -> None:
        self._tls, self._limit, self._max_idle, self._closed = ssl_context, max_reply_bytes, max_idle, False
        self._stacks: dict[Origin, deque[_C]] = {}
        self._inherited = self._stacks
        self._pid = os.getpid()

    @abstractmethod
    def _usable(self, connection: _C) -> bool: ...

    @abstractmethod
    def _discard(self, connection: _C) -> None: ...

    def _here(self) -> dict[Origin, deque[_C]]:
        """The idle connections of this process: those from before a fork are the parent's, and so are their replies."""
        if self._pid != os.getpid():
            self._pid, self._stacks, self._inherited = (
                os.getpid(),
                {},
                self._stacks,
            )  # kept: closing could end the parent's
        return self._stacks

    def _context(self) -> ssl.SSLContext:
        return self._tls or tls_context()

    def _taken(self, origin: Origin) -> _C | None:
        stack = self._here().get(origin)
        with contextlib.suppress(IndexError):
            while stack:
                connection = stack.pop()
                if self._usable(connection):
                    return connection
                self._discard(connection)
        return None

    def _keep(self, origin: Origin, connection: _C) -> None:
        stack = self._here().setdefault(origin, deque())
        stack.append(connection)
        with contextlib.suppress(IndexError):
            while len(stack) > self._max_idle or self._closed:  # closed: perhaps by another thread just now
                self._discard(stack.popleft())

    def _shut(self) -> None:
        self._closed = True
        for stack in list(self._here().values()):
            with contextlib.suppress(IndexError):
                while True:
                    self._discard(stack.pop())


def readable(fd: int) -> bool:
    """Whether an idle socket has anything to read: its end, an error, or bytes nobody asked for."""
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([fd], [], [], 0)[0])
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    return bool(poller.poll(0))


def _resolved(host: str, port: int, seconds: float | None) -> list[Any]:
    """The addresses of a host. The system's resolver takes no time limit, so it works in a thread that nobody waits for longer."""
    answers: queue.SimpleQueue[list[Any] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
        except Exception as error:  # every failure is the caller's  # noqa: BLE001
            answers.put(error)

    if ":" in host or host.replace(".", "").isdigit():
        ask()  # an address needs no resolver
    else:
        threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        answer = TimeoutError()
    if isinstance(answer, Exception):
        raise answer
    return answer


class SyncTransport(Pool[socket.socket], httpx.BaseTransport):
    """Sends GET requests over blocking sockets; a reply is read to its end and not decoded. Safe for threads.

    Request extensions: `target` (bytes) replaces the URL's path and query on the wire; `deadline` (a time.monotonic()
    instant) bounds name resolution, connecting, TLS, sending and reading together; without it the smallest of httpx's
    `timeout` values does. `max_reply_bytes` bounds a reply with all its heads, `max_idle` the connections kept
    for an origin. Raises only httpx.TransportError.
    """

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        call = prepared(request, self._closed)
        del request  # its repr shows the URL, and some tracebacks show locals
        return delivered(self._exchanged(call) if isinstance(call, Call) else call)

    def close(self) -> None:
        self._shut()

    def _usable(self, connection: socket.socket) -> bool:
        return not readable(connection.fileno())

    def _discard(self, connection: socket.socket) -> None:
        connection.close()

    def _exchanged(self, call: Call) -> Outcome:
        phase, sock, reply, unsent = CONNECT, None, ReplyParser(self._limit), memoryview(call.head)
        try:
            sock = self._taken(call.origin) or self._connected(call)
            phase = WRITE
            while unsent:
                sock.settimeout(call.left())
                unsent = unsent[sock.send(unsent) :]
            phase = READ
            while not reply.done:
                sock.settimeout(call.left())
                reply.feed(sock.recv(_READ_SIZE))
            if reply.reusable:
                self._keep(call.origin, sock)
                sock = None
            return reply.outcome()
        except FAILURES as error:
            return translated(error, phase)
        finally:
            if sock is not None:
                sock.close()

    def _connected(self, call: Call) -> socket.socket:
        tls, host, port = call.origin
        addresses = _resolved(host, port, call.left())
        for steps, (family, kind, protocol, _, address) in zip(range(len(addresses), 0, -1), addresses, strict=True):
            sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(call.left(steps))  # an address that swallows packets leaves time for the next one
                sock.connect(address)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if tls:  # without TLS's own goodbye an end counts as an error: anybody on the way can cause it
                    sock = self._context().wrap_socket(
                        sock, server_hostname=host, do_handshake_on_connect=False, suppress_ragged_eofs=False
                    )
                    sock.settimeout(call.left(steps))
                    sock.do_handshake()
                return sock
            except BaseException as error:
                sock.close()
                if steps == 1 or not isinstance(error, OSError):
                    raise
        raise OSError(errno.EADDRNOTAVAIL, "no address")
