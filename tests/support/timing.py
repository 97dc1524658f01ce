"""TODO."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any


def best_duration(action: Callable[[], Any], limit: float) -> float:
    """How long an action takes, the best of up to three: the other programs of this machine are no claim of a test."""
    took = float("inf")
    for _ in range(3):
        if took > limit:
            started = time.monotonic()
            action()
            took = min(took, time.monotonic() - started)
    return took


def retry_if_late(test: Callable[..., None]) -> Callable[..., None]:
    """For a test that allows so many seconds: a busy machine makes one late now and then; what is late each time of three fails."""

    @functools.wraps(test)
    def patient(*arguments: Any, **options: Any) -> None:
        for _ in range(2):
            try:
                return test(*arguments, **options)
            except AssertionError:
                continue
        return test(*arguments, **options)

    return patient
