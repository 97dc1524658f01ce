"""What a client is made of, checked before anything is sent: credentials, base URL, numbers. Every default is here. Sends nothing."""

from __future__ import annotations

import functools
import inspect
import re
from typing import Any, Final, NamedTuple

from ._errors import ConfigurationError
from ._http.addresses import is_loopback, is_valid_host_name, parse_ip_address
from ._http.messages import MAX_TIMEOUT_SECONDS, Origin

MAINNET: Final = "https://fapi.binance.com"
DEMO: Final = "https://demo-fapi.binance.com"
DEFAULT_TIMEOUT: Final = 10.0

_BASE_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9](?:(?:\.|-*)[A-Za-z0-9])*|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*)/?"
)
_IPV4 = re.compile(r"[0-9]+(?:\.[0-9]+){3}").fullmatch
_BASE_URL_PROBLEM = "base_url must look like https://host[:port][/prefix], with nothing else in it"
_DEFAULT_PORTS = {True: 443, False: 80}


class BaseUrl(NamedTuple):
    """Where an exchange is: its origin, and a path prefix without a slash at its end."""

    origin: Origin
    path: str

    @property
    def host(self) -> str:
        """As the Host header has it: with the port, unless it is the scheme's own."""
        tls, host, port = self.origin
        host = f"[{host}]" if ":" in host else host
        return host if port == _DEFAULT_PORTS[tls] else f"{host}:{port}"

    def __str__(self) -> str:
        return f"{'https' if self.origin[0] else 'http'}://{self.host}{self.path}"


def parse_base_url(base_url: str) -> BaseUrl | str:
    """A base URL as given, without a slash at its end, or a complaint that does not repeat it: a password could be in it.

    https; http only to this machine. A path prefix is kept, nothing else is allowed.
    """
    match = _BASE_URL.fullmatch(base_url) if isinstance(base_url, str) else None
    return _parse_base_url_cached(match[0]) if match else _BASE_URL_PROBLEM


@functools.lru_cache(
    maxsize=32
)  # the clients of many accounts have few; nothing gets here that could hold a password
def _parse_base_url_cached(base_url: str) -> BaseUrl | str:
    match = _BASE_URL.fullmatch(base_url)
    if match is None or not 0 < int(match["port"] or 443) < 65536:
        return _BASE_URL_PROBLEM
    if (match["path"] + "/").startswith("/fapi/"):
        return "base_url ends before the endpoint's own path: leave /fapi/... away"
    if match["scheme"] == "http" and not is_loopback(match["host"]):
        return "base_url must be https: http is for this machine only (127.0.0.1, ::1, localhost)"
    tls, host = match["scheme"] == "https", match["host"].strip("[]").lower()
    is_address = ":" in host or _IPV4(host) is not None
    if not (parse_ip_address(host) if is_address else is_valid_host_name(host)):
        return "base_url has no usable host: check the name or the IP address"
    return BaseUrl((tls, host, int(match["port"] or _DEFAULT_PORTS[tls])), match["path"])


def validate_timeout(timeout: Any) -> float:
    if type(timeout) not in {int, float} or not 0 < timeout <= MAX_TIMEOUT_SECONDS:
        raise ConfigurationError(
            "timeout must be a positive number of seconds, at most a day, for the whole call"
        )
    return float(timeout)


def validate_recv_window(recv_window: Any) -> int | None:
    if recv_window is not None and (type(recv_window) is not int or not 1 <= recv_window < 2**63):
        raise ConfigurationError(
            "recv_window must be a positive whole number of milliseconds, or None for the exchange's own 5000"
        )
    return recv_window


def _is_async(function: Any) -> bool:
    while isinstance(function, functools.partial):
        function = function.func
    if not hasattr(function, "__code__"):
        # An object with a method __call__, whose code says whether it is a coroutine.
        function = getattr(type(function), "__call__", None)  # noqa: B004
    code = getattr(function, "__code__", None)
    return code is not None and bool(code.co_flags & inspect.CO_COROUTINE)


def validate_options(
    max_reply_bytes: Any, retry: Any, clock: Any, limiter: Any, on_event: Any
) -> None:
    """Complain about any other option that cannot be used."""
    if type(max_reply_bytes) is not int or not 1 <= max_reply_bytes < 2**31:
        raise ConfigurationError("max_reply_bytes must be a positive whole number below 2 GiB")
    for name, function in (("retry", retry), ("clock", clock), ("on_event", on_event)):
        if _is_async(function):
            raise ConfigurationError(f"{name} must not be an async function: nobody awaits it")
    if not (callable(retry) and not isinstance(retry, type)):
        raise ConfigurationError(
            "retry must be a RetryPolicy or a function (error, attempt) -> seconds or None"
        )
    if not (callable(clock) or clock in ("auto", "exchange")):
        raise ConfigurationError('clock must be "auto", "exchange" or a function that returns ms')
    methods = [
        getattr(limiter, method, None) for method in ("acquire", "observe", "start_cooldown")
    ]
    if isinstance(limiter, type) or not all(map(callable, methods)):
        raise ConfigurationError(
            "limiter must be None or an object with acquire, observe and start_cooldown"
        )
    if any(map(_is_async, methods)):
        raise ConfigurationError(
            "limiter must not have async methods: nobody awaits them; blocking = True runs them in threads"
        )
    if not (on_event is None or callable(on_event)):
        raise ConfigurationError("on_event must be a function that takes an Event")
