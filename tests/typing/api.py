"""Checked by mypy --strict and pyright, never run: what a user's own code sees."""
# pyright: strict

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, assert_type

import httpx

import binance_usdm
from binance_usdm import (
    AccountBalance,
    AsyncClient,
    Client,
    Event,
    Response,
    RetryPolicy,
    ServerTime,
)
from binance_usdm.mock import Account, Exchange, Logged, Switches, running


def blocking(client: Client) -> None:
    assert_type(client.balance(), list[AccountBalance])
    assert_type(client.balance(recv_window=3000), list[AccountBalance])
    assert_type(client.server_time(), ServerTime)
    assert_type(client.server_time().server_time, int)
    detailed = client.balance_detailed()
    assert_type(detailed, Response[list[AccountBalance]])
    assert_type(detailed.parsed[0].balance, Decimal)
    assert_type(detailed.status_code, int)
    assert_type(detailed.headers, Mapping[str, str])
    assert_type(detailed.used_weight, int | None)
    assert_type(detailed.elapsed, float)
    assert_type(detailed.attempts, int)
    assert_type(client.get("/fapi/v1/multiAssetsMargin", weight=30), Any)
    params = {"symbol": "BTCUSDT"}
    assert_type(client.get("/fapi/v1/depth", params, weight=2, signed=False), Any)
    assert_type(
        client.get_detailed("/fapi/v1/x", {"a": Decimal(1), "b": 5, "c": None}, weight=1),
        Response[Any],
    )


def row(row: AccountBalance) -> None:
    assert_type(row.account_alias, str)
    assert_type(row.asset, str)
    assert_type(row.cross_un_pnl + row.balance, Decimal)
    assert_type(row.margin_available, bool)
    assert_type(row.update_time, int)
    assert_type(row.updated_at, datetime | None)
    assert_type(AccountBalance.from_dict(row.to_dict()), AccountBalance)
    assert_type(row.to_json(), str)


async def awaiting(client: AsyncClient) -> None:
    assert_type(await client.balance(), list[AccountBalance])
    assert_type((await client.balance_detailed()).parsed, list[AccountBalance])
    assert_type(await client.get("/fapi/v1/multiAssetsMargin", weight=30), Any)
    assert_type(await client.get_detailed("/fapi/v1/x", {"a": 1}, weight=1), Response[Any])
    async with AsyncClient.from_env() as other:
        assert_type(other, AsyncClient)
        assert_type(await other.server_time(), ServerTime)


class Constant:
    """A signer, a limiter and a policy of a user's own."""

    def sign(self, payload: bytes) -> bytes:
        return payload[:1]

    def acquire(self, weight: int) -> float:
        return weight / 10

    def observe(self, used_weight: int) -> None:
        print(used_weight)

    def start_cooldown(self, seconds: float, *, banned: bool) -> None:
        print(seconds, banned)


def dates(response: Response[Any]) -> None:
    assert_type(response.received_at, datetime)
    assert_type(response.exchange_date, datetime | None)


def watching(event: Event) -> None:
    assert_type(
        event.kind,
        Literal[
            "sent",
            "answered",
            "retry",
            "budget_wait",
            "cooldown",
            "reconnect",
            "clock_synced",
            "clock_sync_failed",
            "account_mismatch",
        ],
    )
    assert_type(event.error, binance_usdm.UsdmError | None)
    assert_type(event.seconds, float)
    for number in (event.status, event.code, event.used_weight, event.weight_left):
        assert_type(number, int | None)


def constructors(handler: httpx.MockTransport) -> None:
    own = Constant()
    assert_type(Client("key", "secret"), Client)
    assert_type(Client.from_env(), Client)
    with Client(
        "key", signer=own, base_url=binance_usdm.DEMO, recv_window=5000, timeout=2.5, limiter=own
    ) as client:
        assert_type(client, Client)
    Client("key", "secret", transport=handler, clock=lambda: 0, retry=lambda error, attempt: None)
    AsyncClient(
        "key",
        "secret",
        transport=handler,
        proxy=None,
        ssl_context=None,
        limiter=None,
        retry=RetryPolicy.off(),
        clock="exchange",
    )
    Client(
        "key",
        "secret",
        retry=RetryPolicy(5),
        clock="auto",
        limiter="shared",
        on_event=watching,
        max_reply_bytes=4096,
    )
    Client("key", "secret", clock="local")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    Client("key", "secret", transport=httpx.AsyncHTTPTransport())  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    Client("key", "secret", own)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    Client("key", "secret", time_out=5)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    Client("key", "secret").balance(3000)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    Client("key", "secret").balance(timestamp=0)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    Client("key", "secret").get("/fapi/v1/x")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    Client("key", "secret").get("/fapi/v1/x", weight=None)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    Client("key", "secret").get_detailed("/fapi/v1/x")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    AsyncClient("key", "secret").get("/fapi/v1/x")  # type: ignore[call-arg, unused-coroutine] # pyright: ignore[reportCallIssue, reportUnusedCoroutine]
    AsyncClient("key", "secret").get_detailed("/fapi/v1/x")  # type: ignore[call-arg, unused-coroutine] # pyright: ignore[reportCallIssue, reportUnusedCoroutine]


def from_environment(handler: httpx.MockTransport) -> None:
    own = Constant()
    assert_type(Client.from_env(timeout=5, transport=handler, signer=own, limiter=own), Client)
    assert_type(
        AsyncClient.from_env(
            api_key="key",
            api_secret=None,
            base_url=binance_usdm.DEMO,
            recv_window=5000,
            retry=RetryPolicy(5),
            clock="exchange",
            limiter=None,
            max_reply_bytes=4096,
            proxy=None,
            ssl_context=None,
            transport=binance_usdm.AsyncTransport(),
            on_event=watching,
        ),
        AsyncClient,
    )
    Client.from_env(transport=httpx.HTTPTransport())
    AsyncClient.from_env(transport=httpx.AsyncHTTPTransport())
    Client.from_env(time_out=5)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    Client.from_env(timeout="5")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    Client.from_env(transport=httpx.AsyncHTTPTransport())  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    AsyncClient.from_env(transport=httpx.HTTPTransport())  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    AsyncClient.from_env(transport=binance_usdm.SyncTransport())  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def accounts(client: Client) -> None:
    results = binance_usdm.read_balances([client])
    assert_type(results.rows, dict[str, list[AccountBalance]])
    for label, error in results.failures.items():
        assert_type(label, str)
        assert_type(error, binance_usdm.UsdmError)
        assert_type(error.label, str | None)


def failures(error: Exception) -> None:
    if isinstance(error, binance_usdm.IPBannedError):
        assert_type(error.banned_until, datetime | None)
    if isinstance(error, binance_usdm.APIError):
        assert_type(error.status, int)
        assert_type(error.code, int | None)
        assert_type(error.message, str)
        assert_type(error.retry_after, float | None)
        assert_type(error.hint, str)


def test_with_fixture(usdm_exchange: Exchange) -> None:
    assert_type(usdm_exchange.api_key, str)
    assert_type(usdm_exchange.api_secret, str)
    assert_type(usdm_exchange.clock(), int)
    assert_type(usdm_exchange.account, Account)
    assert_type(usdm_exchange.switches, Switches)
    assert_type(usdm_exchange.requests, list[Logged])
    assert_type(usdm_exchange.requests[0].status, int)
    assert_type(sum(usdm_exchange.counts.values()), int)
    assert_type(usdm_exchange.used_weight, int)
    assert_type(usdm_exchange.transport, httpx.MockTransport)
    assert_type(usdm_exchange.transport_from("203.0.113.5"), httpx.MockTransport)
    key, secret = usdm_exchange.api_key, usdm_exchange.api_secret
    assert_type(Client(key, secret, transport=usdm_exchange.transport), Client)
    assert_type(AsyncClient(key, secret, transport=usdm_exchange.transport), AsyncClient)
    with running(usdm_exchange) as url:
        assert_type(url, str)


async def many(keys: list[tuple[str, str]]) -> None:
    with binance_usdm.SyncTransport(max_connections=5) as connections:
        assert_type(
            [Client(key, secret, transport=connections) for key, secret in keys], list[Client]
        )
    async with binance_usdm.AsyncTransport() as awaited:
        assert_type(
            [AsyncClient(key, secret, transport=awaited) for key, secret in keys], list[AsyncClient]
        )
