"""Tests of bot.py against the mock exchange: `python -m pytest test_bot.py`."""

from decimal import Decimal

import pytest
from bot import Budget

import binance_usdm
from binance_usdm.mock import Exchange, row


def make_budget(exchange: Exchange, api_secret: str = "") -> Budget:
    """Return the budget of an account of the exchange. Nothing is retried, so tests do not wait."""
    client = binance_usdm.Client(
        exchange.api_key,
        api_secret or exchange.api_secret,
        transport=exchange.transport,
        retry=binance_usdm.RetryPolicy.off(),
    )
    return Budget(client, "USDT", share=Decimal("0.1"))


def test_a_tenth_of_the_margin_is_used(usdm_exchange: Exchange) -> None:
    usdm_exchange.seed("balance", [row("BNB"), row("USDT", available_balance="123.45678901")])
    assert make_budget(usdm_exchange).next_order() == Decimal("12.34")
    usdm_exchange.assert_signed()


@pytest.mark.parametrize("available", ["0.00000000", "-5.00000000", "0.09999999"])
def test_too_little_margin_is_none(usdm_exchange: Exchange, available: str) -> None:
    usdm_exchange.seed("balance", [row("USDT", available_balance=available)])
    assert make_budget(usdm_exchange).next_order() == 0


def test_an_account_without_the_asset_does_not_trade(usdm_exchange: Exchange) -> None:
    usdm_exchange.seed("balance", [])
    assert make_budget(usdm_exchange).next_order() == 0


@pytest.mark.parametrize("fault", ["unavailable", "waf", "html-200", "truncated", "reset"])
def test_trouble_skips_one_order(usdm_exchange: Exchange, fault: str) -> None:
    budget = make_budget(usdm_exchange)
    usdm_exchange.fail(fault)
    assert budget.next_order() == 0
    assert budget.next_order() > 0


def test_a_wrong_secret_stops_the_bot(usdm_exchange: Exchange) -> None:
    budget = make_budget(usdm_exchange, api_secret="another-secret")
    assert [budget.next_order(), budget.next_order()] == [0, 0]
    assert budget.stopped
    assert [request.code for request in usdm_exchange.requests] == [-1022]


def test_a_ban_is_not_prolonged(usdm_exchange: Exchange) -> None:
    usdm_exchange.ban(seconds=120)
    budget = make_budget(usdm_exchange)
    assert [budget.next_order(), budget.next_order()] == [0, 0]
    assert [request.status for request in usdm_exchange.requests] == [418]
