"""Environment of a program that `mock run` runs."""

from __future__ import annotations

import os
from collections.abc import Mapping

from binance_usdm._config.environment import (
    ENV_API_KEY,
    ENV_API_SECRET,
    ENV_BASE_URL,
    shell_only_variables,
    without_proxy_for,
)
from binance_usdm._config.mock_environment import ENV_SEALED_PROXY
from binance_usdm.mock import Exchange


def program_environment(exchange: Exchange, url: str) -> dict[str, str]:
    """Return this process's environment with the mock's address and credentials.

    Credentials, budget and proxy of the shell are removed. Only a private key stays if the mock
    was given a public one.
    """
    account = {ENV_API_KEY: exchange.api_key, ENV_BASE_URL: url}
    secret: str | None = getattr(exchange, "api_secret", None)
    if secret is not None:
        account[ENV_API_SECRET] = secret
    removed = shell_only_variables(has_secret=secret is not None)
    kept = {name: value for name, value in os.environ.items() if name not in removed}
    return {**kept, **account, **without_proxy_for(url, kept)}


def sealed_environment(environment: Mapping[str, str], proxy_url: str) -> dict[str, str]:
    """Return an environment in which programs reach other machines by a proxy only.

    Its exceptions, such as `no_proxy=*`, are replaced. The variables are those of curl, Python, Go
    and many others, of this package, of Node (24, or 22.21) and of Java.

    Args:
        environment: Environment of the program.
        proxy_url: URL of the proxy, an IP address with a port.
    """
    host, _, port = proxy_url.removeprefix("http://").partition(":")
    options = [environment.get("JAVA_TOOL_OPTIONS", "")]
    for scheme in ("http", "https"):
        options += [f"-D{scheme}.proxyHost={host}", f"-D{scheme}.proxyPort={port}"]
    sealed = {
        **environment,
        ENV_SEALED_PROXY: proxy_url,
        "NODE_USE_ENV_PROXY": "1",
        "JAVA_TOOL_OPTIONS": " ".join(filter(None, options)),
    }
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        sealed[name] = sealed[name.upper()] = proxy_url
    for name in ("no_proxy", "NO_PROXY"):
        sealed[name] = "127.0.0.1,localhost,::1"
    return sealed
