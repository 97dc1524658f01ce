# Copied by `python -m generator` from generator/runtime. Do not edit.
"""Decoded JSON -> checked, exact Python values. Knows the spec's types; knows no operation and no network.

A reader takes a decoded value and the step that led to it (row number, member name or None) and returns the typed value or
raises `ResponseMismatch`. Nothing is converted that is not already of the right kind, nothing is rounded, nothing is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, Generic, TypeVar

from .decoding import decode, loads_unchecked
from .errors import ResponseMismatch

T = TypeVar("T")
PathStep = int | str | None
Reader = Callable[[Any, PathStep], T]

_DECIMAL: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?").fullmatch
_JSON_TYPE_NAMES: Final = {
    str: "a string", bool: "a boolean", int: "a number", float: "a number", Decimal: "a number", list: "an array", dict: "an object",
    type(None): "null",
}  # fmt: skip


class _Missing:
    pass


MISSING: Final = _Missing()
"""Stands for a member that is not there."""


def json_type_name(value: object) -> str:
    """What a decoded value is, in the words of JSON and without the value."""
    return (
        "nothing" if value is MISSING else _JSON_TYPE_NAMES.get(type(value), type(value).__name__)
    )


def read_string(value: Any, step: PathStep) -> str:
    if type(value) is str:
        return value
    raise ResponseMismatch((), "a string", json_type_name(value)).with_prefix(step)


def read_decimal(value: Any, step: PathStep) -> Decimal:
    """A decimal text that is the same again after text -> Decimal -> text."""
    if type(value) is not str:
        raise ResponseMismatch((), "a decimal string", json_type_name(value)).with_prefix(step)
    try:
        return _DECIMAL_CACHE[value]
    except ResponseMismatch as mismatch:
        raise mismatch.with_prefix(step) from None


class _DecimalCache(dict[str, Decimal]):
    """Decimals by their text: most amounts of a reply are zero or were in the last one. No reply can fill the memory."""

    def __missing__(self, text: str) -> Decimal:
        if type(text) is not str or not _DECIMAL(text):
            raise ResponseMismatch(
                (), "a decimal string", "a string that is no plain decimal number"
            )
        amount = Decimal(text)
        if len(text) <= 40:
            if len(self) >= 4096:
                self.clear()
            self[text] = amount
        return amount


_DECIMAL_CACHE: Final = _DecimalCache()


def format_decimal(value: Decimal) -> str:
    """An amount as the text it was; ValueError for what no reply can have made, such as a float or NaN."""
    if type(value) is not Decimal or not value.is_finite():
        raise ValueError(f"an amount must be a finite Decimal, not {type(value).__name__}")
    return format(value, "f")


def read_boolean(value: Any, step: PathStep) -> bool:
    if type(value) is bool:
        return value
    raise ResponseMismatch((), "a boolean", json_type_name(value)).with_prefix(step)


def copy_fields(value: Any) -> dict[str, Any]:
    """A copy of an object's members."""
    if type(value) is dict or isinstance(value, Mapping):
        return dict(value)
    raise ResponseMismatch((), "an object", json_type_name(value))


def integer_reader(minimum: int, maximum: int) -> Reader[int]:
    def read(value: Any, step: PathStep) -> int:
        if type(value) is int and minimum <= value <= maximum:
            return value
        found = "an integer out of range" if type(value) is int else json_type_name(value)
        raise ResponseMismatch((), f"an integer from {minimum} to {maximum}", found).with_prefix(
            step
        )

    _COLUMN_READERS[read] = _uniform_column(
        int, lambda cells: not cells or (minimum <= min(cells) and max(cells) <= maximum)
    )
    return read


def pattern_reader(pattern: str) -> Reader[str]:
    match = re.compile(pattern).fullmatch  # `$` alone would let a line break pass

    def read(value: Any, step: PathStep) -> str:
        if match(read_string(value, step)):
            return str(value)
        raise ResponseMismatch((), f"a string like {pattern}", "another string").with_prefix(step)

    return read


def array_reader(read_item: Reader[T]) -> Reader[list[T]]:
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


class RowReader(Generic[T]):
    """Reads arrays of objects by columns, each member in all rows at once: a third of the time of one object after another.

    That is for objects with the members of the spec and no others; if there are any, all are read one by one, which keeps what is unknown
    and says what is wrong. `unfinished` is the class `row`, not yet frozen: filled in a quarter of the time, its instances become rows.
    """

    def __init__(
        self, row: type[T], read: Reader[T], unfinished: Any, readers: Mapping[str, Reader[Any]]
    ) -> None:
        self._row, self._unfinished = row, unfinished
        self._columns = [
            (name, _COLUMN_READERS.get(reader) or _column_of(reader))
            for name, reader in readers.items()
        ]
        self._read_each = array_reader(read)
        self._field_count = frozenset({len(readers)})

    def read(self, value: Any, step: PathStep) -> list[T]:
        try:
            return self._read_by_columns(value)
        except _FALLBACK_ERRORS:
            pass
        return self._read_each(value, step)  # out here, so that its error drags no other along

    def parse(self, body: bytes) -> list[T]:
        """The rows that are the whole of a JSON text."""
        try:
            rows = self._read_by_columns(loads_unchecked(body))
            if body.count(b":") == len(rows) * len(
                self._columns
            ):  # as in `decode`: none was merged
                return rows
        except _FALLBACK_ERRORS:
            pass
        return self._read_each(decode(body), None)

    def _read_by_columns(self, objects: Any) -> list[T]:
        if type(objects) is not list or not self._field_count.issuperset(map(len, objects)):
            raise TypeError("not as the spec has it")
        # a list for each member, not a tuple for each row: of hundreds of rows, the cycle collector would look at them all
        columns = [read([members[name] for members in objects]) for name, read in self._columns]
        rows = list(map(self._unfinished, *columns, [{} for _ in objects]))
        for made in rows:
            made.__class__ = self._row
        return rows


_FALLBACK_ERRORS: Final = (ValueError, KeyError, TypeError, RecursionError)


Column = Callable[[list[Any]], list[Any]]


def _decimal_column(cells: list[Any]) -> list[Decimal]:
    return list(map(_DECIMAL_CACHE.__getitem__, cells))


def _column_of(read: Reader[Any]) -> Column:
    return lambda cells: [read(cell, None) for cell in cells]


def _uniform_column(kind: type, fits: Callable[[list[Any]], bool] = lambda cells: True) -> Column:
    kinds = frozenset({kind})

    def column(cells: list[Any]) -> list[Any]:
        if kinds.issuperset(map(type, cells)) and fits(cells):
            return cells
        raise TypeError("not as the spec has it")

    return column


_COLUMN_READERS: Final[dict[Reader[Any], Column]] = {
    read_string: _uniform_column(str),
    read_boolean: _uniform_column(bool),
    read_decimal: _decimal_column,
}
"""The same checks as those of a reader, without a call for each value."""


def nullable_reader(read_value: Reader[T]) -> Reader[T | None]:
    return lambda value, step: None if value is None else read_value(value, step)


def optional_reader(read_value: Reader[T]) -> Reader[T | None]:
    return lambda value, step: None if value is MISSING else read_value(value, step)
