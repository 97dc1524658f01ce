"""Open TCP connections to the first address that answers (RFC 8305)."""

from __future__ import annotations

import errno
import os
import select
import socket
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from binance_usdm._interrupts import raise_if_from_handler

from .addresses import AddressInfo
from .messages import DeadlinePassed

if TYPE_CHECKING:
    import asyncio

ATTEMPT_DELAY_SECONDS: Final = 0.25
"""How long an address may take before the next one is tried beside it (RFC 8305, 5)."""
UNACKNOWLEDGED_MS: Final = 4_000
"""How long sent bytes may stay unacknowledged before the system ends the connection, where it can (RFC 5482)."""
_PREFERENCE_SECONDS: Final = 600.0
_PENDING: Final = {
    errno.EINPROGRESS,
    errno.EWOULDBLOCK,
    errno.EALREADY,
    getattr(errno, "WSAEWOULDBLOCK", -1),
}

_preferred: Final[dict[str, tuple[int, float]]] = {}


def order_addresses(host: str, addresses: Sequence[AddressInfo]) -> list[AddressInfo]:
    """Return the addresses with families in turn, beginning with the one that worked lately (RFC 8305, 4)."""
    if not addresses:
        return []
    first_family = addresses[0][0]
    preferred = _preferred.get(host)
    if preferred is not None and time.monotonic() < preferred[1]:
        first_family = socket.AddressFamily(preferred[0])
    first = [address for address in addresses if address[0] == first_family]
    others = [address for address in addresses if address[0] != first_family]
    ordered: list[AddressInfo] = []
    while first or others:
        ordered += first[:1] + others[:1]
        first, others = first[1:], others[1:]
    return ordered


def _remember_family(host: str, family: int) -> None:
    """Begin with this address family for a while."""
    if len(_preferred) > 1000:
        _preferred.clear()
    _preferred[host] = (family, time.monotonic() + _PREFERENCE_SECONDS)


def configure(sock: socket.socket) -> None:
    """Set the options of a connected socket."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
        except OSError as error:
            raise_if_from_handler(error)


class _Attempts:
    """Connections to several addresses, begun one after another; at most one is kept."""

    def __init__(self, host: str, addresses: Sequence[AddressInfo]) -> None:
        self._host = host
        self.waiting = order_addresses(host, addresses)
        self.pending: dict[int, tuple[socket.socket, AddressInfo]] = {}
        self._failure: OSError | None = None

    def begin_next(self) -> None:
        """Begin to connect to the next address that takes a socket. Raises the last OSError when none is left."""
        while self.waiting:
            address = self.waiting.pop(0)
            try:
                sock = _begin_connect(address)
            except OSError as error:
                raise_if_from_handler(error)
                self._failure = error
                continue
            self.pending[sock.fileno()] = (sock, address)
            return
        if not self.pending:
            raise self._failure or OSError("the name has no address")

    def take_connected(self, fds: list[int]) -> tuple[socket.socket, AddressInfo] | None:
        """Return the first of these sockets that is connected; those that failed are closed."""
        for fd in fds:
            sock, address = self.pending.pop(fd)
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if not code:
                _remember_family(self._host, address[0])
                return sock, address
            sock.close()
            self._failure = OSError(code, os.strerror(code))
        return None

    def close(self) -> None:
        """Close every socket that was not taken."""
        for sock, _ in self.pending.values():
            sock.close()


def open_socket(
    host: str, addresses: Sequence[AddressInfo], deadline: float
) -> tuple[socket.socket, AddressInfo]:
    """Connect to the first address that answers: each begins a quarter of a second after the one before it.

    Raises DeadlinePassed, or the OSError of the last address that failed. No other socket stays open.
    """
    attempts = _Attempts(host, addresses)
    try:
        while True:
            attempts.begin_next()
            left = deadline - time.monotonic()
            if left <= 0:
                raise DeadlinePassed
            seconds = min(left, ATTEMPT_DELAY_SECONDS) if attempts.waiting else left
            connected = attempts.take_connected(_wait_writable(list(attempts.pending), seconds))
            if connected is not None:
                return connected
    finally:
        attempts.close()


async def open_socket_async(
    host: str, addresses: Sequence[AddressInfo]
) -> tuple[socket.socket, AddressInfo]:
    """Connect as `open_socket` does, with asyncio and without a deadline. A cancelled caller leaves no socket behind."""
    import asyncio

    loop = asyncio.get_running_loop()
    attempts = _Attempts(host, addresses)
    try:
        while True:
            attempts.begin_next()
            fds = list(attempts.pending)
            await _wait_writable_async(
                loop, fds, ATTEMPT_DELAY_SECONDS if attempts.waiting else None
            )
            connected = attempts.take_connected(_wait_writable(fds, 0))
            if connected is not None:
                return connected
    finally:
        attempts.close()


async def _wait_writable_async(
    loop: asyncio.AbstractEventLoop, fds: list[int], seconds: float | None
) -> None:
    """Wait until one of the descriptors is writable or failed. Event loops without `add_writer` look every 10 ms."""
    ready: asyncio.Future[None] = loop.create_future()

    def wake() -> None:
        if not ready.done():
            ready.set_result(None)

    try:
        for fd in fds:
            loop.add_writer(fd, wake)
    except NotImplementedError:  # Windows' default event loop
        fds, seconds = [], 0.01
    timer = None if seconds is None else loop.call_later(seconds, wake)
    try:
        await ready
    finally:
        for fd in fds:
            loop.remove_writer(fd)
        if timer is not None:
            timer.cancel()


def _begin_connect(address: AddressInfo) -> socket.socket:
    family, kind, protocol, _, place = address
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        code = sock.connect_ex(place)
        if code and code not in _PENDING:
            raise OSError(code, os.strerror(code))
    except BaseException:
        sock.close()
        raise
    return sock


def _wait_writable(fds: list[int], seconds: float) -> list[int]:
    """Return those descriptors that are writable or failed within `seconds`."""
    if hasattr(select, "poll"):
        poller = select.poll()
        for fd in fds:
            poller.register(fd, select.POLLOUT)
        return [fd for fd, _ in poller.poll(max(seconds, 0.0) * 1000)]
    _, writable, failed = select.select(
        [], fds, fds, max(seconds, 0.0)
    )  # Windows reports a failed connect as exceptional.
    return list({*writable, *failed})
