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
    IdleConnectionLost,
    IPBannedError,
    RateLimitError,
    TimestampError,
    TransportError,
    UsdmError,
)
from ._events import Event, Kind, Observer, tell
from ._http.messages import Call, Reply
from ._http.threads import aside
from ._policy.clock import NOT_READ, Clock, Reading
from ._policy.limiter import hold
from ._policy.retry import Quota, Retry
from ._policy.shared import Venue
from ._policy.wait_queue import Budget
from ._request import Requests
from ._response import Value, dated, judge, map_thread_error, unanswered, used_weight
from ._secrets import Sealed

if TYPE_CHECKING:
    from ._http.async_transport import AsyncTransport
    from ._http.httpx_adapter import AsyncBridge, SyncBridge
    from ._http.sync_transport import SyncTransport

T = TypeVar("T")

_SERVER_TIME = OPERATIONS["server_time"]

Step = Call | float | Callable[[], Any]
Plan = Generator[Step, Any, T]
"""Part of a plan: yields a call to send, seconds to wait or a function that may block, is sent what came of it."""


class _Tried(NamedTuple):
    """What came of one attempt."""

    result: Value | UsdmError
    reply: Reply | None
    sent: float
    """When, by the clock's ticks; likewise `received`."""
    received: float
    requests: int
    weight: int | None = None


class Planner(Sealed):
    """Plans the calls of one client, from what its constructor has set."""

    __slots__ = (
        "_budget", "_clock", "_closed", "_max_reply_bytes", "_measures", "_on_event", "_quota", "_requests", "_retry",
        "_timeout", "_transport", "_venue",
    )  # fmt: skip
    _budget: Budget
    _clock: Clock
    """Stamps; it is the venue's, or one of the user's."""
    _closed: bool
    _max_reply_bytes: int
    _measures: str | None
    """When the exchange's time is read: "auto" (after -1021), "exchange" (before the first stamp as well), None (never)."""
    _on_event: Observer | None
    _quota: Quota
    _requests: Requests
    _retry: Retry
    _timeout: float
    _transport: Any
    _venue: Venue

    def _plan(
        self, operation: Operation[T], arguments: dict[str, Any], deadline: float
    ) -> Generator[Step | Response[T], Any, None]:
        """The whole call, until `deadline` (time.monotonic()).

        It yields its response last: a StopIteration may also come from a transport of the user's, and is no value.
        """
        query = self._requests.query(operation, arguments)
        attempt = requests = paid = 0
        resynced = False
        while True:
            attempt += 1
            failure = None
            if self._measures and operation.signing and self._venue.clock.due(first=self._measures == "exchange"):
                failure = yield from self._synchronised(operation, attempt, deadline)
            if failure is not None and self._venue.clock.reading is None:
                tried = _Tried(failure, None, 0.0, 0.0, 0)
            else:
                tried = yield from self._attempted(operation, query, attempt, deadline)
            requests += tried.requests
            if isinstance(tried.result, Value):
                break
            error = tried.result
            if isinstance(error, TimestampError) and self._measures:
                if resynced or (yield from self._synchronised(operation, attempt, deadline, tried.sent)) is not None:
                    raise error
                resynced = True
                continue
            pause = self._retry(error, attempt - resynced)
            if pause is None:
                raise error
            pause = max(pause, getattr(error, "retry_after", None) or 0.0)
            cost = self._quota.take(error) if time.monotonic() + pause < deadline else 0
            if not cost:
                raise error
            paid += cost
            self._tell("retry", operation, attempt, seconds=pause, error=error)
            yield pause
        self._quota.give(paid)
        assert tried.reply is not None
        yield Response(
            parsed=tried.result.parsed, status_code=tried.reply.status, headers=tried.reply.headers, used_weight=tried.weight,
            elapsed=time.monotonic() - (deadline - self._timeout), attempts=requests,
        )  # fmt: skip

    def _attempted(self, operation: Operation[Any], query: str, attempt: int, deadline: float) -> Plan[_Tried]:
        """One attempt, made twice when the server had closed the idle connection: weight taken, stamped, signed, sent, judged."""
        for fresh in (False, True):
            self._refuse_if_closed()
            while pause := (yield from self._budget.take(operation.weight, deadline)):
                self._tell("wait", operation, attempt, seconds=pause)
                yield pause
            self._refuse_if_closed()
            call = self._requests.made(
                operation, query, self._clock, deadline=deadline, max_reply_bytes=self._max_reply_bytes, fresh=fresh
            )
            sent = self._venue.clock.ticks()
            outcome = yield call  # here it is sent
            received = self._venue.clock.ticks()
            reply = outcome if isinstance(outcome, Reply) else unanswered(outcome, call, time.monotonic())
            if fresh or not isinstance(reply, IdleConnectionLost):
                break
            self._tell("reconnect", operation, attempt, error=reply)
        if not isinstance(reply, Reply):
            return _Tried(reply, None, sent, received, 1 + fresh)
        result = judge(operation, reply, call)
        weight = used_weight(reply.headers)
        if isinstance(result, RateLimitError):  # first of all: nobody may send from here on
            result.retry_after = hold(result, dated(reply.headers) or self._venue.clock())
            yield from self._budget.hold(result.retry_after, isinstance(result, IPBannedError))
            self._tell("hold", operation, attempt, seconds=result.retry_after, error=result)
        if weight is not None:
            yield from self._budget.observe(weight)
        return _Tried(result, reply, sent, received, 1 + fresh, weight)

    def _refuse_if_closed(self) -> None:
        if self._closed:
            closed = TransportError("the client is closed")
            closed.retryable = False
            raise closed

    def _synchronised(
        self, operation: Operation[Any], attempt: int, deadline: float, since: float | None = None
    ) -> Plan[UsdmError | None]:
        """See that the exchange's time was read, `since` or now; the failure, None if there was none."""
        ask = partial(self._asked, attempt)
        found = yield from self._venue.clock.synchronised(ask, deadline, since)
        if isinstance(found, UsdmError):
            self._tell("clock_failed", operation, attempt, error=found)
            return TransportError(NOT_READ) if isinstance(found, DeadlineExceeded) else found
        self._tell("clock", operation, attempt, offset_ms=found.offset, error_ms=found.error)
        return None

    def _asked(self, attempt: int, deadline: float) -> Plan[Reading | UsdmError]:
        """The exchange's time, or why nobody gets it; raises why only this caller does not: closed, or short of time."""
        try:
            tried = yield from self._attempted(_SERVER_TIME, "", attempt, deadline)
        except UsdmError as error:
            if self._closed or (isinstance(error, RateLimitError) and not error.status):
                raise
            return error
        if isinstance(tried.result, Value):
            return self._venue.clock.read(tried.sent, tried.received, tried.result.parsed.server_time)
        return tried.result

    def _tell(
        self, kind: Kind, operation: Operation[Any], attempt: int, error: UsdmError | None = None, **details: float
    ) -> None:
        error = copy.copy(error)  # whoever keeps the event keeps no traceback, and no frame of the caller
        tell(Event(kind=kind, operation=operation.id, attempt=attempt, error=error, **details), self._on_event)


class SyncCalls(Planner):
    """Carries plans out, blocking."""

    __slots__ = ()
    _transport: SyncTransport | SyncBridge

    def _call(self, operation: Operation[T], arguments: dict[str, Any]) -> Response[T]:
        deadline = time.monotonic() + self._timeout
        plan = self._plan(operation, arguments, deadline)
        try:
            step = next(plan)
            while not isinstance(step, Response):
                step = plan.send(self._do(step, deadline))
            return step
        finally:
            plan.close()

    def _do(self, step: Step, deadline: float) -> Any:
        if isinstance(step, Call):
            return self._transport.exchange(step)
        if not callable(step):
            return time.sleep(step)
        try:
            return aside(step).result(deadline - time.monotonic())
        except (OSError, UsdmError) as error:
            return map_thread_error(error)


class AsyncCalls(Planner):
    """Carries plans out on asyncio."""

    __slots__ = ()
    _transport: AsyncTransport | AsyncBridge

    async def _call(self, operation: Operation[T], arguments: dict[str, Any]) -> Response[T]:
        deadline = time.monotonic() + self._timeout
        plan = self._plan(operation, arguments, deadline)
        try:
            step = next(plan)
            while not isinstance(step, Response):
                step = plan.send(await self._do(step, deadline))
            return step
        finally:
            plan.close()

    async def _do(self, step: Step, deadline: float) -> Any:
        if isinstance(step, Call):
            return await self._transport.exchange(step)
        import asyncio  # for those who make blocking calls only, it would be a tenth of the time until the first one

        if not callable(step):
            return await asyncio.sleep(step)
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                return await asyncio.wrap_future(aside(step))
        except (OSError, UsdmError) as error:
            return map_thread_error(error)
