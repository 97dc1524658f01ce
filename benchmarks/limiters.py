"""Measure what a weight limiter adds to a call."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator

from benchmarks.clients import CLIENTS, WITHOUT_LIMITER
from benchmarks.fixed_server import served
from benchmarks.side_by_side import Settings, interleaved
from benchmarks.tables import Statistic, Table, figure

COLUMNS = {
    "one after the other": ("limiter", 1),
    "asyncio, 1": ("limiter, async", 1),
    "asyncio, 50": ("limiter, async", 50),
}
"""Title -> (kind of clients, number of concurrent calls)."""


def limiters(settings: Settings) -> list[Table]:
    """Measure calls without a limiter, with a local one and with one on a Redis server."""
    rows: dict[str, dict[str, Statistic]] = {}
    notes = []
    with _redis_server() as redis_url, served(cpu=settings.cpus[1]) as url:
        for column, (kind, at_once) in COLUMNS.items():
            names = [*CLIENTS[kind]]
            found = interleaved(kind, names, url, settings, at_once=at_once, redis_url=redis_url)
            base = [cost.cpu * 1e6 for cost in found.costs[WITHOUT_LIMITER]]
            for name, costs in found.costs.items():
                values = [cost.cpu * 1e6 for cost in costs]
                rows.setdefault(name, {})[column] = figure(values, base)
            notes += [f"{name}, {column}: {reason}" for name, reason in found.missing.items()]
    title = "What a limiter adds: CPU of a call"
    unit = "CPU of a call, µs"
    return [Table("limiters", title, unit, tuple(COLUMNS), rows, WITHOUT_LIMITER, tuple(notes))]


@contextlib.contextmanager
def _redis_server() -> Iterator[str]:
    """Run a Redis server while the context lasts. Yields its URL.

    Raises:
        RuntimeError: `redis-server` is not installed, or did not start.
    """
    program = shutil.which("redis-server")
    if program is None:
        raise RuntimeError("redis-server is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = [
            program,
            "--port",
            str(port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
            folder,
        ]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
            try:
                _wait_for_port(port)
                yield f"redis://127.0.0.1:{port}"
            finally:
                server.terminate()


def _wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError("redis-server did not start")
