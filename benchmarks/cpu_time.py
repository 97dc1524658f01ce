"""Measure CPU and time of calls in this process."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

Call = Callable[[], Any]
AsyncCall = Callable[[], Awaitable[Any]]


class Cost(NamedTuple):
    """Average cost of one call in seconds.

    Attributes:
        cpu: User and system time of the whole process.
        wall: Time of the wall clock.
    """

    cpu: float
    wall: float


def time_calls(call: Call, calls: int) -> Cost:
    """Measure `calls` calls, one after another."""
    repeated = range(calls)
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in repeated:
        call()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Cost(cpu / calls, wall / calls)


async def timed_async(call: AsyncCall, calls: int, at_once: int) -> Cost:
    """Measure `calls` calls in all, `at_once` of them at any time."""
    # Blocking clients do not need asyncio, and their start is measured too.
    import asyncio

    left = iter(range(calls))

    async def one_after_another() -> None:
        for _ in left:
            await call()

    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(one_after_another() for _ in range(at_once)))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Cost(cpu / calls, wall / calls)
