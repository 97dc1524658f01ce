"""The attempts of a call, and the events that they emit."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

from binance_usdm._errors import UsdmError
from binance_usdm._events import Event, EventKind, Observer, emit
from binance_usdm._http.messages import HttpResponse
from binance_usdm._policy.limiter import WeightLimiter
from binance_usdm._policy.limiter_queue import LimiterQueue
from binance_usdm._secrets import SecretHolder
from binance_usdm_wire import Operation

from .response import ParsedValue


class Attempt(NamedTuple):
    """An attempt of a call, which is about to be made.

    `number` counts from 1. `deadline` is an instant of `time.monotonic()`.
    """

    operation: Operation[Any]
    query: str
    number: int
    deadline: float


class AttemptResult(NamedTuple):
    """The outcome of one attempt.

    `sent_at` and `received_at` are instants of `ExchangeClock.monotonic`, 0.0 when nothing was
    sent. `request_count` is the number of requests that were sent.
    """

    outcome: ParsedValue | UsdmError
    response: HttpResponse | None = None
    sent_at: float = 0.0
    received_at: float = 0.0
    request_count: int = 0
    used_weight: int | None = None


class EventEmitter(SecretHolder):
    """Emits the events of one client's calls."""

    __slots__ = ("_label", "_limiter_queue", "_on_event")
    _label: str | None
    _limiter_queue: LimiterQueue
    _on_event: Observer | None

    def _emit(
        self, kind: EventKind, attempt: Attempt, error: UsdmError | None = None, **details: Any
    ) -> None:
        # A copy has no traceback, so an event that is kept keeps no frame of the caller.
        error = copy.copy(error)
        if error is not None:
            error.label = self._label
            details = {"status": error.status or None, "code": error.code} | details
        event = Event(
            kind=kind,
            operation=attempt.operation.id,
            attempt=attempt.number,
            error=error,
            label=self._label,
            **details,
        )
        emit(event, self._on_event)

    def _emit_answered(self, attempt: Attempt, result: AttemptResult) -> None:
        assert result.response is not None
        limiter = self._limiter_queue.limiter
        # A limiter of another class may ask a server, or fail.
        left = limiter.budget().left if type(limiter) is WeightLimiter else None
        self._emit(
            "answered",
            attempt,
            None if isinstance(result.outcome, ParsedValue) else result.outcome,
            status=result.response.status,
            seconds=result.received_at - result.sent_at,
            used_weight=result.used_weight,
            weight_left=left,
        )
