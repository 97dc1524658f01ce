# Copied by `python -m generator` from generator/runtime. Do not edit.
"""Read the rows of a response that is a JSON array of objects.

msgspec reads the rows as records of strings, which costs a third to three quarters of reading them
as dicts. What a record cannot represent is read again object by object, exactly: unknown fields,
mismatches, colons in strings. After rows with one unknown field, records have that field too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from operator import attrgetter
from typing import Annotated, Any, Final, Generic, NamedTuple, TypeVar

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
_MAX_EXTENSIONS: Final = 8
_Scalar = str | bool | Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)] | None
_SCALAR_TYPES: Final = frozenset({str, bool, int, type(None)})


class _RecordDecoder(NamedTuple):
    """Decoder of records, and the unknown field that they have, if any."""

    decode: Callable[[bytes], list[Any]]
    unknown_name: str | None

    def additional_properties(self, records: list[Any]) -> list[dict[str, Any]]:
        """Return the unknown fields of each record."""
        name = self.unknown_name
        if name is None:
            return [{} for _ in records]
        return [
            {} if record._unknown is msgspec.UNSET else {name: record._unknown}
            for record in records
        ]


class RowReader(Generic[T]):
    """Reader of a response that is an array of objects.

    Args:
        record: msgspec Struct with the fields of the spec, decimal strings as `str`.
        optional: Names of its attributes that may be unset.
        make_rows: Returns the rows of such records, given the unknown fields of each.
        read: Reader of one decoded object.
    """

    def __init__(
        self,
        record: type[msgspec.Struct],
        optional: tuple[str, ...],
        make_rows: Callable[[list[Any], list[dict[str, Any]]], list[T]],
        read: Reader[T],
    ) -> None:
        self._record = record
        self._decoder = _RecordDecoder(_list_decoder(record), None)
        self._extension_count = 0
        self._field_count = len(record.__struct_fields__)
        self._optional = [attrgetter(name) for name in optional]
        self._make_rows = make_rows
        self._read_objects = array_reader(read)

    def parse(self, body: bytes) -> list[T]:
        """Return the rows of a JSON text.

        Raises:
            ResponseMismatch: A row does not match the spec, or the body is not valid JSON.
        """
        check_value_count(body)
        try:
            # Another thread may extend the records meanwhile.
            decoder = self._decoder
            records = decoder.decode(body)
            additional = decoder.additional_properties(records)
            # Each field has a colon. So equal counts prove that there was no duplicate field.
            if body.count(b":") == self._count_fields(records) + sum(map(len, additional)):
                return self._make_rows(records, additional)
        # No ValueError: a signal handler may raise one.
        except (msgspec.MsgspecError, ResponseMismatch, InvalidOperation, RecursionError):
            pass
        # Outside of the handler, so that a mismatch has no other error as its context.
        rows = self._read_objects(decode(body), None)
        self._extend_records(rows)
        return rows

    def _count_fields(self, records: list[Any]) -> int:
        """Return the number of fields that the spec describes and the records have."""
        count = len(records) * self._field_count
        for get in self._optional:
            count -= list(map(get, records)).count(msgspec.UNSET)
        return count

    def _extend_records(self, rows: list[Any]) -> None:
        """Let records have an unknown field that these rows have.

        Otherwise rows with a field that the exchange has added would cost four times as much.
        Only one field: a record does not say in which order several were. The number of extensions
        is bounded, since each takes some time.
        """
        names = {name for row in rows for name in row.additional_properties}
        if len(names) != 1 or self._extension_count == _MAX_EXTENSIONS:
            return
        [name] = names
        types = {type(value) for row in rows for value in row.additional_properties.values()}
        if name == self._decoder.unknown_name or not name.isidentifier() or types - _SCALAR_TYPES:
            return
        field = msgspec.field(name=name, default=msgspec.UNSET)
        record = msgspec.defstruct(
            "ExtendedRecord",
            [("_unknown", _Scalar | msgspec.UnsetType, field)],
            bases=(self._record,),
            kw_only=True,
            forbid_unknown_fields=True,
            gc=False,
        )
        self._decoder = _RecordDecoder(_list_decoder(record), name)
        self._extension_count += 1


def _list_decoder(record: type[msgspec.Struct]) -> Callable[[bytes], list[Any]]:
    return msgspec.json.Decoder(list[record]).decode  # type: ignore[valid-type]


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
