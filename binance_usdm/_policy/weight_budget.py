"""Weight budget per UTC minute: its size, and the minutes that a request may belong to.

The exchange counts weight by UTC clock minutes. A client cannot know exactly to which minute a
request belongs: one that is sent at t arrives up to `CLOCK_TOLERANCE_MS` before or after t on the
exchange's clock. So a request is charged to, and must fit into, every minute that this touches.
"""

from __future__ import annotations

from typing import Final

from binance_usdm._errors import ConfigurationError
from binance_usdm._secrets import describe_number, describe_value

DEFAULT_WEIGHT_LIMIT: Final = 2400
DEFAULT_SHARE: Final = 0.8
MINUTE_MS: Final = 60_000
CLOCK_TOLERANCE_MS: Final = 1_000
"""Largest clock error (up to 900 ms) and latency between this clock and the exchange's counter."""
LATE_RESPONSE_MS: Final = 5_000
"""Time after the end of a minute in which a response may still describe it."""
RELEASE_SPREAD_SECONDS: Final = 6.0
"""Time over which the calls of a whole minute's budget go on that wait for the same instant."""
MAX_COOLDOWN_SECONDS: Final = 3 * 24 * 3600.0
"""Longest ban (General Info)."""


def minutes_touched(now: int) -> tuple[int, ...]:
    """Return the minutes in which a request that is sent now may arrive, the last one first."""
    last, into = divmod(now + CLOCK_TOLERANCE_MS, MINUTE_MS)
    return (last,) if into >= 2 * CLOCK_TOLERANCE_MS else (last, last - 1)


def weight_budget(limit: int, share: float) -> int:
    """Return the weight per minute that a share of a limit allows.

    Raises:
        ConfigurationError: An argument is invalid, or nothing is left.
    """
    if type(limit) is not int or limit < 1:
        raise ConfigurationError(
            f"limit must be an integer, at least 1, not {describe_value(limit)}"
        )
    if not isinstance(share, int | float) or not 0 < share <= 1 or int(limit * share) < 1:
        raise ConfigurationError(
            "share must be above 0 and at most 1, and leave a budget of at least 1, "
            f"not {describe_number(share, 1)}"
        )
    return int(limit * share)


def weight_too_large_error(weight: int, budget: float) -> ConfigurationError:
    """Return the error for a weight that exceeds the budget of any minute."""
    return ConfigurationError(
        f"request weight {weight} exceeds the budget of {budget} per minute; "
        "raise `limit` or `share`"
    )
