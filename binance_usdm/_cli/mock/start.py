"""What `mock serve` prints at its start."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator
from hmac import compare_digest
from ipaddress import ip_address
from urllib.parse import urlsplit

from binance_usdm._config.environment import (
    ENV_ALLOW_HTTP_HOSTS,
    ENV_API_KEY,
    ENV_API_SECRET,
    ENV_BASE_URL,
    ENV_PRIVATE_KEY_FILE,
)
from binance_usdm.mock import DEFAULT_API_SECRET, Exchange


def start_lines(options: argparse.Namespace, exchange: Exchange, url: str) -> Iterator[str]:
    """Return what is printed at the start: the address, and commands that set the environment.

    Only the default secret is printed. Another one could be a real one by mistake.
    """
    host = ip_address(options.host)
    scheme = urlsplit(url).scheme
    port = urlsplit(url).port
    local_url = url
    if host.is_unspecified:
        # No client can connect to "every address".
        local_url = f"{scheme}://{'127.0.0.1' if host.version == 4 else '[::1]'}:{port}"
    page = f", page {local_url}/__admin/" if options.admin else ""
    yield f"mock exchange on {url}{page} (stop it with Ctrl-C)"
    if not host.is_loopback:
        yield "Other machines can connect to it. Use fake credentials only."
    yield f"export {ENV_API_KEY}={shlex.quote(exchange.api_key)}"
    secret: str | None = getattr(exchange, "api_secret", None)
    if secret is None:
        option = "--seed" if options.public_key is None else "--public-key"
        yield f"# {ENV_PRIVATE_KEY_FILE}: the private key of {option}"
    elif compare_digest(secret.encode(), DEFAULT_API_SECRET.encode()):
        yield f"export {ENV_API_SECRET}={DEFAULT_API_SECRET}"
    else:
        option = "--api-secret" if options.seed is None else "--seed"
        yield f"# {ENV_API_SECRET}: the secret of {option}"
    if options.tls_cert is not None:
        yield "# SSL_CERT_FILE: the authority that issued --tls-cert"
    if not host.is_unspecified:
        yield f"export {ENV_BASE_URL}={url}"
        if not host.is_loopback and scheme == "http":
            yield f"export {ENV_ALLOW_HTTP_HOSTS}={host}"
        return
    yield f"export {ENV_BASE_URL}={local_url}"
    opt_in = f" {ENV_ALLOW_HTTP_HOSTS}=HOST" if scheme == "http" else ""
    yield (
        f"# from elsewhere, with HOST as the name of this machine: "
        f"{ENV_BASE_URL}={scheme}://HOST:{port}{opt_in}"
    )
