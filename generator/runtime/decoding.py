"""Decode JSON bytes without losing digits or fields.

A body that Python values cannot represent exactly is rejected.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from itertools import chain
from typing import Any, Final

import msgspec

from .errors import NotJsonError, ResponseMismatch


def decode(body: bytes) -> Any:
    """Decode a JSON text exactly.

    An integer of up to 64 bits becomes an `int`, any other number a `Decimal` with all digits.

    Args:
        body: UTF-8 without a byte order mark.

    Returns:
        The decoded value.

    Raises:
        NotJsonError: The body is not valid JSON, or has a duplicate field, NaN, Infinity, a lone
            surrogate, a number beyond the range of a double, or more than 500 levels.
        ResponseMismatch: The body has more than 50,000 values. The balance of 500 assets has
            5,000, but a few kB could hold millions, so this is checked before they are built.
    """
    check_value_count(body)
    try:
        value = msgspec.json.decode(body)
        if _is_exact(value, body):
            return value
        value = json.loads(
            body.decode("utf-8"),
            parse_float=_parse_number,
            parse_int=_parse_number,
            parse_constant=_reject_constant,
            object_pairs_hook=_reject_duplicates,
        )
        _check_depth(value)
        return value
    except _NOT_JSON_ERRORS as error:
        found = str(error) if type(error) is _RejectedJsonError else "invalid JSON"
    raise NotJsonError((), "a JSON text", found)


def check_value_count(body: bytes) -> None:
    """Raise ResponseMismatch when a JSON text has more than 50,000 values."""
    # A value takes at least two bytes: a digit and a comma, or two brackets.
    if len(body) > 2 * _MAX_VALUES and len(body) - len(body.translate(None, b",[{")) > _MAX_VALUES:
        raise ResponseMismatch((), f"at most {_MAX_VALUES} values", "more")


_MAX_VALUES: Final = 50_000
# That of the largest double, 1.8e308.
_MAX_EXPONENT: Final = 308
# Python 3.11 decodes some 900 levels, Python 3.13 some 9,000.
_MAX_DEPTH: Final = 500


class _RejectedJsonError(ValueError):
    """JSON that Python would accept, with the reason why it is rejected."""


# No ValueError: a signal handler may raise one.
_NOT_JSON_ERRORS: Final = (
    json.JSONDecodeError, UnicodeDecodeError, msgspec.MsgspecError, _RejectedJsonError,
    RecursionError,
)  # fmt: skip


def _is_exact(value: object, body: bytes) -> bool:
    """Return whether msgspec lost neither a field nor a digit of a flat object or array of them.

    Each field has a colon after its name, so the body has at least as many colons as fields.
    msgspec keeps one of several equal fields: `{"a":1,"a":2}` has two colons and becomes one
    field. Equal counts therefore prove that no field was dropped. A colon in a string makes the
    counts differ too; then the slow, exact decoder decides.
    """
    if type(value) is dict:
        objects = [value]
    elif type(value) is list and {dict}.issuperset(map(type, value)):
        objects = value
    else:
        return False
    inner = chain.from_iterable(map(dict.values, objects))
    if not _EXACT_TYPES.issuperset(map(type, inner)) or _LONG_NUMBER(body):
        return False
    return sum(map(len, objects)) == body.count(b":")


_EXACT_TYPES: Final = frozenset({str, bool, int, type(None)})
# 64 bits may not hold it.
_LONG_NUMBER: Final = re.compile(rb"[0-9]{19}").search


def _check_depth(value: object) -> None:
    """Raise RecursionError when arrays and objects are nested more than 500 levels deep."""
    level = [value]
    for _ in range(_MAX_DEPTH + 1):
        containers = [item for item in level if isinstance(item, dict | list)]
        if not containers:
            return
        items = (item.values() if isinstance(item, dict) else item for item in containers)
        level = list(chain.from_iterable(items))
    raise RecursionError


def _parse_number(text: str) -> int | Decimal:
    if len(text) <= 20 and text.lstrip("-").isdigit() and -(2**63) <= int(text) < 2**64:
        return int(text)
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = None
    if number is None or number.adjusted() > _MAX_EXPONENT:
        raise _RejectedJsonError("a number that is out of range")
    return number


def _reject_constant(text: str) -> Any:
    raise _RejectedJsonError("NaN or Infinity")


def _reject_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise _RejectedJsonError("an object with a duplicate field")
    return fields
