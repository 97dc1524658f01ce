"""Events that a call emits while it runs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final, Literal

from attrs import frozen

from ._concurrency.interrupts import raise_if_from_handler
from ._errors import UsdmError

logger = logging.getLogger("binance_usdm")
# Without a handler, logging would print warnings on stderr in programs that do not configure it.
logger.addHandler(logging.NullHandler())

EventKind = Literal[
    "sent",
    "answered",
    "retry",
    "budget_wait",
    "cooldown",
    "reconnect",
    "clock_synced",
    "clock_sync_failed",
    "account_mismatch",
]
_LOG_LEVEL_BY_KIND: Final[dict[EventKind, int]] = {
    "sent": logging.DEBUG,
    "answered": logging.DEBUG,
    "retry": logging.INFO,
    "budget_wait": logging.INFO,
    "cooldown": logging.WARNING,
    "reconnect": logging.DEBUG,
    "clock_synced": logging.INFO,
    "clock_sync_failed": logging.WARNING,
    "account_mismatch": logging.ERROR,
}
_SENTENCE_BY_KIND: Final[dict[EventKind, str]] = {
    "sent": "request sent",
    "answered": "{response}, after {seconds}",
    "retry": "next attempt in {seconds}, after {error}",
    "budget_wait": "the weight budget is exhausted, next look in {seconds}",
    "cooldown": "nothing is sent for {seconds}, after {error}",
    "reconnect": "the server had closed the idle connection, sent again on a new one",
    "clock_synced": "clock synced, the exchange is {offset} ahead (± {bound})",
    "clock_sync_failed": "clock sync failed with {error}",
    "account_mismatch": "the response has rows of another account and is not used",
}


@frozen(kw_only=True)
class Event:
    """Something that happened within a call.

    Events contain numbers, names and errors of this package, but no secrets. The kinds:

    - "sent": a request is sent. Its timestamp is taken after the observer returned.
    - "answered": the response was read, `seconds` after the request was sent, and evaluated. With
      `error` it was not usable. A request that is sent and not answered got no complete response.
    - "retry": the attempt failed with `error`; the next one starts in `seconds`.
    - "budget_wait": the weight budget is exhausted; the call waits for `seconds`.
    - "cooldown": after `error`, a 429 or 418, nothing is sent for `seconds`.
    - "reconnect": the server had closed an idle connection; the attempt is sent on a new one.
    - "clock_synced": the exchange is `offset_ms` ahead of this machine, ± `error_ms`.
    - "clock_sync_failed": the clock sync failed with `error`.
    - "account_mismatch": the response had rows of another account and was not used; its connection
      was closed.

    Attributes:
        kind: One of the names above.
        operation: Operation of the request, such as "balance", or "server_time" of a clock sync.
        attempt: Number of the attempt, starting at 1.
        seconds: Duration in seconds, 0 where the kind has none.
        error: The error, None where the kind has none.
        status: HTTP status of the response or the error, None without one.
        code: The exchange's error code, None when it sent none.
        used_weight: Weight that this IP address has used in the current UTC minute by the response,
            None where the kind or the response has none.
        weight_left: Weight that calls may still use in it, None where the kind has none, without a
            budget, or with a limiter that is not a `WeightLimiter`.
        offset_ms: Offset in ms, None where the kind has none.
        error_ms: Error bound of the offset in ms, None where the kind has none.
        label: The option `label` of the client.
    """

    kind: EventKind
    operation: str
    attempt: int
    seconds: float = 0.0
    error: UsdmError | None = None
    status: int | None = None
    code: int | None = None
    used_weight: int | None = None
    weight_left: int | None = None
    offset_ms: float | None = None
    error_ms: float | None = None
    label: str | None = None


Observer = Callable[[Event], None]
"""Function that receives every `Event`.

Called synchronously in the thread or task of the call, so it should return quickly. An exception
it raises is logged and ignored.
"""


def is_observed(observer: Observer | None) -> bool:
    """Return whether an observer or the logger takes the events "sent" and "answered"."""
    return observer is not None or logger.isEnabledFor(logging.DEBUG)


def emit(event: Event, observer: Observer | None) -> None:
    """Log an event and pass it to the observer.

    An exception of the observer is logged, unless a signal handler raised it.
    """
    level = _LOG_LEVEL_BY_KIND[event.kind]
    if logger.isEnabledFor(level):
        logger.log(level, "%s", describe_event(event), extra=_log_fields(event))
    if observer is None:
        return
    try:
        observer(event)
    # A bug of the observer must not fail the call.
    except Exception as error:  # noqa: BLE001
        raise_if_from_handler(error)
        fields = {"account": event.label}
        logger.error("on_event failed with %s", type(error).__name__, extra=fields)


def describe_event(event: Event) -> str:
    """Return one sentence about an event, which begins with the label."""
    label = "" if event.label is None else f"{event.label}: "
    text = _SENTENCE_BY_KIND[event.kind].format(
        seconds=f"{event.seconds:.3f} s",
        error=_describe_error(event.error),
        response=_describe_response(event),
        offset=f"{event.offset_ms or 0:.0f} ms",
        bound=f"{event.error_ms or 0:.0f} ms",
    )
    return f"{label}{event.operation}, attempt {event.attempt}: {text}"


def _describe_response(event: Event) -> str:
    values = {
        "status": event.status,
        "code": event.code,
        "weight used": event.used_weight,
        "left": event.weight_left,
    }
    return ", ".join(f"{name} {value}" for name, value in values.items() if value is not None)


def _describe_error(error: UsdmError | None) -> str:
    """Return class, status and code of an error, or its text when there was no response."""
    name = type(error).__name__
    if error is None or error.status:
        numbers = [] if error is None else [error.status, error.code]
        shown = ", ".join(str(number) for number in numbers if number is not None)
        return f"{name} ({shown})"
    return f"{name} ({error._describe()})"


def _log_fields(event: Event) -> dict[str, Any]:
    """Return the attributes of a log record. None has the name of one that logging sets."""
    error = event.error
    return {
        "event": event.kind,
        "operation": event.operation,
        "attempt": event.attempt,
        "seconds": event.seconds,
        "status": event.status,
        "code": event.code,
        "used_weight": event.used_weight,
        "weight_left": event.weight_left,
        "offset_ms": event.offset_ms,
        "error_ms": event.error_ms,
        "error": None if error is None else type(error).__name__,
        "error_text": None if error is None else str(error),
        "account": event.label,
    }
