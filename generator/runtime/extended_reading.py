"""Readers of JSON that only some specs have: numbers, lengths, maps, arrays of different values."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeVar

from .errors import ResponseMismatch
from .reading import MISSING, Missing, PathStep, Reader, json_type_name, read_string

T = TypeVar("T")
S = TypeVar("S")


def read_number(value: Any, step: PathStep) -> Decimal:
    """Return a JSON number as a `Decimal` with the digits that it was written with."""
    if type(value) is Decimal:
        return value
    if type(value) is int:
        return Decimal(value)
    raise ResponseMismatch((), "a number", json_type_name(value)).with_prefix(step)


def number_reader(minimum: Decimal | None, maximum: Decimal | None) -> Reader[Decimal]:
    """Return a reader of JSON numbers within bounds, both inclusive. `None` is no bound."""

    def read(value: Any, step: PathStep) -> Decimal:
        number = read_number(value, step)
        if minimum is not None and number < minimum:
            raise ResponseMismatch(
                (), f"a number of at least {minimum}", "a smaller one"
            ).with_prefix(step)
        if maximum is not None and number > maximum:
            raise ResponseMismatch(
                (), f"a number of at most {maximum}", "a larger one"
            ).with_prefix(step)
        return number

    return read


def length_reader(minimum: int, maximum: int | None, read_text: Reader[str]) -> Reader[str]:
    """Return a reader of strings with a number of characters, both bounds inclusive."""
    upper = "" if maximum is None else f" to {maximum}"

    def read(value: Any, step: PathStep) -> str:
        if minimum <= len(read_string(value, step)) and (maximum is None or len(value) <= maximum):
            return read_text(value, step)
        found = f"a string of {len(value)} characters"
        expected = f"a string of {minimum}{upper or ' or more'} characters"
        raise ResponseMismatch((), expected, found).with_prefix(step)

    return read


def map_reader(read_value: Reader[T]) -> Reader[dict[str, T]]:
    """Return a reader of objects with any keys, whose values `read_value` reads."""

    def read(value: Any, step: PathStep) -> dict[str, T]:
        if type(value) is not dict:
            raise ResponseMismatch((), "an object", json_type_name(value)).with_prefix(step)
        try:
            return {name: read_value(entry, name) for name, entry in value.items()}
        except ResponseMismatch as mismatch:
            raise mismatch.with_prefix(step) from None

    return read


def one_or_many_reader(read_one: Reader[T], read_many: Reader[S]) -> Reader[T | S]:
    """Return a reader of a value that is one object or an array of them."""

    def read(value: Any, step: PathStep) -> T | S:
        return read_many(value, step) if type(value) is list else read_one(value, step)

    return read


def known_or_missing_reader(read_value: Reader[T]) -> Reader[T | Missing]:
    """Return a reader that also accepts a missing field, as `MISSING`."""
    return lambda value, step: value if value is MISSING else read_value(value, step)


def copy_items(value: Any, count: int) -> list[Any]:
    """Return a copy of an array of at least `count` values; reject anything else."""
    if type(value) not in (list, tuple):
        raise ResponseMismatch((), "an array", json_type_name(value))
    if len(value) < count:
        raise ResponseMismatch((), f"an array of at least {count} values", f"one of {len(value)}")
    return list(value)
