"""Make rows of balances for tests."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any, Final

from binance_usdm.mock.core.packaged_files import load_packaged_spec

from .api_spec import ApiSpec

BALANCE_OPERATION: Final = "balance"
_ZERO: Final = "0.00000000"


def row(asset: str, **fields: Any) -> dict[str, Any]:
    """Return a row of the response of `balance`, for `seed` and `add_account`.

    Amounts that are not passed are zero. Other fields have the values of the spec's example.

    Args:
        asset: Name of the asset.
        fields: Fields by the name in the response, such as `availableBalance`, or by the client's,
            such as `available_balance`. Amounts are decimal strings, Decimals or integers.
            `account_alias=None` leaves the example's.

    Raises:
        ValueError: A field is unknown, or the spec forbids its value.
    """
    return change_row(_load_spec(), default_row(_load_spec(), asset), fields)


def default_row(spec: ApiSpec, asset: str) -> dict[str, Any]:
    """Return a row with zeros as amounts, and the other values of the spec's example."""
    operation = spec.require_operation(BALANCE_OPERATION)
    amounts = dict.fromkeys(_amount_names(spec), _ZERO)
    return {**operation.example[0], **amounts, "asset": asset}


def change_row(
    spec: ApiSpec, known_row: Mapping[str, Any], fields: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a row with some fields changed. `row` describes `fields`.

    Raises:
        ValueError: A field is unknown, or the spec forbids its value.
    """
    operation = spec.require_operation(BALANCE_OPERATION)
    schemas = spec.row_schemas(operation)
    amounts = _amount_names(spec)
    names = {_snake_case(name): name for name in schemas} | {name: name for name in schemas}
    values = dict(known_row)
    for given_name, value in fields.items():
        if given_name not in names:
            raise ValueError(_unknown_field_text(given_name, names))
        name = names[given_name]
        if name in amounts:
            values[name] = _amount(name, value)
        elif value is not None or not schemas[name].get("x-identifies-account"):
            values[name] = value
    spec.validate_body(operation, [values])
    return values


def _amount_names(spec: ApiSpec) -> list[str]:
    schemas = spec.row_schemas(spec.require_operation(BALANCE_OPERATION))
    return [name for name, schema in schemas.items() if schema.get("format") == "decimal"]


@cache
def _load_spec() -> ApiSpec:
    return ApiSpec(load_packaged_spec())


def _snake_case(name: str) -> str:
    return re.sub("([A-Z])", r"_\1", name).lower()


def _unknown_field_text(name: str, names: dict[str, str]) -> str:
    nearest = difflib.get_close_matches(name, names, 1, 0)
    return f"row has no field {name}; did you mean {nearest[0]}?"


def _amount(name: str, value: Any) -> Any:
    """Return an amount as a string without an exponent. Other types are left to the validation."""
    if isinstance(value, float):
        raise ValueError(f"{name} must be a decimal string or a Decimal; a float is not exact")
    if type(value) is int or (isinstance(value, Decimal) and value.is_finite()):
        return format(value, "f" if isinstance(value, Decimal) else "d")
    return value
