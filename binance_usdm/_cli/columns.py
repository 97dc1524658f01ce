"""Which columns and which form of a time are printed, from the arguments of a command."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from binance_usdm_wire import Operation

from .output import LABEL_COLUMN, MEMBERS_COLUMN, RECEIVED_COLUMN, RENDERERS, TableData
from .values import row_to_cells

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
    formats = command.add_mutually_exclusive_group()
    formats.add_argument(
        "-o",
        "--output",
        choices=tuple(RENDERERS),
        default="table",
        dest="output_format",
        help="print a table (default), JSON, one JSON object a line, CSV or TSV; "
        "all but the table have the exchange's own field names and every digit in any width",
    )
    for name in ("json", "csv"):
        formats.add_argument(
            f"--{name}",
            action="store_const",
            const=name,
            dest="output_format",
            help=f"short for --output {name}",
        )
    add(
        "--columns",
        type=lambda text: _parse_columns(text, operation),
        metavar="NAME,NAME",
        help="print these fields, in this order; also received_at, the time of the response"
        + (", and label, the profile" if operation.key_header is not None else ""),
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
    columns = options.columns or [*added, *spec_columns(operation)]
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
    fields: dict[str, Any] = row_to_cells(row) if has_fields else {_VALUE_COLUMN: row}
    received_at: int | str | None = record.received_at_ms
    if view.uses_iso_time:
        received_at = format_instant(record.received_at_ms)
        for attribute in row.INSTANTS if has_fields else ():
            name = row.WIRE_NAMES[attribute]
            if name in fields:
                fields[name] = format_instant(fields[name])
    own: dict[str, Any] = {}
    if LABEL_COLUMN in view.columns:
        own[LABEL_COLUMN] = record.label
    if RECEIVED_COLUMN in view.columns:
        own[RECEIVED_COLUMN] = received_at
    # Without a choice of columns JSON has these fields among the others.
    is_flat = view.output_format in _JSON_FORMATS and not view.is_chosen
    if MEMBERS_COLUMN in view.columns and not is_flat:
        own[MEMBERS_COLUMN] = dict(getattr(row, "additional_properties", {}))
    fields = {**own, **{name: fields[name] for name in fields if name not in own}}
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
    known = [*spec_columns(operation), RECEIVED_COLUMN, MEMBERS_COLUMN]
    if operation.key_header is not None:
        known.append(LABEL_COLUMN)
    wire_names = operation.row_class.WIRE_NAMES if operation.row_class is not None else {}
    columns = []
    for name in (word.strip() for word in text.split(",")):
        column = wire_names.get(name, name)
        if column not in known:
            raise argparse.ArgumentTypeError(
                f"there is no column {name!r}{_suggest(name, known)}; "
                f"the columns are {', '.join(known)}"
            )
        columns.append(column)
    return list(dict.fromkeys(columns))


def _suggest(name: str, known: Sequence[str]) -> str:
    # Other calls do not wait for this import.
    import difflib

    name_by_lower = {column.lower(): column for column in known}
    matches = difflib.get_close_matches(name.replace("_", "").lower(), name_by_lower, n=1)
    return f"; did you mean {name_by_lower[matches[0]]}?" if matches else ""
