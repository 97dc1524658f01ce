"""Serve an exchange on a socket: in a thread, or until a signal."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from .exchange import Exchange
from .server import process

# The client's ENV_MOCK_URLS, which this package must not import.
_ENV_MOCK_URLS: Final = "BINANCE_MOCK_URLS"
_environment_lock = threading.Lock()


@contextmanager
def running(
    exchange: Exchange | None = None,
    port: int = 0,
    *,
    admin: bool = False,
    admin_token: str | None = None,
    tls_cert: str | os.PathLike[str] | None = None,
    tls_key: str | os.PathLike[str] | None = None,
) -> Iterator[str]:
    """Serve an exchange in a thread on the loopback address.

    Clients of this process and of programs that it starts keep no weight budget for the URL, unless
    they are given a limiter: the environment variable `BINANCE_MOCK_URLS` has it meanwhile.

    Args:
        exchange: Exchange to serve. `None` for a new one.
        port: TCP port. 0 picks a free one.
        admin: Whether to serve the admin page and API under `/__admin/` too.
        admin_token: Token with which other machines may use them. `None` allows this one only.
        tls_cert: Path of a PEM file with a certificate chain, to serve https.
        tls_key: Path of a PEM file with its private key. `None` if `tls_cert` has it.

    Yields:
        Base URL.

    Raises:
        ImportError: The package `uvicorn` is not installed.
        OSError: The port cannot be opened, or a file cannot be read.
        ValueError: The certificate and its key cannot be used, or `admin_token` is not valid.
    """
    tls = _tls_files(tls_cert, tls_key)
    if exchange is None:
        exchange = Exchange()
    application = exchange.asgi_app(
        admin=admin, admin_token=admin_token, scheme="https" if tls else "http"
    )
    with process.run_in_thread(application, port, tls) as url, _listed_in_environment(url):
        yield url


@contextmanager
def _listed_in_environment(url: str) -> Iterator[None]:
    """Add a base URL to the variable with those of mock exchanges, and remove it again."""
    with _environment_lock:
        urls = os.environ.get(_ENV_MOCK_URLS)
        os.environ[_ENV_MOCK_URLS] = f"{urls},{url}" if urls else url
    try:
        yield
    finally:
        with _environment_lock:
            left = [
                other for other in os.environ.pop(_ENV_MOCK_URLS, "").split(",") if other != url
            ]
            if any(left):
                os.environ[_ENV_MOCK_URLS] = ",".join(left)


def serve(
    exchange: Exchange | None = None,
    host: str = process.HOST,
    port: int = process.PORT,
    *,
    admin: bool = False,
    admin_token: str | None = None,
    workers: int = 1,
    ready: Callable[[str], object] = lambda url: None,
    tls_cert: str | os.PathLike[str] | None = None,
    tls_key: str | os.PathLike[str] | None = None,
) -> None:
    """Serve an exchange in the main thread, until SIGINT or SIGTERM.

    Args:
        exchange: Exchange to serve. `None` for a new one.
        host: IP address to listen on.
        port: TCP port. 0 picks a free one.
        admin: Whether to serve the admin page and API under `/__admin/` too.
        admin_token: Token with which other machines may use them. `None` allows this one only.
        workers: Number of processes. They are forked, and share no accounts, weight, faults and
            log, so they cannot have an admin API.
        ready: Function that is called with the base URL once connections are accepted.
        tls_cert: Path of a PEM file with a certificate chain, to serve https.
        tls_key: Path of a PEM file with its private key. `None` if `tls_cert` has it.

    Raises:
        ImportError: The package `uvicorn` is not installed.
        OSError: The address cannot be opened, or a file cannot be read.
        ValueError: `workers` is below 1, or above 1 with `admin` or without `fork`; or the
            certificate and its key cannot be used, or `admin_token` is not valid.
    """
    if workers < 1 or (workers > 1 and (admin or not hasattr(os, "fork"))):
        raise ValueError(
            "workers must be 1 or more; above 1 they need fork and cannot have an admin API"
        )
    tls = _tls_files(tls_cert, tls_key)
    if exchange is None:
        exchange = Exchange()
    application = exchange.asgi_app(
        admin=admin, admin_token=admin_token, scheme="https" if tls else "http"
    )
    process.run_until_signal(application, host, port, workers, ready, tls)


def _tls_files(
    cert: str | os.PathLike[str] | None, key: str | os.PathLike[str] | None
) -> process.TlsFiles | None:
    if cert is None and key is not None:
        raise ValueError("tls_key needs tls_cert")
    return None if cert is None else process.TlsFiles(cert, key)
