"""What a mock exchange says to clients by environment variables."""

from __future__ import annotations

import os
import re
from typing import Final
from urllib.parse import urlsplit

from binance_usdm._http.addresses import is_loopback

ENV_MOCK_URLS: Final = "BINANCE_MOCK_URLS"
"""Base URLs of the mock exchanges that run, separated by commas. The mock sets it."""
ENV_SEALED_PROXY: Final = "BINANCE_SEALED_PROXY"
"""Proxy to all hosts but this machine. `mock run --sealed` sets it, to refuse them."""
_SCHEME_AND_PORT: Final = re.compile(r"(https?)://[^/,]*:([0-9]+)")


def is_mock_url(base_url: str) -> bool:
    """Return whether a base URL is that of a mock exchange that runs on this machine.

    Another host is never one, whatever the variable says.

    Args:
        base_url: Base URL of a client, with its port unless that is the scheme's default.
    """
    mock_urls = os.environ.get(ENV_MOCK_URLS)
    match = _SCHEME_AND_PORT.match(base_url)
    if not mock_urls or match is None or not is_loopback(str(urlsplit(base_url).hostname)):
        return False
    return match.groups() in _SCHEME_AND_PORT.findall(mock_urls)


def choose_proxy(proxy: str | None, base_url: str) -> str | None:
    """Return the option `proxy`, or without one the proxy that a sealed run prescribes.

    A proxy on another machine is never prescribed, whatever the variable says.

    Args:
        proxy: The option.
        base_url: Base URL of the client. For this machine no proxy is prescribed.
    """
    sealed = os.environ.get(ENV_SEALED_PROXY)
    if proxy is not None or not sealed or is_loopback(str(urlsplit(base_url).hostname)):
        return proxy
    return sealed if is_loopback(str(urlsplit(sealed).hostname)) else None
