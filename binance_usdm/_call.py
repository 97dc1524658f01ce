"""A call: what is sent when, what comes of it, what then, as a plan that both clients share; and the two loops that carry it out."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Generator
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from binance_usdm_wire import OPERATIONS, Operation, Response

from ._errors import (
    DeadlineExceeded,
    IPBannedError,
    RateLimitError,
    StaleConnectionError,
    TimestampError,
    TransportError,
    UsdmError,
)
from ._events import Event, EventKind, Observer, emit
from ._http.messages import HttpRequest, HttpResponse
from ._http.threads import run_in_thread
from ._policy.clock import SYNC_TIMEOUT_MESSAGE, Clock, ClockSample
from ._policy.limiter import cooldown_seconds
from ._policy.retry import Retry, RetryQuota
from ._policy.shared import SharedState
from ._policy.wait_queue import LimiterQueue
from ._request import RequestBuilder
from ._response import (
    ParsedValue,
    error_from_failure,
    map_thread_error,
    parse_date_ms,
    parse_response,
    parse_used_weight,
)
from ._secrets import SecretHolder

if TYPE_CHECKING:
    from ._http.async_transport import AsyncTransport
    from ._http.httpx_adapter import AsyncHttpxAdapter, SyncHttpxAdapter
    from ._http.sync_transport import SyncTransport

T = TypeVar("T")

_SERVER_TIME = OPERATIONS["server_time"]

Step = HttpRequest | float | Callable[[], Any]
Plan = Generator[Step, Any, T]
"""Part of a plan: yields a call to send, seconds to wait or a function that may block, is sent what came of it."""


class AttemptResult(NamedTuple):
    """What came of one attempt."""

    outcome: ParsedValue | UsdmError
    response: HttpResponse | None
    sent_at: float
    """When, by the clock's ticks; likewise `received`."""
    received_at: float
    request_count: int
    used_weight: int | None = None


class CallRunner(SecretHolder):
    """Plans the calls of one client, from what its constructor has set."""

    __slots__ = (
        "_clock", "_clock_mode", "_closed", "_limiter_queue", "_max_reply_bytes", "_on_event", "_request_builder", "_retry",
        "_retry_quota", "_shared", "_timeout", "_transport",
    )  # fmt: skip
    _limiter_queue: LimiterQueue
    _clock: Clock
    """Stamps; it is the venue's, or one of the user's."""
    _closed: bool
    _max_reply_bytes: int
    _clock_mode: str | None
    """When the exchange's time is read: "auto" (after -1021), "exchange" (before the first stamp as well), None (never)."""
    _on_event: Observer | None
    _retry_quota: RetryQuota
    _request_builder: RequestBuilder
    _retry: Retry
    _timeout: float
    _transport: Any
    _shared: SharedState

    def _run_call(
        self, operation: Operation[T], arguments: dict[str, Any], deadline: float
    ) -> Generator[Step | Response[T], Any, None]:
        """The whole call, until `deadline` (time.monotonic()).

        It yields its response last: a StopIteration may also come from a transport of the user's, and is no value.
        """
        query = self._request_builder.build_query(operation, arguments)
        attempt = requests = spent_quota = 0
        clock_corrected = False
        while True:
            attempt += 1
            failure = None
            if (
                self._clock_mode
                and operation.signing
                and self._shared.clock.needs_sync(first=self._clock_mode == "exchange")
            ):
                failure = yield from self._sync_clock(operation, attempt, deadline)
            if failure is not None and self._shared.clock.latest_sample is None:
                tried = AttemptResult(failure, None, 0.0, 0.0, 0)
            else:
                tried = yield from self._send_attempt(operation, query, attempt, deadline)
            requests += tried.request_count
            if isinstance(tried.outcome, ParsedValue):
                break
            error = tried.outcome
            if isinstance(error, TimestampError) and self._clock_mode:
                if (
                    clock_corrected
                    or (yield from self._sync_clock(operation, attempt, deadline, tried.sent_at)) is not None
                ):
                    raise error
                clock_corrected = True
                continue
            delay = self._retry(error, attempt - clock_corrected)
            if delay is None:
                raise error
            delay = max(delay, getattr(error, "retry_after", None) or 0.0)
            retry_cost = self._retry_quota.acquire(error) if time.monotonic() + delay < deadline else 0
            if not retry_cost:
                raise error
            spent_quota += retry_cost
            self._emit("retry", operation, attempt, seconds=delay, error=error)
            yield delay
        self._retry_quota.release(spent_quota)
        assert tried.response is not None
        yield Response(
            parsed=tried.outcome.parsed, status_code=tried.response.status, headers=tried.response.headers, used_weight=tried.used_weight,
            elapsed=time.monotonic() - (deadline - self._timeout), attempts=requests,
        )  # fmt: skip

    def _send_attempt(
        self, operation: Operation[Any], query: str, attempt: int, deadline: float
    ) -> Plan[AttemptResult]:
        """One attempt, made twice when the server had closed the idle connection: weight taken, stamped, signed, sent, judged."""
        for fresh in (False, True):
            self._raise_if_closed()
            while delay := (yield from self._limiter_queue.acquire(operation.weight, deadline)):
                self._emit("budget_wait", operation, attempt, seconds=delay)
                yield delay
            self._raise_if_closed()
            call = self._request_builder.build_signed(
                operation,
                query,
                self._clock,
                deadline=deadline,
                max_reply_bytes=self._max_reply_bytes,
                needs_new_connection=fresh,
            )
            sent = self._shared.clock.monotonic()
            outcome = yield call  # here it is sent
            received = self._shared.clock.monotonic()
            reply = (
                outcome if isinstance(outcome, HttpResponse) else error_from_failure(outcome, call, time.monotonic())
            )
            if fresh or not isinstance(reply, StaleConnectionError):
                break
            self._emit("reconnect", operation, attempt, error=reply)
        if not isinstance(reply, HttpResponse):
            return AttemptResult(reply, None, sent, received, 1 + fresh)
        result = parse_response(operation, reply, call)
        weight = parse_used_weight(reply.headers)
        if isinstance(result, RateLimitError):  # first of all: nobody may send from here on
            result.retry_after = cooldown_seconds(result, parse_date_ms(reply.headers) or self._shared.clock())
            yield from self._limiter_queue.start_cooldown(result.retry_after, isinstance(result, IPBannedError))
            self._emit("cooldown", operation, attempt, seconds=result.retry_after, error=result)
        if weight is not None:
            yield from self._limiter_queue.observe(weight)
        return AttemptResult(result, reply, sent, received, 1 + fresh, weight)

    def _raise_if_closed(self) -> None:
        if self._closed:
            closed = TransportError("the client is closed")
            closed.retryable = False
            raise closed

    def _sync_clock(
        self, operation: Operation[Any], attempt: int, deadline: float, since: float | None = None
    ) -> Plan[UsdmError | None]:
        """See that the exchange's time was read, `since` or now; the failure, None if there was none."""
        ask = partial(self._measure_server_time, attempt)
        found = yield from self._shared.clock.sync(ask, deadline, since)
        if isinstance(found, UsdmError):
            self._emit("clock_sync_failed", operation, attempt, error=found)
            return TransportError(SYNC_TIMEOUT_MESSAGE) if isinstance(found, DeadlineExceeded) else found
        self._emit("clock_synced", operation, attempt, offset_ms=found.offset_ms, error_ms=found.error_bound_ms)
        return None

    def _measure_server_time(self, attempt: int, deadline: float) -> Plan[ClockSample | UsdmError]:
        """The exchange's time, or why nobody gets it; raises why only this caller does not: closed, or short of time."""
        try:
            tried = yield from self._send_attempt(_SERVER_TIME, "", attempt, deadline)
        except UsdmError as error:
            if self._closed or (isinstance(error, RateLimitError) and not error.status):
                raise
            return error
        if isinstance(tried.outcome, ParsedValue):
            return self._shared.clock.sample(tried.sent_at, tried.received_at, tried.outcome.parsed.server_time)
        return tried.outcome

    def _emit(
        self, kind: EventKind, operation: Operation[Any], attempt: int, error: UsdmError | None = None, **details: float
    ) -> None:
        error = copy.copy(error)  # whoever keeps the event keeps no traceback, and no frame of the caller
        emit(Event(kind=kind, operation=operation.id, attempt=attempt, error=error, **details), self._on_event)


class SyncCallDriver(CallRunner):
    """Carries plans out, blocking."""

    __slots__ = ()
    _transport: SyncTransport | SyncHttpxAdapter

    def _call(self, operation: Operation[T], arguments: dict[str, Any]) -> Response[T]:
        deadline = time.monotonic() + self._timeout
        plan = self._run_call(operation, arguments, deadline)
        try:
            step = next(plan)
            while not isinstance(step, Response):
                step = plan.send(self._do(step, deadline))
            return step
        finally:
            plan.close()

    def _do(self, step: Step, deadline: float) -> Any:
        if isinstance(step, HttpRequest):
            return self._transport.send(step)
        if not callable(step):
            return time.sleep(step)
        try:
            return run_in_thread(step).result(deadline - time.monotonic())
        except (OSError, UsdmError) as error:
            return map_thread_error(error)


class AsyncCallDriver(CallRunner):
    """Carries plans out on asyncio."""

    __slots__ = ()
    _transport: AsyncTransport | AsyncHttpxAdapter

    async def _call(self, operation: Operation[T], arguments: dict[str, Any]) -> Response[T]:
        deadline = time.monotonic() + self._timeout
        plan = self._run_call(operation, arguments, deadline)
        try:
            step = next(plan)
            while not isinstance(step, Response):
                step = plan.send(await self._do(step, deadline))
            return step
        finally:
            plan.close()

    async def _do(self, step: Step, deadline: float) -> Any:
        if isinstance(step, HttpRequest):
            return await self._transport.send(step)
        import asyncio  # for those who make blocking calls only, it would be a tenth of the time until the first one

        if not callable(step):
            return await asyncio.sleep(step)
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                return await asyncio.wrap_future(run_in_thread(step))
        except (OSError, UsdmError) as error:
            return map_thread_error(error)
