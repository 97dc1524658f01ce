"""Time limits that a busy machine does not break."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any


def best_duration(action: Callable[[], Any], limit: float) -> float:
    """Return the seconds that an action takes, the best of up to three runs.

    More runs follow while `limit` is exceeded, since other programs of this machine take time, too.
    """
    took = float("inf")
    for _ in range(3):
        if took > limit:
            started = time.monotonic()
            action()
            took = min(took, time.monotonic() - started)
    return took


def retry_if_late(test: Callable[..., None]) -> Callable[..., None]:
    """Repeat a test that allows a number of seconds, up to three times, until it passes.

    A busy machine makes a test late at times. One that is late each time fails.
    """

    @functools.wraps(test)
    def patient(*arguments: Any, **options: Any) -> None:
        for _ in range(2):
            try:
                return test(*arguments, **options)
            except AssertionError:
                continue
        return test(*arguments, **options)

    return patient
