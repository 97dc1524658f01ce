"""What a client may still send in this minute."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Final

from attrs import evolve, frozen

COUNTED_BY_PROCESS: Final = "this process"


@frozen(kw_only=True)
class Budget:
    """Weight budget of one UTC minute, as far as it is known without sending anything."""

    limit: int | None
    """Weight that calls may use in a minute. `None` without a budget."""
    used: int | None
    """Weight used in the current minute: by calls that share the budget, or what the exchange
    counted for this IP address, whichever is more. `None` when the limiter does not say."""
    held_until: datetime | None
    """When the cooldown after a 429 or the ban after a 418 ends, in UTC. `None` without one."""
    is_banned: bool
    """Whether the exchange banned this IP address."""
    counted_by: str
    """Who counts: "this process", or the Redis server and the name of the budget."""

    @property
    def left(self) -> int | None:
        """Weight that calls may still use in the current minute. `None` when it is not known.

        While nothing may be sent it is 0.
        """
        if self.held_until is not None:
            return 0
        if self.limit is None or self.used is None:
            return None
        return max(self.limit - self.used, 0)

    def with_hold_of(self, other: Budget) -> Budget:
        """Return this budget with the later hold of the two, and with a ban that either knows."""
        ends = [end for end in (self.held_until, other.held_until) if end is not None]
        return evolve(
            self,
            held_until=max(ends, default=None),
            is_banned=self.is_banned or other.is_banned,
        )


def make_budget(
    limit: float,
    used: int,
    now_ms: int,
    cooldown_seconds: float,
    ban_seconds: float,
    counted_by: str = COUNTED_BY_PROCESS,
) -> Budget:
    """Return the state of a limiter.

    Args:
        limit: Weight per minute, infinite without a budget.
        used: Weight used in the current minute.
        now_ms: The exchange's time in ms since 1970.
        cooldown_seconds: Time until a cooldown ends, 0 or less without one.
        ban_seconds: Time until a ban ends, 0 or less without one.
        counted_by: Who counts.
    """
    held = max(cooldown_seconds, ban_seconds)
    held_until = None
    if held > 0:
        now = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=now_ms)
        held_until = now + timedelta(seconds=held)
    return Budget(
        limit=None if math.isinf(limit) else int(limit),
        used=used,
        held_until=held_until,
        is_banned=ban_seconds > 0,
        counted_by=counted_by,
    )


def make_shared_budget(
    limit: float, held_ms: int, used: int, now_ms: int, name: str, local_budget: Budget
) -> Budget:
    """Return the state of a budget that a Redis server keeps.

    Args:
        limit: Weight per minute.
        held_ms: Time until a cooldown ends, and below 0 until a ban does, in ms.
        used: Weight used in the current minute.
        now_ms: Time in ms since 1970.
        name: Key of the budget.
        local_budget: What this process counted. A hold that it met counts too.
    """
    cooldown, ban = max(held_ms, 0) / 1000, max(-held_ms, 0) / 1000
    shared = make_budget(limit, used, now_ms, cooldown, ban, f"Redis, {name}")
    return shared.with_hold_of(local_budget)
