"""Rows for tests, and the alias that identifies each account in its rows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from binance_usdm import Client, UnexpectedResponse
from binance_usdm.mock import Exchange, row
from tests.support.spec_facts import OPTIONAL_ROW_FIELDS, ROW_FIELDS

ZERO = "0.00000000"


def test_a_row_needs_one_amount() -> None:
    """A row has zeros for amounts and the example's values for other fields."""
    bnb = row("BNB", balance="5")
    assert sorted(bnb) == sorted(ROW_FIELDS)
    assert {name: bnb[name] for name in bnb if name not in OPTIONAL_ROW_FIELDS} == {
        "accountAlias": "SgsR",
        "asset": "BNB",
        "balance": "5",
        "crossWalletBalance": ZERO,
        "crossUnPnl": ZERO,
        "availableBalance": ZERO,
        "maxWithdrawAmount": ZERO,
        "marginAvailable": True,
        "updateTime": 1617939110373,
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("5.10", "5.10"),
        (Decimal("5.10"), "5.10"),
        (Decimal("1E-8"), "0.00000001"),
        (Decimal("2E+3"), "2000"),
        (5, "5"),
        (-3, "-3"),
    ],
)
def test_amounts_keep_their_digits(value: Any, expected: str) -> None:
    """Strings, Decimals and integers are taken, without an exponent and with every digit."""
    made = row("USDT", balance=value, available_balance=value, crossUnPnl=value)
    assert [made[name] for name in ("balance", "availableBalance", "crossUnPnl")] == [expected] * 3


def test_a_row_is_what_a_client_reads(usdm_exchange: Exchange) -> None:
    """A client reads a seeded row with exactly its values."""
    seeded = row("币安人生", balance="5", marginAvailable=False, update_time=0)
    usdm_exchange.seed("balance", [seeded])
    with Client(
        usdm_exchange.api_key, usdm_exchange.api_secret, transport=usdm_exchange.transport
    ) as client:
        (read,) = client.balance()
    assert read.to_dict() == seeded


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        (
            {"availableBalanc": "1"},
            "row has no field availableBalanc; did you mean availableBalance?",
        ),
        ({"availble_balance": "1"}, "did you mean available_balance?"),
        ({"zzz": "1"}, "row has no field zzz; did you mean "),
        ({"balance": 1.5}, "a float is not exact"),
        ({"balance": True}, "balance"),
        ({"balance": None}, "balance"),
        ({"balance": "1e"}, "balance"),
        ({"balance": Decimal("NaN")}, ""),
        ({"marginAvailable": "true"}, "marginAvailable"),
        ({"updateTime": "0"}, "updateTime"),
    ],
)
def test_wrong_fields_are_named(fields: dict[str, Any], problem: str) -> None:
    """An unknown field is rejected with the nearest name, a wrong value with its field."""
    with pytest.raises(ValueError, match=r".") as caught:
        row("USDT", **fields)
    assert problem in str(caught.value)
    with pytest.raises(ValueError, match="asset"):
        row(5)  # type: ignore[arg-type]


def test_each_account_has_its_alias() -> None:
    """Accounts have different aliases, the same in every run; the first has the example's."""
    exchange = Exchange()
    accounts = [exchange.add_account(f"key-{number}", "fake-secret") for number in range(3)]
    aliases = [account.alias for account in accounts]
    assert exchange.account.alias is None
    assert len({*aliases, "SgsR"}) == 4
    assert all(alias is not None and alias.isalpha() for alias in aliases)
    exchange.reset()
    again = exchange.add_account("key-0", "fake-secret")
    exchange.add_key(again, "key-1", "fake-secret")
    assert [again.alias, exchange.add_account("key-2", "fake-secret").alias] == aliases[:2]


def test_clients_of_two_accounts_see_two_aliases() -> None:
    """Two clients read rows of two accounts, and one client notices rows of the other account."""
    exchange = Exchange()
    desk = exchange.add_account("desk-key", "desk-secret")
    transport = exchange.transport
    with (
        Client(exchange.api_key, exchange.api_secret, transport=transport) as first,
        Client("desk-key", "desk-secret", transport=transport) as second,
    ):
        assert {read.account_alias for read in first.balance()} == {"SgsR"}
        assert {read.account_alias for read in second.balance()} == {desk.alias}
        exchange.seed("balance", [row("USDT", account_alias=desk.alias)], "desk-key")
        assert second.balance()[0].account_alias == desk.alias
        exchange.seed("balance", [row("USDT", account_alias=exchange.account.alias)])
        assert first.balance()[0].account_alias == "SgsR"
        exchange.seed("balance", [row("USDT")], "desk-key")
        with pytest.raises(UnexpectedResponse):
            second.balance()
