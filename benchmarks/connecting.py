"""Measure how long a first call takes when the first address of a host does not answer.

    python benchmarks/connecting.py URL {sync,async} {answers,dead}

It prints the seconds of one call. `make bench` starts a process for each call.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.side_by_side import KEY, SECRET, Settings, environment, interpreter
from benchmarks.tables import Statistic, Table, figure

HOST = "exchange.localhost"
DEAD_ADDRESS = "127.0.0.2"
BACKLOG = 8
ROWS = {"first address answers": "answers", "first address does not answer": "dead"}


def dead_address(settings: Settings) -> list[Table]:
    """Measure the first call of a process, with and without a dead first address."""
    from benchmarks.fixed_server import served

    python = interpreter("binance_usdm")
    rows: dict[str, dict[str, Statistic]] = {}
    with served(cpu=settings.cpus[1]) as url:
        for title, state in ROWS.items():
            for kind in ("sync", "async"):
                command = [str(python), "-I", __file__, url, kind, state]
                seconds = [_run(command) for _ in range(settings.starts)]
                rows.setdefault(title, {})[kind] = figure([each * 1e3 for each in seconds])
    notes = (
        "two addresses; the dead one swallows what is sent, and the other one answers at once",
    )
    title = "Connecting: time of the first call"
    return [Table("connecting", title, "time of a call, ms", ("sync", "async"), rows, notes=notes)]


def _run(command: list[str]) -> float:
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["it ended"])[-1])
    return float(json.loads(done.stdout))


def _fill_backlog(port: int) -> list[socket.socket]:
    """Listen at the dead address until its queue is full: further connects get no answer."""
    listener = socket.create_server((DEAD_ADDRESS, port), backlog=0)
    waiting = [listener]
    for _ in range(BACKLOG):
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex((DEAD_ADDRESS, port))
        waiting.append(sock)
    time.sleep(0.1)
    return waiting


def _resolve_to(addresses: list[str]) -> None:
    """Let HOST have these addresses in this process."""
    resolve = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
        if host != HOST:
            return resolve(host, *arguments, **options)
        return [found for each in addresses for found in resolve(each, *arguments, **options)]

    socket.getaddrinfo = getaddrinfo


async def _call_async(url: str) -> float:
    import binance_usdm

    async with binance_usdm.AsyncClient(
        KEY, SECRET, base_url=url, allow_http_hosts=[HOST]
    ) as client:
        started = time.perf_counter()
        await client.balance()
        return time.perf_counter() - started


def _call(url: str) -> float:
    import binance_usdm

    with binance_usdm.Client(KEY, SECRET, base_url=url, allow_http_hosts=[HOST]) as client:
        started = time.perf_counter()
        client.balance()
        return time.perf_counter() - started


def main() -> None:
    url, kind, state = sys.argv[1:]
    port = urlsplit(url).port
    assert port is not None
    is_dead = state == "dead"
    kept = _fill_backlog(port) if is_dead else []
    _resolve_to([DEAD_ADDRESS, "127.0.0.1"] if is_dead else ["127.0.0.1"])
    target = f"http://{HOST}:{port}"
    print(asyncio.run(_call_async(target)) if kind == "async" else _call(target))
    for sock in kept:
        sock.close()


if __name__ == "__main__":
    main()
