"""Defaults and validation of client options.

The default of `max_reply_bytes` stands with the transports, in `_http/messages.py`.
"""

from __future__ import annotations

import functools
import inspect
import re
from typing import Any, Final, Literal, NamedTuple

from ._errors import ConfigurationError
from ._http.addresses import is_loopback, is_valid_host_name, parse_ip_address
from ._http.messages import MAX_TIMEOUT_SECONDS, Origin
from ._policy.retry import RetryPolicy
from ._secrets import Problem

MAINNET: Final = "https://fapi.binance.com"
DEMO: Final = "https://demo-fapi.binance.com"
DEFAULT_TIMEOUT: Final = 10.0
"""Total time for a call, in seconds."""
DEFAULT_RECV_WINDOW: Final[int | None] = None
"""`recvWindow` in ms. None sends none, so the exchange uses `EXCHANGE_RECV_WINDOW`."""
EXCHANGE_RECV_WINDOW: Final = 5000
"""`recvWindow` of a request that has none, in ms (General Info, 2026-05-28)."""
MAX_RECV_WINDOW: Final = 2**63 - 1
DEFAULT_RETRY: Final = RetryPolicy()
DEFAULT_CLOCK: Final[Literal["auto"]] = "auto"
DEFAULT_LIMITER: Final[Literal["shared"]] = "shared"
MAX_REPLY_BYTES_LIMIT: Final = 2**31 - 1
"""Upper bound of the option `max_reply_bytes`."""

_BASE_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>[A-Za-z0-9](?:(?:\.|-*)[A-Za-z0-9])*|\[[0-9A-Fa-f:.]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*)/?"
)
_IPV4 = re.compile(r"[0-9]+(?:\.[0-9]+){3}").fullmatch
_BASE_URL_PROBLEM = Problem(
    "base_url must look like https://host[:port][/prefix], without user, query or fragment"
)
_DEFAULT_PORTS = {True: 443, False: 80}


class BaseUrl(NamedTuple):
    """Base URL: an origin, and a path prefix without a trailing slash."""

    origin: Origin
    path: str

    @property
    def host(self) -> str:
        """Value of the Host header: the port is in it unless it is the scheme's default."""
        tls, host, port = self.origin
        if ":" in host:
            host = f"[{host}]"
        return host if port == _DEFAULT_PORTS[tls] else f"{host}:{port}"

    def __str__(self) -> str:
        scheme = "https" if self.origin[0] else "http"
        return f"{scheme}://{self.host}{self.path}"


def parse_base_url(base_url: str) -> BaseUrl | Problem:
    """Parse a base URL.

    It must be https, or http to this machine. It may have a path prefix.

    Returns:
        The base URL, or a `Problem` that does not repeat the string, which could hold a password.
    """
    match = _BASE_URL.fullmatch(base_url) if isinstance(base_url, str) else None
    return _BASE_URL_PROBLEM if match is None else _parse_base_url_cached(match[0])


# The clients of many accounts have few base URLs. Only strings without user and query get here, so
# the cache holds no password.
@functools.lru_cache(maxsize=32)
def _parse_base_url_cached(base_url: str) -> BaseUrl | Problem:
    match = _BASE_URL.fullmatch(base_url)
    if match is None:
        return _BASE_URL_PROBLEM
    tls = match["scheme"] == "https"
    port = int(match["port"] or _DEFAULT_PORTS[tls])
    if not 0 < port < 65536:
        return _BASE_URL_PROBLEM
    if (match["path"] + "/").startswith("/fapi/"):
        return Problem("base_url must not contain /fapi/...; the client adds the endpoint path")
    if not tls and not is_loopback(match["host"]):
        return Problem(
            "base_url must be https; http is for this machine only (127.0.0.1, ::1, localhost)"
        )
    host = match["host"].strip("[]").lower()
    is_address = ":" in host or _IPV4(host) is not None
    if not (parse_ip_address(host) if is_address else is_valid_host_name(host)):
        return Problem("base_url has an invalid host; check the name or the IP address")
    return BaseUrl((tls, host, port), match["path"])


def validate_timeout(timeout: Any) -> float:
    """Return `timeout` in seconds as a float.

    Raises:
        ConfigurationError: It is not a positive number or is longer than a day.
    """
    if type(timeout) not in {int, float} or not 0 < timeout <= MAX_TIMEOUT_SECONDS:
        raise ConfigurationError(
            "timeout must be a positive number of seconds, at most a day, for the whole call"
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
            f"or None for the exchange's default ({EXCHANGE_RECV_WINDOW})"
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
        raise ConfigurationError("max_reply_bytes must be a positive integer below 2 GiB")
    for name, function in (("retry", retry), ("clock", clock), ("on_event", on_event)):
        if _is_async(function):
            raise ConfigurationError(f"{name} must not be an async function; use a plain function")
    if isinstance(retry, type) or not callable(retry):
        raise ConfigurationError(
            "retry must be a RetryPolicy or a function (error, attempt) -> seconds or None"
        )
    if clock not in ("auto", "exchange") and not callable(clock):
        raise ConfigurationError('clock must be "auto", "exchange" or a function that returns ms')
    _validate_limiter(limiter)
    if on_event is not None and not callable(on_event):
        raise ConfigurationError("on_event must be a function that takes an Event")


def _validate_limiter(limiter: Any) -> None:
    names = ("acquire", "observe", "start_cooldown")
    methods = [getattr(limiter, name, None) for name in names]
    if isinstance(limiter, type) or not all(map(callable, methods)):
        raise ConfigurationError(
            "limiter must be None or an object with acquire, observe and start_cooldown"
        )
    if any(map(_is_async, methods)):
        raise ConfigurationError(
            "limiter must not have async methods; "
            "if they block, set `blocking = True` and the client calls them in threads"
        )
