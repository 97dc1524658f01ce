"""First-come, first-served queue in front of a limiter.

Calls for which the weight budget has not enough left wait here in the order in which they began.
Only the first one asks the limiter, when its time has come. The next one is woken when it leaves,
so that no call stays first while it connects.
"""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any, Final, Protocol, TypeAlias
from weakref import WeakKeyDictionary

from binance_usdm._errors import RateLimitError, UsdmError
from binance_usdm._events import logger
from binance_usdm._interrupts import raise_if_from_handler

from .limiter import DEFAULT_WEIGHT_LIMIT, RELEASE_SPREAD_SECONDS, Limiter

_RECHECK_SECONDS: Final = 0.5
_FRONT: Final = 2
"""How many tickets look by themselves whether they may go on: the first and the second one."""
_numbers: Final[Iterator[int]] = itertools.count()


class _Gate(Protocol):
    def open(self) -> None: ...


class Ticket:
    """A call's place in line, by the time at which the attempt began. Making one takes nothing."""

    __slots__ = ("gate", "number", "weight")

    def __init__(self, weight: int) -> None:
        self.number = next(_numbers)
        self.weight = weight
        self.gate: Any = None


class WaitQueue:
    """Tickets that wait for one limiter. Safe for threads; never blocks.

    A ticket waits as long as it is in `tickets`; the rest follows from that. So a caller that pops
    its ticket leaves nothing behind, whatever interrupts it later. A lost wake-up costs half a
    second.
    """

    __slots__ = ("_lock", "_not_before", "_numbers", "tickets")

    def __init__(self) -> None:
        # A signal handler's call may run within another call of its thread.
        self._lock = threading.RLock()
        self.tickets: dict[int, Ticket] = {}
        # Those of `tickets` in order, and perhaps of some that left. It is changed by single steps:
        # a signal handler's call may come in between, and has left the line when they go on.
        self._numbers: list[int] = []
        self._not_before = float("-inf")

    @property
    def waiting_count(self) -> int:
        """The number of calls that wait."""
        return len(self.tickets)

    def is_behind(self, ticket: Ticket) -> bool:
        """Return whether a call that began earlier waits."""
        if not self.tickets:
            return False
        front = self._front()
        return bool(front) and front[0].number < ticket.number

    def is_first(self, ticket: Ticket) -> bool:
        """Return whether the ticket is the first one in line."""
        return self._front()[:1] == [ticket]

    def join(self, ticket: Ticket, gate: _Gate, wait: float) -> None:
        """Wait in line. `wait` is the seconds until the first one may go on, as far as known."""
        with self._lock:
            ticket.gate = gate
            if wait > 0:
                self._not_before = max(self._not_before, time.monotonic() + wait)
            if ticket.number not in self.tickets:
                self.tickets[ticket.number] = ticket
                if not self._numbers or self._numbers[-1] < ticket.number:
                    self._numbers.append(ticket.number)
                elif self._numbers[-1] > ticket.number:
                    self._numbers = sorted(self.tickets)

    def leave(self, ticket: Ticket, *, is_served: bool) -> None:
        """Leave the line, and wake those who come to the front. Safe to call again."""
        with self._lock:
            self.tickets.pop(ticket.number, None)
            front = self._front()
            if is_served and front:
                # Those who wait for the same moment go on one after another, not all at once.
                spread = RELEASE_SPREAD_SECONDS * ticket.weight / DEFAULT_WEIGHT_LIMIT
                self._not_before = max(self._not_before, time.monotonic() + spread)
        if front and ticket.number < front[-1].number:
            for waiting in front:
                waiting.gate.open()

    def weight_ahead(self, ticket: Ticket) -> int:
        """Return the weight of the calls that wait before this one."""
        number = ticket.number
        # The copy is a single C call: other threads pop tickets meanwhile.
        tickets = list(self.tickets.values())
        return sum([other.weight for other in tickets if other.number < number])

    def seconds_left(self) -> float:
        """Return the seconds until the first one may ask the limiter, 0.0 at once."""
        return max(self._not_before - time.monotonic(), 0.0)

    def recheck_after(self, ticket: Ticket, pause: float, left: float) -> float:
        """Return the seconds until a call looks again.

        The first one has a time to wait for. The second one looks whether it is the first.
        """
        front = self._front()
        if ticket not in front:
            return left
        return min(pause if front[0] is ticket else left, _RECHECK_SECONDS, left)

    def wake_all(self) -> None:
        """Have every waiting call look again, as when a cooldown or a ban began."""
        for ticket in list(self.tickets.values()):
            ticket.gate.open()

    def _front(self) -> list[Ticket]:
        """Return the first two tickets, and remove those of closed event loops before."""
        tickets = self.tickets
        while True:
            with self._lock:
                numbers = self._numbers[:_FRONT]
                front = [ticket for number in numbers if (ticket := tickets.get(number))]
                closed = [ticket for ticket in front if not is_reachable(ticket)]
                for ticket in closed:
                    tickets.pop(ticket.number, None)
                if not closed and len(front) >= min(_FRONT, len(tickets)):
                    return front
                self._numbers = sorted(tickets)


def is_reachable(ticket: Ticket) -> bool:
    """Return whether the call can still go on: its event loop, if it has one, is not closed."""
    return getattr(ticket.gate, "is_reachable", True)


_lock: Final = threading.RLock()
_queue_by_limiter: Final[WeakKeyDictionary[object, WaitQueue]] = WeakKeyDictionary()


def queue_for(limiter: object) -> WaitQueue:
    """Return the queue of a limiter: one for all clients that share it."""
    with _lock:
        try:
            return _queue_by_limiter.setdefault(limiter, WaitQueue())
        except TypeError:
            # It cannot be a key, so its clients share no queue.
            return WaitQueue()


RunInThread: TypeAlias = Callable[[Callable[[], Any], float, float], Awaitable[Any]]
"""Run a function that may block, until a deadline. Last: seconds after which it ends by itself."""


class LimiterQueue:
    """A limiter and the queue of the calls that wait for it, as one client's calls use them.

    Args:
        limiter: Non-blocking, or blocking with an attribute `blocking = True`. Then it runs in
            threads, where its attribute `max_seconds` does not bound each of its methods.
        run_in_thread: Runs what may block.
    """

    __slots__ = ("_max_seconds", "_run_in_thread", "_try_observe", "blocks", "limiter", "queue")

    def __init__(self, limiter: Limiter, run_in_thread: RunInThread) -> None:
        self.limiter = limiter
        self.queue = queue_for(limiter)
        self.blocks = bool(getattr(limiter, "blocking", False))
        self._max_seconds: float = getattr(limiter, "max_seconds", math.inf)
        self._try_observe = getattr(limiter, "try_observe", None)
        self._run_in_thread = run_in_thread

    async def acquire_blocking(self, weight: int, deadline: float) -> float:
        """Take weight from a blocking limiter. Returns the seconds to wait, 0.0 if it was taken."""
        acquire = partial(self.limiter.acquire, weight)
        wait: float = await self._run_in_thread(acquire, deadline, self._max_seconds)
        # Nor is NaN a time to wait.
        return wait if wait > 0 else 0.0

    def acquire(self, weight: int) -> float:
        """Take weight from another limiter. Returns the seconds to wait, 0.0 if it was taken."""
        wait = self.limiter.acquire(weight)
        return wait if wait > 0 else 0.0

    async def wait_for_room(
        self,
        ticket: Ticket,
        wait: float,
        deadline: float,
        *,
        gates: Any,
        check: Callable[[], None],
        on_wait: Callable[[float], None],
    ) -> None:
        """Wait in line until this call is the first one and its time has come.

        First come, first served. A cancelled or interrupted call leaves the line.

        Args:
            ticket: The call's place.
            wait: Seconds that the limiter said, 0.0 if it was not asked.
            deadline: Instant of `time.monotonic()`.
            gates: The client's GateSet.
            check: Raises when the client is closed or the address is banned.
            on_wait: Called once, with the seconds that it will take.

        Raises:
            RateLimitError: The budget has none left before the deadline. Raised at once.
            IPBannedError: The address is banned.
        """
        queue, forecast = self.queue, getattr(self.limiter, "forecast", None)
        tickets, number = queue.tickets, ticket.number
        is_announced = is_served = False
        try:
            while True:
                gate = gates.new_gate()
                queue.join(ticket, gate, wait)
                check()
                pause = max(queue.seconds_left(), wait)
                wait = 0.0
                if forecast is not None:
                    pause = max(pause, forecast(queue.weight_ahead(ticket) + ticket.weight))
                left = deadline - time.monotonic()
                if pause >= left:
                    raise RateLimitError(
                        0, None, "the weight budget is exhausted until after the deadline", pause
                    )
                if not pause and queue.is_first(ticket):
                    is_served = True
                    return
                if not is_announced:
                    is_announced = True
                    on_wait(pause)
                await gates.wait(gate, queue.recheck_after(ticket, pause, left))
        finally:
            tickets.pop(number, None)  # A single C call: an interrupt cannot come before it.
            queue.leave(ticket, is_served=is_served)

    async def start_cooldown(self, seconds: float, *, banned: bool, deadline: float) -> None:
        """Report a 429 or 418 to the limiter, and have those who wait look again."""
        await self._notify(partial(self.limiter.start_cooldown, seconds, banned=banned), deadline)
        self.queue.wake_all()

    async def observe(self, used_weight: int, deadline: float) -> None:
        """Report the exchange's count to the limiter."""
        # A thread for what does not block would take a third of an async call's CPU.
        if self._try_observe is not None and self._try_observe(used_weight):
            return
        await self._notify(partial(self.limiter.observe, used_weight), deadline)

    async def _notify(self, notify: Callable[[], None], deadline: float) -> None:
        """Report to the limiter.

        What it raises is logged. The call, whose response is here, does not fail.
        """
        try:
            if self.blocks:
                await self._run_in_thread(notify, deadline, self._max_seconds)
            else:
                notify()
        except Exception as error:  # noqa: BLE001 - custom code, which only watches
            raise_if_from_handler(error)
            if not isinstance(error, UsdmError):
                logger.error("the limiter failed with %s", type(error).__name__)
