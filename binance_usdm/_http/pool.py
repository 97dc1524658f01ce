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

from .messages import Failure, Origin
from .parser import CONNECT, VIA, ReplyParser
from .proxy import PLAIN, Proxy
from .threads import aside

if TYPE_CHECKING:
    from .messages import Call

MAX_CONNECTIONS = 100  # to one origin; more calls than that wait for their turn, each within its deadline
Address: TypeAlias = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]  # as getaddrinfo() gives it

_C = TypeVar("_C")


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

    def __init__(self, proxy: str | Proxy | None = None, *, max_connections: int = MAX_CONNECTIONS) -> None:
        way = proxy if proxy is None or isinstance(proxy, Proxy) else Proxy.at(proxy)
        del proxy  # a URL may hold a password
        if isinstance(way, str):
            raise ConfigurationError(way)
        if type(max_connections) is not int or max_connections < 1:
            raise ConfigurationError("max_connections must be a whole number, 1 or more")
        self._proxy, self._connect_phase, self._closed = way, VIA if way else CONNECT, False
        self._most = max_connections
        self._places: dict[tuple[int, Origin], Place[_C]] = {}

    @property
    def way_out(self) -> tuple[str, int] | None:
        """The proxy through which calls leave, None if they leave directly: the exchange counts weight by address."""
        return None if self._proxy is None else (self._proxy.host, self._proxy.port)

    def _refused(self, call: Call) -> Failure | None:
        """Why a call is not even begun."""
        if self._closed:
            return Failure("ConnectError", "the transport is closed")
        if self._proxy and not (self._proxy.near or call.route.origin[0]):
            return Failure("LocalProtocolError", PLAIN)
        return None

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
        """The newest idle connection that still lives, None if there is none or the call must have its own."""
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
        """End a turn; the connection is kept if its reply allows it."""
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
