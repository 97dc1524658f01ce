"""What a client is made of, checked before anything is sent: credentials, base URL, numbers. Every default is here. Sends nothing."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Final

import httpx

from ._errors import ConfigurationError
from ._signing import HmacSigner, Sealed, Signer, unfit
from ._version import __version__

MAINNET: Final = "https://fapi.binance.com"
DEMO: Final = "https://demo-fapi.binance.com"
DEFAULT_TIMEOUT: Final = 10.0
A_DAY: Final = 86400.0  # sockets count milliseconds in 32 bits and wait wrongly beyond 24 days
ENV_API_KEY: Final = "BINANCE_API_KEY"
ENV_API_SECRET: Final = "BINANCE_API_SECRET"  # the variable's name  # noqa: S105
ENV_BASE_URL: Final = "BINANCE_BASE_URL"

_BASE_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9](?:(?:\.|-*)[A-Za-z0-9])*|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*)/?"
)
_ASKED = {"User-Agent": f"binance-usdm/{__version__}", "Accept": "application/json", "Accept-Encoding": "identity"}


class Credentials(Sealed):
    """An API key and what signs for it; either may be missing."""

    __slots__ = ("api_key", "signer")

    def __init__(self, api_key: str | None, signer: Signer | None) -> None:
        self.api_key = api_key
        self.signer = signer


def credentials(api_key: str | None, api_secret: str | None, signer: Signer | None) -> Credentials | str:
    """The credentials, or a complaint that repeats none of them: the caller raises it when no local of its own shows a secret."""
    if api_key is not None and (complaint := unfit(api_key)):
        return f"api_key {complaint}"
    if api_secret is not None and (complaint := unfit(api_secret)):
        return f"api_secret {complaint}"
    if api_key is not None and api_key == api_secret:
        return "api_key and api_secret are the same text: one of them is in the wrong place"
    if api_secret is not None and signer is not None:
        return "give api_secret or signer, not both"
    if signer is not None and (isinstance(signer, type) or not callable(getattr(signer, "sign", None))):
        return "signer must be an object with a method sign(bytes) -> bytes"
    if api_key is None and (api_secret is not None or signer is not None):
        return "api_key is missing: a secret alone signs nothing"
    return Credentials(api_key, HmacSigner(api_secret) if api_secret is not None else signer)


def origin(base_url: str) -> httpx.URL | str:
    """A base URL as given, without a slash at its end, or a complaint that does not repeat it: a password could be in it.

    https; http only to this machine. A path prefix is kept, nothing else is allowed.
    """
    match = _BASE_URL.fullmatch(base_url) if isinstance(base_url, str) else None
    if match is None or not 0 < int(match["port"] or 443) < 65536:
        return "base_url must look like https://host[:port][/prefix], with nothing else in it"
    if (match["path"] + "/").startswith("/fapi/"):
        return "base_url ends before the endpoint's own path: leave /fapi/... away"
    if match["scheme"] == "http" and not is_loopback(match["host"]):
        return "base_url must be https: http is for this machine only (127.0.0.1, ::1, localhost)"
    try:
        return httpx.URL(base_url.rstrip("/"))
    except httpx.InvalidURL:
        return "base_url has no usable host"


def is_loopback(host: str) -> bool:
    """Whether a host can only be this machine: `localhost` or a loopback address in plain notation."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def headers(url: httpx.URL, key_header: str | None, api_key: str | None) -> httpx.Headers:
    """All headers of a request, ready to be sent; the key only where the operation wants it."""
    ready = {"Host": url.netloc.decode("ascii"), **_ASKED}
    if key_header is not None and api_key is not None:
        ready[key_header] = api_key
    return httpx.Headers(ready)


def positive_seconds(timeout: Any) -> float:
    if type(timeout) not in {int, float} or not 0 < timeout <= A_DAY:
        raise ConfigurationError("timeout must be a positive number of seconds, at most a day, for the whole call")
    return float(timeout)


def positive_ms(recv_window: Any) -> int | None:
    if recv_window is not None and (type(recv_window) is not int or not 1 <= recv_window < 2**63):
        raise ConfigurationError(
            "recv_window must be a positive whole number of milliseconds, or None for the exchange's own 5000"
        )
    return recv_window
