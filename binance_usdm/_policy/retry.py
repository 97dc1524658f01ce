"""Decide whether and when to retry."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from functools import partial
from typing import Final

from attrs import field, fields, frozen

from binance_usdm._errors import ConfigurationError, RateLimitError, ServerError, UsdmError
from binance_usdm._secrets import describe_value

Retry = Callable[[UsdmError, int], float | None]
"""Function that decides about a retry.

A client calls it after every attempt that failed, unless it corrected its clock instead.

Args:
    error: What the attempt failed with.
    attempt: Number of the failed attempt, starting at 1.

Returns:
    Seconds to wait before the next attempt, or `None` to raise the error. A longer `Retry-After`
    of the exchange wins. No attempt begins after the call's deadline, nor when the client's retry
    quota is used up.
"""

_OVERLOADED_CODE: Final = -1008
_OVERLOADED_STATUS: Final = 503
_QUOTA_CAPACITY: Final = 500
_RETRY_COST: Final = 14
_THROTTLING_RETRY_COST: Final = 5
_BASE_SECONDS: Final = 0.2
_THROTTLING_BASE_SECONDS: Final = 1.0
_MAX_DELAY_SECONDS: Final = 5.0
# 2.0 to a larger power is above the longest delay in any case, and overflows at last.
_MAX_EXPONENT: Final = 10


def is_throttling(error: UsdmError) -> bool:
    """Return whether the exchange is overloaded or a limit is reached, so that retries wait."""
    if isinstance(error, RateLimitError):
        return True
    if not isinstance(error, ServerError):
        return False
    return error.code == _OVERLOADED_CODE or error.status == _OVERLOADED_STATUS


def _validate_attempts(_: object, __: object, attempts: object) -> None:
    if type(attempts) is not int or attempts < 1:
        raise ConfigurationError(
            f"attempts must be an integer, at least 1, not {describe_value(attempts)}"
        )


@frozen
class RetryPolicy:
    """Retries of errors that are `retryable`, with exponential backoff and full jitter.

    The delay after attempt n is `random() * min(base * 2 ** (n - 1), 5)` seconds. The base is
    0.2 s, or 1 s when the exchange is overloaded or a rate limit is reached. A longer `Retry-After`
    of the exchange wins. All attempts and delays share the call's `timeout`.

    A policy can be pickled. The copy draws from the generator of the process that loads it, so
    workers do not retry in step.

    Args:
        attempts: Largest number of attempts of a call, the first one included.
        random: Returns a number from 0 to 1. It is not pickled.

    Raises:
        ConfigurationError: `attempts` is not an integer, or is below 1.

    Example:
        client = Client(key, secret, retry=RetryPolicy(attempts=5))
    """

    attempts: int = field(default=3, validator=_validate_attempts)
    random: Callable[[], float] = field(default=random.random, repr=False, kw_only=True)

    @classmethod
    def off(cls) -> RetryPolicy:
        """Return a policy without retries: every failure is raised.

        Two cases are still corrected, at most once per call: a wrong clock (unless `clock=` is a
        function), and an idle connection that the server had closed.
        """
        return cls(attempts=1)

    def __reduce__(self) -> tuple[Callable[[], RetryPolicy], tuple[()]]:
        # A subclass may have more fields.
        names = [attribute.name for attribute in fields(type(self)) if attribute.name != "random"]
        return partial(type(self), **{name: getattr(self, name) for name in names}), ()

    def __copy__(self) -> RetryPolicy:
        return self

    def __deepcopy__(self, _: object) -> RetryPolicy:
        return self

    def __call__(self, error: UsdmError, attempt: int) -> float | None:
        """Return the seconds to wait before the next attempt, or None to raise the error.

        Args:
            error: What the attempt failed with.
            attempt: Number of the failed attempt, starting at 1.
        """
        if attempt >= self.attempts or not error.retryable:
            return None
        base = _THROTTLING_BASE_SECONDS if is_throttling(error) else _BASE_SECONDS
        exponent = min(attempt - 1, _MAX_EXPONENT)
        return self.random() * min(base * 2.0**exponent, _MAX_DELAY_SECONDS)


class RetryQuota:
    """Retries that a client may still make, so that in an outage they end early.

    The capacity is 500. A retry costs 14, or 5 when the exchange is overloaded or a rate limit is
    reached. A call that succeeds after retries gives their cost back, any other successful call 1.
    The numbers are those of AWS's SDKs (botocore 1.44.5, `standard`).
    """

    def __init__(self) -> None:
        self.available = _QUOTA_CAPACITY
        self._lock = threading.RLock()

    def acquire(self, error: UsdmError) -> int:
        """Take the cost of one retry.

        Returns:
            The cost, or 0 when not enough is available: then the retry must not be made.
        """
        cost = _THROTTLING_RETRY_COST if is_throttling(error) else _RETRY_COST
        with self._lock:
            if self.available < cost:
                return 0
            self.available -= cost
            return cost

    def release(self, spent: int) -> None:
        """Give quota back after a call succeeded.

        Args:
            spent: Cost of the call's retries, 0 without any.
        """
        if self.available < _QUOTA_CAPACITY:
            with self._lock:
                self.available = min(self.available + (spent or 1), _QUOTA_CAPACITY)
