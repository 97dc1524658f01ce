"""The line in front of a limiter, whose callers may leave without a word."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from binance_usdm._concurrency.gates import GateSet, TaskGate
from binance_usdm._concurrency.threads import run_awaited
from binance_usdm._policy.limiter_queue import LimiterQueue
from binance_usdm._policy.wait_queue import Ticket, WaitQueue


class Gate:
    """A gate that notes that it was opened."""

    def __init__(self, *, is_reachable: bool = True) -> None:
        self.is_open = False
        self.is_reachable = is_reachable

    def open(self) -> None:
        self.is_open = True


def test_lost_wakeup_costs_half_a_second() -> None:
    """The second in line looks by itself whether it is the first."""
    queue, tickets = WaitQueue(), [Ticket(1) for _ in range(3)]
    for ticket in tickets:
        queue.join(ticket, Gate(), 0.0)
    first, second, third = tickets
    assert queue.recheck_after(second, 0.0, 60.0) == 0.5
    assert queue.recheck_after(third, 0.0, 60.0) == 60.0
    # As a caller does that is interrupted right after.
    queue.tickets.pop(first.number)
    assert queue.is_first(second)
    assert queue.recheck_after(third, 0.0, 60.0) == 0.5
    assert queue.is_behind(third)
    queue.remove(first, is_served=False)
    assert second.gate.is_open
    assert third.gate.is_open


def test_nested_calls_leave_the_line() -> None:
    """A call of a signal handler joins and leaves while another call of its thread is in line."""
    queue, outer, nested = WaitQueue(), Ticket(1), Ticket(1)
    queue.join(outer, Gate(), 0.0)
    queue.join(nested, Gate(), 0.0)
    assert queue.is_behind(nested)
    queue.remove(nested, is_served=False)
    assert queue.is_first(outer)
    assert queue.weight_ahead(nested) == 1


def test_closed_loops_lose_their_place() -> None:
    """A call that cannot go on keeps none from its turn."""
    queue, lost, waiting = WaitQueue(), Ticket(1), Ticket(1)
    queue.join(lost, Gate(is_reachable=False), 0.0)
    queue.join(waiting, Gate(), 0.0)
    assert queue.is_first(waiting)
    assert lost.number not in queue.tickets


class FullLimiter:
    """A limiter without room, which does not say when it will have some."""

    def acquire(self, weight: int) -> float:
        return 0.05

    def observe(self, used_weight: int) -> None:
        """Nothing is counted here."""

    def start_cooldown(self, seconds: float, *, banned: bool) -> None:
        """Nothing is held here."""


@pytest.mark.promise("R10", "R14")
def test_ten_thousand_are_served_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand tasks go on in the order in which they began; cancelled ones leave the line."""
    monkeypatch.setattr("binance_usdm._policy.wait_queue.RELEASE_SPREAD_SECONDS", 0.0)
    line, served = LimiterQueue(FullLimiter(), run_awaited), list[int]()
    is_open = False

    async def wait(number: int) -> None:
        ticket, seconds = Ticket(5), 0.05
        while not is_open or line.queue.is_behind(ticket):
            await line.wait_for_room(
                ticket, seconds, deadline, gates=gates, check=lambda: None, on_wait=lambda _: None
            )
        served.append(number)

    gates: Any = None

    async def scenario() -> None:
        nonlocal gates, is_open
        gates = GateSet(TaskGate)
        tasks = [asyncio.create_task(wait(number)) for number in range(10_000)]
        async with asyncio.timeout(60):
            while line.queue.waiting_count < 10_000:  # noqa: ASYNC110 - no event announces it
                await asyncio.sleep(0.01)
        for task in tasks[3_000:4_000]:
            task.cancel()
        is_open = True
        await asyncio.gather(*tasks, return_exceptions=True)

    deadline = time.monotonic() + 300
    asyncio.run(scenario())
    assert served == [*range(3_000), *range(4_000, 10_000)]
    assert line.queue.waiting_count == 0
