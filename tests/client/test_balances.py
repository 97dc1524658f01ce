"""Many accounts at once: nothing is lost, whatever fails; rows by asset."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import httpx
import pytest

from binance_usdm import (
    AccountBalance,
    AsyncClient,
    AuthenticationError,
    BalanceResults,
    Client,
    ConfigurationError,
    RateLimitError,
    RetryPolicy,
    TransportError,
    UsdmError,
    _balances,
    aread_balances,
    by_asset,
    read_balances,
)
from binance_usdm.mock import Exchange, row
from tests.support.clients import KEY, ROW, SECRET

Read = Callable[..., BalanceResults]
KINDS = pytest.mark.parametrize("kind", [Client, AsyncClient])
COUNT = 12


def read_all(kind: Any, clients: Iterable[Any], **options: Any) -> BalanceResults:
    if kind is Client:
        return read_balances(clients, **options)

    async def read() -> BalanceResults:
        return await aread_balances(clients, **options)

    return asyncio.run(read())


@pytest.fixture
def exchange() -> Exchange:
    """An exchange with an account for each label, whose balance is the account's number."""
    exchange = Exchange(api_key=KEY, api_secret=SECRET)
    for number in range(COUNT):
        key = f"fake-key-{number:02}"
        account = exchange.add_account(key, f"fake-secret-{number:02}")
        rows = [row("USDT", account_alias=account.alias, balance=f"{number}.50000000")]
        exchange.seed("balance", rows, api_key=key)
    return exchange


def clients_of(kind: Any, exchange: Exchange, **options: Any) -> list[Any]:
    transport = exchange.transport
    return [
        kind(
            f"fake-key-{number:02}",
            # The secret of one account is another account's.
            "fake-secret-00" if number == 7 else f"fake-secret-{number:02}",
            transport=transport,
            label=f"desk-{number:02}",
            **options,
        )
        for number in range(COUNT)
    ]


@KINDS
def test_one_wrong_key_loses_nothing_else(kind: Any, exchange: Exchange) -> None:
    """Every account is in the rows or in the failures, under its own label."""
    steps: list[tuple[str, int, int]] = []
    results = read_all(
        kind, clients_of(kind, exchange), on_progress=lambda *step: steps.append(step)
    )
    assert list(results.rows) == [f"desk-{number:02}" for number in range(COUNT) if number != 7]
    for label, rows in results.rows.items():
        assert f"{rows[0].balance:f}" == f"{int(label[-2:])}.50000000"
    assert list(results.failures) == ["desk-07"]
    error = results.failures["desk-07"]
    assert isinstance(error, AuthenticationError)
    assert str(error).startswith("desk-07: HTTP 400, code -1022")
    assert {label for label, _, _ in steps} == {f"desk-{number:02}" for number in range(COUNT)}
    assert [(done, total) for _, done, total in steps] == [(n + 1, COUNT) for n in range(COUNT)]
    assert results.responses["desk-00"].status_code == 200
    assert "50000000" not in repr(results), "a log of the results shows no amounts"


@KINDS
def test_calls_begin_in_order(kind: Any, exchange: Exchange) -> None:
    """First come, first served: one at a time, the accounts are read as they are listed."""
    read_all(kind, clients_of(kind, exchange), concurrency=1)
    keys = [request.api_key for request in exchange.requests]
    assert keys == [f"fake-key-{number:02}" for number in range(COUNT)]


@KINDS
def test_a_failure_of_the_program_is_one_accounts(kind: Any, exchange: Exchange) -> None:
    """What a custom clock or signer raises is the failure of its account alone, with its label."""

    def clock() -> int:
        raise RuntimeError("fake-secret of the program")

    clients = clients_of(kind, exchange)
    clients[3] = kind(
        "k", "s", transport=clients[0]._transport.transport, clock=clock, label="broken"
    )
    results = read_all(kind, clients)
    error = results.failures["broken"]
    assert isinstance(error, UsdmError)
    assert isinstance(error.__cause__, RuntimeError)
    assert (error.label, error.retryable, error.code) == ("broken", False, None)
    assert str(error).startswith("broken: the call raised RuntimeError")
    assert "fake-secret" not in f"{error} {results}"
    assert len(results.rows) == COUNT - 2


class Minute:
    """A limiter that has room for some calls, and for all others a moment later."""

    def __init__(self, count: int, seconds: float) -> None:
        self._left = count
        self._next_at = time.monotonic() + seconds

    def acquire(self, weight: int) -> float:
        self._left -= 1
        return 0.0 if self._left >= 0 else max(self._next_at - time.monotonic(), 0.0)

    def observe(self, used_weight: int) -> None:
        pass

    def start_cooldown(self, seconds: float, *, banned: bool) -> None:
        pass


@KINDS
def test_a_used_up_budget_is_waited_for(kind: Any, exchange: Exchange) -> None:
    """Calls that have no room within their `timeout` are made in the next minute."""
    clients = clients_of(kind, exchange, limiter=Minute(4, 0.3), timeout=0.2)
    results = read_all(kind, clients)
    assert list(results.failures) == ["desk-07"]
    assert isinstance(results.failures["desk-07"], AuthenticationError)
    assert len(exchange.requests) == COUNT


@KINDS
def test_a_long_hold_is_not_waited_for(kind: Any, exchange: Exchange) -> None:
    """A hold of hours, or a ban, is a failure at once, and nothing is sent."""
    exchange.ban(seconds=7200)
    results = read_all(kind, clients_of(kind, exchange), concurrency=1)
    assert len(exchange.requests) == 1
    assert len(results.failures) == COUNT
    clients = clients_of(kind, Exchange(), limiter=Minute(0, 7200))
    failures = read_all(kind, clients).failures.values()
    assert len(failures) == COUNT
    assert all(isinstance(error, RateLimitError) for error in failures)


@KINDS
def test_labels_tell_accounts_apart(kind: Any, exchange: Exchange) -> None:
    """Without labels, or with two alike, an account could get lost: nothing is sent."""
    clients = clients_of(kind, exchange)
    with pytest.raises(ConfigurationError, match="clients must have different labels; two have"):
        read_all(kind, [*clients, clients[4]])
    with pytest.raises(ConfigurationError, match="clients need a label each"):
        read_all(kind, [kind(KEY, SECRET)])
    with pytest.raises(ConfigurationError, match="concurrency must be an integer, at least 1"):
        read_all(kind, clients, concurrency=0)
    assert exchange.requests == []
    assert read_all(kind, []) == BalanceResults(responses={}, failures={})


@KINDS
def test_what_the_callback_raises_ends_the_reading(kind: Any, exchange: Exchange) -> None:
    """Its exception comes out, and no further call begins."""

    def stop(label: str, done: int, total: int) -> None:
        raise LookupError(label)

    with pytest.raises(LookupError):
        read_all(kind, clients_of(kind, exchange), concurrency=1, on_progress=stop)
    assert len(exchange.requests) == 1


def test_an_interrupted_reader_begins_no_further_call() -> None:
    """What ends the waiting caller ends the work of its other threads after their calls."""
    is_second_sent, go_on = threading.Event(), threading.Event()
    requests: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        if len(requests) == 1:
            is_second_sent.wait(30)
        else:
            is_second_sent.set()
            go_on.wait(30)
        return httpx.Response(200, json=[ROW])

    def interrupt(label: str, done: int, total: int) -> None:
        if done == 1:
            raise KeyboardInterrupt

    transport = httpx.MockTransport(respond)
    clients = [Client(KEY, SECRET, transport=transport, label=str(n)) for n in range(5)]
    with pytest.raises(KeyboardInterrupt):
        read_balances(clients, concurrency=2, on_progress=interrupt)
    go_on.set()
    crew = _balances._READERS._crews[os.getpid()]
    end = time.monotonic() + 30
    while crew.unfinished and time.monotonic() < end:
        time.sleep(0.01)
    assert not crew.unfinished
    assert len(requests) == 2


def test_a_cancelled_reader_cancels_its_calls() -> None:
    """Cancelling ends the calls that are under way; none is left behind."""
    cancelled: list[int] = []

    class Transport(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                cancelled.append(1)
                raise
            raise AssertionError

    async def cancel() -> None:
        clients = [AsyncClient(KEY, SECRET, transport=Transport(), label=str(n)) for n in range(3)]
        reading = asyncio.ensure_future(aread_balances(clients))
        await asyncio.sleep(0.05)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(cancel())
    assert len(cancelled) == 3


def test_a_lost_connection_is_a_failure_with_its_label() -> None:
    clients = [
        Client(KEY, SECRET, base_url="http://127.0.0.1:1", label="a", retry=RetryPolicy.off())
    ]
    error = read_balances(clients).failures["a"]
    assert isinstance(error, TransportError)
    assert error.label == "a"


def test_rows_by_asset() -> None:
    """One asset is picked by its name; the rows of two accounts are not mixed up."""
    rows = [AccountBalance.from_dict({**ROW, "asset": asset}) for asset in ("USDT", "BNB")]
    assert by_asset(rows)["BNB"] is rows[1]
    assert list(by_asset(iter(rows))) == ["USDT", "BNB"]
    with pytest.raises(ConfigurationError, match="rows has two rows for one asset"):
        by_asset([*rows, AccountBalance.from_dict(ROW)])


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("balance", "use row.balance"),
        ("availableBalance", "use row.available_balance"),
        ("available_balance", "use row.available_balance"),
        ("free", "row.to_dict() has keys"),
        (0, "row.to_dict() has keys"),
    ],
)
def test_a_row_is_no_mapping_and_says_so(name: object, advice: str) -> None:
    """`row["balance"]` is a TypeError that names the attribute, without its value."""
    balance: Any = AccountBalance.from_dict(ROW)
    with pytest.raises(TypeError) as caught:
        balance[name]
    assert str(caught.value).startswith("AccountBalance has attributes instead of keys; ")
    assert str(caught.value).endswith(advice)
    with pytest.raises(TypeError):
        list(balance)
