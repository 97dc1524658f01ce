"""Which columns and which form of a time are printed, from the arguments of a command."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from binance_usdm._cli.suggestions import suggest
from binance_usdm_wire import Operation

from .formats import LABEL_COLUMN, MEMBERS_COLUMN, RECEIVED_COLUMN, TableData, add_format_arguments

_VALUE_COLUMN: Final = "value"
"""Column of an operation whose response is neither an object nor a list of objects."""
_MAX_NAMES_SHOWN: Final = 10
_MAX_NAME_LENGTH: Final = 40
_JSON_FORMATS: Final = ("json", "jsonl")


class Record(NamedTuple):
    """A row or value of a response, and where and when it came from."""

    row: Any
    received_at_ms: int
    label: str | None = None


class View(NamedTuple):
    """What is printed of each record."""

    columns: tuple[str, ...]
    """Columns in order."""
    output_format: str
    """Name in `RENDERERS`."""
    uses_iso_time: bool
    is_chosen: bool
    """Whether the columns are those of `--columns`, so that JSON has no other field either."""


def add_output_arguments(command: argparse.ArgumentParser, operation: Operation[Any]) -> None:
    """Add `--output`, its short forms, `--columns`, `--time` and `--all-members`."""
    add = command.add_argument
    add_format_arguments(
        command,
        "; all but the table have the exchange's own field names and every digit in any width",
    )
    add(
        "--columns",
        action="extend",
        type=lambda text: _parse_columns(text, operation),
        metavar="NAME,NAME",
        help="print these fields, in this order; repeat for more; also received_at, the time of the "
        "response, and label, the profile",
    )
    add(
        "--time",
        choices=("ms", "iso"),
        default="ms",
        help="print times in ms since 1970 (default) or as 2021-04-09T01:25:10.373Z, "
        "a time that is 0 as nothing",
    )
    add(
        "--all-members",
        action="store_true",
        help="add a column with the fields that are not in the spec, as one JSON object",
    )


def spec_columns(operation: Operation[Any]) -> list[str]:
    """Return the columns of an operation, in order: the fields of its rows as the spec has them."""
    if operation.row_class is None:
        return [_VALUE_COLUMN]
    return list(operation.row_class.WIRE_NAMES.values())


def read_view(options: argparse.Namespace, operation: Operation[Any], *added: str) -> View:
    """Return what the arguments select.

    Args:
        options: Parsed arguments.
        operation: The operation that is called.
        added: Columns that come first unless `--columns` chooses others.
    """
    columns = list(dict.fromkeys(options.columns or [*added, *spec_columns(operation)]))
    if options.all_members and MEMBERS_COLUMN not in columns:
        columns = [*columns, MEMBERS_COLUMN]
    return View(
        tuple(columns), options.output_format, options.time == "iso", options.columns is not None
    )


def make_table(records: Sequence[Record], view: View, *, is_single_object: bool) -> TableData:
    """Return the records as they are printed."""
    rows = [make_object(record, view) for record in records]
    return TableData(view.columns, rows, is_single_object)


def make_object(record: Record, view: View) -> dict[str, Any]:
    """Return a record as a JSON object with the exchange's field names."""
    row = record.row
    has_fields = hasattr(row, "WIRE_NAMES")
    fields: dict[str, Any] = _row_to_cells(row) if has_fields else {_VALUE_COLUMN: row}
    received_at: int | str | None = record.received_at_ms
    if view.uses_iso_time:
        received_at = format_instant(record.received_at_ms)
        for attribute in row.INSTANTS if has_fields else ():
            name = row.WIRE_NAMES[attribute]
            if name in fields:
                fields[name] = format_instant(fields[name])
    added_fields: dict[str, Any] = {}
    if LABEL_COLUMN in view.columns:
        added_fields[LABEL_COLUMN] = record.label
    if RECEIVED_COLUMN in view.columns:
        added_fields[RECEIVED_COLUMN] = received_at
    # Without a choice of columns JSON has these fields among the others.
    is_flat = view.output_format in _JSON_FORMATS and not view.is_chosen
    if MEMBERS_COLUMN in view.columns and not is_flat:
        added_fields[MEMBERS_COLUMN] = dict(getattr(row, "additional_properties", {}))
    fields = {**added_fields, **{name: fields[name] for name in fields if name not in added_fields}}
    if not view.is_chosen:
        return fields
    return {name: fields[name] for name in view.columns if name in fields}


def format_instant(ms: int) -> int | str | None:
    """Return a time as text: None for 0, and the number itself after the year 9999."""
    # Other calls do not wait for this import.
    from datetime import UTC, datetime, timedelta

    if not ms:
        return None
    try:
        instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
    except OverflowError:
        return ms
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def left_out_warning(records: Sequence[Record], view: View) -> str:
    """Return a warning that names the fields which are not printed, "" when there are none.

    These are fields that are not in the spec, in a format with fixed columns.
    """
    if view.is_chosen or view.output_format in _JSON_FORMATS or MEMBERS_COLUMN in view.columns:
        return ""
    names = sorted(
        {name for record in records for name in getattr(record.row, "additional_properties", ())}
    )
    if not names:
        return ""
    shown = ", ".join(
        ascii(name)[:_MAX_NAME_LENGTH] if not name.isidentifier() else name[:_MAX_NAME_LENGTH]
        for name in names[:_MAX_NAMES_SHOWN]
    )
    more = f" and {len(names) - _MAX_NAMES_SHOWN} more" if len(names) > _MAX_NAMES_SHOWN else ""
    return (
        f"fields that are not in the spec were left out: {shown}{more}; "
        "print them with --all-members"
    )


def _parse_columns(text: str, operation: Operation[Any]) -> list[str]:
    all_columns = [*spec_columns(operation), RECEIVED_COLUMN, MEMBERS_COLUMN, LABEL_COLUMN]
    wire_names = operation.row_class.WIRE_NAMES if operation.row_class is not None else {}
    columns = []
    for name in (word.strip() for word in text.split(",")):
        column = wire_names.get(name, name)
        if column not in all_columns:
            raise argparse.ArgumentTypeError(
                f"there is no column {name!r}{suggest([name], all_columns)}; "
                f"the columns are {', '.join(all_columns)}"
            )
        columns.append(column)
    return columns


def _row_to_cells(row: Any) -> dict[str, Any]:
    """Return the values of a row by the name of their column.

    The items of a row that is an array have the names of the spec; those after them are numbered.
    """
    if not hasattr(row, "to_list"):
        fields: dict[str, Any] = row.to_dict()
        return fields
    items = row.to_list()
    names = [*row.WIRE_NAMES.values()]
    names += map(str, range(len(names), len(items)))
    return dict(zip(names, items, strict=True))
