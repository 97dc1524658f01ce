"""Defaults and validation of client options.

The default of `max_reply_bytes` stands with the transports, in `_http/messages.py`.
"""

from __future__ import annotations

import functools
import inspect
import re
from typing import Any, Final, Literal, NamedTuple

from ._auth.signers import copying_problem
from ._errors import ConfigurationError
from ._http.addresses import is_loopback, is_valid_host_name, parse_ip_address
from ._http.messages import Origin
from ._policy.retry import RetryPolicy
from ._secrets import Problem, describe_number, describe_value

MAINNET: Final = "https://fapi.binance.com"
DEMO: Final = "https://demo-fapi.binance.com"
ENVIRONMENT_BY_BASE_URL: Final = {MAINNET: "production", DEMO: "demo"}
"""`x-environment` of the exchange's servers."""
DEFAULT_TIMEOUT: Final = 10.0
"""Total time for a call, in seconds."""
MAX_TIMEOUT: Final = 3600.0
"""Longest time for a call, in seconds. A larger number was most likely meant in ms."""
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

_HOST = r"[A-Za-z0-9](?:(?:\.|-*)[A-Za-z0-9])*|\[[0-9A-Fa-f:.]+\]"
_BASE_URL = re.compile(
    r"(?P<scheme>https?)://"
    rf"(?P<host>{_HOST})"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*)/?"
)
_IS_HOST = re.compile(_HOST).fullmatch
_IPV4 = re.compile(r"[0-9]+(?:\.[0-9]+){3}").fullmatch
_BASE_URL_PROBLEM = Problem(
    "base_url must look like https://host[:port][/prefix], without user, query or fragment"
)
_PLAIN_HTTP_PROBLEM = Problem(
    "base_url must be https; http is for this machine (127.0.0.1, ::1, localhost). For http to a "
    'test server named mock, pass allow_http_hosts=("mock",) or set BINANCE_ALLOW_HTTP_HOSTS=mock'
)
_HTTPS_ONLY_DOMAINS: Final = ("binance.com", "binancefuture.com")
"""Domains of the exchange. Plain http to them and their subdomains cannot be allowed."""
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

    @property
    def is_test(self) -> bool:
        """Whether it is this machine, or a test host, which is reached by http."""
        tls, host, _ = self.origin
        return not tls or is_loopback(host)

    def __str__(self) -> str:
        scheme = "https" if self.origin[0] else "http"
        return f"{scheme}://{self.host}{self.path}"


def parse_base_url(base_url: str, allow_http_hosts: Any = ()) -> BaseUrl | Problem:
    """Parse a base URL.

    It must be https, or http to this machine or an allowed host. It may have a path prefix.

    Args:
        base_url: Base URL.
        allow_http_hosts: Value of the option `allow_http_hosts`.

    Returns:
        The base URL, or a `Problem` that does not repeat the string, which could hold a password.
    """
    http_hosts = _parse_http_hosts(allow_http_hosts)
    if isinstance(http_hosts, Problem):
        return http_hosts
    if not isinstance(base_url, str) or not base_url:
        return Problem(f"{_BASE_URL_PROBLEM}, not {describe_value(base_url)}")
    match = _BASE_URL.fullmatch(base_url)
    if match is not None:
        return _parse_base_url_cached(match[0], http_hosts)
    problem = copying_problem(base_url)
    if problem is None:
        return _BASE_URL_PROBLEM
    return Problem(f"base_url {problem} (like https://host[:port][/prefix])")


def _parse_http_hosts(allow_http_hosts: Any) -> frozenset[str] | Problem:
    """Return the normalized hosts of the option `allow_http_hosts`."""
    if not isinstance(allow_http_hosts, tuple | list | set | frozenset):
        return Problem(
            'allow_http_hosts must be a tuple of host names, such as ("mock",), '
            f"not {describe_value(allow_http_hosts)}"
        )
    hosts = [_normalize_host(entry) for entry in allow_http_hosts]
    known_hosts = frozenset(host for host in hosts if host is not None)
    if None in hosts:
        return Problem(
            "allow_http_hosts must have whole host names or IP addresses only, "
            "without wildcard, port and scheme, and none that is empty"
        )
    if any(_is_host_of_exchange(host) for host in known_hosts):
        return Problem(
            "allow_http_hosts must not have a host of the exchange, which is reached by https only"
        )
    return known_hosts


def _normalize_host(host: Any) -> str | None:
    """Return a host in lower case and without brackets, or None if it is neither name nor IP."""
    if not isinstance(host, str):
        return None
    address = parse_ip_address(host.strip("[]"))
    if address is not None:
        return str(address)
    is_name = _IS_HOST(host) and not _IPV4(host) and is_valid_host_name(host)
    return host.lower() if is_name else None


def _is_host_of_exchange(host: str) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in _HTTPS_ONLY_DOMAINS)


# The clients of many accounts have few base URLs. Only strings without user and query get here, so
# the cache holds no password.
@functools.lru_cache(maxsize=32)
def _parse_base_url_cached(base_url: str, http_hosts: frozenset[str]) -> BaseUrl | Problem:
    match = _BASE_URL.fullmatch(base_url)
    if match is None:
        return _BASE_URL_PROBLEM
    tls = match["scheme"] == "https"
    port = int(match["port"] or _DEFAULT_PORTS[tls])
    if not 0 < port < 65536:
        return _BASE_URL_PROBLEM
    if (match["path"] + "/").startswith("/fapi/"):
        return Problem("base_url must not contain /fapi/...; the client adds the endpoint path")
    host = match["host"].strip("[]").lower()
    if not tls and not is_loopback(host) and _normalize_host(host) not in http_hosts:
        return _PLAIN_HTTP_PROBLEM
    is_address = ":" in host or _IPV4(host) is not None
    if not (parse_ip_address(host) if is_address else is_valid_host_name(host)):
        return Problem("base_url has an invalid host; check the name or the IP address")
    return BaseUrl((tls, host, port), match["path"])


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
