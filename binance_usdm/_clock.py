"""What time a request is stamped with, in ms since 1970-01-01 UTC. Knows no request and no retry."""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Returns now, in ms; called once for every attempt."""


def local_time() -> int:
    """This machine's clock."""
    return time.time_ns() // 1_000_000
