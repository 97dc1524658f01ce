"""Leases: a slot and a connection for one request."""

from __future__ import annotations

import time
from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar

import attrs

from binance_usdm._concurrency.gates import CLOSED, Gate
from binance_usdm._http.messages import DeadlinePassed, HttpFailure, Origin, time_until

from .failures import POOL, failure_from_exception
from .origin_pool import Connection, IdleConnection, OriginPool
from .parser import ResponseParser

TRANSPORT_CLOSED = HttpFailure(
    "ConnectError", "the transport is closed; create a new one", is_retryable=False
)

_C = TypeVar("_C", bound=Connection)


class _Pool(Protocol[_C]):
    """What a lease needs of its pool."""

    is_closed: bool
    keepalive_expiry: float
    is_partitioned: bool

    def origin_pool(self, origin: Origin) -> OriginPool[_C]: ...
    def close_idle(self, origin_pool: OriginPool[_C]) -> None: ...
    def close_expired(self) -> None: ...


class Lease(Generic[_C]):
    """A slot and a connection for one request.

    Making one takes nothing. The caller removes `token` from `holders` and then calls `release()`,
    both in a `finally` block. The removal is a single C call, so no interrupt can come before it.

    Args:
        pool: The transport's pool.
        origin: Where the request goes.
        partition: Idle connections are reused within a partition only, unless the pool shares them.
        deadline: Instant of `time.monotonic()` that bounds everything done with the lease.
        max_response_bytes: Bound of a response in bytes, with all its heads.
        needs_new_connection: Whether no idle connection may be used.
    """

    __slots__ = (
        "_origin_pool",
        "_pool",
        "connection",
        "deadline",
        "max_response_bytes",
        "needs_new_connection",
        "origin",
        "parser",
        "partition",
        "token",
        "was_sent",
    )

    def __init__(
        self,
        pool: _Pool[_C],
        origin: Origin,
        partition: Hashable,
        *,
        deadline: float,
        max_response_bytes: int,
        needs_new_connection: bool,
    ) -> None:
        self._pool = pool
        self._origin_pool = pool.origin_pool(origin)
        self.origin: Origin = origin
        self.partition: Hashable | None = partition if pool.is_partitioned else None
        self.deadline: float = deadline
        self.needs_new_connection: bool = needs_new_connection
        self.connection: _C | None = None
        self.max_response_bytes: int = max_response_bytes
        self.parser: ResponseParser = ResponseParser(max_response_bytes, over_tls=origin[0])
        self.was_sent: bool = False
        # The pool refers to the token only, so a suspended coroutine that is dropped keeps no slot.
        self.token: object = object()

    @property
    def holders(self) -> set[object]:
        """The tokens that hold a slot of this origin."""
        return self._origin_pool.slots.holders

    def time_left(self) -> float:
        """Return the seconds until the deadline.

        Raises:
            DeadlinePassed: The deadline has passed.
        """
        return time_until(self.deadline)

    def try_acquire_slot(self) -> bool:
        """Take a slot if one is free and no other caller waits, and return whether it was taken."""
        return self._origin_pool.slots.try_acquire(self.token)

    async def wait_for_slot(self, gate: Gate) -> HttpFailure | None:
        """Wait for a slot, in order of arrival.

        A cancelled or interrupted caller stays in line until it removes its token from `holders`
        and calls `release()`.

        Args:
            gate: A new gate of the waiting thread or task.

        Returns:
            None when the slot is held, else why it will not be: the deadline, or a closed pool.
        """
        slots = self._origin_pool.slots
        slots.join(self.token, gate)
        while self.token not in slots.holders:
            left = self.deadline - time.monotonic()
            if gate.reason == CLOSED or self._pool.is_closed:
                return TRANSPORT_CLOSED
            if left <= 0:
                return failure_from_exception(DeadlinePassed(), POOL)
            await gate.wait(left)
            slots.assign_free()
        return None

    def try_take_idle(self) -> bool:
        """Take the newest idle connection that is still usable, and return whether there was one.

        Idle connections that are too old, or that the server closed, are closed on the way.
        """
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
        """Keep or close the connection, then give the slot to the next caller.

        In this order the next caller finds the connection idle. Safe to call again.
        """
        connection = self.connection
        self.connection = None
        try:
            if connection is not None:
                self._keep_or_close(connection)
        finally:
            self._origin_pool.slots.release(self.token)
        self._pool.close_expired()

    def _keep_or_close(self, connection: _C) -> None:
        pool = self._pool
        is_reusable = self.parser.keep_alive if self.was_sent else connection.is_usable()
        if is_reusable and not pool.is_closed:
            self._origin_pool.push(IdleConnection(connection, self.partition))
        else:
            connection.abort()
        # If this connection was stale, the older idle ones are stale too. If the pool was closed
        # meanwhile, it keeps none.
        if self.parser.connection_was_stale or pool.is_closed:
            pool.close_idle(self._origin_pool)


@attrs.define(eq=False, repr=False)
class EmptyLease:
    """Bounds of a request that an httpx transport sends.

    The transport queues requests itself, so the lease holds no slot and no connection.
    """

    origin: Origin
    partition: Hashable
    deadline: float = attrs.field(kw_only=True)
    max_response_bytes: int = attrs.field(kw_only=True)
    needs_new_connection: bool = attrs.field(kw_only=True)
    holders: set[object] = attrs.field(init=False, factory=set)
    token: None = attrs.field(init=False, default=None)

    def try_acquire_slot(self) -> bool:
        return True

    def try_take_idle(self) -> bool:
        return True

    async def wait_for_slot(self, gate: Gate) -> HttpFailure | None:
        return None

    def discard_connection(self) -> None:
        """Do nothing, since connections belong to the transport."""

    def release(self) -> None:
        """Do nothing, since nothing is held."""
