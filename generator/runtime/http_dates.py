"""HTTP dates (RFC 9110, 5.6.7)."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, datetime
from typing import Final

# Not calendar.month_abbr, which follows the locale.
_MONTHS: Final = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip
_DATE: Final = re.compile(
    r"[A-Z][a-z]{2}, ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT"
).fullmatch


def parse_http_date(text: str) -> datetime | None:
    """Return a date such as "Sun, 06 Nov 1994 08:49:37 GMT" in UTC, `None` for other text.

    The day of the week is not compared with the date.
    """
    match = _DATE(text)
    if match is None or match[2] not in _MONTHS:
        return None
    month = _MONTHS.index(match[2]) + 1
    day, year, hour, minute, second = map(int, match.group(1, 3, 4, 5, 6))
    # No exception is caught here, as `email.utils.parsedate` and `http.cookiejar.http2time` catch
    # ValueError: that of a signal handler would be lost.
    is_date = year > 0 and 0 < day <= monthrange(year, month)[1]
    if not is_date or hour > 23 or minute > 59 or second > 59:
        return None
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
