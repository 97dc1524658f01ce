"""The header Date, by the clock of the mock exchange."""

from __future__ import annotations

import functools
import time
from typing import Final

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
    # "Sun Nov  6 08:49:37 1994". The import of email.utils, which has `formatdate`, would take 3 %
    # of the time in which the mock is imported.
    weekday, month, day, clock, year = time.asctime(at).split()
    return f"{weekday}, {day:0>2} {month} {year} {clock} GMT".encode()
