"""Read the balances of many accounts, and pick rows by asset."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Generic, TypeAlias, TypeVar

from attrs import field, frozen

from binance_usdm_wire import AccountBalance, Response

from ._client import AsyncClient, Client
from ._errors import ConfigurationError, IPBannedError, RateLimitError
from ._interrupts import raise_if_from_handler
from ._secrets import describe_value
from ._threads import WorkerPool

DEFAULT_CONCURRENCY: Final = 20
MAX_BUDGET_WAIT_SECONDS: Final = 130.0
"""Longest wait for the weight budget: until the minute after the next one begins."""

BalanceResponse: TypeAlias = Response[list[AccountBalance]]
OnProgress: TypeAlias = Callable[[str, int, int], None]
_READERS: Final = WorkerPool()
_ClientT = TypeVar("_ClientT", Client, AsyncClient)


@frozen(kw_only=True)
class BalanceResults:
    """What was read from many accounts. Each account is in one of the two mappings."""

    responses: Mapping[str, BalanceResponse] = field(repr=False)
    """Responses by the client's label, in the order of the clients."""
    failures: Mapping[str, Exception]
    """What the call of an account raised, by the client's label, in the order of the clients."""

    @property
    def rows(self) -> dict[str, list[AccountBalance]]:
        """Rows by the client's label."""
        return {label: response.parsed for label, response in self.responses.items()}


class _Work(Generic[_ClientT]):
    """Clients whose accounts are still to be read, in order, and what came of the others."""

    def __init__(self, clients: Iterable[_ClientT], on_progress: OnProgress | None) -> None:
        self.clients: dict[str, _ClientT] = _by_label(clients)
        self._waiting = deque[str](self.clients)
        self.stopped = threading.Event()
        self._outcomes: dict[str, BalanceResponse | Exception] = {}
        self._on_progress = on_progress
        # Re-entrant: a callback may be interrupted by a signal handler that reads accounts.
        self._lock = threading.RLock()

    def stop(self) -> None:
        """Begin no further call."""
        self._waiting.clear()
        self.stopped.set()

    def take(self) -> str | None:
        """Return the label of the next client, None when there is none."""
        try:
            return self._waiting.popleft()
        except IndexError:
            return None

    def finish(self, label: str, outcome: BalanceResponse | Exception) -> None:
        """Keep a response or an error, and report the progress."""
        with self._lock:
            self._outcomes[label] = outcome
            if self._on_progress is not None:
                self._on_progress(label, len(self._outcomes), len(self.clients))

    def results(self) -> BalanceResults:
        """Return what was read, in the order of the clients."""
        responses: dict[str, BalanceResponse] = {}
        failures: dict[str, Exception] = {}
        for label in self.clients:
            outcome = self._outcomes[label]
            if isinstance(outcome, Exception):
                failures[label] = outcome
            else:
                responses[label] = outcome
        return BalanceResults(responses=responses, failures=failures)


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
    work = _Work(clients, on_progress)

    def run() -> None:
        try:
            while (label := work.take()) is not None:
                work.finish(label, _read_one(work.clients[label], work.stopped))
        # The caller need not wait for calls whose results it will not get.
        except BaseException:
            work.stop()
            raise

    count = min(_validate_concurrency(concurrency), len(work.clients))
    jobs = [_READERS.submit(run) for _ in range(count)]
    try:
        for job in jobs:
            job.wait_blocking(math.inf)
            job.result()
    finally:
        work.stop()
    return work.results()


def _read_one(client: Client, stopped: threading.Event) -> BalanceResponse | Exception:
    while True:
        try:
            return client.balance_detailed()
        except RateLimitError as error:
            wait = _budget_wait(error)
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

    work = _Work(clients, on_progress)

    async def run() -> None:
        while (label := work.take()) is not None:
            work.finish(label, await _aread_one(work.clients[label]))

    count = min(_validate_concurrency(concurrency), len(work.clients))
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
            wait = _budget_wait(error)
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


def _budget_wait(error: RateLimitError) -> float | None:
    """Return the seconds after which the budget allows the call, None when it should fail."""
    if error.status or isinstance(error, IPBannedError) or error.retry_after is None:
        return None
    return error.retry_after if error.retry_after <= MAX_BUDGET_WAIT_SECONDS else None


def _by_label(clients: Iterable[_ClientT]) -> dict[str, _ClientT]:
    client_by_label: dict[str, _ClientT] = {}
    for client in clients:
        label = client._label
        if label is None:
            raise ConfigurationError("clients need a label each, such as label='desk-07'")
        if label in client_by_label:
            raise ConfigurationError(f"clients must have different labels; two have {label!r}")
        client_by_label[label] = client
    return client_by_label


def _validate_concurrency(concurrency: Any) -> int:
    if type(concurrency) is not int or concurrency < 1:
        raise ConfigurationError(
            f"concurrency must be an integer, at least 1, not {describe_value(concurrency)}"
        )
    return concurrency
