"""Rows as an Arrow table, for Parquet, DuckDB, polars, pandas and databases (extra `arrow`).

The schema is the same for all rows, accounts and days, so that files read together keep every
digit.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Any, Final

from binance_usdm_wire import AccountBalance
from binance_usdm_wire.reading import format_json

try:
    import pyarrow
except ImportError as _error:
    raise ImportError(
        "binance_usdm.arrow needs the package pyarrow (extra arrow): pip install pyarrow"
    ) from _error

__all__ = ["AMOUNT_TYPE", "SCHEMA", "make_schema", "to_table"]

AMOUNT_TYPE: Final = pyarrow.decimal128(38, 18)
"""Type of amounts: 20 digits before and 18 after the point."""
_AMOUNTS: Final = (
    "balance",
    "cross_wallet_balance",
    "cross_un_pnl",
    "available_balance",
    "max_withdraw_amount",
)
_MAX_TIME_MS: Final = 253_402_300_799_999
"""The last ms of the year 9999, which no reader of the table exceeds."""


def make_schema(amount_type: pyarrow.DataType = AMOUNT_TYPE) -> pyarrow.Schema:
    """Return the schema of all tables: the attributes of a row, then what is known of the reply.

    Args:
        amount_type: Type of amounts, such as `pyarrow.decimal256(76, 38)`. Use one for all files.

    Raises:
        ValueError: It is not a decimal type.
    """
    if not isinstance(amount_type, pyarrow.DataType) or not pyarrow.types.is_decimal(amount_type):
        raise ValueError("amount_type must be a decimal type, such as pyarrow.decimal128(38, 18)")
    required = [
        ("account_alias", pyarrow.string()),
        ("asset", pyarrow.string()),
        *((name, amount_type) for name in _AMOUNTS),
        ("margin_available", pyarrow.bool_()),
    ]
    optional = [
        ("updated_at", pyarrow.timestamp("ms", tz="UTC")),
        ("additional_properties", pyarrow.string()),
        ("label", pyarrow.string()),
        ("received_at", pyarrow.timestamp("us", tz="UTC")),
    ]
    return pyarrow.schema(
        [pyarrow.field(*column, nullable=False) for column in required]
        + [pyarrow.field(*column) for column in optional]
    )


SCHEMA: Final = make_schema()
"""Schema of the tables, unless another type of amounts is chosen."""


def to_table(
    rows: Iterable[AccountBalance],
    *,
    label: str | None = None,
    received_at: datetime | None = None,
    amount_type: pyarrow.DataType = AMOUNT_TYPE,
) -> pyarrow.Table:
    """Return rows as a table, without loss.

    `updated_at` is null for an asset that was never touched. Fields that are not in the spec are one
    JSON text in `additional_properties`, null without any.

    Args:
        rows: What `client.balance()` returned.
        label: Name of the account, for the column `label`.
        received_at: Time of the response, with a time zone, for the column `received_at`.
        amount_type: Type of amounts. Use one for all files.

    Raises:
        ValueError: A value does not fit into its column. The error names row and field.
        TypeError: An element of `rows` is not an `AccountBalance`.

    Example:
        pyarrow.parquet.write_table(to_table(client.balance()), "balances.parquet")
    """
    schema = make_schema(amount_type)
    if received_at is not None and received_at.utcoffset() is None:
        raise ValueError("received_at must have a time zone, such as datetime.now(UTC)")
    columns: dict[str, list[Any]] = {name: [] for name in schema.names}
    for number, row in enumerate(rows):
        if not isinstance(row, AccountBalance):
            raise TypeError(
                f"row {number} must be an AccountBalance, not {type(row).__name__}; "
                "pass what client.balance() returned"
            )
        for name in ("account_alias", "asset", "margin_available"):
            columns[name].append(getattr(row, name))
        for name in _AMOUNTS:
            columns[name].append(_fit_amount(row, number, name, amount_type))
        columns["updated_at"].append(_fit_time(row, number))
        columns["additional_properties"].append(_format_rest(row))
        columns["label"].append(label)
        columns["received_at"].append(received_at)
    return pyarrow.table(
        [pyarrow.array(columns[field.name], field.type) for field in schema], schema=schema
    )


def _fit_amount(row: AccountBalance, number: int, name: str, amount_type: Any) -> Decimal:
    """Return an amount with the places of its column."""
    amount: Decimal = getattr(row, name)
    context = Context(prec=amount_type.precision, traps=[Inexact, InvalidOperation])
    fitted = None
    with suppress(Inexact, InvalidOperation):
        fitted = amount.quantize(Decimal(1).scaleb(-amount_type.scale), context=context)
    if fitted is None or not fitted.is_finite():
        before = amount_type.precision - amount_type.scale
        raise ValueError(
            f"row {number}: {name} does not fit into {amount_type}, which has {before} digits before "
            f"and {amount_type.scale} after the point; pass another amount_type for all files"
        )
    return fitted


def _fit_time(row: AccountBalance, number: int) -> int | None:
    """Return the update time in ms since 1970, `None` for an asset that was never touched."""
    if row.update_time > _MAX_TIME_MS:
        raise ValueError(f"row {number}: update_time is after the year 9999")
    return row.update_time or None


def _format_rest(row: AccountBalance) -> str | None:
    rest = dict(row.additional_properties)
    return format_json(rest) if rest else None
