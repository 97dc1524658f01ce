"""Distinguish exceptions of signal handlers from failures of the code they interrupt."""

from __future__ import annotations

import functools
import signal
import threading
from types import CodeType
from typing import Any, Final

# `signal.getsignal` makes enums in Python, and drops a ValueError that a handler raises meanwhile.
_get_handler: Final[Any] = vars(signal)["_signal"].getsignal


def raise_if_from_handler(error: Exception) -> None:
    """Raise an error that a signal handler raised. Return if it came from elsewhere.

    Such an error is meant for the caller, like KeyboardInterrupt.
    """
    # Python runs signal handlers in the main thread only.
    if threading.current_thread() is not threading.main_thread():
        return
    handlers = map(_get_handler, range(1, signal.NSIG))
    codes = {code for code in map(_handler_code, handlers) if code is not None}
    frame = error.__traceback__
    while codes and frame is not None:
        if frame.tb_frame.f_code in codes:
            raise error
        frame = frame.tb_next


def _handler_code(handler: Any) -> CodeType | None:
    """Return the code of a signal handler, or None when it is not written in Python.

    A handler is a function, a method, a partial or a callable object.
    """
    while isinstance(handler, functools.partial):
        handler = handler.func
    handler = getattr(handler, "__func__", handler)
    if not hasattr(handler, "__code__"):
        handler = vars(type(handler)).get("__call__")
    code = getattr(handler, "__code__", None)
    return code if isinstance(code, CodeType) else None
