"""First-come, first-served queue in front of a limiter."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable
from functools import partial
from typing import Any, TypeAlias

from binance_usdm._errors import RateLimitError, UsdmError

from .limiter import DEFAULT_WEIGHT_LIMIT, RELEASE_SPREAD_SECONDS, Limiter

Steps: TypeAlias = Generator[Any, Any, Any]
"""Part of a plan: yields seconds to wait, or what may block and so is done in the client's own way of waiting."""


class LimiterQueue:
    """A limiter as the plan of a call asks it, with the queue of those who must wait."""

    __slots__ = ("_limiter", "_may_block", "_queue")

    def __init__(self, limiter: Limiter, queue: WaitQueue) -> None:
        self._limiter, self._queue = limiter, queue
        self._may_block = bool(getattr(limiter, "blocking", False))

    def acquire(self, weight: int, deadline: float) -> Steps:
        """Take the weight: 0.0. If there is no room, seconds after which to ask again; RateLimitError if the deadline is earlier.

        What the limiter raises is raised: IPBannedError, ConfigurationError.
        """
        acquire = self._limiter.acquire
        wait = (yield partial(acquire, weight)) if self._may_block else acquire(weight)
        if isinstance(wait, UsdmError):
            raise wait
        if not wait > 0:  # nor is NaN a time to wait
            return 0.0
        pause = self._queue.reserve_delay(time.monotonic(), wait, weight, deadline)
        if pause is None:
            raise RateLimitError(0, None, "the weight budget has no room before the deadline", wait)
        return pause

    def start_cooldown(self, seconds: float, banned: bool) -> Iterable[Any]:
        return self._notify_limiter(partial(self._limiter.start_cooldown, seconds, banned=banned))

    def observe(self, used_weight: int) -> Iterable[Any]:
        return self._notify_limiter(self._limiter.observe, used_weight)

    def _notify_limiter(self, tell: Callable[..., None], *said: int) -> Iterable[Any]:
        """Tell the limiter what a reply said; its trouble is none of the call, whose reply is here."""
        if self._may_block:
            return _aside(partial(tell, *said))
        try:  # noqa: SIM105 - free where there is no error, and in every call
            tell(*said)
        except UsdmError:
            pass
        return ()


def _aside(tell: Callable[[], None]) -> Steps:
    yield tell  # an error would come back as a value


class WaitQueue:
    """Lets those who wait for the same moment go on one after another, in the order in which they came: not all at once."""

    __slots__ = ("_last_release_at",)

    def __init__(self) -> None:
        self._last_release_at = float("-inf")

    def reserve_delay(self, now: float, wait: float, weight: int, latest: float) -> float | None:
        """Seconds to wait instead of `wait`, None when that would end after `latest`. Instants are time.monotonic()'s."""
        wait = max(wait, self._last_release_at + RELEASE_SPREAD_SECONDS * weight / DEFAULT_WEIGHT_LIMIT - now)
        if now + wait >= latest:
            return None
        self._last_release_at = now + wait
        return wait
