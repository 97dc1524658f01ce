"""One API call: attempts, clock correction, rate limits, retries.

A call binds late: first it has a connection, then it looks for a ban, takes its weight, its time and its signature, and
its bytes leave. What is decided earlier is wrong by the time it is sent. Both clients run the same coroutine: the asyncio
client awaits it, the blocking client drives it with transports and gates that block instead of suspending.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Any, Final, TypeVar

from binance_usdm_wire import OPERATIONS, Operation, Response

from ._call_context import Attempt, AttemptResult, CallContext
from ._errors import (
    ConfigurationError,
    DeadlineExceeded,
    RateLimitError,
    StaleConnectionError,
    TimestampError,
    TransportError,
    UsdmError,
)
from ._gates import run_to_end
from ._http.messages import HttpFailure
from ._policy.clock import SYNC_TIMEOUT_MESSAGE, ClockSample, utc_minute
from ._policy.wait_queue import Ticket
from ._response import (
    ParsedValue,
    error_from_failure,
    parse_response,
    parse_used_weight,
)

T = TypeVar("T")

_SERVER_TIME: Final = OPERATIONS["server_time"]


def is_final(error: UsdmError) -> bool:
    """Return whether an error of a clock sync says more than the -1021 that led to it."""
    return isinstance(error, TransportError) and not error.retryable


class CallRunner(CallContext):
    """Runs the calls of one client."""

    __slots__ = ()

    async def _run_call(self, operation: Operation[T], arguments: dict[str, Any]) -> Response[T]:
        """Make attempts until one succeeds, none may follow, or the deadline comes."""
        started_at = time.monotonic()
        query = self._request_builder.build_query(operation, arguments)
        deadline = started_at + self._timeout
        number = request_count = spent_quota = clock_corrections = 0
        while True:
            number += 1
            attempt = Attempt(operation, query, number, deadline)
            result = await self._sync_and_send(attempt)
            request_count += result.request_count
            if isinstance(result.outcome, ParsedValue):
                break
            error = result.outcome
            if isinstance(error, TimestampError) and self._clock_mode:
                failure = (
                    None
                    if clock_corrections
                    else await self._sync_clock(attempt, since=result.sent_at)
                )
                if clock_corrections or failure is not None:
                    raise failure if failure is not None and is_final(failure) else error
                clock_corrections = 1
                continue
            delay = self._retry(error, number - clock_corrections)
            if delay is None:
                raise error
            delay = max(delay, getattr(error, "retry_after", None) or 0.0)
            retry_cost = (
                self._retry_quota.acquire(error) if time.monotonic() + delay < deadline else 0
            )
            if not retry_cost:
                raise error
            spent_quota += retry_cost
            self._emit("retry", attempt, seconds=delay, error=error)
            await self._gates.sleep(delay)
            self._raise_if_closed()
        self._retry_quota.release(spent_quota)
        response = result.response
        assert response is not None
        return Response(
            parsed=result.outcome.parsed, status_code=response.status, headers=response.headers, used_weight=result.used_weight,
            elapsed=time.monotonic() - started_at, attempts=request_count,
        )  # fmt: skip

    async def _sync_and_send(self, attempt: Attempt) -> AttemptResult:
        """Sync the clock when that is due, then make an attempt, twice when the server had closed the idle connection."""
        clock = self._shared.clock
        if (
            self._clock_mode
            and attempt.operation.signing
            and clock.needs_sync(first=self._clock_mode == "exchange")
        ):
            failure = await self._sync_clock(attempt)
            if failure is not None and clock.latest_sample is None:
                return AttemptResult(failure)
        return await self._send_attempt(attempt)

    async def _send_attempt(self, attempt: Attempt) -> AttemptResult:
        result = await self._send_once(attempt, needs_new_connection=False)
        if not isinstance(result.outcome, StaleConnectionError):
            return result
        self._emit("reconnect", attempt, error=result.outcome)
        second = await self._send_once(attempt, needs_new_connection=True)
        return second._replace(request_count=second.request_count + result.request_count)

    async def _send_once(self, attempt: Attempt, *, needs_new_connection: bool) -> AttemptResult:
        """Wait for room, a slot and a connection, then send one request. Nothing is held while waiting for room."""
        limiter, ticket = self._limiter_queue, Ticket(attempt.operation.weight)
        wait = 0.0
        granted_minute: int | None = None
        while True:
            self._raise_if_stopped()
            if wait > 0 or limiter.queue.is_behind(ticket):
                await limiter.wait_for_room(
                    ticket, wait, attempt.deadline, gates=self._gates, check=self._raise_if_stopped,
                    on_wait=lambda seconds: self._emit("budget_wait", attempt, seconds=seconds),
                )  # fmt: skip
            if limiter.blocks and granted_minute != (minute := utc_minute()):
                if (wait := await self._ask_limiter(ticket, attempt)) > 0:
                    continue
                granted_minute = minute
            lease = self._lease(attempt.deadline, needs_new_connection=needs_new_connection)
            holders, token = lease.holders, lease.token
            try:
                result = await self._send_over(lease, ticket, attempt, granted_minute)
            finally:
                holders.discard(token)  # A single C call: an interrupt cannot come before it.
                lease.release()
            if isinstance(result, AttemptResult):
                return result
            wait = result

    async def _send_over(
        self, lease: Any, ticket: Ticket, attempt: Attempt, granted_minute: int | None
    ) -> AttemptResult | float:
        """Send the request over a lease. Returns seconds to wait when there is no room now, 0.0 to try at once."""
        limiter, clock = self._limiter_queue, self._shared.clock
        failure = await self._take_connection(lease)
        if failure is not None:
            return self._failure_result(failure, attempt)
        # Nothing is awaited from here to the last byte.
        self._raise_if_stopped()
        if limiter.queue.is_behind(ticket):
            return 0.0
        if limiter.blocks:
            if granted_minute != utc_minute():
                return 0.0
        elif (wait := limiter.acquire(ticket.weight)) > 0:
            return wait
        request = self._request_builder.build_signed(attempt.operation, attempt.query, self._clock)
        self._raise_if_closed()
        sent_at = clock.monotonic()
        result = await self._transport.send(lease, request)
        received_at = clock.monotonic()
        if isinstance(result, HttpFailure):
            return self._failure_result(result, attempt, request.secrets, sent_at, received_at)
        outcome = parse_response(attempt.operation, result, request.secrets, self._max_reply_bytes)
        if isinstance(outcome, ParsedValue):
            outcome = self._check_account(outcome, lease, attempt)
        used_weight = parse_used_weight(result.headers)
        if isinstance(
            outcome, RateLimitError
        ):  # Before the slot goes to the next call: it must not send.
            await self._start_cooldown(outcome, result, attempt)
        if used_weight is not None:
            await limiter.observe(used_weight, attempt.deadline)
        return AttemptResult(outcome, result, sent_at, received_at, 1, used_weight)

    async def _connect(self) -> None:
        """Open a connection and leave it idle."""
        self._raise_if_stopped()
        deadline = time.monotonic() + self._timeout
        lease = self._lease(deadline)
        holders, token = lease.holders, lease.token
        try:
            failure = await self._take_connection(lease)
        finally:
            holders.discard(token)
            lease.release()
        if failure is not None:
            raise error_from_failure(
                failure, self._request_builder.origin[1], (), self._max_reply_bytes, deadline
            )

    def _lease(self, deadline: float, *, needs_new_connection: bool = False) -> Any:
        builder = self._request_builder
        return self._transport.lease(
            builder.origin, builder.partition, deadline=deadline, max_response_bytes=self._max_reply_bytes,
            needs_new_connection=needs_new_connection,
        )  # fmt: skip

    async def _take_connection(self, lease: Any) -> HttpFailure | None:
        """Take a slot and a connection, an idle or a new one. Returns why there is none."""
        failure: HttpFailure | None = self._transport.rejection(lease.origin)
        if failure is None and not lease.try_acquire_slot():
            failure = await self._gates.wait_for_slot(lease)
        if failure is None and not lease.try_take_idle():
            self._raise_if_stopped()
            failure = await self._transport.connect(lease)
        self._raise_if_closed()
        return failure

    async def _sync_clock(self, attempt: Attempt, since: float | None = None) -> UsdmError | None:
        """See that the exchange's time was read, `since` or now. Returns why it was not, None if it was."""
        measure = partial(self._measure_server_time, attempt)
        result = await self._shared.clock.sync(measure, attempt.deadline, since, self._gates)
        if isinstance(result, UsdmError):
            self._raise_if_closed()
            self._emit("clock_sync_failed", attempt, error=result)
            return (
                TransportError(SYNC_TIMEOUT_MESSAGE)
                if isinstance(result, DeadlineExceeded)
                else result
            )
        self._emit(
            "clock_synced", attempt, offset_ms=result.offset_ms, error_ms=result.error_bound_ms
        )
        return None

    async def _measure_server_time(
        self, attempt: Attempt, deadline: float
    ) -> ClockSample | UsdmError:
        """Return the exchange's time, or why nobody gets it.

        Raises why only this caller does not: the client is closed, or short of time.
        """
        try:
            result = await self._send_attempt(Attempt(_SERVER_TIME, "", attempt.number, deadline))
        except UsdmError as error:
            if self._gates.is_closed or (isinstance(error, RateLimitError) and not error.status):
                raise
            return error
        if isinstance(result.outcome, ParsedValue):
            return self._shared.clock.sample(
                result.sent_at, result.received_at, result.outcome.parsed.server_time
            )
        return result.outcome


class SyncCallDriver(CallRunner):
    """Drives the coroutine without an event loop."""

    __slots__ = ()

    def _call(self, operation: Operation[T], arguments: dict[str, Any]) -> Response[T]:
        return run_to_end(self._run_call(operation, arguments))


class AsyncCallDriver(CallRunner):
    """Awaits the coroutine."""

    __slots__ = ()

    async def _call(self, operation: Operation[T], arguments: dict[str, Any]) -> Response[T]:
        import asyncio  # Blocking calls never load it: it would take a tenth of the time until the first one.

        if asyncio._get_running_loop() is None:
            raise ConfigurationError(
                "AsyncClient needs asyncio; no asyncio event loop is running here"
            )
        return await self._run_call(operation, arguments)
