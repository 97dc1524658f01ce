"""Whether a failed attempt is made again. Pure: sees the error and the attempt, sleeps and sends nothing."""

from __future__ import annotations

from collections.abc import Callable

from ._errors import UsdmError

RetryPolicy = Callable[[UsdmError, int], float | None]
"""(error, number of the attempt that failed, from 1) -> seconds to wait before the next one, or None to give up."""


def never(error: UsdmError, attempt: int) -> float | None:
    """Every failure is the caller's."""
    return None
