"""Read the balances of many accounts, and pick rows by asset."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

from binance_usdm_wire import AccountBalance, Response

from ._batch import (
    BalanceResponse,
    BalanceResults,
    OnProgress,
    Work,
    budget_wait,
    validate_concurrency,
)
from ._client import AsyncClient, Client
from ._concurrency.interrupts import raise_if_from_handler
from ._concurrency.threads import WorkerPool
from ._errors import ConfigurationError, RateLimitError

DEFAULT_CONCURRENCY: Final = 20
_READERS: Final = WorkerPool()


def read_balances(
    clients: Iterable[Client],
    *,
    concurrency: int = DEFAULT_CONCURRENCY,
    on_progress: OnProgress | None = None,
) -> BalanceResults:
    """Read the balances of many accounts, and lose nothing when some of them fail.

    Calls begin in the order of the clients, in at most `concurrency` daemon threads. A call that
    the weight budget does not allow within its `timeout` waits for the next minute and is made
    again. An interrupted caller begins no further call; those under way end by their `timeout`.

    Args:
        clients: One client for each account, each with another `label`.
        concurrency: Number of calls that are made at a time.
        on_progress: Function `(label, done, total)`, called after each account, one call at a time.
            What it raises ends the reading.

    Raises:
        ConfigurationError: A client has no label, or two have the same. Nothing was sent.

    Example:
        results = read_balances(clients)
        for label, error in results.failures.items():
            print(error)
    """
    return read_each(clients, Client.balance_detailed, concurrency, on_progress)


def read_each(
    clients: Iterable[Client],
    call: Callable[[Client], Response[Any]],
    concurrency: int = DEFAULT_CONCURRENCY,
    on_progress: OnProgress | None = None,
) -> BalanceResults:
    """Call an operation of each client, as `read_balances` does."""
    work = Work(clients, on_progress)

    def run() -> None:
        try:
            while (label := work.take()) is not None:
                work.finish(label, _read_one(partial(call, work.clients[label]), work.stopped))
        # The caller need not wait for calls whose results it will not get.
        except BaseException:
            work.stop()
            raise

    count = min(validate_concurrency(concurrency), len(work.clients))
    jobs = [_READERS.submit(run) for _ in range(count)]
    try:
        for job in jobs:
            job.wait_blocking(math.inf)
            job.result()
    finally:
        work.stop()
    return work.results()


def _read_one(
    call: Callable[[], BalanceResponse], stopped: threading.Event
) -> BalanceResponse | Exception:
    while True:
        try:
            return call()
        except RateLimitError as error:
            wait = budget_wait(error)
            if wait is None or stopped.wait(wait):
                return error
        # A custom signer, clock or limiter may raise anything. The other accounts are read.
        except Exception as error:  # noqa: BLE001
            return error


async def aread_balances(
    clients: Iterable[AsyncClient],
    *,
    concurrency: int = DEFAULT_CONCURRENCY,
    on_progress: OnProgress | None = None,
) -> BalanceResults:
    """Read the balances of many accounts, and lose nothing when some of them fail.

    Calls begin in the order of the clients, at most `concurrency` at a time. A call that the weight
    budget does not allow within its `timeout` waits for the next minute and is made again. A
    cancelled caller cancels the calls that are under way.

    Args:
        clients: One client for each account, each with another `label`.
        concurrency: Number of calls that are made at a time.
        on_progress: Function `(label, done, total)`, called after each account. What it raises ends
            the reading.

    Raises:
        ConfigurationError: A client has no label, or two have the same. Nothing was sent.

    Example:
        results = await aread_balances(clients)
        for label, error in results.failures.items():
            print(error)
    """
    # Blocking programs never load asyncio.
    import asyncio

    work = Work(clients, on_progress)

    async def run() -> None:
        while (label := work.take()) is not None:
            work.finish(label, await _aread_one(work.clients[label]))

    count = min(validate_concurrency(concurrency), len(work.clients))
    tasks = [asyncio.ensure_future(run()) for _ in range(count)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return work.results()


async def _aread_one(client: AsyncClient) -> BalanceResponse | Exception:
    import asyncio

    while True:
        try:
            return await client.balance_detailed()
        except RateLimitError as error:
            wait = budget_wait(error)
            if wait is None:
                return error
        # A custom signer, clock or limiter may raise anything. The other accounts are read.
        except Exception as error:  # noqa: BLE001
            raise_if_from_handler(error)
            return error
        await asyncio.sleep(wait)


def by_asset(rows: Iterable[AccountBalance]) -> dict[str, AccountBalance]:
    """Return the rows of one account by asset: `by_asset(client.balance())["USDT"]`.

    Raises:
        ConfigurationError: Two rows have the same asset, so they are not those of one account.
    """
    row_by_asset: dict[str, AccountBalance] = {}
    for row in rows:
        if row_by_asset.setdefault(row.asset, row) is not row:
            raise ConfigurationError(
                "rows has two rows for one asset; pass the rows of one account at a time"
            )
    return row_by_asset
