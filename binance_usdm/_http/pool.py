"""The connections of a transport: which are idle, which calls may go on, and whose turn is next. Opens none, sends nothing."""

from __future__ import annotations

import contextlib
import functools
import os
import socket
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from binance_usdm._errors import ConfigurationError

from .messages import HttpFailure, Origin
from .parser import CONNECT, PROXY_CONNECT, ResponseParser
from .proxy import PLAINTEXT_PROXY_PROBLEM, Proxy
from .threads import run_in_thread

if TYPE_CHECKING:
    from .messages import HttpRequest

MAX_CONNECTIONS = 100  # to one origin; more calls than that wait for their turn, each within its deadline
AddressInfo: TypeAlias = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]  # as getaddrinfo() gives it

_C = TypeVar("_C")


class OriginPool(Generic[_C]):
    """The connections to one origin: the idle ones, newest first, and how many calls may be under way. Who came first, goes first."""

    def __init__(self, max_idle: int) -> None:
        self.idle: deque[_C] = deque()
        self._free_slots, self._waiters, self._lock = max_idle, deque[Callable[[], object]](), threading.Lock()

    def acquire_slot(self, on_slot: Callable[[], object] | None = None) -> bool:
        """Take a turn. If there is none, False; then `wake` is called when one was taken for the caller."""
        with self._lock:
            if self._free_slots > 0:
                self._free_slots -= 1
                return True
            if on_slot is not None:
                self._waiters.append(on_slot)
            return False

    def release_slot(self) -> None:
        """Give a turn back."""
        while True:
            with self._lock:
                if not self._waiters:
                    self._free_slots += 1
                    return
                on_slot = self._waiters.popleft()
            with contextlib.suppress(RuntimeError):  # an event loop that has ended needs no turn
                on_slot()
                return

    def cancel_wait(self, on_slot: Callable[[], object]) -> None:
        """Wait no longer; a turn that came meanwhile is given back."""
        with self._lock:
            if on_slot in self._waiters:
                self._waiters.remove(on_slot)
                return
        self.release_slot()


class ConnectionPool(Generic[_C]):
    """Connections by origin. Each step on the idle ones is one atomic dict or deque operation, so threads need no lock for them."""

    _is_usable: Callable[[_C], bool]  # whether an idle connection may carry another call
    _discard: Callable[[_C], None]

    def __init__(self, proxy: str | Proxy | None = None, *, max_connections: int = MAX_CONNECTIONS) -> None:
        way = proxy if proxy is None or isinstance(proxy, Proxy) else Proxy.from_url(proxy)
        del proxy  # a URL may hold a password
        if isinstance(way, str):
            raise ConfigurationError(way)
        if type(max_connections) is not int or max_connections < 1:
            raise ConfigurationError("max_connections must be a whole number, 1 or more")
        self._proxy, self._connect_phase, self._closed = way, PROXY_CONNECT if way else CONNECT, False
        self._max_connections = max_connections
        self._origin_pools: dict[tuple[int, Origin], OriginPool[_C]] = {}

    @property
    def proxy_address(self) -> tuple[str, int] | None:
        """The proxy through which calls leave, None if they leave directly: the exchange counts weight by address."""
        return None if self._proxy is None else (self._proxy.host, self._proxy.port)

    def _rejection(self, request: HttpRequest) -> HttpFailure | None:
        """Why a call is not even begun."""
        if self._closed:
            return HttpFailure("ConnectError", "the transport is closed")
        if self._proxy and not (self._proxy.is_loopback or request.route.origin[0]):
            return HttpFailure("LocalProtocolError", PLAINTEXT_PROXY_PROBLEM)
        return None

    def _resolve(self, origin: Origin) -> Future[Sequence[AddressInfo]]:
        """Ask where to connect to; the system's resolver takes no time limit."""
        host, port = (self._proxy.host, self._proxy.port) if self._proxy else origin[1:]
        return run_in_thread(functools.partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM))

    def _origin_pool(self, origin: Origin) -> OriginPool[_C]:
        # Those from before a fork are the parent's, and so are their replies. They stay under its number, unclosed:
        # an event loop's poller is shared with the parent, which would hear no more of a socket closed here.
        key = (os.getpid(), origin)
        return self._origin_pools.get(key) or self._origin_pools.setdefault(key, OriginPool(self._max_connections))

    def _pop_idle(self, place: OriginPool[_C], request: HttpRequest) -> _C | None:
        """The newest idle connection that still lives, None if there is none or the call must have its own."""
        try:
            while not request.needs_new_connection:
                connection = place.idle.pop()
                if self._is_usable(connection):
                    return connection
                self._discard(connection)
        except IndexError:
            pass
        return None

    def _release(self, place: OriginPool[_C], connection: _C | None, reply: ResponseParser) -> None:
        """End a turn; the connection is kept if its reply allows it."""
        if connection is not None and reply.keep_alive:
            place.idle.append(connection)
        place.release_slot()
        if connection is not None and not reply.keep_alive:
            self._discard(connection)
        # stale: the others were idle for longer; closed: perhaps by another thread just now
        max_idle = 0 if reply.connection_was_stale or self._closed else self._max_connections
        if len(place.idle) > max_idle:
            self._close_excess_idle(place.idle, max_idle)

    def _close_excess_idle(self, idle: deque[_C], but: int) -> None:
        with contextlib.suppress(IndexError):
            while len(idle) > but:
                self._discard(idle.popleft())

    def _close_all_idle(self) -> None:
        self._closed = True
        for (process, _), place in list(self._origin_pools.items()):
            if process == os.getpid():
                self._close_excess_idle(place.idle, but=0)
