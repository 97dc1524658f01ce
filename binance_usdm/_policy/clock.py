"""What time a request is stamped with, in ms since 1970-01-01 UTC. Knows readings of clocks and who takes them; sends nothing itself."""

from __future__ import annotations

import copy
import math
import threading
import time
from collections.abc import Callable, Generator
from typing import Any, Final, NamedTuple, TypeAlias

from binance_usdm._errors import DeadlineExceeded, TransportError, UsdmError

Clock = Callable[[], int]
"""Returns now, in ms; called once for every request."""

MAX_AGE_MS: Final = 15 * 60 * 1000.0
MAX_CLOCK_STEP_MS: Final = 500.0
MAX_SAMPLES: Final = 3
RETRY_SYNC_AFTER_MS: Final = 30_000.0
"""A reading that failed is not tried again so soon, as long as there is an older one."""
TARGET_ERROR_BOUND_MS: Final = 100.0
"""Error bound that needs no further sample: the exchange takes up to a second ahead."""
_POLL_INTERVAL = 0.005
SYNC_TIMEOUT_MESSAGE = "the exchange's time did not come in half of the time"


def local_time_ms() -> int:
    """This machine's clock."""
    return time.time_ns() // 1_000_000


class ClockSample(NamedTuple):
    """The exchange's time at one instant of this machine's clocks, all in ms."""

    server_time_ms: float
    error_bound_ms: float
    """The true time is at most so far away: half of the round trip."""
    monotonic_ms: float
    wall_ms: float

    @property
    def offset_ms(self) -> float:
        """How far the exchange is ahead of this machine's wall clock."""
        return self.server_time_ms - self.wall_ms


Ask: TypeAlias = Callable[[float], Generator[Any, Any, ClockSample | UsdmError]]
"""Part of a plan that asks the exchange for its time, until a deadline. Raises what is no result for others who wait for one."""


class ExchangeClock:
    """Local time until a reading is taken, then the exchange's time, carried on by the monotonic clock.

    A reading is due again after 15 minutes, and when wall and monotonic clock disagree by more than half a second about the time since the
    last one: then the machine slept or its clock was set. One caller at a time takes a reading; it holds the claim no longer than it said.
    """

    def __init__(
        self,
        wall: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall = wall
        self.monotonic = monotonic
        """The monotonic clock, s."""
        self._lock = threading.Lock()
        self._sync_lease_until_ms = self._next_sync_after_ms = -math.inf
        self.latest_sample: ClockSample | None = None
        self.sync_count = 0
        """How many rounds there were, with or without a reading."""
        self._failure: UsdmError | None = None

    def __call__(self) -> int:
        if (reading := self.latest_sample) is None:
            return self._wall() // 1_000_000
        return int(reading.server_time_ms + self._monotonic_ms() - reading.monotonic_ms)

    def _monotonic_ms(self) -> float:
        return self.monotonic() * 1e3

    def needs_sync(self, *, first: bool) -> bool:
        """Whether a reading should be taken before the next stamp; `first`: also when there was none yet."""
        if (reading := self.latest_sample) is None:
            return first
        now = self._monotonic_ms()
        since, passed = now - reading.monotonic_ms, self._wall() / 1e6 - reading.wall_ms
        return (since > MAX_AGE_MS or abs(passed - since) > MAX_CLOCK_STEP_MS) and now >= self._next_sync_after_ms

    def sync(
        self, ask: Ask, deadline: float, since: float | None = None
    ) -> Generator[Any, Any, ClockSample | UsdmError]:
        """Part of a plan: take a reading, wait for the caller who does, or find that one was taken `since`.

        It takes half of the time that is left at most, so that the call itself can still be made.
        """
        if since is not None and self.latest_sample is not None and self.latest_sample.monotonic_ms > since * 1e3:
            return self.latest_sample
        deadline -= (deadline - time.monotonic()) / 2
        rounds, pause = self.sync_count, _POLL_INTERVAL
        while not self.try_start_sync(deadline - time.monotonic()):
            if time.monotonic() + pause >= deadline:
                return TransportError(SYNC_TIMEOUT_MESSAGE)
            yield pause
            pause = min(pause * 1.5, 0.1)  # many may wait, and each look costs
            if self.sync_count != rounds:
                found = self.last_sync_error or self.latest_sample
                assert found is not None
                return found
        best: ClockSample | None = None
        failure: UsdmError | None = None
        unable: UsdmError | None = None  # why just this caller could not ask: no result for those who wait
        try:
            for _ in range(MAX_SAMPLES):
                found = yield from ask(deadline)
                if isinstance(found, UsdmError):
                    failure = found
                    break
                best = found if best is None or found.error_bound_ms < best.error_bound_ms else best
                if best.error_bound_ms <= TARGET_ERROR_BOUND_MS:
                    break
        except UsdmError as error:
            unable = error
        finally:
            self.finish_sync(best, failure)
        found = best or failure or unable
        assert found is not None
        return found

    def try_start_sync(self, seconds: float) -> bool:
        """Become the one who takes a reading; False while somebody else is."""
        with self._lock:
            if self._monotonic_ms() < self._sync_lease_until_ms:
                return False
            self._sync_lease_until_ms = self._monotonic_ms() + seconds * 1000
            return True

    def sample(self, sent: float, received: float, server_time: int) -> ClockSample:
        """The reading of a time that came for a request between two ticks: the exchange wrote it half way."""
        half, then = (received - sent) * 1e3 / 2, received * 1e3
        return ClockSample(server_time + half, half, then, self._wall() / 1e6 - (self._monotonic_ms() - then))

    def finish_sync(self, reading: ClockSample | None, failure: UsdmError | None) -> None:
        """End the round begun by `claim`: with its best reading, or the reason why there is none; with neither when it was broken off.

        A caller's own lack of time is no result for those who wait: one of them goes on.
        """
        with self._lock:
            self._sync_lease_until_ms = -math.inf
            if reading is not None:
                self.latest_sample, self._next_sync_after_ms = reading, -math.inf
            elif failure is not None:
                self._next_sync_after_ms = self._monotonic_ms() + RETRY_SYNC_AFTER_MS
            if reading is not None or not isinstance(failure, DeadlineExceeded | None):
                self.sync_count += 1
                self._failure = None if reading is not None else copy.copy(failure)

    @property
    def last_sync_error(self) -> UsdmError | None:
        """Why the last round gave no reading, None when it did: an error of its own for everybody who asks."""
        return copy.copy(self._failure)  # without the traceback of another
