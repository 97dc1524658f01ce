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
import time
from collections.abc import Callable
from typing import Final, Protocol

from binance_usdm._errors import ConfigurationError, IPBannedError, RateLimitError, ban_end

from .clock import local_time

LIMIT: Final = 2400
SHARE: Final = 0.8
MINUTE: Final = 60_000
GUARD: Final = 1_000
"""ms: clock error (up to 900) and latency between our clock and the exchange's counter."""
LATE: Final = 5_000
"""ms: how long after a minute's end a reply may still speak of it."""
SPREAD: Final = 6.0
"""s: over so long a whole minute's budget is spread when those who wait for the same moment go on: not all at once."""
LONGEST_HOLD: Final = 3 * 24 * 3600.0
"""s: the longest ban there is (General Info)."""
SHORTEST_BAN: Final = 120.0
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

    def hold(self, seconds: float, *, banned: bool) -> None:
        """The exchange asked everybody to wait (429), or banned this address (418), for so long from now.

        Never less than an earlier call asked for, three days at most.
        """
        ...


class WeightLimiter(Limiter):
    """The weight budget of one process for one exchange: `share` of `limit` per UTC minute. Safe for threads; never blocks.

    Used is what was taken here or what the exchange's header said, whichever is more. `limit=None` is no budget; holds and bans are kept
    all the same. `now` is the exchange's time in ms since 1970, `monotonic` seconds; neither may call the limiter.
    Holds and bans end by `monotonic`, so setting the wall clock neither frees nor prolongs them, and the count of a minute survives it.
    After a fork each process counts for itself (RedisLimiter counts for all); fork while no other thread makes calls.
    Raises ConfigurationError for a limit or share that leaves no budget.
    """

    __slots__ = (
        "_ban", "_ban_end", "_budget", "_elapsed", "_hold", "_lock", "_monotonic", "_newest", "_now", "_used", "_wall",
    )  # fmt: skip

    def __init__(
        self,
        limit: int | None = LIMIT,
        share: float = SHARE,
        *,
        now: Callable[[], int] = local_time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._budget = float("inf") if limit is None else budget(limit, share)
        self._now, self._monotonic = now, monotonic
        self._lock = threading.Lock()
        self._used: dict[int, int] = {}
        self._newest = 0
        self._wall, self._elapsed = now(), monotonic()
        self._hold = self._ban = float("-inf")
        self._ban_end = 0

    def __repr__(self) -> str:
        return f"{type(self).__name__}(budget={self._budget})"

    def acquire(self, weight: int) -> float:
        if not 0 <= weight <= self._budget:
            raise never_fits(weight, self._budget)
        with self._lock:
            elapsed = self._monotonic()
            if elapsed < self._hold:
                return self._left(elapsed)
            now, used = self._present(elapsed), self._used
            minutes = _touched(now)
            for minute in minutes:
                if used.get(minute, 0) + weight > self._budget:
                    return ((minute + 1) * MINUTE + GUARD - now) / 1000
            for minute in minutes:
                used[minute] = used.get(minute, 0) + weight
            self._newest = used[minutes[0]]
            return 0.0

    def held(self) -> float:
        """Seconds that a 429 still asks to wait, 0.0 for none. Raises IPBannedError while a ban lasts."""
        with self._lock:
            return self._left(self._monotonic())

    def observe(self, used_weight: int) -> None:
        if used_weight <= self._newest:  # nothing new, as always when nobody else uses the address
            return
        with self._lock:
            now = self._present(self._monotonic())
            before, minute = (now - LATE) // MINUTE, (now + GUARD) // MINUTE
            if 0 < self._used.get(before, 0) <= 2 * used_weight:
                minute = before
            if used_weight > self._used.get(minute, 0):
                self._used[minute] = used_weight

    def hold(self, seconds: float, *, banned: bool) -> None:
        with self._lock:
            seconds = min(seconds, LONGEST_HOLD)
            end = self._monotonic() + seconds
            self._hold = max(self._hold, end)
            if banned and end > self._ban:
                self._ban, self._ban_end = end, self._now() + round(seconds * 1000)

    def _left(self, elapsed: float) -> float:
        if elapsed < self._ban:
            text = f"this address is banned until {self._ban_end}; nothing was sent"
            raise IPBannedError(418, -1003, text, self._ban - elapsed)
        return max(self._hold - elapsed, 0.0)

    def _present(self, elapsed: float) -> int:
        """Now; a wall clock that was set since the last time takes the current count along, for the exchange's minute goes on."""
        now = self._now()
        passed = (elapsed - self._elapsed) * 1000
        if not -GUARD <= now - self._wall - passed <= GUARD:
            lasts = passed <= MINUTE + 2 * GUARD
            count = max(self._used.get(minute, 0) for minute in _touched(self._wall)) if lasts else 0
            self._used = dict.fromkeys(_touched(now), count)
        elif len(self._used) > 2:
            self._used = {minute: count for minute, count in self._used.items() if minute >= (now - LATE) // MINUTE}
        self._wall, self._elapsed = now, elapsed
        return now


def _touched(now: int) -> tuple[int, ...]:
    """The minutes in which a request sent now may arrive, the last one first."""
    last, into = divmod(now + GUARD, MINUTE)
    return (last,) if into >= 2 * GUARD else (last, last - 1)


def budget(limit: int, share: float) -> int:
    """What a share of a limit is in whole weight; ConfigurationError when there is nothing to spend."""
    if type(limit) is not int or limit < 1:
        raise ConfigurationError("limit must be a whole number, 1 or more")
    if not isinstance(share, int | float) or not 0 < share <= 1 or int(limit * share) < 1:
        raise ConfigurationError("share must be above 0 and at most 1, and leave a budget of 1 or more")
    return int(limit * share)


def never_fits(weight: int, budget: float) -> ConfigurationError:
    """The error for a weight that no minute has room for."""
    return ConfigurationError(f"a request of weight {weight} does not fit into a budget of {budget} a minute")


def hold(error: RateLimitError, now: int) -> float:
    """Seconds in which nothing may be sent after a 429 or 418, at `now` (ms by the exchange).

    A ban ends when the header or the text says, whichever is later, and lasts two minutes when neither does. Any other limit ends
    when the header says, else with the UTC minute.
    """
    said = error.retry_after
    if isinstance(error, IPBannedError):
        end = ban_end(error.message)
        seconds = max(said or 0.0, 0.0 if end is None else (end - now) / 1000) or SHORTEST_BAN
    else:
        seconds = 60 - now / 1000 % 60 if said is None else said
    return min(seconds, LONGEST_HOLD)
