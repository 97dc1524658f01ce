"""Many accounts in one process: one client each, one transport and one weight budget for all. Alone in a process for each number.

    python benchmarks/many_accounts.py URL ACCOUNTS CONNECTIONS CALLS ROUNDS [--traced]      prints JSON

`--traced` counts Python's own blocks instead of measuring time, which tracing would slow down.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.side_by_side import KEY, SECRET, Settings, environment, interpreter
from benchmarks.statistics import Statistic, Table, figure

ACCOUNTS = (1, 10, 100, 1_000, 10_000)
CONNECTIONS = 100
ROWS = (CPU, TIME, MAKING, BLOCKS, RESIDENT) = (
    "CPU of a call, µs", "time of a call, µs", "construction of a client, µs", "memory of a client, traced bytes",
    "memory of a client, resident bytes",
)  # fmt: skip


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def measured(
    url: str, accounts: int, connections: int, calls: int, rounds: int, traced: bool
) -> dict[str, Any]:
    """What `accounts` clients take to make and to keep, and what calls cost when all of them make theirs at once."""
    import binance_usdm

    transport = binance_usdm.AsyncTransport(max_connections=connections)
    limiter = binance_usdm.WeightLimiter(limit=None)
    options: dict[str, Any] = {
        "base_url": url,
        "transport": transport,
        "limiter": limiter,
        "timeout": 300.0,
    }
    keys = [
        (KEY.replace("0", f"-{number}-", 1), SECRET.replace("0", f"-{number}-", 1))
        for number in range(accounts)
    ]
    binance_usdm.AsyncClient(
        *keys[0], **options
    )  # what the first one sets up for all is not of the others
    gc.collect()
    if traced:
        tracemalloc.start()
    before, cpu = (
        (tracemalloc.get_traced_memory()[0] if traced else resident()),
        time.process_time(),
    )
    clients = [binance_usdm.AsyncClient(*pair, **options) for pair in keys]
    making = (time.process_time() - cpu) / accounts
    gc.collect()
    memory = ((tracemalloc.get_traced_memory()[0] if traced else resident()) - before) / accounts
    found: dict[str, Any] = {"making": making, "memory": memory, "cpu": [], "wall": []}
    for number in range(0 if traced else rounds + 1):
        repeats = max(1, calls // accounts)
        cpu, wall = time.process_time(), time.perf_counter()
        for _ in range(repeats):
            await asyncio.gather(*(client.balance() for client in clients))
        if number:  # the first connects
            found["cpu"].append((time.process_time() - cpu) / repeats / accounts)
            found["wall"].append((time.perf_counter() - wall) / repeats / accounts)
    return found


def accounts(settings: Settings) -> list[Table]:
    """Calls of 1 to 10,000 accounts at once."""
    from benchmarks.fixed_server import served

    python = interpreter("binance_usdm")
    numbers = ACCOUNTS[:4] if settings.quick else ACCOUNTS
    rows: dict[str, dict[str, Statistic]] = {name: {} for name in ROWS}
    with served(cpu=settings.cpus[1]) as url:
        for number in numbers:
            rounds = max(3, min(settings.rounds // 2, 20_000 // number))
            told = [str(python), "-I", __file__, url, *map(str, (number, CONNECTIONS, 500, rounds))]
            told += [] if settings.cpus[0] is None else [f"--cpu={settings.cpus[0]}"]
            plain, traced = (_said([*told, *more]) for more in ((), ("--traced",)))
            column = f"{number:,}"
            rows[CPU][column], rows[TIME][column] = (
                figure([each * 1e6 for each in plain[key]]) for key in ("cpu", "wall")
            )
            rows[MAKING][column] = figure([plain["making"] * 1e6])
            rows[BLOCKS][column] = figure([traced["memory"]])
            if number >= 1_000:  # below, a page that happens to be added is all of it
                rows[RESIDENT][column] = figure([plain["memory"]])
    notes = (
        f"one client an account, one transport with {CONNECTIONS} connections and one limiter for all, `asyncio.gather` over all",
    )
    title = "Many accounts: every client makes a call at the same time"
    return [
        Table(
            "accounts",
            title,
            "by number of accounts",
            tuple(f"{n:,}" for n in numbers),
            rows,
            notes=notes,
        )
    ]


def _said(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["it ended"])[-1])
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def main() -> None:
    parser = argparse.ArgumentParser(description="Many accounts in one process.")
    parser.add_argument("url")
    for name in ("accounts", "connections", "calls", "rounds"):
        parser.add_argument(name, type=int)
    parser.add_argument("--traced", action="store_true")
    parser.add_argument("--cpu", type=int)
    given = parser.parse_args()
    if given.cpu is not None:
        os.sched_setaffinity(0, {given.cpu})
    found = measured(
        given.url, given.accounts, given.connections, given.calls, given.rounds, given.traced
    )
    print(json.dumps(asyncio.run(found)))


if __name__ == "__main__":
    main()
