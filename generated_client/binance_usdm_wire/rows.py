# Copied by `python -m generator` from generator/runtime. Do not edit.
"""Read the rows of a response that is a JSON array of objects.

msgspec reads the rows as records of strings, which costs a third to three quarters of reading them
as dicts. What a record cannot represent is read again object by object, exactly: unknown fields,
mismatches, colons in strings.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Generic, TypeVar

import msgspec

from .decoding import check_value_count, decode
from .errors import ResponseMismatch
from .reading import Reader, array_reader

T = TypeVar("T")

_MAX_CACHED: Final = 4096
_MAX_CACHED_LENGTH: Final = 40
# Possessive quantifiers: the time is linear in the length.
_DECIMALS: Final = re.compile(r"(?:-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+,)*+").fullmatch
_decimal_by_string: Final[dict[str, Decimal]] = {}


class RowReader(Generic[T]):
    """Reader of a response that is an array of objects.

    Args:
        record: msgspec Struct with the fields of the spec, decimal strings as `str`.
        optional: Names of its attributes that may be unset.
        make_rows: Returns the rows of such records.
        read: Reader of one decoded object.
    """

    def __init__(
        self,
        record: type[msgspec.Struct],
        optional: tuple[str, ...],
        make_rows: Callable[[list[Any]], list[T]],
        read: Reader[T],
    ) -> None:
        self._decode_records = msgspec.json.Decoder(list[record]).decode  # type: ignore[valid-type]
        self._field_count = len(record.__struct_fields__)
        self._optional = optional
        self._make_rows = make_rows
        self._read_objects = array_reader(read)

    def parse(self, body: bytes) -> list[T]:
        """Return the rows of a JSON text.

        Raises:
            ResponseMismatch: A row does not match the spec, or the body is not valid JSON.
        """
        check_value_count(body)
        try:
            records = self._decode_records(body)
            # Each field has a colon. So equal counts prove that there was no duplicate field.
            if body.count(b":") == self._count_fields(records):
                return self._make_rows(records)
        # No ValueError: a signal handler may raise one.
        except (msgspec.MsgspecError, ResponseMismatch, InvalidOperation, RecursionError):
            pass
        # Outside of the handler, so that a mismatch has no other error as its context.
        return self._read_objects(decode(body), None)

    def _count_fields(self, records: list[Any]) -> int:
        count = len(records) * self._field_count
        for name in self._optional:
            count -= sum(getattr(record, name) is msgspec.UNSET for record in records)
        return count


def to_decimals(strings: list[str]) -> list[Decimal]:
    """Return the decimals of decimal strings.

    Most amounts were in an earlier response, and are taken from a bounded cache. The others are
    checked together: one by one, 60 new amounts take three times as long.

    Raises:
        ResponseMismatch: A string is not a decimal number.
        InvalidOperation: The same.
    """
    try:
        return list(map(_decimal_by_string.__getitem__, strings))
    except KeyError:
        pass
    if not _DECIMALS(",".join(strings) + ","):
        raise ResponseMismatch((), "a decimal string", "a string that is not a decimal number")
    # A string with a comma passes the pattern, and Decimal rejects it.
    decimals = list(map(Decimal, strings))
    if len(_decimal_by_string) + len(strings) > _MAX_CACHED:
        _decimal_by_string.clear()
    if max(map(len, strings)) <= _MAX_CACHED_LENGTH and len(strings) <= _MAX_CACHED:
        _decimal_by_string.update(zip(strings, decimals, strict=True))
    return decimals
