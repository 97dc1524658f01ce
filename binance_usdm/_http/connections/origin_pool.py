"""Slots and idle connections of one origin.

A slot is held by membership of a token in a set, and given back by `set.discard`. So it can be
neither lost nor given twice, wherever the caller is interrupted.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable, Iterator
from typing import Generic, Protocol, TypeVar

from binance_usdm._concurrency.gates import OPEN, Gate

MAX_CLOCK_STEP_SECONDS = 2.0
"""Largest step of the wall clock against the monotonic one that leaves idle connections usable.

A larger one means that the machine slept, and then idle connections are closed.
"""


class Connection(Protocol):
    """What the pool needs of a connection."""

    def is_usable(self) -> bool:
        """Return whether an idle connection may carry another request."""
        ...

    def abort(self) -> None:
        """Close at once. May be called from any thread."""
        ...


_C = TypeVar("_C", bound=Connection)


class Slots:
    """At most `limit` holders at a time, in order of arrival.

    A slot is free, held by one token, or given to a waiter by making its token a holder and
    opening its gate. No gate is opened while the lock is held.
    """

    __slots__ = ("_lock", "holders", "limit", "waiters")

    def __init__(self, limit: int) -> None:
        self.limit: int = limit
        self.holders: set[object] = set()
        self.waiters: dict[object, Gate] = {}
        # Re-entrant: a signal handler's call may run within another call of its thread.
        self._lock = threading.RLock()

    def try_acquire(self, token: object) -> bool:
        """Take a slot if one is free and no other caller waits, and return whether it was taken."""
        with self._lock:
            self.holders.add(token)
            if len(self.holders) <= self.limit and not self.waiters:
                return True
            self.holders.discard(token)
            return False

    def join(self, token: object, gate: Gate) -> None:
        """Wait in line. `gate` is opened after the token became a holder."""
        with self._lock:
            self.waiters[token] = gate
        self.assign_free()

    def release(self, token: object) -> None:
        """Give a slot or a place in line back. Safe to call again."""
        self.holders.discard(token)
        self.waiters.pop(token, None)
        if self.waiters:
            self.assign_free()

    def assign_free(self) -> None:
        """Give free slots to the callers who wait. Any caller may do this at any time."""
        while self.waiters and len(self.holders) < self.limit:
            with self._lock:
                if not self.waiters or len(self.holders) >= self.limit:
                    return
                token, gate = next(iter(self.waiters.items()))
                if gate.is_reachable:
                    self.holders.add(token)
                self.waiters.pop(token, None)
            gate.open(OPEN)


class IdleConnection(Generic[_C]):
    """A connection, its partition, and the instant since which it is idle, by both clocks."""

    __slots__ = ("connection", "monotonic", "partition", "wall")

    def __init__(self, connection: _C, partition: Hashable) -> None:
        self.connection: _C = connection
        self.partition: Hashable = partition
        self.monotonic: float = time.monotonic()
        self.wall: float = time.time()

    def is_expired(self, expiry: float) -> bool:
        """Return whether it is idle for more than `expiry` seconds, or the machine slept."""
        age = time.monotonic() - self.monotonic
        return age > expiry or abs(time.time() - self.wall - age) > MAX_CLOCK_STEP_SECONDS


class OriginPool(Generic[_C]):
    """Slots and idle connections of one origin."""

    def __init__(self, limit: int) -> None:
        self.slots: Slots = Slots(limit)
        # The oldest one is first.
        self._idle: list[IdleConnection[_C]] = []
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return len(self._idle)

    def pop(self, partition: Hashable) -> IdleConnection[_C] | None:
        """Remove and return the newest idle connection of a partition, or return None."""
        with self._lock:
            for index in range(len(self._idle) - 1, -1, -1):
                if self._idle[index].partition == partition:
                    return self._idle.pop(index)
            return None

    def push(self, idle: IdleConnection[_C]) -> None:
        """Keep a connection as the newest idle one."""
        with self._lock:
            self._idle.append(idle)

    def pop_excess(self) -> Iterator[_C]:
        """Remove and yield idle connections until idle ones and holders are at most the limit.

        The oldest one is first.
        """
        while True:
            with self._lock:
                if not self._idle or len(self._idle) + len(self.slots.holders) <= self.slots.limit:
                    return
                idle = self._idle.pop(0)
            yield idle.connection

    def pop_expired(self, expiry: float) -> Iterator[_C]:
        """Remove and yield idle connections that are too old."""
        while True:
            with self._lock:
                if not self._idle or not self._idle[0].is_expired(expiry):
                    return
                idle = self._idle.pop(0)
            yield idle.connection

    def pop_all(self) -> Iterator[_C]:
        """Remove and yield all idle connections."""
        while True:
            with self._lock:
                if not self._idle:
                    return
                idle = self._idle.pop()
            yield idle.connection
