"""Take samples of the exchange's time and choose the best one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple, TypeAlias

from binance_usdm._errors import TransportError, UsdmError

MAX_SAMPLES: Final = 3
TARGET_ERROR_BOUND_MS: Final = 100.0
"""Error bound that needs no further sample. The exchange accepts timestamps up to 1 s ahead."""
MAX_ERROR_BOUND_MS: Final = 500.0
"""Error bound above which a sample is not used. The exchange accepts less than 1 s ahead."""
MAX_OFFSET_MS: Final = 24 * 3600 * 1000.0
"""Largest offset to this machine's clock at which a sample is believed."""


class ClockSample(NamedTuple):
    """The exchange's time at one instant of this machine's clocks, all in ms."""

    server_time_ms: float
    error_bound_ms: float
    """Half of the round trip. The true time is at most this far away."""
    monotonic_ms: float
    wall_ms: float

    @property
    def offset_ms(self) -> float:
        """Time by which the exchange is ahead of this machine's wall clock."""
        return self.server_time_ms - self.wall_ms


Measure: TypeAlias = Callable[[float], Awaitable[ClockSample | UsdmError]]
"""Function that requests the exchange's time once, until a deadline (`time.monotonic()`).

It returns the sample, or the error that all callers get who wait for it. It raises an error that
only concerns the caller who measures.
"""


async def take_samples(
    measure: Measure, deadline: float
) -> tuple[ClockSample | None, UsdmError | None]:
    """Return the best of up to three samples, or why there is none that can be used.

    Waits for one request after another. Stops at the first sample whose error bound is small.

    Args:
        measure: Takes one sample.
        deadline: Instant of `time.monotonic()`.

    Returns:
        The sample and None, or None and the error.
    """
    best: ClockSample | None = None
    failure: UsdmError | None = None
    for _ in range(MAX_SAMPLES):
        outcome = await measure(deadline)
        if isinstance(outcome, UsdmError):
            failure = outcome
            break
        if abs(outcome.offset_ms) > MAX_OFFSET_MS:
            failure = _implausible_time_error(outcome)
            break
        if best is None or outcome.error_bound_ms < best.error_bound_ms:
            best = outcome
        if best.error_bound_ms <= TARGET_ERROR_BOUND_MS:
            break
    if best is None:
        return None, failure
    if best.error_bound_ms > MAX_ERROR_BOUND_MS:
        return None, failure or _imprecise_time_error(best)
    return best, None


def _imprecise_time_error(best: ClockSample) -> TransportError:
    return TransportError(
        "clock sync failed: the network is too slow; after "
        f"{MAX_SAMPLES} samples the exchange's time is known to {best.error_bound_ms:.0f} ms only"
    )


def _implausible_time_error(sample: ClockSample) -> TransportError:
    days = sample.offset_ms / MAX_OFFSET_MS
    direction = "ahead of" if days > 0 else "behind"
    error = TransportError(
        f"clock sync failed: serverTime is {abs(days):.0f} days {direction} this machine's clock; "
        "set this machine's clock, or check base_url"
    )
    error.retryable = False
    return error
