"""A long run of calls that are interrupted, cancelled or closed at random moments.

    python -m tests.hostile.interrupt_soak [--minutes 10] [--seed 1] [--client sync|async]

The mock exchange is another process: it delays, cuts and resets responses, or sends errors and
garbage. `interrupt_report` judges how the calls ended. Exits with 1 when anything is broken.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from binance_usdm._policy import shared
from tests.hostile import cancelled_tasks, interrupted_threads
from tests.hostile.disturbed_calls import ACCOUNTS, SETTLE_SECONDS, ClientSet, cause_faults
from tests.hostile.exchange_process import ExchangeProcess
from tests.hostile.interrupt_report import LATENESS_SECONDS, Record, describe, find_problems
from tests.hostile.recording_exchange import read_arrivals
from tests.support.leftovers import (
    count_descriptors,
    count_held,
    count_idle,
    count_other_threads,
    count_worker_threads,
    let_threads_end_early,
)

RUNS: dict[str, ModuleType] = {"sync": interrupted_threads, "async": cancelled_tasks}
PROGRESS_SECONDS = 5.0
IDLE_THREAD_SECONDS = 2.0
THREAD_PATIENCE_SECONDS = 20.0


def sum_weight(record_file: Path) -> int:
    """Return the weight that the exchange counted so far."""
    return sum(arrival.weight for arrival in read_arrivals(record_file))


@contextlib.contextmanager
def print_progress(name: str, record: Record) -> Iterator[None]:
    """Meanwhile, a thread prints a line every few seconds."""
    stopped, began_at = threading.Event(), time.monotonic()

    def run() -> None:
        while not stopped.wait(PROGRESS_SECONDS):
            print(
                f"  {name} {time.monotonic() - began_at:5.0f} s: {len(record.outcomes)} calls, "
                f"{len(record.disturbances)} disturbances, {len(record.changed)} changed, "
                f"{len(record.foreign_errors)} foreign errors, "
                f"{len(record.wrong_values)} values of other calls",
                flush=True,
            )

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def soak(name: str, seconds: float, seed: int) -> Record:
    """Disturb the calls of one of the clients, "sync" or "async", and return what is judged."""
    module: Any = RUNS[name]
    record = Record()
    shared._by_target.clear()
    let_threads_end_early(IDLE_THREAD_SECONDS)
    # What a first use loads or opens is no loss.
    asyncio.run(asyncio.sleep(0))
    descriptors, threads = count_descriptors(), count_other_threads()
    with tempfile.TemporaryDirectory() as folder:
        record_file = Path(folder, "record")
        with ExchangeProcess(record_file, ACCOUNTS, weight_limit=10**9, seed=seed) as exchange:
            clients = module.make_clients(exchange.url, record, seed)
            cause_faults(exchange)
            with print_progress(name, record):
                module.run(clients, record, seconds, seed)
            exchange.command("recover")
            time.sleep(SETTLE_SECONDS)
            record.weight_taken = clients.weight_taken
            record.weight_arrived = sum_weight(record_file)
            _measure_calm(module, clients, record, record_file)
            record.leftovers = count_held()
            module.close_all(clients)
            record.leftovers["idle connections"] = count_idle()
            record.leftovers["worker threads"] = count_worker_threads(THREAD_PATIENCE_SECONDS)
    record.leftovers["descriptors"] = max(count_descriptors() - descriptors, 0)
    record.leftovers["threads"] = max(count_other_threads() - threads, 0)
    return record


def _measure_calm(module: Any, clients: ClientSet[Any], record: Record, record_file: Path) -> None:
    module.call_calmly(clients, record)
    record.calm_weight_taken = clients.weight_taken - record.weight_taken
    record.calm_weight_arrived = sum_weight(record_file) - record.weight_arrived


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--minutes", type=float, default=10.0, help="of all runs together")
    options.add_argument("--lateness", type=float, default=LATENESS_SECONDS, help="in seconds")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--client", choices=["both", *RUNS], default="both")
    chosen = options.parse_args()
    logging.disable(logging.CRITICAL)
    # Interrupted and abandoned calls leave sockets to the garbage collector, which warns.
    warnings.simplefilter("ignore")
    names = [*RUNS] if chosen.client == "both" else [chosen.client]
    is_broken = False
    for name in names:
        seconds = chosen.minutes * 60 / len(names)
        record = soak(name, seconds, chosen.seed)
        problems = find_problems(record, RUNS[name].DISTURBANCES, chosen.lateness)
        is_broken |= bool(problems)
        print(f"{name}, {seconds:.0f} s, seed {chosen.seed}:")
        lines = [f"BROKEN: {problem}" for problem in problems] or ["nothing is broken"]
        print(*describe(record), *lines, sep="\n", flush=True)
    return int(is_broken)


if __name__ == "__main__":
    sys.exit(main())
