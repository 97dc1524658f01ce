"""Serve an exchange on a socket: in a thread, or until a signal."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .admin.routes import AdminApi
from .exchange import Exchange
from .server import asgi, process


@contextmanager
def running(exchange: Exchange, port: int = 0, *, admin: bool = False) -> Iterator[str]:
    """Serve an exchange in a thread on the loopback address.

    Args:
        exchange: Exchange to serve.
        port: TCP port. 0 picks a free one.
        admin: Whether to serve the admin page and API under `/__admin/` too.

    Yields:
        Base URL.

    Raises:
        ImportError: The package `uvicorn` is not installed.
        OSError: The port cannot be opened.
    """
    with process.run_in_thread(make_application(exchange, admin), port) as url:
        yield url


def serve(
    exchange: Exchange,
    host: str = process.HOST,
    port: int = process.PORT,
    *,
    admin: bool = False,
    workers: int = 1,
    ready: Callable[[str], object] = lambda url: None,
) -> None:
    """Serve an exchange in the main thread, until SIGINT or SIGTERM.

    Requests are not logged, since a line for each would show signed URLs.

    Args:
        exchange: Exchange to serve.
        host: IP address to listen on.
        port: TCP port. 0 picks a free one.
        admin: Whether to serve the admin page and API under `/__admin/` too.
        workers: Number of processes. They are forked, and share no accounts, weight, faults and
            log, so they cannot have an admin API.
        ready: Function that is called with the base URL once connections are accepted.

    Raises:
        ImportError: The package `uvicorn` is not installed.
        OSError: The address cannot be opened.
        ValueError: `workers` is below 1, or above 1 with `admin` or without `fork`.
    """
    if workers < 1 or (workers > 1 and (admin or not hasattr(os, "fork"))):
        raise ValueError(
            "workers must be 1 or more; above 1 they need fork and cannot have an admin API"
        )
    process.run_until_signal(make_application(exchange, admin), host, port, workers, ready)


def make_application(exchange: Exchange, admin: bool) -> asgi.Application:
    """Return an ASGI application of an exchange, with its admin API if `admin` is true."""
    return asgi.make_asgi_app(exchange.handle, AdminApi(exchange._engine) if admin else None)
