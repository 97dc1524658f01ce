"""Time limits that a busy machine does not break."""

from __future__ import annotations

import functools
import gc
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


class LateError(AssertionError):
    """Something took longer than a test allows, perhaps because the machine is busy."""


def check_duration(seconds: float, *, at_least: float = 0.0, at_most: float) -> None:
    """Check how long something took. Only `at_most` may be missed on a busy machine."""
    assert seconds >= at_least
    if seconds > at_most:
        raise LateError(f"{seconds:.3f} s, not {at_most} s at most")


def retry_if_late(test: Callable[..., None]) -> Callable[..., None]:
    """Repeat a test that raises `LateError`, up to three times.

    A busy machine makes a test late at times. One that is late each time fails, and so does one
    that fails otherwise.
    """

    @functools.wraps(test)
    def patient(*arguments: Any, **options: Any) -> None:
        for _ in range(2):
            try:
                return test(*arguments, **options)
            except LateError:
                continue
        return test(*arguments, **options)

    return patient


def freeze_objects() -> None:
    """Have the cycle collector leave out all objects that live now, which can take half a second.

    They stay left out: `gc.unfreeze()` would give it those of all collected tests again, and each
    later `gc.collect()` of the process would walk through them.
    """
    gc.collect()
    gc.freeze()
