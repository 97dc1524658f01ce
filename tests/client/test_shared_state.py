"""`reset_shared_state`: what the clients of a process share is forgotten between tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from binance_usdm import Client, ConfigurationError, IPBannedError, RetryPolicy, reset_shared_state
from binance_usdm.mock import DEFAULT_API_KEY, DEFAULT_API_SECRET, Exchange, running

MakeClient = Callable[[], Client]


@pytest.fixture(params=["socket", "httpx transport"])
def exchange_and_clients(request: pytest.FixtureRequest) -> Iterator[tuple[Exchange, MakeClient]]:
    """Return an exchange, and a function that makes clients with the same way to it."""
    exchange = Exchange()
    with running(exchange) as base_url:
        transport = None if request.param == "socket" else exchange.transport

        def make_client() -> Client:
            return Client(
                DEFAULT_API_KEY,
                DEFAULT_API_SECRET,
                base_url=base_url,
                transport=transport,
                retry=RetryPolicy.off(),
            )

        yield exchange, make_client


def test_a_ban_can_be_forgotten(exchange_and_clients: tuple[Exchange, MakeClient]) -> None:
    """After a reset of exchange and process, a new client is not held back by a ban."""
    exchange, make_client = exchange_and_clients
    exchange.ban()
    for _ in range(2):
        with make_client() as client, pytest.raises(IPBannedError):
            client.balance()
    assert len(exchange.requests) == 1
    exchange.reset()
    with make_client() as client, pytest.raises(IPBannedError, match="nothing was sent"):
        client.balance()
    reset_shared_state()
    with make_client() as client:
        assert client.balance()


def test_clock_and_budget_can_be_forgotten(
    exchange_and_clients: tuple[Exchange, MakeClient],
) -> None:
    """A new client has this machine's time and the whole budget again."""
    exchange, make_client = exchange_and_clients
    exchange.clock.advance(60_000)
    with make_client() as client:
        client.balance()
        assert [logged.code for logged in exchange.requests] == [-1021, None, None]
    exchange.reset()
    reset_shared_state()
    with make_client() as client:
        client.balance()
    assert [logged.code for logged in exchange.requests] == [None]


def test_clients_that_exist_forget_too(
    exchange_and_clients: tuple[Exchange, MakeClient],
) -> None:
    """A program with one client can be tested with a ban that ends, without a wait."""
    exchange, make_client = exchange_and_clients
    with make_client() as client:
        exchange.clock.advance(60_000)
        client.balance()
        exchange.ban()
        with pytest.raises(IPBannedError):
            client.balance()
        exchange.reset()
        with pytest.raises(IPBannedError, match="nothing was sent"):
            client.balance()
        reset_shared_state()
        assert client.balance()
        assert [logged.code for logged in exchange.requests] == [None]


@pytest.mark.parametrize("suffix", ["", "/"])
def test_one_base_url_can_be_forgotten(suffix: str) -> None:
    """The bans of the given base URL are forgotten, and those of another are not."""
    exchanges = [Exchange(), Exchange()]
    with running(exchanges[0]) as forgotten, running(exchanges[1]) as kept:
        for exchange, base_url in zip(exchanges, (forgotten, kept), strict=True):
            exchange.ban()
            with (
                Client(base_url=base_url, retry=RetryPolicy.off()) as client,
                pytest.raises(IPBannedError),
            ):
                client.server_time()
            exchange.reset()
        reset_shared_state(forgotten + suffix)
        with Client(base_url=forgotten, retry=RetryPolicy.off()) as client:
            assert client.server_time()
        with (
            Client(base_url=kept, retry=RetryPolicy.off()) as client,
            pytest.raises(IPBannedError, match="nothing was sent"),
        ):
            client.server_time()


@pytest.mark.parametrize("base_url", [5, b"https://fapi.binance.com", ["http://mock"]])
def test_a_reset_of_no_base_url_raises(base_url: Any) -> None:
    """A value that names no base URL is an error, so that no reset is silently without effect."""
    with pytest.raises(ConfigurationError, match="base_url must be a string"):
        reset_shared_state(base_url)
