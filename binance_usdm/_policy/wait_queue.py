"""First-come, first-served queue in front of a limiter.

Calls for which the weight budget has nothing left wait here, in the order in which they began. Only
the first one calls the limiter again, when its time has come. The next one is woken when the first
one leaves, so no call stays first while it connects.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from typing import Any, Final, Protocol
from weakref import WeakKeyDictionary

from .weight_budget import DEFAULT_WEIGHT_LIMIT, RELEASE_SPREAD_SECONDS

_RECHECK_SECONDS: Final = 0.5
_FRONT: Final = 2
"""Number of tickets that check regularly whether they may go on: the first and the second one."""
_numbers: Final[Iterator[int]] = itertools.count()


class _Gate(Protocol):
    def open(self) -> None: ...


class Ticket:
    """A call's place in line, by the time at which the attempt began.

    Making one takes nothing.
    """

    __slots__ = ("gate", "number", "weight")

    def __init__(self, weight: int) -> None:
        self.number = next(_numbers)
        self.weight = weight
        self.gate: Any = None


class WaitQueue:
    """Tickets that wait for one limiter. Safe to share between threads. Never blocks.

    A ticket waits as long as it is in `tickets`, and all else follows from that. So a caller that
    pops its ticket leaves nothing behind, whatever interrupts it later. A lost wake-up costs half
    a second.
    """

    __slots__ = ("_lock", "_not_before", "_numbers", "tickets")

    def __init__(self) -> None:
        # Re-entrant: a signal handler's call may run within another call of its thread.
        self._lock = threading.RLock()
        self.tickets: dict[int, Ticket] = {}
        # The numbers of `tickets` in order, and at times of some that left. It is changed by single
        # steps, since a signal handler's call may come in between. That call has left the line
        # when they go on.
        self._numbers: list[int] = []
        self._not_before = float("-inf")

    @property
    def waiting_count(self) -> int:
        """Number of calls that wait."""
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
        """Wait in line. `gate` is opened when the ticket becomes the first one.

        Args:
            ticket: The call's ticket, which may be in line already.
            gate: Wakes the call.
            wait: Seconds after which the first call may ask the limiter, as far as that reported.
        """
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

    def remove(self, ticket: Ticket, *, is_served: bool) -> None:
        """Leave the line, and wake the calls that come to the front. Safe to call again.

        Args:
            ticket: The call's ticket.
            is_served: Whether the call goes on to send. Then the next one waits a moment longer.
        """
        with self._lock:
            self.tickets.pop(ticket.number, None)
            front = self._front()
            if is_served and front:
                # Calls that wait for the same instant go on one after another, not all at once.
                spread = RELEASE_SPREAD_SECONDS * ticket.weight / DEFAULT_WEIGHT_LIMIT
                self._not_before = max(self._not_before, time.monotonic() + spread)
        if front and ticket.number < front[-1].number:
            for waiting in front:
                waiting.gate.open()

    def weight_ahead(self, ticket: Ticket) -> int:
        """Return the weight of the calls that wait before this one."""
        if self.is_first(ticket):
            return 0
        number = ticket.number
        # The copy is a single C call: other threads pop tickets meanwhile.
        tickets = list(self.tickets.values())
        return sum([other.weight for other in tickets if other.number < number])

    def seconds_left(self) -> float:
        """Return the seconds until the first call may ask the limiter, 0.0 for now."""
        return max(self._not_before - time.monotonic(), 0.0)

    def recheck_after(self, ticket: Ticket, delay: float, left: float) -> float:
        """Return the seconds after which a waiting call checks its condition again.

        The first call in line has a time to wait for. The second one checks whether it is the
        first. The others are woken.

        Args:
            ticket: The call's ticket.
            delay: Seconds until the limiter may be asked.
            left: Seconds until the call's deadline.
        """
        front = self._front()
        if ticket not in front:
            return left
        wait = delay if front[0] is ticket else left
        return min(wait, _RECHECK_SECONDS, left)

    def wake_all(self) -> None:
        """Have every waiting call check its condition, as when a cooldown or a ban began."""
        for ticket in list(self.tickets.values()):
            ticket.gate.open()

    def _front(self) -> list[Ticket]:
        """Return the first two tickets, and remove those of closed event loops before them."""
        tickets = self.tickets
        while True:
            with self._lock:
                # Some tickets have left.
                if len(self._numbers) > len(tickets):
                    self._numbers = sorted(tickets)
                known = map(tickets.get, self._numbers)
                front = list(itertools.islice(filter(None, known), _FRONT))
                closed = [ticket for ticket in front if not is_reachable(ticket)]
                for ticket in closed:
                    tickets.pop(ticket.number, None)
                if not closed:
                    return front


def is_reachable(ticket: Ticket) -> bool:
    """Return whether the call can still go on: its event loop, if it has one, is not closed."""
    return getattr(ticket.gate, "is_reachable", True)


_lock: Final = threading.RLock()
_queue_by_limiter: Final[WeakKeyDictionary[object, WaitQueue]] = WeakKeyDictionary()


def queue_for(limiter: object) -> WaitQueue:
    """Return the queue of a limiter, which all clients have that share it."""
    with _lock:
        try:
            return _queue_by_limiter.setdefault(limiter, WaitQueue())
        except TypeError:
            # The limiter cannot be hashed or referred to weakly, so its clients share no queue.
            return WaitQueue()
