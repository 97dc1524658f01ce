"""Slots and idle connections of one origin.

A slot is held by being a member of a set and given back by `set.discard`, so it can be neither lost nor given twice,
whatever interrupts the caller.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable, Iterator
from typing import Generic, Protocol, TypeVar

from binance_usdm._gates import OPEN, Gate

MAX_CLOCK_STEP_SECONDS = 2.0
"""If the wall clock moved by so much more than the monotonic one, the machine slept, and idle connections are dead."""


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
    """At most `limit` holders at a time, in order of arrival."""

    __slots__ = ("_lock", "holders", "limit", "waiters")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.holders = set[object]()
        self.waiters = dict[object, Gate]()
        self._lock = (
            threading.RLock()
        )  # A signal handler's call may run within another call of its thread.

    def try_acquire(self, token: object) -> bool:
        """Take a slot if one is free and nobody waits."""
        with self._lock:
            self.holders.add(token)
            if len(self.holders) <= self.limit and not self.waiters:
                return True
            self.holders.discard(token)
            return False

    def join(self, token: object, gate: Gate) -> None:
        """Wait in line; `gate` is opened when the token became a holder."""
        with self._lock:
            self.waiters[token] = gate
        self.settle()

    def leave(self, token: object) -> None:
        """Give a slot or a place in line back. Safe to call again."""
        self.holders.discard(token)
        self.waiters.pop(token, None)
        if self.waiters:
            self.settle()

    def settle(self) -> None:
        """Give free slots to those who wait. Anybody may call it, at any time."""
        while self.waiters and len(self.holders) < self.limit:
            with self._lock:
                if not self.waiters or len(self.holders) >= self.limit:
                    return
                token, gate = next(iter(self.waiters.items()))
                if getattr(gate, "is_reachable", True):
                    self.holders.add(token)
                self.waiters.pop(token, None)
            gate.open(OPEN)


class IdleConnection(Generic[_C]):
    __slots__ = ("connection", "monotonic", "partition", "wall")

    def __init__(self, connection: _C, partition: Hashable) -> None:
        self.connection = connection
        self.partition = partition
        self.monotonic = time.monotonic()
        self.wall = time.time()

    def is_expired(self, expiry: float) -> bool:
        age = time.monotonic() - self.monotonic
        return age > expiry or abs(time.time() - self.wall - age) > MAX_CLOCK_STEP_SECONDS


class OriginPool(Generic[_C]):
    """Slots and idle connections of one origin."""

    def __init__(self, limit: int) -> None:
        self.slots = Slots(limit)
        self._idle: list[IdleConnection[_C]] = []
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return len(self._idle)

    def pop(self, partition: Hashable) -> IdleConnection[_C] | None:
        """Return the newest idle connection of a partition, or None."""
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
        """Remove and return idle connections, oldest first, until idle ones and holders are at most the limit."""
        while True:
            with self._lock:
                if not self._idle or len(self._idle) + len(self.slots.holders) <= self.slots.limit:
                    return
                idle = self._idle.pop(0)
            yield idle.connection

    def pop_expired(self, expiry: float) -> Iterator[_C]:
        """Remove and return idle connections that are too old."""
        while True:
            with self._lock:
                if not self._idle or not self._idle[0].is_expired(expiry):
                    return
                idle = self._idle.pop(0)
            yield idle.connection

    def pop_all(self) -> Iterator[_C]:
        """Remove and return all idle connections."""
        while True:
            with self._lock:
                if not self._idle:
                    return
                idle = self._idle.pop()
            yield idle.connection
