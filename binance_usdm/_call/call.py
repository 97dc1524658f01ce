"""One API call: attempts, clock correction, rate limits, retries.

A call binds late: first it has a connection, then it checks for a ban, takes its weight, its time
and its signature, and its bytes leave. What is decided earlier is outdated when it is sent. Both
clients run the same coroutine. The asyncio client awaits it. The blocking client drives it with
transports and gates that block instead of suspending.
"""

from __future__ import annotations

import time
from typing import Any, TypeVar

from binance_usdm._concurrency.gates import run_to_end
from binance_usdm._errors import RateLimitError, StaleConnectionError, TimestampError
from binance_usdm._events import is_observed
from binance_usdm._http.messages import HttpFailure
from binance_usdm._policy.clock import utc_minute
from binance_usdm._policy.wait_queue import Ticket
from binance_usdm_wire import Operation, Response

from .clock import ClockSyncer
from .error_mapping import note_time_left
from .events import Attempt, AttemptResult
from .response import ParsedValue, parse_response, parse_used_weight

T = TypeVar("T")


class CallRunner(ClockSyncer):
    """Runs the calls of one client.

    A call waits for the clock sync of another call, for the weight budget, for a slot of the pool
    and before a retry, each in order of arrival where calls compete. A cancelled or interrupted
    call leaves every line, gives its slot back and closes a connection with an open response.
    """

    __slots__ = ()

    async def _run_call(self, operation: Operation[T], arguments: dict[str, Any]) -> Response[T]:
        """Make attempts until one succeeds, none may follow, or the deadline comes."""
        started_at = time.monotonic()
        query = self._request_builder.build_query(operation, arguments)
        operation = self._request_builder.bind_operation(operation, arguments)
        deadline = started_at + self._timeout
        number = 0
        request_count = 0
        spent_quota = 0
        clock_corrections = 0
        while True:
            number += 1
            attempt = Attempt(operation, query, number, deadline)
            result = await self._sync_and_send(attempt)
            request_count += result.request_count
            if isinstance(result.outcome, ParsedValue):
                break
            error = result.outcome
            if isinstance(error, TimestampError) and self._clock_mode:
                if clock_corrections:
                    raise error
                await self._correct_clock(attempt, error, result.sent_at)
                clock_corrections = 1
                continue
            # The attempt that ended in a clock correction does not count.
            delay = self._retry_delay(error, number - clock_corrections)
            # In this form NaN is no delay, either.
            left = deadline - time.monotonic()
            if delay is None or not delay < left:
                raise note_time_left(error, delay, left)
            retry_cost = self._retry_quota.acquire(error)
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
            parsed=result.outcome.parsed,
            status_code=response.status,
            headers=response.headers,
            used_weight=result.used_weight,
            elapsed=time.monotonic() - started_at,
            attempts=request_count,
            received_at_ms=self._shared.clock.time_at(result.received_at),
        )

    async def _sync_and_send(self, attempt: Attempt) -> AttemptResult:
        """Sync the clock when that is needed, then make an attempt."""
        clock = self._shared.clock
        uses_clock = self._clock_mode and attempt.operation.signing
        if uses_clock and clock.needs_sync(first=self._clock_mode == "exchange"):
            failure = await self._sync_clock(attempt)
            if failure is not None and clock.latest_sample is None:
                return AttemptResult(failure)
        return await self._send_attempt(attempt)

    async def _send_attempt(self, attempt: Attempt) -> AttemptResult:
        """Send once, and once more on a new connection if the server had closed the idle one."""
        result = await self._send_once(attempt, needs_new_connection=False)
        if not isinstance(result.outcome, StaleConnectionError):
            return result
        self._emit("reconnect", attempt, error=result.outcome)
        second = await self._send_once(attempt, needs_new_connection=True)
        return second._replace(request_count=second.request_count + result.request_count)

    async def _send_once(self, attempt: Attempt, *, needs_new_connection: bool) -> AttemptResult:
        """Wait for the weight budget, a slot and a connection, then send one request.

        Nothing is held while the call waits for the weight budget.
        """
        limiter = self._limiter_queue
        ticket = Ticket(attempt.operation.weight)
        wait = 0.0
        granted_minute: int | None = None
        while True:
            self._raise_if_stopped()
            if wait > 0 or limiter.queue.is_behind(ticket):
                await self._wait_for_weight(ticket, wait, attempt)
            # What a blocking limiter grants is for one minute.
            minute = utc_minute() if limiter.blocks else None
            if granted_minute != minute:
                wait = await self._ask_limiter(ticket, attempt)
                if wait > 0:
                    continue
                granted_minute = minute
            origin = self._request_builder.url_for(attempt.operation).origin
            lease = self._lease(attempt.deadline, origin, needs_new_connection=needs_new_connection)
            holders = lease.holders
            token = lease.token
            try:
                result = await self._send_over(lease, ticket, attempt, granted_minute)
            finally:
                # This is a single C call, so no interrupt can come before it.
                holders.discard(token)
                lease.release()
            if isinstance(result, AttemptResult):
                return result
            wait = result

    async def _send_over(
        self, lease: Any, ticket: Ticket, attempt: Attempt, granted_minute: int | None
    ) -> AttemptResult | float:
        """Take a slot and a connection, then weight, time and signature, and send the request.

        Returns:
            The outcome, or when nothing was sent because the weight budget does not allow it now,
            seconds after which the caller tries once more.
        """
        limiter = self._limiter_queue
        clock = self._shared.clock
        failure = await self._take_connection(lease)
        if failure is not None:
            return AttemptResult(self._error_from_failure(failure, lease))
        # Nothing is awaited from here to the last byte.
        self._raise_if_stopped()
        if limiter.queue.is_behind(ticket):
            return 0.0
        if limiter.blocks:
            if granted_minute != utc_minute():
                return 0.0
        elif (wait := limiter.acquire(ticket.weight)) > 0:
            return wait
        observed = is_observed(self._on_event)
        if observed:
            self._emit("sent", attempt)
            # The observer may have closed the client, or taken long.
            self._raise_if_stopped()
        request = self._request_builder.build_signed(attempt.operation, attempt.query, self._clock)
        self._raise_if_closed()
        sent_at = clock.monotonic()
        result = await self._transport.send(lease, request)
        received_at = clock.monotonic()
        if isinstance(result, HttpFailure):
            error = self._error_from_failure(result, lease, request.secrets)
            return AttemptResult(error, None, sent_at, received_at, 1)
        outcome = parse_response(attempt.operation, result, request.secrets, self._max_reply_bytes)
        if isinstance(outcome, ParsedValue):
            outcome = self._check_account(outcome, lease, attempt)
        used_weight = parse_used_weight(result.headers)
        # This comes before the slot goes to the next call, which must not send.
        if isinstance(outcome, RateLimitError):
            await self._start_cooldown(outcome, result, attempt)
        if used_weight is not None:
            await limiter.observe(used_weight, attempt.deadline)
        answer = AttemptResult(outcome, result, sent_at, received_at, 1, used_weight)
        # An observer that takes long or raises must not delay the cooldown of other calls.
        if observed:
            self._emit_answered(attempt, answer)
        return answer

    async def _connect(self) -> None:
        """Open a connection and leave it idle."""
        deadline = time.monotonic() + self._timeout
        lease = self._lease(deadline, self._request_builder.origin)
        holders = lease.holders
        token = lease.token
        try:
            with self._error_label:
                self._raise_if_stopped()
                failure = await self._take_connection(lease)
                if failure is not None:
                    raise self._error_from_failure(failure, lease)
        finally:
            # This is a single C call, so no interrupt can come before it.
            holders.discard(token)
            lease.release()

    async def _take_connection(self, lease: Any) -> HttpFailure | None:
        """Take a slot, then an idle or a new connection.

        Returns:
            None, or why there is none.
        """
        failure: HttpFailure | None = self._transport.rejection(lease.origin)
        if failure is None and not lease.try_acquire_slot():
            failure = await self._gates.wait_for_slot(lease)
        if failure is None and not lease.try_take_idle():
            self._raise_if_stopped()
            failure = await self._transport.connect(lease)
        self._raise_if_closed()
        return failure


class SyncCallDriver(CallRunner):
    """Drives the coroutine of a call without an event loop."""

    __slots__ = ()

    def _call(self, operation: Operation[T], arguments: dict[str, Any]) -> Response[T]:
        with self._error_label:
            return run_to_end(self._run_call(operation, arguments))


class AsyncCallDriver(CallRunner):
    """Awaits the coroutine of a call."""

    __slots__ = ()

    async def _call(self, operation: Operation[T], arguments: dict[str, Any]) -> Response[T]:
        self._raise_without_event_loop()
        with self._error_label:
            return await self._run_call(operation, arguments)
