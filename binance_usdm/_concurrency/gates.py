"""Gates: one wait of a thread or a task, ended by the first caller that opens it."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol, TypeVar

from .interrupts import raise_if_from_handler

T = TypeVar("T")

OPEN: Final = "open"
CLOSED: Final = "closed"
_RECHECK_SECONDS: Final = 0.5


class Gate(Protocol):
    """One wait. It is opened once, with a reason; every later `open()` changes nothing."""

    reason: str

    @property
    def is_reachable(self) -> bool:
        """Whether the waiting thread or task can still go on."""
        ...

    def open(self, reason: str = OPEN) -> None:
        """End the wait. May be called from any thread, from a signal handler and a finalizer."""
        ...

    async def wait(self, seconds: float) -> str:
        """Wait until the gate is opened, at most `seconds`.

        A cancelled or interrupted caller leaves nothing behind.

        Returns:
            The reason, or "" when the gate was not opened. "" may be returned early: the caller
            checks its condition and waits again.
        """
        ...


class ThreadGate:
    """Gate of a blocking call. `wait()` never suspends its coroutine: it blocks the thread."""

    __slots__ = ("__weakref__", "_lock", "reason")
    is_reachable = True

    def __init__(self) -> None:
        self.reason: str = ""
        self._lock = threading.Lock()
        self._lock.acquire()

    def open(self, reason: str = OPEN) -> None:
        """End the wait. May be called from any thread, from a signal handler and a finalizer."""
        self.reason = self.reason or reason
        try:
            if self._lock.locked():
                self._lock.release()
        except RuntimeError as error:
            # Another thread has opened it meanwhile.
            raise_if_from_handler(error)

    async def wait(self, seconds: float) -> str:
        """Block until the gate is opened, at most `seconds` and at most half a second."""
        # An interrupt can keep another thread from opening this gate. So the caller checks its
        # condition after half a second in any case.
        if not self.reason:
            self._lock.acquire(timeout=min(max(seconds, 0.0), _RECHECK_SECONDS))
        return self.reason


class TaskGate:
    """Gate of a task on asyncio. Other threads and other event loops may open it."""

    __slots__ = ("__weakref__", "_future", "_get_running_loop", "_loop", "reason")

    def __init__(self) -> None:
        # Blocking calls never load asyncio. It would take a tenth of the time until the first one.
        import asyncio

        self.reason: str = ""
        self._get_running_loop = asyncio._get_running_loop
        self._loop = asyncio.get_running_loop()
        self._future = self._loop.create_future()

    def open(self, reason: str = OPEN) -> None:
        """End the wait. May be called from any thread, from a signal handler and a finalizer."""
        self.reason = self.reason or reason
        if self._get_running_loop() is self._loop:
            self._wake()
            return
        try:
            self._loop.call_soon_threadsafe(self._wake)
        except RuntimeError as error:
            # The loop is closed, and its calls have ended.
            raise_if_from_handler(error)

    def _wake(self) -> None:
        if not self._future.done():
            self._future.set_result(None)

    async def wait(self, seconds: float) -> str:
        """Suspend the task until the gate is opened, at most `seconds`."""
        if not self.reason:
            timer = self._loop.call_later(max(seconds, 0.0), self._wake)
            try:
                await self._future
            finally:
                timer.cancel()
                self._future = self._loop.create_future()
        return self.reason

    @property
    def is_reachable(self) -> bool:
        """Whether the gate's event loop can still run the waiting task."""
        return not self._loop.is_closed()


class GateSet:
    """The waits of one client's calls. Closing it ends them all, and every later one.

    Args:
        make_gate: Makes the gate of one wait, in the thread or task that waits.
    """

    __slots__ = ("_gates", "_make_gate", "is_closed")

    def __init__(self, make_gate: Callable[[], Gate]) -> None:
        self._make_gate = make_gate
        # Weak: a call of an event loop that was closed would live as long as its client.
        self._gates = set[weakref.ref[Gate]]()
        self.is_closed = False

    def new_gate(self) -> Gate:
        """Return a gate for one wait."""
        return self._make_gate()

    async def wait(self, gate: Gate, seconds: float) -> None:
        """Wait until the gate is opened or the set is closed, at most `seconds`.

        It may return earlier. A cancelled or interrupted caller leaves nothing behind.
        """
        reference = self._refer_to(gate)
        try:
            self._gates.add(reference)
            if not self.is_closed:
                await gate.wait(seconds)
        finally:
            self._gates.discard(reference)

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds`, or until the set is closed.

        A cancelled or interrupted caller leaves nothing behind.
        """
        gate = self._make_gate()
        end = time.monotonic() + seconds
        while not self.is_closed and (left := end - time.monotonic()) > 0:
            await self.wait(gate, left)

    async def wait_for_slot(self, lease: Any) -> Any:
        """Wait for a lease's slot, in order of arrival, or until the set is closed.

        A cancelled or interrupted caller stays in line until it releases the lease.

        Returns:
            None when the slot is held, else why it will not be.
        """
        gate = self._make_gate()
        reference = self._refer_to(gate)
        try:
            self._gates.add(reference)
            failure = await lease.wait_for_slot(gate)
        finally:
            self._gates.discard(reference)
        return failure

    def _refer_to(self, gate: Gate) -> weakref.ref[Gate]:
        return weakref.ref(gate, self._gates.discard)

    def close(self) -> None:
        """End every wait, now and later."""
        self.is_closed = True
        for reference in list(self._gates):
            gate = reference()
            if gate is not None:
                gate.open(CLOSED)


def run_to_end(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine whose awaits all block instead of suspending, and return its value.

    Raises:
        RuntimeError: It suspended, which is a bug of the function that did.
    """
    try:
        coroutine.send(None)
    except StopIteration as end:
        value: T = end.value
        return value
    finally:
        coroutine.close()
    raise RuntimeError("a blocking call suspended its coroutine, which is a bug")
