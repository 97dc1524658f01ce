"""Accounts on a served mock exchange, and profiles that refer to their keys."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from binance_usdm.mock import Exchange, row, running

LABELS = ("alpha", "beta", "gamma")


class Desk(NamedTuple):
    """Three accounts on a served exchange, and a profiles file that refers to them."""

    exchange: Exchange
    file: Path
    environment: dict[str, str]
    """Environment with the exchange, the file and the secrets that the file refers to."""

    def seed(self, label: str, *balances: tuple[str, str]) -> None:
        """Set the rows of an account: asset and balance."""
        alias = f"alias-{label}"
        rows = [row(asset, balance=balance, account_alias=alias) for asset, balance in balances]
        self.exchange.seed("balance", rows, api_key=f"fake-key-of-{label}")


@pytest.fixture(scope="session")
def _served() -> Iterator[tuple[Exchange, str]]:
    exchange = Exchange()
    with running(exchange) as url:
        yield exchange, url


@pytest.fixture
def desk(_served: tuple[Exchange, str], tmp_path: Path) -> Desk:
    """The accounts as new: alpha's secret is in a variable, beta's in a file, gamma's printed."""
    exchange, url = _served
    exchange.reset()
    for label in LABELS:
        exchange.add_account(f"fake-key-of-{label}", f"fake-secret-of-{label}")
    (tmp_path / "beta.txt").write_text("fake-secret-of-beta\n")
    (tmp_path / "beta.txt").chmod(0o600)
    file = tmp_path / "profiles.toml"
    file.write_text(
        """\
[profiles.alpha]
api_key = { env = "ALPHA_KEY" }
api_secret = { env = "ALPHA_SECRET" }

[profiles.beta]
api_key = { command = ["printf", "fake-key-of-beta"] }
api_secret = { file = "beta.txt" }

[profiles.gamma]
api_key = { command = ["printf", "fake-key-of-gamma"] }
api_secret = { command = ["printf", '%s\\n', "fake-secret-of-gamma", "user: gamma"] }
"""
    )
    file.chmod(0o600)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BINANCE_")}
    environment = {
        **clean,
        "BINANCE_BASE_URL": url,
        "BINANCE_PROFILES_FILE": str(file),
        "ALPHA_KEY": "fake-key-of-alpha",
        "ALPHA_SECRET": "fake-secret-of-alpha",
    }
    desk = Desk(exchange, file, environment)
    for number, label in enumerate(LABELS):
        desk.seed(label, ("USDT", f"{number}.50000000"), ("BNB", "0.00000000"))
    return desk
