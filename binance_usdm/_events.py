"""Events that a call emits while it runs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, Literal

from attrs import frozen

from ._errors import UsdmError
from ._interrupts import raise_if_from_handler

logger = logging.getLogger("binance_usdm")
# Without a handler, logging would print warnings on stderr in programs that do not configure it.
logger.addHandler(logging.NullHandler())

EventKind = Literal[
    "retry",
    "budget_wait",
    "cooldown",
    "reconnect",
    "clock_synced",
    "clock_sync_failed",
    "account_mismatch",
]
_LOG_LEVEL_BY_KIND: Final[dict[EventKind, int]] = {
    "retry": logging.INFO,
    "budget_wait": logging.INFO,
    "cooldown": logging.WARNING,
    "reconnect": logging.DEBUG,
    "clock_synced": logging.INFO,
    "clock_sync_failed": logging.WARNING,
    "account_mismatch": logging.ERROR,
}


@frozen(kw_only=True)
class Event:
    """Something that happened within a call and does not show in its result.

    Events contain numbers, names and errors of this package, but no secrets. The kinds:

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
        operation: Operation of the call, such as "balance".
        attempt: Number of the attempt, starting at 1.
        seconds: Duration in seconds, 0 where the kind has none.
        error: The error, None where the kind has none.
        offset_ms: Offset in ms, None where the kind has none.
        error_ms: Error bound of the offset in ms, None where the kind has none.
        label: The option `label` of the client.
    """

    kind: EventKind
    operation: str
    attempt: int
    seconds: float = 0.0
    error: UsdmError | None = None
    offset_ms: float | None = None
    error_ms: float | None = None
    label: str | None = None


Observer = Callable[[Event], None]
"""Function that receives every `Event`.

Called synchronously in the thread or task of the call, so it should return quickly. An exception
it raises is logged and ignored.
"""


def emit(event: Event, observer: Observer | None) -> None:
    """Log an event and pass it to the observer.

    An exception of the observer is logged, unless a signal handler raised it.
    """
    account = {"account": event.label}
    logger.log(_LOG_LEVEL_BY_KIND[event.kind], "%s", event, extra=account)
    if observer is None:
        return
    try:
        observer(event)
    # A bug of the observer must not fail the call.
    except Exception as error:  # noqa: BLE001
        raise_if_from_handler(error)
        logger.error("on_event failed with %s", type(error).__name__, extra=account)
