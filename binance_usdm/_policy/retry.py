"""Whether a failed attempt is made again, and when. Decides; sleeps and sends nothing."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Final

from attrs import field, frozen

from binance_usdm._errors import ConfigurationError, RateLimitError, ServerError, UsdmError

Retry = Callable[[UsdmError, int], float | None]
"""(error, number of the attempt that failed, from 1) -> seconds to wait before the next one, or None to give up."""

_OVERLOADED_CODE: Final = -1008
_QUOTA_CAPACITY, _RETRY_COST, _THROTTLING_RETRY_COST = 500, 14, 5


def is_throttling(error: UsdmError) -> bool:
    """Whether the exchange, or its limit, is at its end: hurrying makes it worse."""
    return isinstance(error, RateLimitError) or (
        isinstance(error, ServerError) and (error.code == _OVERLOADED_CODE or error.status == 503)
    )


def _validate_attempts(_: object, __: object, attempts: object) -> None:
    if type(attempts) is not int or attempts < 1:
        raise ConfigurationError("attempts must be a whole number, 1 or more")


@frozen
class RetryPolicy:
    """Up to `attempts` attempts of a call, for errors that are `retryable`, with full jitter between them.

    The n-th pause is a random part of base * 2^(n-1) seconds, at most 5 s; base is 0.2 s, or 1 s when the exchange is overloaded.
    A Retry-After of the exchange makes it longer, never shorter; all attempts and pauses share the call's `timeout`.
    """

    attempts: int = field(default=3, validator=_validate_attempts)
    random: Callable[[], float] = field(default=random.random, repr=False, kw_only=True)

    @classmethod
    def off(cls) -> RetryPolicy:
        """Every failure is the caller's; only a wrong clock (`clock=`) and a connection that went stale are still put right."""
        return cls(attempts=1)

    def __call__(self, error: UsdmError, attempt: int) -> float | None:
        if attempt >= self.attempts or not error.retryable:
            return None
        base = 1.0 if is_throttling(error) else 0.2
        return self.random() * min(base * 2.0 ** min(attempt - 1, 10), 5.0)


class RetryQuota:
    """What a client may spend on retries: in an outage they end soon, however many calls there are.

    500 at first; a retry takes 14 of it, 5 when the exchange is overloaded; a call that succeeds after retries gives their cost back, any
    other good call 1. The numbers are those of AWS's SDKs (botocore 1.44.5, `standard`).
    """

    def __init__(self) -> None:
        self.available = _QUOTA_CAPACITY
        self._lock = threading.RLock()

    def acquire(self, error: UsdmError) -> int:
        """Pay for one retry; what it cost, 0 when that much is not left."""
        cost = _THROTTLING_RETRY_COST if is_throttling(error) else _RETRY_COST
        with self._lock:
            if self.available < cost:
                return 0
            self.available -= cost
            return cost

    def release(self, paid: int) -> None:
        """A call succeeded; its retries cost `paid`, which comes back, or 1 if there were none."""
        if self.available < _QUOTA_CAPACITY:
            with self._lock:
                self.available = min(self.available + (paid or 1), _QUOTA_CAPACITY)
