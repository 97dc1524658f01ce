"""Validation of client options."""

from __future__ import annotations

import functools
import inspect
from typing import Any

from binance_usdm._errors import ConfigurationError
from binance_usdm._secrets import describe_number, describe_value

from .defaults import (
    DEFAULT_LIMITER,
    EXCHANGE_RECV_WINDOW,
    MAX_RECV_WINDOW,
    MAX_REPLY_BYTES_LIMIT,
    MAX_TIMEOUT,
)


def validate_timeout(timeout: Any) -> float:
    """Return `timeout` in seconds as a float.

    Raises:
        ConfigurationError: It is not a positive number or is longer than an hour.
    """
    is_number = type(timeout) in {int, float}
    if not is_number or not 0 < timeout <= MAX_TIMEOUT:
        is_likely_ms = is_number and MAX_TIMEOUT < timeout <= 1000 * MAX_TIMEOUT
        advice = "; it looks like milliseconds" if is_likely_ms else ""
        raise ConfigurationError(
            f"timeout must be a positive number of seconds, at most {MAX_TIMEOUT:g} (an hour), for "
            f"the whole call, not {describe_number(timeout, MAX_TIMEOUT)}{advice}"
        )
    return float(timeout)


def validate_recv_window(recv_window: Any) -> int | None:
    """Return `recv_window` in ms, or None.

    Raises:
        ConfigurationError: It is not a positive integer.
    """
    if recv_window is None:
        return None
    if type(recv_window) is not int or not 1 <= recv_window <= MAX_RECV_WINDOW:
        raise ConfigurationError(
            "recv_window must be a positive integer of milliseconds, "
            f"or None for the exchange's default ({EXCHANGE_RECV_WINDOW}), "
            f"not {describe_number(recv_window, MAX_RECV_WINDOW)}"
        )
    return recv_window


def _is_async(function: Any) -> bool:
    while isinstance(function, functools.partial):
        function = function.func
    if not hasattr(function, "__code__"):
        # For an object with a method __call__, the code of that method is inspected.
        function = getattr(type(function), "__call__", None)  # noqa: B004
    code = getattr(function, "__code__", None)
    return code is not None and bool(code.co_flags & inspect.CO_COROUTINE)


def validate_options(
    max_reply_bytes: Any, retry: Any, clock: Any, limiter: Any, on_event: Any
) -> None:
    """Check the types of the other options.

    Raises:
        ConfigurationError: One of them has the wrong type or is out of bounds.
    """
    if type(max_reply_bytes) is not int or not 1 <= max_reply_bytes <= MAX_REPLY_BYTES_LIMIT:
        raise ConfigurationError(
            "max_reply_bytes must be a positive integer below 2 GiB, "
            f"not {describe_number(max_reply_bytes, MAX_REPLY_BYTES_LIMIT)}"
        )
    for name, function in (("retry", retry), ("clock", clock), ("on_event", on_event)):
        if callable(function) and _is_async(function):
            raise ConfigurationError(f"{name} must not be an async function; use a plain function")
    if isinstance(retry, type) or not callable(retry):
        raise ConfigurationError(
            "retry must be a RetryPolicy or a function (error, attempt) -> seconds or None, "
            f"not {describe_value(retry)}"
        )
    if clock not in ("auto", "exchange") and not callable(clock):
        raise ConfigurationError(
            'clock must be "auto", "exchange" or a function that returns ms, '
            f"not {describe_value(clock)}"
        )
    if limiter is not None and limiter != DEFAULT_LIMITER:
        _validate_limiter(limiter)
    if on_event is not None and not callable(on_event):
        raise ConfigurationError(
            f"on_event must be a function that takes an Event, not {describe_value(on_event)}"
        )


def _validate_limiter(limiter: Any) -> None:
    names = ("acquire", "observe", "start_cooldown")
    methods = [getattr(limiter, name, None) for name in names]
    if isinstance(limiter, type) or not all(map(callable, methods)):
        raise ConfigurationError(
            'limiter must be "shared", None or an object with acquire, observe and '
            f"start_cooldown, not {describe_value(limiter)}"
        )
    if any(map(_is_async, methods)):
        raise ConfigurationError(
            "limiter must not have async methods; "
            "if they block, set `blocking = True` and the client calls them in threads"
        )
