"""JSON bytes -> what Python has for it, exactly or not at all. Knows JSON; knows no type of the spec.

Nothing is rounded and nothing dropped on the way. What cannot be kept as it stands there is refused.
"""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from itertools import chain
from typing import Any, Final

import orjson

from .errors import NotJsonError, ResponseMismatch


def decode(body: bytes) -> Any:
    """Decode a JSON text exactly, or raise `NotJsonError`.

    UTF-8 only; no duplicate members, no NaN, no lone surrogates, no number beyond the range of a double. A number with a
    fraction or exponent, or one that 64 bits cannot hold, becomes a `Decimal`: no digit is lost. More than 50,000 values (500 assets
    have 5,000) are refused before they are built: a body of a few kB can hold millions.
    """
    try:
        value = loads_unchecked(body)
        # Each member has one colon of its own, so for flat objects equal counts prove that none was merged; else the slow and exact
        # decoder decides.
        if _count_fields(value) == body.count(b":"):
            return value
        return json.loads(
            body.decode("utf-8"),
            parse_float=_parse_number,
            parse_int=_parse_number,
            parse_constant=_reject_constant,
            object_pairs_hook=_reject_duplicates,
        )
    except ResponseMismatch:
        raise
    except (ValueError, RecursionError) as error:
        found = str(error) if type(error) is _RejectedJsonError else "something else"
    raise NotJsonError((), "a JSON text", found)


def loads_unchecked(body: bytes) -> Any:
    """Decode a JSON text with orjson.

    Of two equal fields the last is left, and fractions are binary floats; the caller must rule both out.
    """
    # a value takes two bytes at least: itself and a comma, or two brackets
    if len(body) > 2 * _MAX_VALUES and len(body) - len(body.translate(None, b",[{")) > _MAX_VALUES:
        raise ResponseMismatch((), f"at most {_MAX_VALUES} values", "more")
    return orjson.loads(body)


_MAX_VALUES: Final = 50_000


class _RejectedJsonError(ValueError):
    pass


def _count_fields(value: object) -> int:
    """How many members all objects in `value` have; -1 when it holds a number that lost digits."""
    if type(value) is dict:
        objects = [value]
    elif type(value) is list and {dict}.issuperset(map(type, value)):
        objects = value
    else:
        return -1
    inner = chain.from_iterable(map(dict.values, objects))
    if _EXACT_TYPES.issuperset(map(type, inner)):
        return sum(map(len, objects))
    return -1


_EXACT_TYPES: Final = frozenset({str, bool, int, type(None)})


def _parse_number(text: str) -> int | Decimal:
    if len(text) <= 20 and text.lstrip("-").isdigit() and -(2**63) <= int(text) < 2**64:
        return int(text)
    try:
        return Decimal(text)
    except InvalidOperation:
        raise _RejectedJsonError("a number out of all bounds") from None


def _reject_constant(text: str) -> Any:
    raise _RejectedJsonError("NaN or Infinity")


def _reject_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _RejectedJsonError("an object with a member twice")
    return found
