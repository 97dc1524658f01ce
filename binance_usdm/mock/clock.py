"""The exchange's clock: the system's, one moved by hand, and what any clock must return. Knows nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable


def system() -> int:
    """The system's time in ms."""
    return time.time_ns() // 1_000_000


class ManualClock:
    """A clock that stands still until it is told to move, in ms."""

    def __init__(self, ms: int = 1_700_000_000_000) -> None:
        self.ms = ms

    def __call__(self) -> int:
        return self.ms

    def advance(self, ms: int) -> None:
        """Move the clock, back if ``ms`` is negative."""
        self.ms += ms


def checked(clock: Callable[[], int]) -> Callable[[], int]:
    """The same clock; TypeError when it returns anything but an int, which would go out as the exchange's time."""

    def now() -> int:
        ms: object = clock()
        if type(ms) is not int:
            raise TypeError(f"the clock must return milliseconds as int, not {type(ms).__name__}")
        return ms

    return now
