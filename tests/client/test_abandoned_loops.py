"""Calls whose event loop is closed without cancelling them."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from binance_usdm import AsyncClient, RetryPolicy, WeightLimiter
from binance_usdm._policy.wait_queue import queue_for
from tests.support.clients import BODY, KEY, SECRET
from tests.support.raw_server import READ, STAY_SILENT, RawServer, repeat, response_bytes

pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
OPTIONS: dict[str, Any] = {
    "api_key": KEY,
    "api_secret": SECRET,
    "timeout": 5,
    "retry": RetryPolicy.off(),
}


@pytest.mark.promise("R14")
def test_abandoned_loops_keep_no_place() -> None:
    """An event loop is closed while calls wait for weight; those of the next one are sent."""
    limiter = WeightLimiter(limit=None)

    async def wait_in_line(client: AsyncClient) -> None:
        limiter.start_cooldown(0.3, banned=False)
        tasks.extend(asyncio.ensure_future(client.balance()) for _ in range(3))
        await asyncio.sleep(0.05)
        assert len(queue_for(limiter).tickets) == 3

    tasks: list[asyncio.Future[Any]] = []
    with RawServer(repeat(READ, response_bytes(BODY))) as server:
        client = AsyncClient(**OPTIONS, base_url=server.url, limiter=limiter)
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda *_: None)
        loop.run_until_complete(wait_in_line(client))
        loop.close()
        assert asyncio.run(client.balance())
        tasks.clear()
        gc.collect()
        assert not queue_for(limiter).tickets
        assert not client._gates._gates
        asyncio.run(client.aclose())
    # Transports of closed loops warn here, though their sockets are closed.
    del client
    gc.collect()


@pytest.mark.promise("R14")
def test_abandoned_loops_leave_no_clock_waiter() -> None:
    """An event loop is closed while a call waits for another one that syncs the clock."""

    async def sync_in_two_calls() -> None:
        tasks.extend(asyncio.ensure_future(client.balance()) for client in clients)
        for _ in range(1_000):
            await asyncio.sleep(0.005)
            if clock._waiters:
                return

    tasks: list[asyncio.Future[Any]] = []
    with RawServer([READ, STAY_SILENT]) as server:
        options = {**OPTIONS, "base_url": server.url, "clock": "exchange", "limiter": None}
        clients = [AsyncClient(**options) for _ in range(2)]
        clock = clients[0]._shared.clock
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda *_: None)
        loop.run_until_complete(asyncio.wait_for(sync_in_two_calls(), 5))
        loop.close()
        tasks.clear()
        gc.collect()
        assert not clock._waiters
