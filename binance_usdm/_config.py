"""What a client is made of, checked before anything is sent: credentials, base URL, numbers. Every default is here. Sends nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from ._errors import ConfigurationError
from ._keys import signer_from_pem
from ._proxy import Origin, address, is_loopback
from ._signing import HmacSigner, Sealed, Signer, unfit

MAINNET: Final = "https://fapi.binance.com"
DEMO: Final = "https://demo-fapi.binance.com"
DEFAULT_TIMEOUT: Final = 10.0
A_DAY: Final = 86400.0  # sockets count milliseconds in 32 bits and wait wrongly beyond 24 days
ENV_API_KEY: Final = "BINANCE_API_KEY"
ENV_API_SECRET: Final = "BINANCE_API_SECRET"  # the variable's name  # noqa: S105
ENV_PRIVATE_KEY: Final = "BINANCE_API_PRIVATE_KEY"
ENV_PRIVATE_KEY_FILE: Final = "BINANCE_API_PRIVATE_KEY_FILE"
ENV_PASSWORD: Final = "BINANCE_API_PRIVATE_KEY_PASSWORD"  # likewise  # noqa: S105
ENV_BASE_URL: Final = "BINANCE_BASE_URL"
VARIABLES: Final = {"api_key": ENV_API_KEY, "api_secret": ENV_API_SECRET, "base_url": ENV_BASE_URL}

_BASE_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9](?:(?:\.|-*)[A-Za-z0-9])*|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*)/?"
)
_IPV4 = re.compile(r"[0-9]+(?:\.[0-9]+){3}").fullmatch
_NO_BASE_URL = "base_url must look like https://host[:port][/prefix], with nothing else in it"
_PORTS = {True: 443, False: 80}


class BaseUrl(NamedTuple):
    """Where an exchange is: its origin, and a path prefix without a slash at its end."""

    origin: Origin
    path: str

    @property
    def host(self) -> str:
        """As the Host header has it: with the port, unless it is the scheme's own."""
        tls, host, port = self.origin
        host = f"[{host}]" if ":" in host else host
        return host if port == _PORTS[tls] else f"{host}:{port}"

    def __str__(self) -> str:
        return f"{'https' if self.origin[0] else 'http'}://{self.host}{self.path}"


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


def environment(options: Mapping[str, Any]) -> dict[str, Any] | str:
    """The constructor's arguments that environment variables give, without those in `options`, or a complaint that repeats no value.

    An empty variable is one that is not set.
    """
    value = os.environ.get
    found: dict[str, Any] = {
        option: value(name) for option, name in VARIABLES.items() if value(name) and option not in options
    }
    if "api_key" not in {*found, *options}:
        return f"the environment variable {ENV_API_KEY} is not set"
    if not {"signer", "api_secret"}.isdisjoint(options):
        found.pop("api_secret", None)
        return found
    signed_by = [name for name in (ENV_API_SECRET, ENV_PRIVATE_KEY, ENV_PRIVATE_KEY_FILE) if value(name)]
    if len(signed_by) != 1:
        which = f"{' and '.join(signed_by)} are set: unset all but one" if signed_by else f"{ENV_API_SECRET} is not set"
        return f"one environment variable must say what signs: {which}"
    if signed_by != [ENV_API_SECRET]:
        text = value(ENV_PRIVATE_KEY) or ""
        try:
            found["signer"] = signer_from_pem(
                os.fsencode(text) or Path(value(ENV_PRIVATE_KEY_FILE) or ""), value(ENV_PASSWORD) or None
            )
        except ConfigurationError as error:
            option, _, complaint = str(error).partition(" ")
            return f"{ENV_PASSWORD if option == 'password' else signed_by[0]} {complaint}"
    return found


def base(base_url: str) -> BaseUrl | str:
    """A base URL as given, without a slash at its end, or a complaint that does not repeat it: a password could be in it.

    https; http only to this machine. A path prefix is kept, nothing else is allowed.
    """
    match = _BASE_URL.fullmatch(base_url) if isinstance(base_url, str) else None
    return _base(match[0]) if match else _NO_BASE_URL


@lru_cache(maxsize=32)  # the clients of many accounts have few; nothing gets here that could hold a password
def _base(base_url: str) -> BaseUrl | str:
    match = _BASE_URL.fullmatch(base_url)
    if match is None or not 0 < int(match["port"] or 443) < 65536:
        return _NO_BASE_URL
    if (match["path"] + "/").startswith("/fapi/"):
        return "base_url ends before the endpoint's own path: leave /fapi/... away"
    if match["scheme"] == "http" and not is_loopback(match["host"]):
        return "base_url must be https: http is for this machine only (127.0.0.1, ::1, localhost)"
    tls, host = match["scheme"] == "https", match["host"].strip("[]").lower()
    if (":" in host or _IPV4(host)) and address(host) is None:
        return "base_url has no usable host"
    return BaseUrl((tls, host, int(match["port"] or _PORTS[tls])), match["path"])


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


def check(max_reply_bytes: Any, retry: Any, clock: Any, limiter: Any, on_event: Any) -> None:
    """Complain about any other option that cannot be used."""
    if type(max_reply_bytes) is not int or not 1 <= max_reply_bytes < 2**31:
        raise ConfigurationError("max_reply_bytes must be a positive whole number below 2 GiB")
    if not (callable(retry) and not isinstance(retry, type)):
        raise ConfigurationError("retry must be a RetryPolicy or a function (error, attempt) -> seconds or None")
    if not (callable(clock) or clock in ("auto", "exchange")):
        raise ConfigurationError('clock must be "auto", "exchange" or a function that returns ms')
    methods = [getattr(limiter, method, None) for method in ("acquire", "observe", "hold")]
    if isinstance(limiter, type) or not all(map(callable, methods)):
        raise ConfigurationError("limiter must be None or an object with acquire, observe and hold")
    if not (on_event is None or callable(on_event)):
        raise ConfigurationError("on_event must be a function that takes an Event")
