"""Connection pool: at most `max_connections` connections per origin, first come, first served.

A caller takes a `Lease`: first a slot, in order of arrival, then an idle connection or leave to open one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Hashable, Iterator
from typing import Any, Generic, TypeVar

from binance_usdm._errors import ConfigurationError
from binance_usdm._gates import CLOSED, Gate

from .messages import DeadlinePassed, HttpFailure, Origin, time_until
from .origin_pool import Connection, IdleConnection, OriginPool
from .parser import (
    CONNECT,
    POOL,
    PROXY_CONNECT,
    ResponseParser,
    failure_from_exception,
)
from .proxy import PLAINTEXT_PROXY_PROBLEM, Proxy

MAX_CONNECTIONS = 100
"""Connections to one origin, idle ones included; further callers wait, each within its deadline."""
KEEPALIVE_EXPIRY_SECONDS = 30.0
"""Age at which an idle connection is closed; most load balancers forget one after 60 s or more."""
_SWEEP_INTERVAL_SECONDS = 1.0

TRANSPORT_CLOSED = HttpFailure("ConnectError", "the transport is closed", is_retryable=False)


_C = TypeVar("_C", bound=Connection)


class Lease(Generic[_C]):
    """A slot and a connection for one request.

    Making one takes nothing. The caller removes `token` from `holders` and calls `release()` in a `finally` block,
    in this order: the first is a single C call, which an interrupt cannot precede.
    """

    __slots__ = (
        "_origin_pool", "_pool", "connection", "deadline", "max_response_bytes", "needs_new_connection", "origin", "parser",
        "partition", "token", "was_sent",
    )  # fmt: skip

    def __init__(
        self, pool: ConnectionPool[_C], origin: Origin, partition: Hashable, *, deadline: float, max_response_bytes: int,
        needs_new_connection: bool,
    ) -> None:  # fmt: skip
        self._pool = pool
        self._origin_pool = pool._origin_pool(origin)
        self.origin = origin
        self.partition = partition if pool._is_partitioned else None
        self.deadline = deadline
        self.needs_new_connection = needs_new_connection
        self.connection: _C | None = None
        self.max_response_bytes = max_response_bytes
        self.parser = ResponseParser(max_response_bytes)
        self.was_sent = False
        self.token = (
            object()
        )  # The pool refers to it alone: a suspended coroutine that is dropped takes no slot along.

    @property
    def holders(self) -> set[object]:
        return self._origin_pool.slots.holders

    def time_left(self) -> float:
        """Return the seconds until the deadline. Raises DeadlinePassed at its end."""
        return time_until(self.deadline)

    def try_acquire_slot(self) -> bool:
        """Take a slot if one is free and nobody waits."""
        return self._origin_pool.slots.try_acquire(self.token)

    async def wait_for_slot(self, gate: Gate) -> HttpFailure | None:
        """Wait for a slot, first come, first served. Returns None once it is held, or why it will not be."""
        slots = self._origin_pool.slots
        slots.join(self.token, gate)
        while self.token not in slots.holders:
            left = self.deadline - time.monotonic()
            if gate.reason == CLOSED or self._pool.is_closed:
                return TRANSPORT_CLOSED
            if left <= 0:
                return failure_from_exception(DeadlinePassed(), POOL)
            await gate.wait(left)
            slots.settle()
        return None

    def try_take_idle(self) -> bool:
        """Take the newest idle connection that is still usable."""
        if self.needs_new_connection:
            return False
        pool = self._pool
        while (idle := self._origin_pool.pop(self.partition)) is not None:
            self.connection = idle.connection
            if not idle.is_expired(pool.keepalive_expiry) and idle.connection.is_usable():
                self.parser.on_reused_connection = True
                return True
            self.connection = None
            idle.connection.abort()
        return False

    def adopt(self, connection: _C) -> None:
        """Take a new connection."""
        self.connection = connection

    def make_room(self) -> None:
        """Close idle connections until one more connection is within the bound."""
        for connection in self._origin_pool.pop_excess():
            connection.abort()

    def discard_connection(self) -> None:
        """Have `release()` close the connection, whose responses cannot be trusted."""
        self.parser.keep_alive = False

    def release(self) -> None:
        """Keep or close the connection, and give the slot to the next caller. Safe to call again."""
        connection, self.connection = self.connection, None
        pool = self._pool
        try:
            if connection is not None:
                keep = self.parser.keep_alive if self.was_sent else connection.is_usable()
                if keep and not pool.is_closed:
                    self._origin_pool.push(IdleConnection(connection, self.partition))
                else:
                    connection.abort()
                if self.parser.connection_was_stale or pool.is_closed:
                    # If this connection was stale, the older idle ones are stale too.
                    pool._close_idle(self._origin_pool)
        finally:
            self._origin_pool.slots.leave(self.token)
        pool._sweep()


class ConnectionPool(Generic[_C]):
    """What blocking and asyncio transports share: options, origins, idle connections."""

    def __init__(
        self,
        proxy: str | Proxy | None = None,
        *,
        max_connections: int = MAX_CONNECTIONS,
        keepalive_expiry: float = KEEPALIVE_EXPIRY_SECONDS,
        share_connections: bool = False,
    ) -> None:
        parsed_proxy = proxy if proxy is None or isinstance(proxy, Proxy) else Proxy.from_url(proxy)
        del proxy  # Keep secrets out of tracebacks: a URL may hold a password.
        if isinstance(parsed_proxy, str):
            raise ConfigurationError(parsed_proxy)
        if type(max_connections) is not int or max_connections < 1:
            raise ConfigurationError("max_connections must be a whole number, 1 or more")
        if type(keepalive_expiry) not in (int, float) or not keepalive_expiry >= 0:
            raise ConfigurationError("keepalive_expiry must be a number of seconds, 0 or more")
        if type(share_connections) is not bool:
            raise ConfigurationError("share_connections must be True or False")
        self._proxy = parsed_proxy
        self._connect_phase = PROXY_CONNECT if parsed_proxy else CONNECT
        self.is_closed = False
        self.keepalive_expiry = keepalive_expiry
        self._is_partitioned = not share_connections
        self._max_connections = max_connections
        self._origin_pools: dict[tuple[int, Origin], OriginPool[_C]] = {}
        self._next_sweep_at = 0.0

    @property
    def proxy_address(self) -> tuple[str, int] | None:
        """The proxy's host and port, None without one: the exchange counts weight by the address that requests come from."""
        return None if self._proxy is None else (self._proxy.host, self._proxy.port)

    def lease(
        self,
        origin: Origin,
        partition: Hashable,
        *,
        deadline: float,
        max_response_bytes: int,
        needs_new_connection: bool,
    ) -> Lease[_C]:
        """Return a lease for one request. It takes nothing yet.

        Args:
            origin: Where the request goes.
            partition: Idle connections are reused within a partition only, unless the pool shares them.
            deadline: Instant of `time.monotonic()` that bounds waiting, connecting, sending and reading together.
            max_response_bytes: Bound of a response with all its heads.
            needs_new_connection: Whether idle connections are left alone.
        """
        return Lease(
            self, origin, partition, deadline=deadline, max_response_bytes=max_response_bytes, needs_new_connection=needs_new_connection,
        )  # fmt: skip

    def rejection(self, origin: Origin) -> HttpFailure | None:
        """Return why no request to this origin can be sent, or None."""
        if self.is_closed:
            return TRANSPORT_CLOSED
        if self._proxy and not (self._proxy.is_loopback or origin[0]):
            return HttpFailure("LocalProtocolError", PLAINTEXT_PROXY_PROBLEM, is_retryable=False)
        return None

    def _origin_pool(self, origin: Origin) -> OriginPool[_C]:
        # Connections from before a fork are the parent's, and so are their responses. They stay under its number, unclosed:
        # an event loop's poller is shared with the parent, which would hear no more of a socket closed here.
        key = (os.getpid(), origin)
        found = self._origin_pools.get(key)
        return (
            self._origin_pools.setdefault(key, OriginPool(self._max_connections))
            if found is None
            else found
        )

    def _own_origin_pools(self) -> Iterator[OriginPool[_C]]:
        process = os.getpid()
        return (pool for (owner, _), pool in list(self._origin_pools.items()) if owner == process)

    def _close_idle(self, origin_pool: OriginPool[_C]) -> None:
        for connection in origin_pool.pop_all():
            connection.abort()

    def _sweep(self) -> None:
        """Close idle connections that are too old, of every origin, about once a second."""
        now = time.monotonic()
        if now < self._next_sweep_at:
            return
        self._next_sweep_at = now + _SWEEP_INTERVAL_SECONDS
        for origin_pool in self._own_origin_pools():
            for connection in origin_pool.pop_expired(self.keepalive_expiry):
                connection.abort()

    def _close_all(self) -> None:
        """Close all idle connections, and end every wait for a slot."""
        self.is_closed = True
        for origin_pool in self._own_origin_pools():
            self._close_idle(origin_pool)
            for gate in list(origin_pool.slots.waiters.values()):
                gate.open(CLOSED)


MakeGate = Callable[[], Gate]


async def send_complete(transport: Any, request: Any, lease: Lease[Any], gate: MakeGate) -> Any:
    """Send a request that is complete already: take a slot, a connection, send, and give both back."""
    if (rejection := transport.rejection(lease.origin)) is not None:
        return rejection
    holders, token = lease.holders, lease.token
    try:
        failure = None if lease.try_acquire_slot() else await lease.wait_for_slot(gate())
        if failure is None and not lease.try_take_idle():
            failure = await transport.connect(lease)
        return failure if failure is not None else await transport.send(lease, request)
    finally:
        holders.discard(token)  # A single C call: an interrupt cannot come before it.
        lease.release()
