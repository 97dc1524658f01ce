"""A limiter and the queue in front of it, for the calls of one client."""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, TypeAlias

from binance_usdm._concurrency.interrupts import raise_if_from_handler
from binance_usdm._errors import RateLimitError, UsdmError
from binance_usdm._events import logger

from .limiter import Limiter
from .wait_queue import Ticket, queue_for

_EXHAUSTED_MESSAGE: Final = (
    "the weight budget (option `limiter`) is exhausted until after this call's deadline"
)

RunInThread: TypeAlias = Callable[[Callable[[], Any], float, float], Awaitable[Any]]
"""Function that runs another one, which may block, until a deadline.

The last argument is the time in seconds after which that one ends by itself.
"""


class LimiterQueue:
    """A limiter and the queue of the calls that wait for it, for the calls of one client.

    Args:
        limiter: The limiter. With an attribute `blocking = True` it runs in threads, unless its
            attribute `max_seconds` bounds each of its methods.
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
        """Take weight from a blocking limiter.

        Waits for the limiter. A cancelled or interrupted caller leaves it running, if in a thread.

        Returns:
            0.0 when the weight was taken, else seconds to wait.

        Raises:
            TimeoutError: The deadline (of `time.monotonic()`) came first.
            OSError: No thread can be started.
        """
        acquire = partial(self.limiter.acquire, weight)
        wait: float = await self._run_in_thread(acquire, deadline, self._max_seconds)
        # NaN counts as 0.0.
        return wait if wait > 0 else 0.0

    def acquire(self, weight: int) -> float:
        """Take weight from a limiter that does not block.

        Returns:
            0.0 when the weight was taken, else seconds to wait.
        """
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

        Calls are served in the order in which their tickets were made. A cancelled or interrupted
        call leaves the line.

        Args:
            ticket: The call's ticket.
            wait: Seconds that the limiter returned, 0.0 if it was not asked.
            deadline: Instant of `time.monotonic()`.
            gates: The client's GateSet.
            check: Raises when the client is closed or its address is banned.
            on_wait: Called once, with the seconds that the wait will take.

        Raises:
            RateLimitError: The budget allows the call only after the deadline. Raised at once.
            IPBannedError: The address is banned.
        """
        queue = self.queue
        tickets = queue.tickets
        number = ticket.number
        is_announced = False
        is_served = False
        try:
            while True:
                gate = gates.new_gate()
                queue.join(ticket, gate, wait)
                check()
                delay = self._delay_before_room(ticket, wait)
                wait = 0.0
                left = deadline - time.monotonic()
                if delay >= left:
                    error = RateLimitError(0, None, _EXHAUSTED_MESSAGE, delay)
                    error.time_left = max(left, 0.0)
                    raise error
                if not delay and queue.is_first(ticket):
                    is_served = True
                    return
                if not is_announced:
                    is_announced = True
                    on_wait(delay)
                await gates.wait(gate, queue.recheck_after(ticket, delay, left))
        finally:
            # This is a single C call, so no interrupt can come before it.
            tickets.pop(number, None)
            queue.remove(ticket, is_served=is_served)

    def _delay_before_room(self, ticket: Ticket, wait: float) -> float:
        """Return the seconds until the budget allows this call, as far as is known.

        A limiter may have a method `forecast(weight)`, which counts the calls that are ahead.
        """
        delay = max(self.queue.seconds_left(), wait)
        forecast: Callable[[int], float] | None = getattr(self.limiter, "forecast", None)
        if forecast is None:
            return delay
        return max(delay, forecast(self.queue.weight_ahead(ticket) + ticket.weight))

    async def start_cooldown(self, seconds: float, *, banned: bool, deadline: float) -> None:
        """Report a 429 or 418 to the limiter, and have waiting calls check their condition."""
        await self._notify(partial(self.limiter.start_cooldown, seconds, banned=banned), deadline)
        self.queue.wake_all()

    async def observe(self, used_weight: int, deadline: float) -> None:
        """Report the exchange's count to the limiter."""
        # A thread for what does not block would take a third of an async call's CPU.
        if self._try_observe is not None and self._try_observe(used_weight):
            return
        await self._notify(partial(self.limiter.observe, used_weight), deadline)

    async def _notify(self, notify: Callable[[], None], deadline: float) -> None:
        """Call the limiter, and log what it raises.

        It does not fail the call, whose response is complete.
        """
        try:
            if self.blocks:
                await self._run_in_thread(notify, deadline, self._max_seconds)
            else:
                notify()
        # A custom limiter may raise anything here.
        except Exception as error:  # noqa: BLE001
            raise_if_from_handler(error)
            if not isinstance(error, UsdmError):
                logger.error("the limiter failed with %s", type(error).__name__)
