"""The header Date, by the clock of the mock exchange."""

from __future__ import annotations

import functools
import time
from typing import Final

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = (
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
)
_MAX_SECONDS: Final = 253_402_300_799
"""End of the year 9999, after which HTTP has no dates."""


@functools.lru_cache(maxsize=8)
def format_http_date(seconds: int) -> bytes | None:
    """Return a time as HTTP writes it, independent of the locale (RFC 9110, 5.6.7).

    Args:
        seconds: Seconds since 1970.

    Returns:
        The date, `None` before 1970 and after the year 9999.
    """
    if not 0 <= seconds <= _MAX_SECONDS:
        return None
    at = time.gmtime(seconds)
    day, month = _DAYS[at.tm_wday], _MONTHS[at.tm_mon - 1]
    clock = f"{at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02}"
    return f"{day}, {at.tm_mday:02} {month} {at.tm_year:04} {clock} GMT".encode()
