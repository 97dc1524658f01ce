"""The weight budget of an IP address, as a client sees it. Knows weights, minutes, waits and bans; no request and no reply.

The exchange counts weight by UTC clock minutes (measured; exchange-rules of the futures API, "Limits"). Two things blur their edges
for a client: a request sent at t arrives up to GUARD before or after t on the exchange's clock, and a reply may be read after the
minute that it speaks of. So

- a request is charged to, and must fit into, every minute that [t - GUARD, t + GUARD] touches;
- a header read less than LATE after an edge, or less than GUARD before one, belongs to the earlier minute if anything was sent in it,
  unless it is below half of that minute's count: a counter falls only where a new minute begins. Giving an old total to a new minute
  would stop everybody for up to a minute; giving a new one to the old minute costs little, since our own weight is charged already
  and the next reply tells again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, Protocol

from binance_usdm._errors import ConfigurationError, IPBannedError, RateLimitError, parse_ban_end_ms

from .clock import local_time_ms, monotonic_seconds

DEFAULT_WEIGHT_LIMIT: Final = 2400
DEFAULT_SHARE: Final = 0.8
MINUTE_MS: Final = 60_000
CLOCK_TOLERANCE_MS: Final = 1_000
"""ms: clock error (up to 900) and latency between our clock and the exchange's counter."""
LATE_RESPONSE_MS: Final = 5_000
"""ms: how long after a minute's end a reply may still speak of it."""
RELEASE_SPREAD_SECONDS: Final = 6.0
"""s: over so long a whole minute's budget is spread when those who wait for the same moment go on: not all at once."""
MAX_COOLDOWN_SECONDS: Final = 3 * 24 * 3600.0
"""s: the longest ban there is (General Info)."""
MIN_BAN_SECONDS: Final = 120.0
"""A ban takes two minutes to three days (General Info, 2026-05-28)."""


class Limiter(Protocol):
    """Asked before every attempt, told of every reply; may be shared by many clients.

    One that waits for a network in these methods says so with an attribute `blocking = True`.
    """

    __slots__ = ()

    def acquire(self, weight: int) -> float:
        """Take `weight` out of the budget; 0.0: taken. Otherwise nothing was taken: seconds after which to ask again.

        Raises IPBannedError while a ban lasts, ConfigurationError for a weight that no minute has room for.
        """
        ...

    def observe(self, used_weight: int) -> None:
        """Learn what the exchange says is used in the current UTC minute."""
        ...

    def start_cooldown(self, seconds: float, *, banned: bool) -> None:
        """The exchange asked everybody to wait (429), or banned this address (418), for so long from now.

        Never less than an earlier call asked for, three days at most.
        """
        ...


class WeightLimiter(Limiter):
    """The weight budget of one process for one exchange: `share` of `limit` per UTC minute. Safe for threads; never blocks.

    Used is what was taken here or what the exchange's header said, whichever is more. `limit=None` is no budget; cooldowns
    and bans are kept all the same. `now` is the exchange's time in ms since 1970, `monotonic` seconds; neither may call the limiter.
    Cooldowns and bans end by `monotonic`, so setting the wall clock neither frees nor prolongs them, and the count of a minute survives it.
    After a fork each process counts for itself (RedisLimiter counts for all); fork while no other thread makes calls.
    Raises ConfigurationError for a limit or share that leaves no budget.
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
    )  # fmt: skip

    def __init__(
        self,
        limit: int | None = DEFAULT_WEIGHT_LIMIT,
        share: float = DEFAULT_SHARE,
        *,
        now: Callable[[], int] = local_time_ms,
        monotonic: Callable[[], float] = monotonic_seconds,
    ) -> None:
        self._budget = float("inf") if limit is None else weight_budget(limit, share)
        self._now, self._monotonic = now, monotonic
        self._lock = (
            threading.RLock()
        )  # A signal handler's call may run within another call of its thread.
        self._used_by_minute: dict[int, int] = {}
        self._current_minute_used = 0
        self._last_wall_ms, self._last_monotonic = now(), monotonic()
        self._cooldown_until = self._banned_until = float("-inf")
        self._ban_end_ms = 0

    def __repr__(self) -> str:
        return f"{type(self).__name__}(budget={self._budget})"

    def acquire(self, weight: int) -> float:
        if not 0 <= weight <= self._budget:
            raise weight_too_large_error(weight, self._budget)
        with self._lock:
            elapsed = self._monotonic()
            if elapsed < self._cooldown_until:
                return self._cooldown_left(elapsed)
            now, used = self._refresh_now_ms(elapsed), self._used_by_minute
            minutes = _minutes_touched(now)
            for minute in minutes:
                if used.get(minute, 0) + weight > self._budget:
                    return ((minute + 1) * MINUTE_MS + CLOCK_TOLERANCE_MS - now) / 1000
            for minute in minutes:
                used[minute] = used.get(minute, 0) + weight
            self._current_minute_used = used[minutes[0]]
            return 0.0

    def forecast(self, weight: int) -> float:
        """Return seconds after which so much weight will have had room, counting what others take before.

        Raises IPBannedError while a ban lasts.
        """
        with self._lock:
            monotonic = self._monotonic()
            cooldown = self._cooldown_left(monotonic)
            now = self._refresh_now_ms(monotonic)
            last, *earlier = _minutes_touched(now)
            next_minute_at = last * MINUTE_MS + CLOCK_TOLERANCE_MS
            if earlier and weight > self._budget - self._used_by_minute.get(earlier[0], 0):
                cooldown = max(cooldown, (next_minute_at - now) / 1000)
            excess = weight - max(self._budget - self._used_by_minute.get(last, 0), 0)
            if excess <= 0:
                return cooldown
            minutes = -(-excess // self._budget)
            return max(cooldown, (next_minute_at + minutes * MINUTE_MS - now) / 1000)

    def cooldown_left(self) -> float:
        """Seconds that a 429 still asks to wait, 0.0 for none. Raises IPBannedError while a ban lasts."""
        with self._lock:
            return self._cooldown_left(self._monotonic())

    def observe(self, used_weight: int) -> None:
        if (
            used_weight <= self._current_minute_used
        ):  # nothing new, as always when nobody else uses the address
            return
        with self._lock:
            now = self._refresh_now_ms(self._monotonic())
            before, minute = (
                (now - LATE_RESPONSE_MS) // MINUTE_MS,
                (now + CLOCK_TOLERANCE_MS) // MINUTE_MS,
            )
            if 0 < self._used_by_minute.get(before, 0) <= 2 * used_weight:
                minute = before
            if used_weight > self._used_by_minute.get(minute, 0):
                self._used_by_minute[minute] = used_weight

    def start_cooldown(self, seconds: float, *, banned: bool) -> None:
        with self._lock:
            seconds = min(seconds, MAX_COOLDOWN_SECONDS)
            end = self._monotonic() + seconds
            self._cooldown_until = max(self._cooldown_until, end)
            if banned and end > self._banned_until:
                self._banned_until, self._ban_end_ms = end, self._now() + round(seconds * 1000)

    def _cooldown_left(self, elapsed: float) -> float:
        if elapsed < self._banned_until:
            text = f"this address is banned until {self._ban_end_ms}; nothing was sent"
            raise IPBannedError(418, -1003, text, self._banned_until - elapsed)
        return max(self._cooldown_until - elapsed, 0.0)

    def _refresh_now_ms(self, elapsed: float) -> int:
        """Now; a wall clock that was set since the last time takes the current count along, for the exchange's minute goes on."""
        now = self._now()
        passed = (elapsed - self._last_monotonic) * 1000
        if not -CLOCK_TOLERANCE_MS <= now - self._last_wall_ms - passed <= CLOCK_TOLERANCE_MS:
            lasts = passed <= MINUTE_MS + 2 * CLOCK_TOLERANCE_MS
            count = (
                max(
                    self._used_by_minute.get(minute, 0)
                    for minute in _minutes_touched(self._last_wall_ms)
                )
                if lasts
                else 0
            )
            self._used_by_minute = dict.fromkeys(_minutes_touched(now), count)
        elif len(self._used_by_minute) > 2:
            self._used_by_minute = {
                minute: count
                for minute, count in self._used_by_minute.items()
                if minute >= (now - LATE_RESPONSE_MS) // MINUTE_MS
            }
        self._last_wall_ms, self._last_monotonic = now, elapsed
        return now


def _minutes_touched(now: int) -> tuple[int, ...]:
    """The minutes in which a request sent now may arrive, the last one first."""
    last, into = divmod(now + CLOCK_TOLERANCE_MS, MINUTE_MS)
    return (last,) if into >= 2 * CLOCK_TOLERANCE_MS else (last, last - 1)


def weight_budget(limit: int, share: float) -> int:
    """What a share of a limit is in whole weight; ConfigurationError when there is nothing to spend."""
    if type(limit) is not int or limit < 1:
        raise ConfigurationError("limit must be a whole number, 1 or more")
    if not isinstance(share, int | float) or not 0 < share <= 1 or int(limit * share) < 1:
        raise ConfigurationError(
            "share must be above 0 and at most 1, and leave a budget of 1 or more"
        )
    return int(limit * share)


def weight_too_large_error(weight: int, budget: float) -> ConfigurationError:
    """The error for a weight that no minute has room for."""
    return ConfigurationError(
        f"a request of weight {weight} does not fit into a budget of {budget} a minute"
    )


def cooldown_seconds(error: RateLimitError, now: int) -> float:
    """Return how long nothing may be sent after a 429 or 418.

    A ban ends when the header or the message says, whichever is later; it lasts two minutes when neither says so;
    a header of 0 alone says nothing. Any other limit ends when the header says, else with the UTC minute.

    Args:
        error: What the exchange responded.
        now: The exchange's time in ms.
    """
    header = error.retry_after
    if not isinstance(error, IPBannedError):
        seconds = 60 - now / 1000 % 60 if header is None else header
        return min(seconds, MAX_COOLDOWN_SECONDS)
    end = parse_ban_end_ms(error.message) if error.ban_end_ms is None else error.ban_end_ms
    if not header and end is None:
        return MIN_BAN_SECONDS
    seconds = max(header or 0.0, 0.0 if end is None else (end - now) / 1000)
    return min(seconds, MAX_COOLDOWN_SECONDS)
