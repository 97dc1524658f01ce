"""Parse base URLs: which are accepted, and what a request needs of one."""

from __future__ import annotations

import functools
import re
from typing import Any, Final, NamedTuple

from binance_usdm._auth.signers import copying_problem
from binance_usdm._http.addresses import is_loopback, is_valid_host_name, parse_ip_address
from binance_usdm._http.messages import Origin
from binance_usdm._secrets import Problem, describe_value

from .defaults import DEMO, MAINNET

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
_OTHER_APIS: Final = (
    (r"(?:api(?:[1-4]|-gcp)?|demo-api|testnet)\.binance\.(?:com|vision)", "the spot API"),
    (r"(?:demo-)?dapi\.binance\.com", "the COIN-M futures API"),
    (r"papi\.binance\.com", "the portfolio margin API"),
    (r"(?:ws-[a-z]?api|[fd]?stream)\.binance\.com", "a WebSocket host"),
)
"""Hosts of the exchange that have no USDⓈ-M futures API: pattern, and what they are."""
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
        url = _parse_base_url_cached(match[0], http_hosts)
        return url if isinstance(url, Problem) else _other_api_problem(url) or url
    problem = copying_problem(base_url)
    if problem is None:
        return _BASE_URL_PROBLEM
    return Problem(f"base_url {problem} (like https://host[:port][/prefix])")


def parse_server_url(server_url: str) -> BaseUrl | Problem:
    """Parse the URL of a server of the spec, which may be that of another API."""
    return _parse_base_url_cached(server_url, frozenset())


def _other_api_problem(url: BaseUrl) -> Problem | None:
    """Return which API of the exchange a host has instead of this one, None for other hosts."""
    host = url.origin[1]
    for pattern, description in _OTHER_APIS:
        if re.fullmatch(pattern, host):
            return Problem(
                f"base_url has the host of another API: {host} is {description} of the exchange; "
                f"use {MAINNET}, or {DEMO} for demo trading"
            )
    return None


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
