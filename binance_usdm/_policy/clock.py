"""Estimate the exchange's time from this machine's clocks."""

from __future__ import annotations

import copy
import math
import threading
import time
import weakref
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple, TypeAlias

from binance_usdm._errors import DeadlineExceeded, TransportError, UsdmError

Clock = Callable[[], int]
"""Function that returns the current time in milliseconds since 1970-01-01 UTC.

Called once for each signed request, in the caller's thread or event loop; it must not block.
"""

MAX_AGE_MS: Final = 15 * 60 * 1000.0
MAX_CLOCK_STEP_MS: Final = 500.0
MAX_SAMPLES: Final = 3
RETRY_SYNC_AFTER_MS: Final = 30_000.0
"""How long after a failed sync the next one is begun, as long as there is an older sample."""
TARGET_ERROR_BOUND_MS: Final = 100.0
"""Error bound that needs no further sample: the exchange takes up to a second ahead."""
MAX_ERROR_BOUND_MS: Final = 500.0
"""Error bound above which a sample is not used: the exchange takes less than a second ahead."""
MAX_OFFSET_MS: Final = 24 * 3600 * 1000.0
"""Farther from this machine's clock no exchange's time is believed."""
MAX_SYNC_SECONDS: Final = 3.0
"""How long one caller may keep the others from a sync of their own."""
SYNC_TIMEOUT_MESSAGE: Final = "clock sync timed out; the server-time request took more than half of the time left for this call"


def local_time_ms() -> int:
    """Return this machine's time in ms."""
    return time.time_ns() // 1_000_000


def _wall_ns() -> int:
    return time.time_ns()


def utc_minute() -> int:
    """Return the number of this machine's present UTC minute."""
    return time.time_ns() // 60_000_000_000


def monotonic_seconds() -> float:
    """Return the monotonic clock. Looked up at each call, so that a test may replace `time.monotonic`."""
    return time.monotonic()


class ClockSample(NamedTuple):
    """The exchange's time at one instant of this machine's clocks, all in ms."""

    server_time_ms: float
    error_bound_ms: float
    """The true time is at most this far away: half of the round trip."""
    monotonic_ms: float
    wall_ms: float

    @property
    def offset_ms(self) -> float:
        """How far the exchange is ahead of this machine's wall clock."""
        return self.server_time_ms - self.wall_ms


Measure: TypeAlias = Callable[[float], Awaitable[ClockSample | UsdmError]]
"""Ask the exchange for its time, until a deadline. Raises what is no result for other callers who wait for it."""


class ExchangeClock:
    """Local time until the first sync, then the exchange's time, carried on by the monotonic clock.

    A sync is needed after 15 minutes, and when wall and monotonic clock disagree by more than half a second about the
    time since the last one: then the machine slept or its clock was set. One caller at a time syncs, for some seconds at
    most; others wait for the result.
    """

    def __init__(
        self, wall: Callable[[], int] = _wall_ns, monotonic: Callable[[], float] = monotonic_seconds
    ) -> None:
        self._wall = wall
        self.monotonic = monotonic
        self._lock = (
            threading.RLock()
        )  # A signal handler's call may run within another call of its thread.
        self._sync_lease_until_ms = self._next_sync_after_ms = -math.inf
        self._waiters = set[weakref.ref[Any]]()
        self.latest_sample: ClockSample | None = None
        self.sync_count = 0
        """Number of syncs that ended with a sample or with a failure for everybody."""
        self._last_sync_error: UsdmError | None = None

    def __call__(self) -> int:
        if (sample := self.latest_sample) is None:
            return self._wall() // 1_000_000
        return int(sample.server_time_ms + self._monotonic_ms() - sample.monotonic_ms)

    def _monotonic_ms(self) -> float:
        return self.monotonic() * 1e3

    def needs_sync(self, *, first: bool) -> bool:
        """Return whether to sync before the next timestamp; `first`: also when there was no sync yet."""
        if (sample := self.latest_sample) is None:
            return first
        now = self._monotonic_ms()
        age = now - sample.monotonic_ms
        wall_age = self._wall() / 1e6 - sample.wall_ms
        return (
            age > MAX_AGE_MS or abs(wall_age - age) > MAX_CLOCK_STEP_MS
        ) and now >= self._next_sync_after_ms

    async def sync(
        self, measure: Measure, deadline: float, since: float | None, gates: Any
    ) -> ClockSample | UsdmError:
        """Sync, wait for the caller who does, or return the sample that was taken after `since`.

        At most half of the time left until `deadline` is used, so that the call itself can still be made.

        Args:
            measure: Takes one sample.
            deadline: Instant of `time.monotonic()`.
            since: Instant of `monotonic`; a later sample is good enough. `None` asks for a new one.
            gates: The client's GateSet, to wait with.

        Returns:
            The sample, or the error that all who waited get, each a copy of its own.
        """
        if (
            since is not None
            and self.latest_sample is not None
            and self.latest_sample.monotonic_ms > since * 1e3
        ):
            return self.latest_sample
        deadline -= (deadline - time.monotonic()) / 2
        count = self.sync_count
        while not self.try_start_sync(min(deadline - time.monotonic(), MAX_SYNC_SECONDS)):
            if not await self._wait_for_other_sync(deadline, gates):
                return TransportError(SYNC_TIMEOUT_MESSAGE)
            if self.sync_count != count:
                result = self.last_sync_error or self.latest_sample
                assert result is not None
                return result
        sample: ClockSample | None = None
        failure: UsdmError | None = None
        own_error: UsdmError | None = None
        try:
            sample, failure = await self._take_samples(
                measure, min(deadline, time.monotonic() + MAX_SYNC_SECONDS)
            )
        except UsdmError as error:
            own_error = error  # Why only this caller could not ask: no result for those who wait.
        finally:
            self.finish_sync(sample, failure)
        outcome = sample or failure or own_error
        assert outcome is not None
        return outcome

    async def _wait_for_other_sync(self, deadline: float, gates: Any) -> bool:
        """Wait until the other caller's sync may have ended. Returns False at the deadline."""
        gate = gates.new_gate()
        # Weak: a call of an event loop that was closed would live as long as this clock.
        reference = weakref.ref(gate, self._waiters.discard)
        try:
            self._waiters.add(reference)
            left = deadline - time.monotonic()
            if left <= 0 or gates.is_closed:
                return False
            lease_left = (self._sync_lease_until_ms - self._monotonic_ms()) / 1e3
            if lease_left > 0:
                await gates.wait(gate, min(left, lease_left))
        finally:
            self._waiters.discard(reference)
        return True

    async def _take_samples(
        self, measure: Measure, deadline: float
    ) -> tuple[ClockSample | None, UsdmError | None]:
        """Return the best of up to three samples, or why there is none that can be used."""
        best: ClockSample | None = None
        failure: UsdmError | None = None
        for _ in range(MAX_SAMPLES):
            outcome = await measure(deadline)
            if isinstance(outcome, UsdmError):
                failure = outcome
                break
            if abs(outcome.offset_ms) > MAX_OFFSET_MS:
                failure = self._implausible(outcome)
                break
            best = outcome if best is None or outcome.error_bound_ms < best.error_bound_ms else best
            if best.error_bound_ms <= TARGET_ERROR_BOUND_MS:
                break
        if best is None:
            return None, failure
        if best.error_bound_ms > MAX_ERROR_BOUND_MS:
            return None, failure or TransportError(
                f"clock sync failed: the exchange's time is known to {best.error_bound_ms:.0f} ms only, after "
                f"{MAX_SAMPLES} samples; the network is too slow to tell the time"
            )
        return best, None

    @staticmethod
    def _implausible(sample: ClockSample) -> UsdmError:
        days = sample.offset_ms / MAX_OFFSET_MS
        error = TransportError(
            f"clock sync failed: serverTime is {abs(days):.0f} days {'ahead of' if days > 0 else 'behind'} this machine's clock; "
            "set this machine's clock, or check base_url"
        )
        error.retryable = False
        return error

    def try_start_sync(self, seconds: float) -> bool:
        """Become the one who syncs, for at most `seconds`; False while another caller does."""
        with self._lock:
            if self._monotonic_ms() < self._sync_lease_until_ms:
                return False
            self._sync_lease_until_ms = self._monotonic_ms() + seconds * 1000
            return True

    def sample(self, sent_at: float, received_at: float, server_time_ms: int) -> ClockSample:
        """Return the sample of one round trip between two instants of `monotonic`: the exchange wrote it half way."""
        half_ms = (received_at - sent_at) * 1e3 / 2
        received_ms = received_at * 1e3
        wall_ms = self._wall() / 1e6 - (self._monotonic_ms() - received_ms)
        return ClockSample(server_time_ms + half_ms, half_ms, received_ms, wall_ms)

    def finish_sync(self, sample: ClockSample | None, failure: UsdmError | None) -> None:
        """End the sync that `try_start_sync` began: with its sample, or why there is none; with neither when it was broken off.

        A caller's own lack of time is no result for those who wait: one of them goes on.
        """
        with self._lock:
            self._sync_lease_until_ms = -math.inf
            if sample is not None:
                self.latest_sample, self._next_sync_after_ms = sample, -math.inf
            elif failure is not None:
                self._next_sync_after_ms = self._monotonic_ms() + RETRY_SYNC_AFTER_MS
            if sample is not None or not isinstance(failure, DeadlineExceeded | None):
                self.sync_count += 1
                self._last_sync_error = None if sample is not None else copy.copy(failure)
        for reference in list(self._waiters):
            gate = reference()
            if gate is not None:
                gate.open()

    @property
    def last_sync_error(self) -> UsdmError | None:
        """Why the last sync gave no sample, None when it did: a new error for each caller."""
        return copy.copy(self._last_sync_error)  # Without the traceback of another caller.
