# Written by `python -m generator` from spec/openapi.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, NoReturn

import msgspec
from attrs import field, frozen

from ..errors import ResponseMismatch, subscript_error
from ..reading import (
    MISSING,
    PathStep,
    copy_fields,
    format_decimal,
    format_json,
    integer_reader,
    read_boolean,
    read_decimal,
    read_string,
)
from ..rows import RowReader, to_decimals

_read_update_time = integer_reader(0, 9223372036854775807)


@frozen(slots=True, kw_only=True, weakref_slot=False)
class AccountBalance:
    """One asset of the account. Unknown members are kept; the exchange has added members before."""

    account_alias: str
    """Unique account code. Opaque, of any length; identifies the account, so treat it as personal
    data."""
    asset: str
    """Asset name, such as USDT. An open set; need not be ASCII, there are symbols with Chinese
    names."""
    balance: Decimal
    """Wallet balance, in the asset. Not equity, unrealized profit is not in it; can be negative."""
    cross_wallet_balance: Decimal
    """Crossed wallet balance, in the asset, the part that cross positions use; in the page's
    example far below the balance."""
    cross_un_pnl: Decimal
    """Unrealized profit of crossed positions, in the asset; negative for a loss."""
    available_balance: Decimal
    """Available balance, in the asset. In multi-assets mode the free margin of the whole account,
    so it may exceed the balance; do not add it up."""
    max_withdraw_amount: Decimal
    """Maximum amount for transfer out, in the asset."""
    margin_available: bool
    """Whether the asset can be used as margin in Multi-Assets mode."""
    update_time: int
    """Last update time, ms since 1970-01-01 UTC; 0 for an asset that was never touched."""
    additional_properties: Mapping[str, Any] = field(factory=dict, hash=False)
    """Fields that are not in the spec, as decoded."""

    WIRE_NAMES: ClassVar[Mapping[str, str]] = {
        "account_alias": "accountAlias",
        "asset": "asset",
        "balance": "balance",
        "cross_wallet_balance": "crossWalletBalance",
        "cross_un_pnl": "crossUnPnl",
        "available_balance": "availableBalance",
        "max_withdraw_amount": "maxWithdrawAmount",
        "margin_available": "marginAvailable",
        "update_time": "updateTime",
    }
    """Name of the JSON field by attribute, in the order of the spec."""
    HOLDINGS: ClassVar[tuple[str, ...]] = (
        "balance",
        "cross_wallet_balance",
        "cross_un_pnl",
    )
    """Attributes that are all zero in a row without holdings."""
    INSTANTS: ClassVar[tuple[str, ...]] = ("update_time",)
    """Attributes that are ms since 1970-01-01 UTC."""

    @classmethod
    def from_dict(cls, source: Mapping[str, Any]) -> AccountBalance:
        """Read a decoded JSON object.

        Args:
            source: The object. Fields that are not in the spec are kept.

        Raises:
            ResponseMismatch: A field is missing, null or of another type. The error names it.
        """
        rest = copy_fields(source)
        take = rest.pop
        return cls(
            account_alias=read_string(take("accountAlias", MISSING), "accountAlias"),
            asset=read_string(take("asset", MISSING), "asset"),
            balance=read_decimal(take("balance", MISSING), "balance"),
            cross_wallet_balance=read_decimal(
                take("crossWalletBalance", MISSING), "crossWalletBalance"
            ),
            cross_un_pnl=read_decimal(take("crossUnPnl", MISSING), "crossUnPnl"),
            available_balance=read_decimal(take("availableBalance", MISSING), "availableBalance"),
            max_withdraw_amount=read_decimal(
                take("maxWithdrawAmount", MISSING), "maxWithdrawAmount"
            ),
            margin_available=read_boolean(take("marginAvailable", MISSING), "marginAvailable"),
            update_time=_read_update_time(take("updateTime", MISSING), "updateTime"),
            additional_properties=rest,
        )

    @classmethod
    def read(cls, value: Any, step: PathStep) -> AccountBalance:
        """Read a decoded JSON object inside a larger value, at `step`."""
        try:
            return cls.from_dict(value)
        except ResponseMismatch as mismatch:
            raise mismatch.with_prefix(step) from None

    @staticmethod
    def parse_rows(body: bytes) -> list[AccountBalance]:
        """Read the JSON text of an array of such objects.

        Raises:
            ResponseMismatch: A row does not match the spec. The error names row and field.
        """
        return _ROWS.parse(body)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object that this was read from, as exact Python values.

        Amounts are strings in plain digits. `json.dumps` rejects a `Decimal`, which is a number in
        a field that is not in the spec; use `to_json`.

        Raises:
            ValueError: An amount was replaced by something other than a finite `Decimal`.
        """
        fields: dict[str, Any] = {
            "accountAlias": self.account_alias,
            "asset": self.asset,
            "balance": format_decimal(self.balance),
            "crossWalletBalance": format_decimal(self.cross_wallet_balance),
            "crossUnPnl": format_decimal(self.cross_un_pnl),
            "availableBalance": format_decimal(self.available_balance),
            "maxWithdrawAmount": format_decimal(self.max_withdraw_amount),
            "marginAvailable": self.margin_available,
            "updateTime": self.update_time,
        }
        for name, value in self.additional_properties.items():
            fields.setdefault(name, value)
        return fields

    # Type checkers report a subscript, which they would not with this method.
    if not TYPE_CHECKING:

        def __getitem__(self, name: object) -> NoReturn:
            raise subscript_error(self, name)

    def to_json(self) -> str:
        """Return the JSON text of `to_dict()`, with all digits of each number.

        Raises:
            ValueError: As for `to_dict`.
        """
        return format_json(self.to_dict())

    @property
    def updated_at(self) -> datetime | None:
        """`update_time` as an aware datetime in UTC, exact to the millisecond.

        `None` when it is 0.

        Raises:
            OverflowError: The time is after the year 9999.
        """
        if not self.update_time:
            return None
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=self.update_time)


class _Record(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Row as msgspec reads it."""

    account_alias: str = msgspec.field(name="accountAlias")
    asset: str = msgspec.field(name="asset")
    balance: str = msgspec.field(name="balance")
    cross_wallet_balance: str = msgspec.field(name="crossWalletBalance")
    cross_un_pnl: str = msgspec.field(name="crossUnPnl")
    available_balance: str = msgspec.field(name="availableBalance")
    max_withdraw_amount: str = msgspec.field(name="maxWithdrawAmount")
    margin_available: bool = msgspec.field(name="marginAvailable")
    update_time: Annotated[int, msgspec.Meta(ge=0, le=9223372036854775807)] = msgspec.field(
        name="updateTime"
    )


def _make_rows(_records: list[_Record], _additional: list[dict[str, Any]]) -> list[AccountBalance]:
    _strings: list[str] = []
    for _record in _records:
        _strings += (
            _record.balance,
            _record.cross_wallet_balance,
            _record.cross_un_pnl,
            _record.available_balance,
            _record.max_withdraw_amount,
        )
    _decimals = iter(to_decimals(_strings))
    _rows: list[AccountBalance] = []
    for (
        _record,
        _unknown,
        balance_value,
        cross_wallet_balance_value,
        cross_un_pnl_value,
        available_balance_value,
        max_withdraw_amount_value,
    ) in zip(
        _records, _additional, _decimals, _decimals, _decimals, _decimals, _decimals, strict=True
    ):
        # The class would collect the keywords in a dict, which takes 4 % of a call.
        _row = AccountBalance.__new__(AccountBalance)
        AccountBalance.__init__(
            _row,
            account_alias=_record.account_alias,
            asset=_record.asset,
            balance=balance_value,
            cross_wallet_balance=cross_wallet_balance_value,
            cross_un_pnl=cross_un_pnl_value,
            available_balance=available_balance_value,
            max_withdraw_amount=max_withdraw_amount_value,
            margin_available=_record.margin_available,
            update_time=_record.update_time,
            additional_properties=_unknown,
        )
        _rows.append(_row)
    return _rows


_ROWS: Final = RowReader(
    _Record,
    (),
    _make_rows,
    AccountBalance.read,
)
