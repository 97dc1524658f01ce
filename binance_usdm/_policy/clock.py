"""Estimate the exchange's time from this machine's clocks."""

from __future__ import annotations

import copy
import math
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any, Final

from binance_usdm._errors import DeadlineExceeded, TransportError, UsdmError

from .clock_samples import ClockSample, Measure, take_samples

Clock = Callable[[], int]
"""Function that returns the current time in milliseconds since 1970-01-01 UTC.

A client calls it once for each signed request, after the connection was made, in the thread or the
event loop of the call. It must not block, and what it raises ends the call.

Returns:
    The time in ms, an `int`.
"""

MAX_AGE_MS: Final = 15 * 60 * 1000.0
"""Age of a sample above which a sync is needed."""
MAX_CLOCK_STEP_MS: Final = 500.0
"""Difference between wall and monotonic clock since the sample above which a sync is needed."""
RETRY_SYNC_AFTER_MS: Final = 30_000.0
"""Time after a failed sync in which no other one begins, as long as there is an older sample."""
MAX_SYNC_SECONDS: Final = 3.0
"""Time after which another caller may begin a sync although one is under way."""
SYNC_TIMEOUT_MESSAGE: Final = (
    "clock sync timed out; "
    "the server-time request took more than half of the time left for this call"
)


def local_time_ms() -> int:
    """Return this machine's time in ms."""
    return time.time_ns() // 1_000_000


def _wall_ns() -> int:
    return time.time_ns()


def utc_minute() -> int:
    """Return the number of the current UTC minute, by this machine's clock."""
    return time.time_ns() // 60_000_000_000


def monotonic_seconds() -> float:
    """Return the monotonic clock in seconds."""
    # `time.monotonic` is looked up at each call, so that a test can replace it.
    return time.monotonic()


class ExchangeClock:
    """Local time until the first sync, then the exchange's time.

    The monotonic clock carries the exchange's time on. A sync is needed after 15 minutes, and when
    wall and monotonic clock disagree by more than 0.5 s about the time since the last sync: then
    the machine slept or its clock was set. One caller at a time syncs, for three seconds at most.
    The others wait for the result.

    Args:
        wall: Returns this machine's time in ns since 1970.
        monotonic: Returns seconds of a clock that is never set.
    """

    def __init__(
        self, wall: Callable[[], int] = _wall_ns, monotonic: Callable[[], float] = monotonic_seconds
    ) -> None:
        self._wall = wall
        self.monotonic = monotonic
        # Re-entrant: a signal handler's call may run within another call of its thread.
        self._lock = threading.RLock()
        self._sync_lease_until_ms = -math.inf
        self._next_sync_after_ms = -math.inf
        self._waiters = set[weakref.ref[Any]]()
        self.latest_sample: ClockSample | None = None
        # Counts the syncs that ended with a sample, or with a failure that all callers get.
        self.sync_count = 0
        self._last_sync_error: UsdmError | None = None

    def forget(self) -> None:
        """Show this machine's time again, as before the first sync."""
        with self._lock:
            self._next_sync_after_ms = -math.inf
            self.latest_sample = None
            self._last_sync_error = None

    def __call__(self) -> int:
        """Return the time in ms since 1970."""
        if (sample := self.latest_sample) is None:
            return self._wall() // 1_000_000
        return int(sample.server_time_ms + self._monotonic_ms() - sample.monotonic_ms)

    def time_at(self, instant: float) -> int:
        """Return the time in ms since 1970 that it was at an instant of `monotonic`, in seconds."""
        if (sample := self.latest_sample) is None:
            elapsed_ns = int((self.monotonic() - instant) * 1e9)
            return (self._wall() - elapsed_ns) // 1_000_000
        return int(sample.server_time_ms + instant * 1e3 - sample.monotonic_ms)

    def _monotonic_ms(self) -> float:
        return self.monotonic() * 1e3

    def needs_sync(self, *, first: bool) -> bool:
        """Return whether to sync before the next timestamp.

        Args:
            first: The result as long as there was no sync.
        """
        if (sample := self.latest_sample) is None:
            return first
        now = self._monotonic_ms()
        age = now - sample.monotonic_ms
        wall_age = self._wall() / 1e6 - sample.wall_ms
        is_outdated = age > MAX_AGE_MS or abs(wall_age - age) > MAX_CLOCK_STEP_MS
        return is_outdated and now >= self._next_sync_after_ms

    async def sync(
        self, measure: Measure, deadline: float, since: float | None, gates: Any
    ) -> ClockSample | UsdmError:
        """Sync, wait for the caller who does, or return the sample that was taken after `since`.

        Uses at most half of the time left until `deadline`, so that the call itself can still be
        made. One caller takes the samples, and all callers who wait get the same result. When it
        is cancelled or interrupted, or has not enough time, one of the others goes on.

        Args:
            measure: Takes one sample.
            deadline: Instant of `time.monotonic()`.
            since: Instant of `monotonic`. A later sample is good enough. `None` requires a new one.
            gates: The client's GateSet, to wait with.

        Returns:
            The sample, or a copy of the error that every caller gets.
        """
        sample = self.latest_sample
        if since is not None and sample is not None and sample.monotonic_ms > since * 1e3:
            return sample
        deadline -= (deadline - time.monotonic()) / 2
        count = self.sync_count
        while not self.try_start_sync(min(deadline - time.monotonic(), MAX_SYNC_SECONDS)):
            if not await self._wait_for_other_sync(deadline, gates):
                return TransportError(SYNC_TIMEOUT_MESSAGE)
            if self.sync_count != count:
                result = self.last_sync_error or self.latest_sample
                assert result is not None
                return result
        return await self._sync_now(measure, min(deadline, time.monotonic() + MAX_SYNC_SECONDS))

    async def _sync_now(self, measure: Measure, deadline: float) -> ClockSample | UsdmError:
        """Take samples and end the sync that `try_start_sync()` began."""
        sample: ClockSample | None = None
        failure: UsdmError | None = None
        try:
            sample, failure = await take_samples(measure, deadline)
        except UsdmError as error:
            # It is why this caller cannot sync, and not a result for the others.
            return error
        finally:
            self.finish_sync(sample, failure)
        result = sample or failure
        assert result is not None
        return result

    async def _wait_for_other_sync(self, deadline: float, gates: Any) -> bool:
        """Wait until the other caller's sync may have ended.

        A cancelled or interrupted caller leaves nothing behind.

        Returns:
            False when the deadline has passed, or the client is closed.
        """
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

    def try_start_sync(self, seconds: float) -> bool:
        """Become the caller who syncs, for at most `seconds`.

        Returns:
            False while another caller syncs.
        """
        with self._lock:
            if self._monotonic_ms() < self._sync_lease_until_ms:
                return False
            self._sync_lease_until_ms = self._monotonic_ms() + seconds * 1000
            return True

    def sample(self, sent_at: float, received_at: float, server_time_ms: int) -> ClockSample:
        """Return the sample of one round trip. The exchange is taken to respond in its middle.

        Args:
            sent_at: Instant of `monotonic`, in seconds.
            received_at: Instant of `monotonic`, in seconds.
            server_time_ms: The exchange's response.
        """
        half_ms = (received_at - sent_at) * 1e3 / 2
        received_ms = received_at * 1e3
        wall_ms = self._wall() / 1e6 - (self._monotonic_ms() - received_ms)
        return ClockSample(server_time_ms + half_ms, half_ms, received_ms, wall_ms)

    def finish_sync(self, sample: ClockSample | None, failure: UsdmError | None) -> None:
        """End the sync that `try_start_sync()` began, and wake the callers who wait.

        With neither a sample nor a failure, or with a `DeadlineExceeded`, the sync has no result:
        the caller was cancelled or had not enough time. Then one of the others goes on.

        Args:
            sample: The new sample.
            failure: Why there is none.
        """
        with self._lock:
            self._sync_lease_until_ms = -math.inf
            if sample is not None:
                self.latest_sample = sample
                self._next_sync_after_ms = -math.inf
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
        """Why the last sync had no sample, None when it had one. A new error for each caller."""
        # A copy has no traceback of another caller.
        return copy.copy(self._last_sync_error)
