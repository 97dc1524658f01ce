"""Open TCP connections to the first address that accepts one (RFC 8305)."""

from __future__ import annotations

import errno
import os
import select
import socket
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from binance_usdm._concurrency.interrupts import raise_if_from_handler
from binance_usdm._http.addresses import AddressInfo
from binance_usdm._http.messages import time_until

if TYPE_CHECKING:
    import asyncio

ATTEMPT_DELAY_SECONDS: Final = 0.25
"""Time that an address has before the next one is tried beside it (RFC 8305, 5)."""
UNACKNOWLEDGED_MS: Final = 4_000
"""Time that sent bytes may stay unacknowledged before the system ends the connection (RFC 5482).

Only some systems have this option.
"""
_PREFERENCE_SECONDS: Final = 600.0
_MAX_PREFERENCES: Final = 1000
_POLL_SECONDS: Final = 0.01
_PENDING: Final = {
    errno.EINPROGRESS,
    errno.EWOULDBLOCK,
    errno.EALREADY,
    getattr(errno, "WSAEWOULDBLOCK", -1),
}

# By host: an address family, and the instant until which it is preferred.
_preferred: Final[dict[str, tuple[int, float]]] = {}


def order_addresses(host: str, addresses: Sequence[AddressInfo]) -> list[AddressInfo]:
    """Return the addresses with families in turn (RFC 8305, 4).

    The family that worked lately comes first, else the one that the resolver put first.
    """
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
        first = first[1:]
        others = others[1:]
    return ordered


def _remember_family(host: str, family: int) -> None:
    """Begin with this address family for a while."""
    if len(_preferred) > _MAX_PREFERENCES:
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
    """Connections to several addresses, begun one after another. At most one is kept."""

    def __init__(self, host: str, addresses: Sequence[AddressInfo]) -> None:
        self._host = host
        self.waiting = order_addresses(host, addresses)
        self.pending: dict[int, tuple[socket.socket, AddressInfo]] = {}
        self._failure: OSError | None = None

    def begin_next(self) -> None:
        """Begin to connect to the next address for which a socket can be opened.

        Raises:
            OSError: No address is left, and no connection is pending. It is the last failure.
        """
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
            raise self._failure or OSError("the host name has no address")

    def take_connected(self, fds: list[int]) -> tuple[socket.socket, AddressInfo] | None:
        """Return the first of these sockets that is connected. Those that failed are closed."""
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
    """Connect to the first address that accepts the connection.

    Waits for the connections, each begun a quarter of a second after the one before it. No other
    socket stays open, not even when the caller is interrupted.

    Args:
        host: The name that the addresses belong to.
        addresses: As `resolve()` returns them.
        deadline: Instant of `time.monotonic()`.

    Returns:
        The connected socket and its address.

    Raises:
        DeadlinePassed: No address accepted in time.
        OSError: Every address failed. It is the last failure.
    """
    attempts = _Attempts(host, addresses)
    try:
        while True:
            # Nothing is sent after the deadline, not even a SYN.
            left = time_until(deadline)
            attempts.begin_next()
            seconds = min(left, ATTEMPT_DELAY_SECONDS) if attempts.waiting else left
            connected = attempts.take_connected(_wait_writable(list(attempts.pending), seconds))
            if connected is not None:
                return connected
    finally:
        attempts.close()


async def open_socket_async(
    host: str, addresses: Sequence[AddressInfo]
) -> tuple[socket.socket, AddressInfo]:
    """Connect to the first address that accepts the connection, with asyncio.

    Waits for the connections, each begun a quarter of a second after the one before it, without a
    limit: the caller sets one. No other socket stays open, not even when the caller is cancelled.

    Returns:
        The connected socket and its address.

    Raises:
        OSError: Every address failed. It is the last failure.
    """
    import asyncio

    loop = asyncio.get_running_loop()
    attempts = _Attempts(host, addresses)
    try:
        while True:
            attempts.begin_next()
            fds = list(attempts.pending)
            seconds = ATTEMPT_DELAY_SECONDS if attempts.waiting else None
            await _wait_writable_async(loop, fds, seconds)
            connected = attempts.take_connected(_wait_writable(fds, 0))
            if connected is not None:
                return connected
    finally:
        attempts.close()


async def _wait_writable_async(
    loop: asyncio.AbstractEventLoop, fds: list[int], seconds: float | None
) -> None:
    """Wait until one of the descriptors is writable or failed, at most `seconds`.

    It may return early, and does every 10 ms on event loops without `add_writer`.
    """
    ready: asyncio.Future[None] = loop.create_future()

    def wake() -> None:
        if not ready.done():
            ready.set_result(None)

    try:
        for fd in fds:
            loop.add_writer(fd, wake)
    except NotImplementedError:
        # This is the default event loop of Windows.
        fds = []
        seconds = _POLL_SECONDS
    timer = None if seconds is None else loop.call_later(seconds, wake)
    try:
        await ready
    finally:
        for fd in fds:
            loop.remove_writer(fd)
        if timer is not None:
            timer.cancel()


def _begin_connect(address: AddressInfo) -> socket.socket:
    family, socket_type, protocol, _, socket_address = address
    sock = socket.socket(family, socket_type, protocol)
    try:
        sock.setblocking(False)
        code = sock.connect_ex(socket_address)
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
    # Windows reports a failed connection as exceptional.
    _, writable, failed = select.select([], fds, fds, max(seconds, 0.0))
    return list({*writable, *failed})
