"""The limiter of one process, which keeps a weight budget, and its cooldowns and bans."""

from __future__ import annotations

import threading
from collections.abc import Callable

from binance_usdm._errors import IPBannedError

from .budget import Budget, make_budget
from .clock import local_time_ms, monotonic_seconds
from .limiter_protocol import Limiter as Limiter
from .weight_budget import (
    CLOCK_TOLERANCE_MS,
    DEFAULT_SHARE,
    DEFAULT_WEIGHT_LIMIT,
    LATE_RESPONSE_MS,
    MAX_COOLDOWN_SECONDS,
    MINUTE_MS,
    minutes_touched,
    weight_budget,
    weight_too_large_error,
)


class WeightLimiter(Limiter):
    """Weight budget of one process for one exchange and IP address.

    The budget of each UTC minute is `share` of `limit`. The weight used is what was taken here or
    what the exchange reported, whichever is more. Safe to share between threads. Never blocks.

    Setting the wall clock changes neither cooldowns nor the count of the current minute. After a
    fork each process counts separately; `RedisLimiter` counts for all. Fork only while no other
    thread makes calls.

    Args:
        limit: Weight that the exchange allows per minute. With `None` there is no budget, but
            cooldowns and bans are kept.
        share: Share of the limit that may be used, above 0 and at most 1.
        now: Returns the exchange's time in ms since 1970. It must not call the limiter.
        monotonic: Returns seconds of a clock that is never set. It must not call the limiter.

    Raises:
        ConfigurationError: `limit` or `share` is invalid, or leaves no budget.

    Example:
        limiter = WeightLimiter(share=0.5)
        client = Client(key, secret, limiter=limiter)
    """

    __slots__ = (
        "__weakref__",
        "_ban_end_ms",
        "_banned_until",
        "_budget",
        "_cooldown_until",
        "_current_minute_used",
        "_last_monotonic",
        "_last_wall_ms",
        "_lock",
        "_monotonic",
        "_now",
        "_used_by_minute",
    )

    def __init__(
        self,
        limit: int | None = DEFAULT_WEIGHT_LIMIT,
        share: float = DEFAULT_SHARE,
        *,
        now: Callable[[], int] = local_time_ms,
        monotonic: Callable[[], float] = monotonic_seconds,
    ) -> None:
        self._budget = float("inf") if limit is None else weight_budget(limit, share)
        self._now = now
        self._monotonic = monotonic
        # Re-entrant: a signal handler's call may run within another call of its thread.
        self._lock = threading.RLock()
        self.forget()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(budget={self._budget})"

    def forget(self) -> None:
        """Forget used weight, cooldowns and bans. For tests: requests during a ban prolong it."""
        with self._lock:
            self._used_by_minute: dict[int, int] = {}
            self._current_minute_used = 0
            self._last_wall_ms = self._now()
            self._last_monotonic = self._monotonic()
            self.clear_cooldown()

    def clear_cooldown(self) -> None:
        """Forget cooldowns and bans. Requests during a ban of the exchange prolong it."""
        with self._lock:
            self._cooldown_until = float("-inf")
            self._banned_until = float("-inf")
            self._ban_end_ms = 0

    def acquire(self, weight: int) -> float:
        if not 0 <= weight <= self._budget:
            raise weight_too_large_error(weight, self._budget)
        with self._lock:
            elapsed = self._monotonic()
            if elapsed < self._cooldown_until:
                return self._cooldown_left(elapsed)
            now = self._refresh_now_ms(elapsed)
            used = self._used_by_minute
            minutes = minutes_touched(now)
            for minute in minutes:
                if used.get(minute, 0) + weight > self._budget:
                    return ((minute + 1) * MINUTE_MS + CLOCK_TOLERANCE_MS - now) / 1000
            for minute in minutes:
                used[minute] = used.get(minute, 0) + weight
            self._current_minute_used = used[minutes[0]]
            return 0.0

    def forecast(self, weight: int) -> float:
        """Return the seconds after which the budget will have allowed this much weight.

        Args:
            weight: Weight of a request and of all requests that are sent before it.

        Raises:
            IPBannedError: The address is banned, and the ban lasts.
        """
        with self._lock:
            elapsed = self._monotonic()
            cooldown = self._cooldown_left(elapsed)
            now = self._refresh_now_ms(elapsed)
            last, *earlier = minutes_touched(now)
            next_minute_at = last * MINUTE_MS + CLOCK_TOLERANCE_MS
            if earlier and weight > self._budget - self._used_by_minute.get(earlier[0], 0):
                cooldown = max(cooldown, (next_minute_at - now) / 1000)
            excess = weight - max(self._budget - self._used_by_minute.get(last, 0), 0)
            if excess <= 0:
                return cooldown
            minutes_rounded_up = -(-excess // self._budget)
            return max(cooldown, (next_minute_at + minutes_rounded_up * MINUTE_MS - now) / 1000)

    def budget(self) -> Budget:
        """Return what is used and left in the current minute, and until when nothing is sent."""
        with self._lock:
            elapsed = self._monotonic()
            now = self._refresh_now_ms(elapsed)
            used = self._used_by_minute.get(minutes_touched(now)[0], 0)
            held = (self._cooldown_until - elapsed, self._banned_until - elapsed)
            return make_budget(self._budget, used, now, *held)

    def cooldown_left(self) -> float:
        """Return the seconds until the cooldown ends, 0.0 without one.

        Raises:
            IPBannedError: The address is banned, and the ban lasts.
        """
        with self._lock:
            return self._cooldown_left(self._monotonic())

    def observe(self, used_weight: int) -> None:
        # It is no more than what was taken here, unless other programs use the address.
        if used_weight <= self._current_minute_used:
            return
        with self._lock:
            now = self._refresh_now_ms(self._monotonic())
            minute = self._minute_of_header(now, used_weight)
            if used_weight > self._used_by_minute.get(minute, 0):
                self._used_by_minute[minute] = used_weight

    def start_cooldown(self, seconds: float, *, banned: bool) -> None:
        with self._lock:
            seconds = min(seconds, MAX_COOLDOWN_SECONDS)
            end = self._monotonic() + seconds
            self._cooldown_until = max(self._cooldown_until, end)
            if banned and end > self._banned_until:
                self._banned_until = end
                self._ban_end_ms = self._now() + round(seconds * 1000)

    def _cooldown_left(self, elapsed: float) -> float:
        if elapsed < self._banned_until:
            message = "this address is banned; nothing was sent"
            error = IPBannedError(418, -1003, message, self._banned_until - elapsed)
            # Its hint has the end as a date.
            error.ban_end_ms = self._ban_end_ms
            raise error
        return max(self._cooldown_until - elapsed, 0.0)

    def _minute_of_header(self, now: int, used_weight: int) -> int:
        """Return the minute that a header describes which is read now.

        Less than `LATE_RESPONSE_MS` after a minute's end, or less than `CLOCK_TOLERANCE_MS` before
        it, that is the earlier minute if weight was used in it, unless the header is below half of
        its count: a count falls only when a minute begins. Charging an old count to a new minute
        would stop all calls for up to a minute. The opposite costs little, since the weight taken
        here is charged in any case and the next response has the new count.
        """
        earlier = (now - LATE_RESPONSE_MS) // MINUTE_MS
        if 0 < self._used_by_minute.get(earlier, 0) <= 2 * used_weight:
            return earlier
        return (now + CLOCK_TOLERANCE_MS) // MINUTE_MS

    def _refresh_now_ms(self, elapsed: float) -> int:
        """Return the exchange's time, and bring the counts up to it."""
        now = self._now()
        passed_ms = (elapsed - self._last_monotonic) * 1000
        step_ms = now - self._last_wall_ms - passed_ms
        if not -CLOCK_TOLERANCE_MS <= step_ms <= CLOCK_TOLERANCE_MS:
            self._carry_count_over(now, passed_ms)
        elif len(self._used_by_minute) > 2:
            self._forget_old_minutes(now)
        self._last_wall_ms = now
        self._last_monotonic = elapsed
        return now

    def _carry_count_over(self, now: int, passed_ms: float) -> None:
        """Charge the count, unless its minute has ended, to the minutes of a clock that was set."""
        count = 0
        if passed_ms <= MINUTE_MS + 2 * CLOCK_TOLERANCE_MS:
            minutes = minutes_touched(self._last_wall_ms)
            count = max(self._used_by_minute.get(minute, 0) for minute in minutes)
        self._used_by_minute = dict.fromkeys(minutes_touched(now), count)

    def _forget_old_minutes(self, now: int) -> None:
        oldest = (now - LATE_RESPONSE_MS) // MINUTE_MS
        used = self._used_by_minute
        self._used_by_minute = {minute: used[minute] for minute in used if minute >= oldest}
