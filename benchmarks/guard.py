"""A call's CPU as a multiple of the standard library's, measured in one process in short rounds: the figure that `make check` watches.

    python benchmarks/guard.py [--rounds 64]      prints JSON: the rounds' ratios, sync and async

What makes a machine slow or fast for a moment makes both sides of a round slow or fast. In each round the dearer client is measured
as well, the same one making every third call twice: it shows whether a third more would be seen.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.baseline import http_client, streams
from benchmarks.clients import ours, ours_async
from benchmarks.cpu_time import AsyncCall, Call, Cost, time_calls, timed_async
from benchmarks.fixed_server import served
from benchmarks.target import Target

CALLS = 12  # few calls in many rounds: less happens on the machine in between
CONCURRENCY = 4
FEW, MANY = 10, 200  # calls at once, for what a crowd costs
Ratios = dict[str, list[float]]


def slow_by_third(call: Call) -> Call:
    """The same call; every third one is made twice."""
    turn = itertools.cycle((1, 1, 2))

    def dearer() -> Any:
        for _ in range(next(turn) - 1):
            call()
        return call()

    return dearer


def a_third_dearer_async(call: AsyncCall) -> AsyncCall:
    turn = itertools.cycle((1, 1, 2))

    async def dearer() -> Any:
        for _ in range(next(turn) - 1):
            await call()
        return await call()

    return dearer


def ratios(measures: Mapping[str, Callable[[], Cost]], rounds: int) -> Ratios:
    """For each but the first: its CPU over the first's, a ratio for every round. The order turns around from round to round."""
    found: Ratios = {name: [] for name in list(measures)[1:]}
    for number in range(rounds + 2):
        names = list(measures)[:: -1 if number % 2 else 1]
        costs = {name: measures[name]().cpu for name in names}
        if number >= 2:  # connected, and warm
            for name, each in found.items():
                each.append(costs[name] / costs[next(iter(measures))])
    return found


def measured(url: str, rounds: int) -> dict[str, Ratios]:
    target = Target(url, "made-up-key", "made-up-secret", MANY)
    with asyncio.Runner() as runner:

        async def await_client(client: Awaitable[AsyncCall]) -> AsyncCall:
            return await client

        def timed_there(call: AsyncCall, calls: int = CALLS, at_once: int = CONCURRENCY) -> Cost:
            return runner.run(timed_async(call, calls, at_once))

        call, awaited = ours(target), runner.run(await_client(ours_async(target)))
        sync = {"floor": http_client(target), "client": call, "a third dearer": slow_by_third(call)}
        tasks = {"floor": runner.run(await_client(streams(target))), "client": awaited}
        tasks["a third dearer"] = a_third_dearer_async(awaited)
        few, many = (
            runner.run(await_client(ours_async(target))) for _ in range(2)
        )  # each has connections of its own
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


def main() -> None:
    parser = argparse.ArgumentParser(
        description="A call's CPU as a multiple of the standard library's."
    )
    parser.add_argument("--rounds", type=int, default=64)
    rounds: int = parser.parse_args().rounds
    with served() as url:
        print(json.dumps(measured(url, rounds)))


if __name__ == "__main__":
    main()
