"""Length of a cooldown or ban."""

from __future__ import annotations

from typing import Final

from binance_usdm._errors import IPBannedError, RateLimitError

from .weight_budget import MAX_COOLDOWN_SECONDS

MIN_BAN_SECONDS: Final = 120.0
"""Shortest ban. A ban lasts two minutes to three days (General Info, 2026-05-28)."""


def cooldown_seconds(error: RateLimitError, now: int) -> float:
    """Return for how long nothing may be sent after a 429 or 418.

    A ban ends when the header or the message says, whichever is later. When neither says so, it
    lasts two minutes, and a header of 0 alone counts as none. Any other limit ends when the header
    says, or without a header with the UTC minute.

    Args:
        error: The exchange's response.
        now: The exchange's time in ms.

    Returns:
        Seconds from now, at most three days.
    """
    if isinstance(error, IPBannedError):
        seconds = _ban_seconds(error, now)
    elif error.retry_after is None:
        seconds = 60 - now / 1000 % 60
    else:
        seconds = error.retry_after
    return min(seconds, MAX_COOLDOWN_SECONDS)


def _ban_seconds(error: IPBannedError, now: int) -> float:
    end_ms = error.ban_end_ms
    header = error.retry_after or 0.0
    if end_ms is not None:
        return max(header, (end_ms - now) / 1000)
    return max(header, 0.0) if header else MIN_BAN_SECONDS
