"""CPU and time of calls in this process. Knows no client."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

Call = Callable[[], Any]
AsyncCall = Callable[[], Awaitable[Any]]


class Cost(NamedTuple):
    """Seconds: user and system time of the whole process, and of the wall clock. Of one call, on average."""

    cpu: float
    wall: float


def time_calls(call: Call, calls: int) -> Cost:
    """So many calls, one after another."""
    repeated = range(calls)
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in repeated:
        call()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Cost(cpu / calls, wall / calls)


async def timed_async(call: AsyncCall, calls: int, at_once: int) -> Cost:
    """So many calls in all, so many of them at any time."""
    import asyncio  # only now: whoever blocks need not have it, and a start is measured too

    left = iter(range(calls))

    async def one_after_another() -> None:
        for _ in left:
            await call()

    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(one_after_another() for _ in range(at_once)))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Cost(cpu / calls, wall / calls)
