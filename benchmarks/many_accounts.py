"""Measure many accounts in one process: one client each, one transport and limiter for all.

    python benchmarks/many_accounts.py URL ACCOUNTS CONNECTIONS CALLS ROUNDS [--traced]

It prints JSON. `--traced` measures Python's memory blocks instead of time, because tracing would
slow the calls down. `make bench` starts a process for each number of accounts.
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
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.cpu_time import Cost
from benchmarks.side_by_side import KEY, SECRET, Settings, environment, interpreter
from benchmarks.tables import Statistic, Table, figure

ACCOUNTS = (1, 10, 100, 1_000, 10_000)
CONNECTIONS = 100
CPU = "CPU of a call, µs"
TIME = "time of a call, µs"
MAKING = "construction of a client, µs"
BLOCKS = "memory of a client, traced bytes"
RESIDENT = "memory of a client, resident bytes"
ROWS = (CPU, TIME, MAKING, BLOCKS, RESIDENT)


def resident() -> int:
    """Return the resident memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def measure(
    url: str, accounts: int, connections: int, calls: int, rounds: int, traced: bool
) -> dict[str, Any]:
    """Return the cost of `accounts` clients: construction, memory, and calls of all at once."""
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
    # The first client sets up what all of them share.
    binance_usdm.AsyncClient(*keys[0], **options)
    gc.collect()
    if traced:
        tracemalloc.start()
    memory_before = _memory(traced)
    started_cpu = time.process_time()
    clients = [binance_usdm.AsyncClient(*pair, **options) for pair in keys]
    making = (time.process_time() - started_cpu) / accounts
    gc.collect()
    memory = (_memory(traced) - memory_before) / accounts
    found: dict[str, Any] = {"making": making, "memory": memory, "cpu": [], "wall": []}
    if traced:
        return found
    repeats = max(1, calls // accounts)
    # The first round opens the connections.
    await _time_round(clients, repeats)
    for _ in range(rounds):
        cost = await _time_round(clients, repeats)
        found["cpu"].append(cost.cpu)
        found["wall"].append(cost.wall)
    return found


def _memory(traced: bool) -> int:
    return tracemalloc.get_traced_memory()[0] if traced else resident()


async def _time_round(clients: Sequence[Any], repeats: int) -> Cost:
    """Return the cost of one call when all clients call at the same time."""
    calls = repeats * len(clients)
    started_cpu = time.process_time()
    started_at = time.perf_counter()
    for _ in range(repeats):
        await asyncio.gather(*(client.balance() for client in clients))
    wall = time.perf_counter() - started_at
    return Cost((time.process_time() - started_cpu) / calls, wall / calls)


def accounts(settings: Settings) -> list[Table]:
    """Measure calls of 1 to 10,000 accounts at once."""
    from benchmarks.fixed_server import served

    python = interpreter("binance_usdm")
    numbers = ACCOUNTS[:4] if settings.quick else ACCOUNTS
    rows: dict[str, dict[str, Statistic]] = {name: {} for name in ROWS}
    with served(cpu=settings.cpus[1]) as url:
        for number in numbers:
            rounds = max(3, min(settings.rounds // 2, 20_000 // number))
            numbers_of_run = map(str, (number, CONNECTIONS, 500, rounds))
            command = [str(python), "-I", __file__, url, *numbers_of_run]
            if settings.cpus[0] is not None:
                command.append(f"--cpu={settings.cpus[0]}")
            plain = _run_json(command)
            traced = _run_json([*command, "--traced"])
            column = f"{number:,}"
            rows[CPU][column] = figure([seconds * 1e6 for seconds in plain["cpu"]])
            rows[TIME][column] = figure([seconds * 1e6 for seconds in plain["wall"]])
            rows[MAKING][column] = figure([plain["making"] * 1e6])
            rows[BLOCKS][column] = figure([traced["memory"]])
            # With fewer clients one page more or less decides the figure.
            if number >= 1_000:
                rows[RESIDENT][column] = figure([plain["memory"]])
    notes = (
        f"one client an account, one transport with {CONNECTIONS} connections and one limiter for "
        "all, `asyncio.gather` over all",
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


def _run_json(command: list[str]) -> dict[str, Any]:
    """Run a command and return the JSON that it prints."""
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["it ended"])[-1])
    output: dict[str, Any] = json.loads(done.stdout)
    return output


def main() -> None:
    parser = argparse.ArgumentParser(description="Many accounts in one process.")
    parser.add_argument("url")
    for name in ("accounts", "connections", "calls", "rounds"):
        parser.add_argument(name, type=int)
    parser.add_argument("--traced", action="store_true")
    parser.add_argument("--cpu", type=int)
    options = parser.parse_args()
    if options.cpu is not None:
        os.sched_setaffinity(0, {options.cpu})
    measurement = measure(
        options.url,
        options.accounts,
        options.connections,
        options.calls,
        options.rounds,
        options.traced,
    )
    print(json.dumps(asyncio.run(measurement)))


if __name__ == "__main__":
    main()
