"""What a call tells while it runs: to the logger `binance_usdm` and to `on_event`. Numbers and errors of the tree, never a secret."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, Literal

from attrs import frozen

from ._errors import UsdmError
from ._interrupts import raise_if_from_handler

logger = logging.getLogger("binance_usdm")
logger.addHandler(logging.NullHandler())  # whoever sets up no logging gets no lines on stderr

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
    """Something a caller would not see otherwise, by `kind`.

    - "retry": the attempt failed with `error`; the next one follows in `seconds`.
    - "budget_wait": it takes `seconds` until the weight budget has room.
    - "cooldown": after a 429 or 418, `error`, nothing is sent for `seconds`.
    - "reconnect": the server had closed an idle connection; the attempt is made again at once, on a new one.
    - "clock_synced": the exchange's time was read: it is `offset_ms` ahead of this machine's, give or take `error_ms`.
    - "clock_sync_failed": it could not be read, because of `error`.
    - "account_mismatch": the response held rows of another account and was not used; its connection was closed.
    """

    kind: EventKind
    operation: str
    attempt: int
    seconds: float = 0.0
    error: UsdmError | None = None
    offset_ms: float | None = None
    error_ms: float | None = None


Observer = Callable[[Event], None]
"""Is told of every event, in the thread or task of the call; should be quick."""


def emit(event: Event, observer: Observer | None) -> None:
    """Log it, then hand it to the observer, whose failure is logged and is no failure of the call."""
    logger.log(_LOG_LEVEL_BY_KIND[event.kind], "%s", event)
    if observer is not None:
        try:
            observer(event)
        except Exception as error:  # it only watches  # noqa: BLE001
            raise_if_from_handler(error)
            logger.error("on_event failed with %s", type(error).__name__)
