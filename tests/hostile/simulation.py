"""A thousand accounts share one transport and one budget while the exchange is in trouble.

    python -m tests.hostile.simulation [--minutes 10] [--short] [--seed 1] [--client sync|async]

The mock exchange runs in another process, delays its responses, restarts, responds with 429 and
bans the address; its clock is ahead of this machine's. What it wrote down is judged by
`simulation_report`. Exits with 1 when anything is broken, and with 2 when the run was too short for
all of the planned trouble.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from binance_usdm import AsyncClient, AsyncTransport, Client, RateLimitError, SyncTransport
from binance_usdm._errors import UsdmError
from binance_usdm._policy import shared
from tests.hostile.exchange_process import ExchangeProcess
from tests.hostile.recording_exchange import api_key, api_secret, read_arrivals
from tests.hostile.simulation_plan import Plan, Trouble, long_plan, short_plan
from tests.hostile.simulation_report import (
    MINUTE_MS,
    Record,
    describe,
    find_broken_promises,
    find_missing_trouble,
)
from tests.support.leftovers import count_descriptors, count_held, count_other_threads

POLL_SECONDS = 0.1
LONGEST_RESTART_SECONDS = 60.0


@dataclass
class Crowd:
    """The accounts of one run, and the ends of their calls."""

    plan: Plan
    url: str
    ends_at: float
    outcomes: list[str] = field(default_factory=list)
    overruns: list[float] = field(default_factory=list)
    foreign_errors: list[str] = field(default_factory=list)

    def client_options(self, number: int) -> dict[str, Any]:
        """Return the options of an account's client. The limiter is the default one, and shared."""
        return {
            "api_key": api_key(number),
            "api_secret": api_secret(number),
            "base_url": self.url,
            "timeout": self.plan.timeout,
            "clock": "exchange",
        }

    def note_end(self, began_at: float, error: Exception | None, rng: Random) -> float:
        """Note the end of a call, and return the seconds until the account's next one."""
        now = time.monotonic()
        overrun = now - began_at - self.plan.timeout
        if overrun > 0:
            self.overruns.append(overrun)
        if error is not None and not isinstance(error, UsdmError):
            self.foreign_errors.append(repr(error))
        self.outcomes.append(outcome_of(error))
        pause = pause_after(error, self.plan.pause_seconds) * rng.uniform(0.5, 1.5)
        return max(min(pause, self.ends_at - now), 0.0)


def outcome_of(error: Exception | None) -> str:
    """Return the kind of a call's end."""
    if error is None:
        return "rows"
    if isinstance(error, RateLimitError):
        sent = "not sent" if not error.status or "nothing was sent" in str(error) else "sent"
        return f"{type(error).__name__} {error.status}, {sent}"
    return f"{type(error).__name__}: {re.sub('[0-9]+', '#', str(error))[:90]}"


def pause_after(error: Exception | None, usual: float) -> float:
    """Return how long an account waits after a call, in seconds."""
    if error is None:
        return usual
    if isinstance(error, RateLimitError):
        return min(error.retry_after or usual, 2 * usual)
    return usual / 5


def run_blocking(crowd: Crowd) -> Counter[str]:
    """Let the accounts call, each in a thread. Returns what is held at the end."""

    def call_repeatedly(client: Client, number: int) -> None:
        rng = Random(crowd.plan.seed * 100_000 + number)
        while (began_at := time.monotonic()) < crowd.ends_at:
            error: Exception | None = None
            try:
                client.balance()
            # Any other error is what is looked for.
            except Exception as caught:  # noqa: BLE001
                error = caught
            time.sleep(crowd.note_end(began_at, error, rng))

    with SyncTransport(max_connections=crowd.plan.connections) as transport:
        clients = [
            Client(**crowd.client_options(number), transport=transport)
            for number in range(crowd.plan.accounts)
        ]
        threads = [
            threading.Thread(target=call_repeatedly, args=(client, number))
            for number, client in enumerate(clients)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return count_held()


def run_awaiting(crowd: Crowd) -> Counter[str]:
    """Let the accounts call, each in a task. Returns what is held at the end."""

    async def call_repeatedly(client: AsyncClient, number: int) -> None:
        rng = Random(crowd.plan.seed * 100_000 + number)
        while (began_at := time.monotonic()) < crowd.ends_at:
            error: Exception | None = None
            try:
                await client.balance()
            # Any other error is what is looked for.
            except Exception as caught:  # noqa: BLE001
                error = caught
            await asyncio.sleep(crowd.note_end(began_at, error, rng))

    async def run() -> Counter[str]:
        async with AsyncTransport(max_connections=crowd.plan.connections) as transport:
            clients = [
                AsyncClient(**crowd.client_options(number), transport=transport)
                for number in range(crowd.plan.accounts)
            ]
            async with asyncio.TaskGroup() as tasks:
                for number, client in enumerate(clients):
                    tasks.create_task(call_repeatedly(client, number))
            held = count_held()
            held["tasks"] = len(asyncio.all_tasks()) - 1
            return held

    return asyncio.run(run())


RUNS: dict[str, Callable[[Crowd], Counter[str]]] = {"sync": run_blocking, "async": run_awaiting}


@contextlib.contextmanager
def cause_trouble(crowd: Crowd, exchange: ExchangeProcess, name: str) -> Iterator[None]:
    """Meanwhile, a thread causes the plan's troubles when they are due, and prints progress."""
    stopped, began_at = threading.Event(), time.monotonic()

    def run() -> None:
        troubles, next_progress = [*crowd.plan.troubles], crowd.plan.progress_seconds
        while not stopped.wait(POLL_SECONDS):
            if troubles:
                crowd.ends_at = max(crowd.ends_at, time.monotonic() + crowd.plan.settle_seconds)
            seconds = time.monotonic() - began_at
            while troubles and troubles[0].at_seconds <= seconds:
                cause(crowd, exchange, troubles.pop(0))
            if seconds >= next_progress:
                next_progress += crowd.plan.progress_seconds
                counts = Counter(crowd.outcomes)
                print(f"  {name} {seconds:5.0f} s: {dict(counts.most_common(4))}", flush=True)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def cause(crowd: Crowd, exchange: ExchangeProcess, trouble: Trouble) -> None:
    """Have the exchange ban the address, respond with one 429, or restart.

    The accounts go on until it is over, however long a busy machine takes for that.
    """
    planned_end = crowd.ends_at
    crowd.ends_at = max(planned_end, time.monotonic() + LONGEST_RESTART_SECONDS)
    if trouble.name == "restart":
        exchange.restart(float(trouble.seconds))
    else:
        exchange.command(trouble.name, seconds=trouble.seconds)
    over_at = time.monotonic() + trouble.seconds + crowd.plan.settle_seconds
    crowd.ends_at = max(planned_end, over_at)


def simulate(name: str, plan: Plan) -> Record:
    """Run a plan with one of the clients, "sync" or "async", and return what is judged."""
    shared._by_target.clear()
    # What a first use loads or opens is no loss.
    with SyncTransport():
        asyncio.run(asyncio.sleep(0))
    descriptors, threads = count_descriptors(), count_other_threads()
    with tempfile.TemporaryDirectory() as folder:
        ahead_ms = -int(time.time() * 1000 + plan.edge_after_seconds * 1000) % MINUTE_MS
        record = Path(folder, "record")
        settings: dict[str, Any] = {"ahead_ms": ahead_ms, "delay": plan.delay, "seed": plan.seed}
        with ExchangeProcess(record, plan.accounts, **settings) as exchange:
            crowd = Crowd(plan, exchange.url, time.monotonic() + plan.seconds)
            with cause_trouble(crowd, exchange, name):
                leftovers = RUNS[name](crowd)
        arrivals = [*read_arrivals(record)]
    leftovers["descriptors"] = max(count_descriptors() - descriptors, 0)
    leftovers["threads"] = max(count_other_threads() - threads, 0)
    return Record(
        arrivals, Counter(crowd.outcomes), crowd.overruns, crowd.foreign_errors, leftovers
    )


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--minutes", type=float, default=10.0, help="of all runs together")
    options.add_argument("--short", action="store_true", help="a quarter of a minute for each run")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--client", choices=["both", *RUNS], default="both")
    chosen = options.parse_args()
    logging.disable(logging.CRITICAL)
    names = [*RUNS] if chosen.client == "both" else [chosen.client]
    plan = long_plan(chosen.minutes * 60 / len(names), chosen.seed)
    if chosen.short:
        plan = short_plan(chosen.seed)
    status = 0
    for name in names:
        record = simulate(name, plan)
        broken = [
            f"BROKEN: {problem}" for problem in find_broken_promises(record, plan.expectation)
        ]
        missing = [
            f"NOT TRIED: {problem}"
            for problem in find_missing_trouble(record.arrivals, plan.expectation)
        ]
        print(f"{name}, {plan.seconds:.0f} s, {plan.accounts} accounts, seed {plan.seed}:")
        lines = [*(broken or ["nothing is broken"]), *missing]
        print(*describe(record, plan.expectation), *lines, sep="\n", flush=True)
        if broken:
            status = 1
        elif missing and not status:
            status = 2
    return status


if __name__ == "__main__":
    sys.exit(main())
