"""Sync the clock for a call."""

from __future__ import annotations

from functools import partial
from typing import Final

from binance_usdm._errors import (
    DeadlineExceeded,
    RateLimitError,
    TimestampError,
    TransportError,
    UsdmError,
)
from binance_usdm._policy.clock import SYNC_TIMEOUT_MESSAGE
from binance_usdm._policy.clock_samples import ClockSample
from binance_usdm_wire import OPERATIONS

from .context import CallContext
from .events import Attempt, AttemptResult
from .response import ParsedValue

_SERVER_TIME: Final = OPERATIONS["server_time"]


def is_final(error: UsdmError) -> bool:
    """Return whether an error of a clock sync says more than the -1021 that led to it."""
    return isinstance(error, TransportError) and not error.retryable


class ClockSyncer(CallContext):
    """Syncs the clock that the calls of one client share with other clients."""

    __slots__ = ()

    async def _send_attempt(self, attempt: Attempt) -> AttemptResult:
        """Send a request, as the subclass does."""
        raise NotImplementedError

    async def _correct_clock(self, attempt: Attempt, error: TimestampError, sent_at: float) -> None:
        """Sync the clock after -1021, unless another call did since the request was sent.

        Raises:
            UsdmError: The clock was not synced. It is the -1021, or what says more than that.
        """
        failure = await self._sync_clock(attempt, since=sent_at)
        if failure is not None:
            raise failure if is_final(failure) else error

    async def _sync_clock(self, attempt: Attempt, since: float | None = None) -> UsdmError | None:
        """Have a clock sample, taken after the instant `since` or now.

        Returns:
            None, or why there is none.
        """
        measure = partial(self._measure_server_time, attempt)
        result = await self._shared.clock.sync(measure, attempt.deadline, since, self._gates)
        if isinstance(result, UsdmError):
            self._raise_if_closed()
            self._emit("clock_sync_failed", attempt, error=result)
            if isinstance(result, DeadlineExceeded):
                return TransportError(SYNC_TIMEOUT_MESSAGE)
            return result
        offset_ms = result.offset_ms
        self._emit("clock_synced", attempt, offset_ms=offset_ms, error_ms=result.error_bound_ms)
        return None

    async def _measure_server_time(
        self, attempt: Attempt, deadline: float
    ) -> ClockSample | UsdmError:
        """Request the exchange's time.

        Returns:
            The sample, or the error that all callers get who wait for it.

        Raises:
            UsdmError: Only this caller gets no sample: its client is closed, or its time is short.
        """
        try:
            result = await self._send_attempt(Attempt(_SERVER_TIME, "", attempt.number, deadline))
        except UsdmError as error:
            if self._gates.is_closed or (isinstance(error, RateLimitError) and not error.status):
                raise
            return error
        if not isinstance(result.outcome, ParsedValue):
            return result.outcome
        server_time_ms = result.outcome.parsed.server_time
        return self._shared.clock.sample(result.sent_at, result.received_at, server_time_ms)
