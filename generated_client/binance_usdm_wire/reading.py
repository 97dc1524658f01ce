# Copied by `python -m generator` from generator/runtime. Do not edit.
"""Convert decoded JSON to typed values.

A reader is a function of a decoded value and the step that led to it: a row number, a field name,
or `None`. It returns the typed value or raises `ResponseMismatch`. A value of another JSON type
is rejected, never converted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import Enum
from typing import Any, Final, TypeVar

import msgspec

from .errors import ResponseMismatch

T = TypeVar("T")
PathStep = int | str | None
Reader = Callable[[Any, PathStep], T]

# Two digits of an exponent bound the memory of the plain form.
_DECIMAL: Final = re.compile(
    r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?P<exponent>[eE][+-]?[0-9]{1,2})?"
).fullmatch
_MAX_DIGITS: Final = 40
_JSON_TYPE_NAMES: Final = {
    str: "a string", bool: "a boolean", int: "a number", float: "a number", Decimal: "a number",
    list: "an array", dict: "an object", type(None): "null",
}  # fmt: skip


class Missing(Enum):
    """Type of `MISSING`."""

    MISSING = "MISSING"


MISSING: Final = Missing.MISSING
"""Value of a field that an object does not have."""


def json_type_name(value: object) -> str:
    """Return the JSON type of a decoded value, with an article, for messages."""
    if value is MISSING:
        return "nothing"
    return _JSON_TYPE_NAMES.get(type(value), type(value).__name__)


def read_string(value: Any, step: PathStep) -> str:
    """Return a string; reject any other type."""
    if type(value) is str:
        return value
    raise ResponseMismatch((), "a string", json_type_name(value)).with_prefix(step)


def read_decimal(value: Any, step: PathStep) -> Decimal:
    """Return the `Decimal` of a decimal string, without loss.

    `format_decimal` reproduces a plain string. A string with an exponent becomes the `Decimal` of
    its plain form, which may have at most 40 digits.
    """
    if type(value) is not str:
        raise ResponseMismatch((), "a decimal string", json_type_name(value)).with_prefix(step)
    match = _DECIMAL(value)
    if match and not match["exponent"]:
        return Decimal(value)
    plain = format(Decimal(value), "f") if match else ""
    if 0 < sum(map(str.isdigit, plain)) <= _MAX_DIGITS:
        return Decimal(plain)
    found = "a string that is not a decimal number"
    raise ResponseMismatch((), "a decimal string", found).with_prefix(step)


def format_decimal(value: Decimal) -> str:
    """Return the string of an amount, in plain digits and without an exponent.

    Raises:
        ValueError: The value cannot come from a response: it is not a `Decimal`, or not finite.
    """
    if type(value) is not Decimal or not value.is_finite():
        raise ValueError(f"an amount must be a finite Decimal, not {type(value).__name__}")
    return format(value, "f")


def format_json(value: Any) -> str:
    """Return the JSON text of a decoded value, with all digits of each `Decimal`.

    Raises:
        ValueError: A `Decimal` is not finite, which no JSON number can be.
        TypeError: A value cannot come from a response.
    """
    # The encoder of `json` has no way to write a Decimal as a number.
    return msgspec.json.Encoder(decimal_format="number").encode(value).decode()


def read_boolean(value: Any, step: PathStep) -> bool:
    """Return a boolean; reject any other type."""
    if type(value) is bool:
        return value
    raise ResponseMismatch((), "a boolean", json_type_name(value)).with_prefix(step)


def copy_fields(value: Any) -> dict[str, Any]:
    """Return a copy of an object as a dict; reject any other type."""
    if type(value) is dict or isinstance(value, Mapping):
        return dict(value)
    raise ResponseMismatch((), "an object", json_type_name(value))


def integer_reader(minimum: int, maximum: int) -> Reader[int]:
    """Return a reader of integers within bounds, both inclusive."""
    expected = f"an integer from {minimum} to {maximum}"

    def read(value: Any, step: PathStep) -> int:
        if type(value) is int and minimum <= value <= maximum:
            return value
        found = "an integer out of range" if type(value) is int else json_type_name(value)
        raise ResponseMismatch((), expected, found).with_prefix(step)

    return read


def pattern_reader(pattern: str) -> Reader[str]:
    """Return a reader of strings that match a pattern as a whole."""
    # `$` alone would accept a newline at the end.
    match = re.compile(pattern).fullmatch

    def read(value: Any, step: PathStep) -> str:
        if match(read_string(value, step)):
            return str(value)
        expected = f"a string that matches {pattern}"
        raise ResponseMismatch((), expected, "a string that does not").with_prefix(step)

    return read


def array_reader(read_item: Reader[T]) -> Reader[list[T]]:
    """Return a reader of arrays whose items `read_item` reads."""

    def read(value: Any, step: PathStep) -> list[T]:
        if type(value) is not list:
            raise ResponseMismatch((), "an array", json_type_name(value)).with_prefix(step)
        items: list[T] = []
        try:
            for item in value:
                items.append(read_item(item, len(items)))
        except ResponseMismatch as mismatch:
            raise mismatch.with_prefix(step) from None
        return items

    return read


def nullable_reader(read_value: Reader[T]) -> Reader[T | None]:
    """Return a reader that also accepts null, as `None`."""
    return lambda value, step: None if value is None else read_value(value, step)


def optional_reader(read_value: Reader[T]) -> Reader[T | None]:
    """Return a reader that also accepts a missing field, as `None`."""
    return lambda value, step: None if value is MISSING else read_value(value, step)
