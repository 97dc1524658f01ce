"""Amounts of rows as the client writes them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

AMOUNTS: Final = (
    "balance", "crossWalletBalance", "crossUnPnl", "availableBalance", "maxWithdrawAmount",
)  # fmt: skip


def with_plain_amounts(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return decoded rows with each amount in plain digits."""
    return [row | {name: format(Decimal(row[name]), "f") for name in AMOUNTS} for row in rows]
