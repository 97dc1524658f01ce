"""A call as a plan: what is sent when, what comes of it, what then. Shared by both clients; neither blocks nor awaits."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Generator
from functools import partial
from typing import Any, NamedTuple, TypeVar

from binance_usdm_wire import OPERATIONS, Operation, Response

from ._clock import GOOD_ENOUGH_MS, SAMPLES, Clock, Reading
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
from ._http1 import Reply
from ._limits import Limiter
from ._reply import DECODED, Value, dated, read, unanswered, used_weight
from ._request import Call, Requests
from ._retry import Quota, Retry, hold
from ._signing import Sealed
from ._venue import Venue

T = TypeVar("T")

_SERVER_TIME = OPERATIONS["server_time"]
_POLL = 0.005
_NOT_READ = "the exchange's time did not come in half of the time"

Step = Call | float | Callable[[], Any]
Plan = Generator[Step, Any, T]
"""Part of a plan: yields a call to send, seconds to wait or a function that may block, is sent what came of it."""


class _Tried(NamedTuple):
    """What came of one attempt."""

    result: Value | UsdmError
    reply: Reply | None
    sent: float
    received: float
    """When, by the clock's ticks."""
    requests: int
    weight: int | None = None


class Planner(Sealed):
    """Plans the calls of one client, from what its constructor has set."""

    __slots__ = (
        "_clock", "_closed", "_limiter", "_max_reply_bytes", "_may_block", "_measures", "_on_event", "_quota", "_requests", "_retry",
        "_timeout", "_venue",
    )  # fmt: skip
    _clock: Clock
    _closed: bool
    _limiter: Limiter
    _max_reply_bytes: int
    _may_block: bool
    """The limiter may wait for a network."""
    _measures: str | None
    """When the exchange's time is read: "auto" (after -1021), "exchange" (before the first stamp as well), None (never)."""
    _on_event: Observer | None
    _quota: Quota
    _requests: Requests
    _retry: Retry
    _timeout: float
    _venue: Venue

    def _plan(
        self, operation: Operation[T], arguments: dict[str, Any], deadline: float
    ) -> Generator[Step | Response[T], Any, None]:
        """The whole call, until `deadline` (time.monotonic()); what it yields last is the response."""
        started = time.monotonic()
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
            elapsed=time.monotonic() - started, attempts=requests,
        )  # fmt: skip

    def _attempted(
        self, operation: Operation[Any], query: dict[str, str], attempt: int, deadline: float
    ) -> Plan[_Tried]:
        """One attempt, made twice when the server had closed the idle connection: weight taken, stamped, signed, sent, judged."""
        for fresh in (False, True):
            yield from self._admitted(operation, attempt, deadline)
            call = self._requests.made(
                operation, query, self._clock, deadline=deadline, fresh=fresh, max_reply_bytes=self._max_reply_bytes
            )
            sent = self._venue.clock.ticks()
            outcome = yield call
            received = self._venue.clock.ticks()
            reply = outcome if isinstance(outcome, Reply) else unanswered(outcome, call, time.monotonic())
            if not isinstance(reply, IdleConnectionLost):
                break
            self._tell("reconnect", operation, attempt, error=reply)
        if not isinstance(reply, Reply):
            return _Tried(reply, None, sent, received, 1 + fresh)
        result = read(operation, reply, hidden=call.hidden, limit=DECODED * self._max_reply_bytes)
        weight = used_weight(reply.headers)
        if isinstance(result, RateLimitError):  # first of all: nobody may send from here on
            result.retry_after = hold(result, dated(reply.headers) or self._venue.clock())
            yield from self._noted(self._limiter.hold, result.retry_after, banned=isinstance(result, IPBannedError))
            self._tell("hold", operation, attempt, seconds=result.retry_after, error=result)
        if weight is not None:
            yield from self._noted(self._limiter.observe, weight)
        return _Tried(result, reply, sent, received, 1 + fresh, weight)

    def _admitted(self, operation: Operation[Any], attempt: int, deadline: float) -> Plan[None]:
        """Wait until the weight is taken; nothing may be sent before."""
        while (wait := (yield from self._limited(self._limiter.acquire, operation.weight))) > 0:
            pause = self._venue.queue.behind(time.monotonic(), wait, operation.weight, deadline)
            if pause is None:
                raise RateLimitError(0, None, "the weight budget has no room before the deadline", wait)
            self._tell("wait", operation, attempt, seconds=pause)
            yield pause
        if self._closed:
            closed = TransportError("the client is closed")
            closed.retryable = False
            raise closed

    def _noted(self, tell: Callable[..., None], *arguments: Any, **options: Any) -> Plan[None]:
        """Tell the limiter what a reply said; its trouble is none of the call, whose reply is here."""
        try:  # noqa: SIM105 - free where there is no error, and in every call
            yield from self._limited(tell, *arguments, **options)
        except UsdmError:
            pass

    def _limited(self, ask: Callable[..., Any], *arguments: Any, **options: Any) -> Plan[Any]:
        """Ask the limiter; one that may block, such as Redis, is asked by the client, in its own way of waiting."""
        if not self._may_block:
            return ask(*arguments, **options)
        answer = yield partial(ask, *arguments, **options)
        if isinstance(answer, UsdmError):
            raise answer
        return answer

    def _synchronised(
        self, operation: Operation[Any], attempt: int, deadline: float, since: float | None = None
    ) -> Plan[UsdmError | None]:
        """Read the exchange's time, wait for the caller who does, or find that it was read `since`; the failure, None if there was none.

        It takes half of the time that is left at most, so that the call itself can still be made.
        """
        clock = self._venue.clock
        if since is not None and clock.reading is not None and clock.reading.monotonic > since:
            self._tell_time(operation, attempt, clock.reading)
            return None
        deadline -= (deadline - time.monotonic()) / 2
        rounds, pause = clock.rounds, _POLL
        while not clock.claim(deadline - time.monotonic()):
            if time.monotonic() + pause >= deadline:
                return TransportError(_NOT_READ)
            yield pause
            pause = min(pause * 1.5, 0.1)  # many may wait, and each look costs
            if clock.rounds != rounds:
                self._tell_time(operation, attempt, None if clock.failure else clock.reading)
                return clock.failure
        best: Reading | None = None
        failure: UsdmError | None = None
        try:
            for _ in range(SAMPLES):
                tried = yield from self._attempted(_SERVER_TIME, {}, attempt, deadline)
                if not isinstance(tried.result, Value):
                    failure = tried.result
                    break
                reading = clock.read(tried.sent, tried.received, tried.result.parsed.server_time)
                best = reading if best is None or reading.error < best.error else best
                if best.error <= GOOD_ENOUGH_MS:
                    break
        except UsdmError as error:  # nothing may be sent now
            failure = error
        finally:
            clock.settle(best, failure)
        if best is None:
            self._tell("clock_failed", operation, attempt, error=failure)
            return TransportError(_NOT_READ) if isinstance(failure, DeadlineExceeded) else failure
        self._tell_time(operation, attempt, best)
        return None

    def _tell_time(self, operation: Operation[Any], attempt: int, reading: Reading | None) -> None:
        if reading is not None:
            self._tell("clock", operation, attempt, offset_ms=reading.offset, error_ms=reading.error)

    def _tell(
        self, kind: Kind, operation: Operation[Any], attempt: int, error: UsdmError | None = None, **details: float
    ) -> None:
        error = copy.copy(error)  # whoever keeps the event keeps no traceback, and no frame of the caller
        tell(Event(kind=kind, operation=operation.id, attempt=attempt, error=error, **details), self._on_event)
