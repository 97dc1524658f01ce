"""Measure a call's CPU as a multiple of the standard library's. `make check` watches this figure.

    python benchmarks/guard.py [--rounds 64]      prints JSON: the ratio of each round

It also measures rows that have a field less or more than the spec describes, as a multiple of usual
ones.

Both sides are measured in one process in short rounds, so that a moment in which the machine is
slow affects both. Each round also measures a client that makes every third call twice. It shows
whether an increase by a third would be noticed.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.baseline import http_client, streams
from benchmarks.clients import ours, ours_async
from benchmarks.cpu_time import AsyncCall, Call, Cost, time_calls, timed_async
from benchmarks.fixed_server import served
from benchmarks.row_reading import row_readings
from benchmarks.target import Target

CALLS = 12
"""Calls in a round. With few calls in many rounds, less happens on the machine in between."""
ROW_CALLS = 40
CONCURRENCY = 4
FEW, MANY = 10, 200
"""Numbers of concurrent calls whose costs are compared."""
Ratios = dict[str, list[float]]


def slow_by_third(call: Call) -> Call:
    """Return a call that makes every third call twice."""
    turn = itertools.cycle((1, 1, 2))

    def slower() -> Any:
        for _ in range(next(turn) - 1):
            call()
        return call()

    return slower


def slow_by_third_async(call: AsyncCall) -> AsyncCall:
    turn = itertools.cycle((1, 1, 2))

    async def slower() -> Any:
        for _ in range(next(turn) - 1):
            await call()
        return await call()

    return slower


def ratios(measures: Mapping[str, Callable[[], Cost]], rounds: int) -> Ratios:
    """Return for each measure but the first its CPU divided by the first's, per round.

    The order is reversed from round to round.
    """
    first, *others = measures
    found: Ratios = {name: [] for name in others}
    for number in range(rounds + 2):
        names = list(measures)[:: -1 if number % 2 else 1]
        costs = {name: measures[name]().cpu for name in names}
        # Two rounds open the connections and warm up.
        if number < 2:
            continue
        for name in others:
            found[name].append(costs[name] / costs[first])
    return found


def measure(url: str, rounds: int) -> dict[str, Ratios]:
    target = Target(url, "fake-key", "fake-secret", MANY)
    with asyncio.Runner() as runner:

        async def await_client(client: Awaitable[AsyncCall]) -> AsyncCall:
            return await client

        def timed_there(call: AsyncCall, calls: int = CALLS, at_once: int = CONCURRENCY) -> Cost:
            return runner.run(timed_async(call, calls, at_once))

        call = ours(target)
        awaited = runner.run(await_client(ours_async(target)))
        sync = {"floor": http_client(target), "client": call, "a third dearer": slow_by_third(call)}
        tasks = {"floor": runner.run(await_client(streams(target))), "client": awaited}
        tasks["a third dearer"] = slow_by_third_async(awaited)
        # Each has its own connections.
        few, many = (runner.run(await_client(ours_async(target))) for _ in range(2))
        crowds = {
            "few": partial(timed_there, few, MANY, FEW),
            "many": partial(timed_there, many, MANY, MANY),
        }
        return {
            "sync": ratios(
                {name: partial(time_calls, each, CALLS) for name, each in sync.items()}, rounds
            ),
            "async": ratios(
                {name: partial(timed_there, each) for name, each in tasks.items()}, rounds
            ),
            "concurrency": ratios(crowds, rounds // 8),
        }


def measure_rows(rounds: int) -> Ratios:
    with tempfile.TemporaryDirectory() as folder:
        readings = row_readings(Path(folder))
        return ratios(
            {name: partial(time_calls, read, ROW_CALLS) for name, read in readings.items()}, rounds
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description="A call's CPU as a multiple of the standard library's."
    )
    parser.add_argument("--rounds", type=int, default=64)
    rounds: int = parser.parse_args().rounds
    with served() as url:
        measured = measure(url, rounds)
    print(json.dumps(measured | {"rows": measure_rows(rounds)}))


if __name__ == "__main__":
    main()
