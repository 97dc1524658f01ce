"""Balances that show what a program does with digits, and how its rows differ from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation, getcontext, localcontext
from typing import Any, Final

_FIELDS: Final = (
    *("asset", "balance", "crossWalletBalance", "crossUnPnl", "availableBalance"),
    *("maxWithdrawAmount", "marginAvailable", "updateTime"),
)
_DOLLARS: Final = "122607.35137903"
_ROWS: Final = (
    ("USDT", _DOLLARS, *("23.72469206", "0.00000000", "23.72469206", "23.72469206"), True,
     1617939110373),
    ("BTC", *("0.00000001", "0.00000001", "-402.91836500", "0.10000000", "0"), True,
     1762412880142),
    ("测试", *("90071992547409931234567.12345678", "-0.10", "0.00", "1.50", "0.30000000"), False, 0),
)  # fmt: skip
BALANCES: Final[list[dict[str, Any]]] = [
    {"accountAlias": "SgsR", **dict(zip(_FIELDS, row, strict=True))} for row in _ROWS
]
"""Rows with more digits than a float keeps, zeros at the end, and a name that is not ASCII."""


def iter_differences(expected: Sequence[dict[str, Any]], found: Any) -> Iterator[str]:
    """Yield how rows differ from the expected ones, a line for each value.

    Args:
        expected: Rows as the exchange has them.
        found: What the program printed.
    """
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        yield f"balances: {_type_name(found)}, not a list of objects"
        return
    names = [row.get("asset") for row in found]
    for row in expected:
        count = names.count(row["asset"])
        if count == 0:
            yield f"{row['asset']}: the row is missing"
        elif count > 1:
            yield f"{row['asset']}: {count} rows instead of one"
        else:
            yield from _row_differences(row, found[names.index(row["asset"])])
    assets = [row["asset"] for row in expected]
    unknown = [name for name in names if name not in assets]
    if unknown:
        shown = ", ".join(str(name) for name in unknown[:5])
        yield f"{len(unknown)} rows that the account does not have: {shown}"
    elif names != assets and sorted(map(str, names)) == sorted(assets):
        yield "the rows come in another order"


def describe_value(expected: Any, found: Any) -> str:
    """Return how a value differs from the expected one, "" if it does not.

    A value that went through a float is named as such, as are lost zeros and cut digits.
    """
    if type(expected) is not str:
        return "" if _is_same(expected, found) else f"{_show(found)}, not {_show(expected)}"
    if found == expected:
        return ""
    shown = f"{_show(found)}, not {_show(expected)}"
    if isinstance(found, bool) or not isinstance(found, (int, float, str)):
        return shown
    number = _to_decimal(expected)
    if number is None:
        return shown
    reason = _reason(expected, number, found)
    return f"{shown}: {reason}" if reason else shown


def _row_differences(expected: dict[str, Any], found: dict[str, Any]) -> Iterator[str]:
    for name, value in expected.items():
        place = f"{expected['asset']} {name}"
        if name not in found:
            yield f"{place}: the field is missing"
        elif difference := describe_value(value, found[name]):
            yield f"{place}: {difference}"
    for name in found.keys() - expected.keys():
        yield f"{expected['asset']} {name}: a field that the exchange does not send"


def _reason(expected: str, number: Decimal, found: float | str) -> str:
    """Return what happened to a number, "" if that is not known."""
    value = _to_decimal(str(found))
    if value is None:
        return ""
    if value == number:
        return _reason_of_digits(number, found)
    places, digit_count = _place_count(value), len(number.as_tuple().digits)
    with localcontext(prec=digit_count + 10):
        is_rounded = 0 <= places < _place_count(number) and number.quantize(value) == value
    if is_rounded and len(value.as_tuple().digits) == getcontext().prec:
        return f"rounded to the {getcontext().prec} digits of Python's decimal context"
    if is_rounded:
        return f"rounded to {places} places"
    if expected.startswith(str(found)):
        return f"cut after {places} places"
    # Unary minus would round.
    if value == number.copy_negate():
        return "the sign is lost"
    # Languages write the shortest digits that make the same float, or 17, or all of it.
    if float(value) == float(number):
        return "rounded to a float; read amounts as decimals or keep them as strings"
    if float(value) == float(f"{float(number):.6g}"):
        return "rounded to the six digits of a printed float"
    return ""


def _reason_of_digits(number: Decimal, found: float | str) -> str:
    """Return why the same amount has other digits."""
    if not isinstance(found, str):
        return "the same amount, as a JSON number; the exchange sends a string"
    if found == repr(float(number)):
        return "the same amount as a float prints it; keep the digits of the string"
    if "e" in found.lower():
        return "the same amount, with an exponent"
    return "the same amount, with other zeros"


def _place_count(number: Decimal) -> int:
    """Return the digits behind the point; negative with a positive exponent."""
    exponent = number.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _to_decimal(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _is_same(expected: Any, found: Any) -> bool:
    return type(expected) is type(found) and bool(expected == found)


def _show(value: Any) -> str:
    """Return a value of the fake account as the program printed it."""
    if isinstance(value, str):
        return f'"{value[:60]}"'
    if isinstance(value, (bool, int, float)):
        return f"{_type_name(value)} {str(value).lower() if isinstance(value, bool) else value}"
    return _type_name(value)


def _type_name(value: Any) -> str:
    names: dict[Any, str] = {bool: "boolean", (int, float): "number", str: "string", list: "list"}
    if value is None:
        return "null"
    return next((name for kind, name in names.items() if isinstance(value, kind)), "object")
