"""Print results as a table, JSON, JSON lines, CSV or TSV. No digit of an amount is changed."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple, TextIO

from .table import format_table, terminal_width

MEMBERS_COLUMN: Final = "additional_properties"
"""Column with the fields that are not in the spec, as one JSON object."""
LABEL_COLUMN: Final = "label"
RECEIVED_COLUMN: Final = "received_at"
_TSV_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class TableData(NamedTuple):
    """What is printed."""

    columns: Sequence[str]
    """Columns of a table, CSV and TSV, in order."""
    rows: Sequence[dict[str, Any]]
    """JSON objects. JSON has all of their fields, the other formats have `columns`."""
    is_single_object: bool
    """Whether the response was one object instead of a list."""


def write_json(data: TableData, out: TextIO) -> None:
    """Write the rows as JSON with the exchange's field names.

    Numbers keep their digits. If the encoding of `out` cannot represent a name, all characters
    beyond ASCII are escaped.
    """
    value: Any = data.rows
    if data.is_single_object:
        value = data.rows[0] if data.rows else None
    _write_json_text(to_json(value, "\n"), out)


def write_json_lines(data: TableData, out: TextIO) -> None:
    """Write each row as JSON on a line of its own, in the same way as `write_json`."""
    for row in data.rows:
        _write_json_text(to_json(row), out)


def write_csv(data: TableData, out: TextIO) -> None:
    """Write a header line and the rows as CSV."""
    write_csv_lines([data.columns, *cells_of(data)], out)


def write_csv_lines(lines: Sequence[Sequence[str]], out: TextIO) -> None:
    """Write lines of cells as CSV."""
    # Other formats do not wait for this import.
    import csv

    csv.writer(out, lineterminator="\n").writerows(lines)


def write_tsv(data: TableData, out: TextIO) -> None:
    r"""Write a header line and the rows, with tabs between cells.

    A tab, newline, carriage return or backslash within a cell is written as \t, \n, \r or \\.
    """
    write_tsv_lines([data.columns, *cells_of(data)], out)


def write_tsv_lines(lines: Sequence[Sequence[str]], out: TextIO) -> None:
    """Write lines of cells as TSV."""
    out.writelines(
        "\t".join([cell.translate(_TSV_ESCAPES) for cell in line]) + "\n" for line in lines
    )


def write_table(data: TableData, out: TextIO) -> None:
    """Write aligned columns, or one field a line where a row is wider than the terminal."""
    blocks = format_table(data.columns, cells_of(data), terminal_width(out), out.encoding)
    out.write("\n\n".join(["\n".join(lines) for lines in blocks]) + "\n")


RENDERERS: Final[dict[str, Callable[[TableData, TextIO], None]]] = {
    "table": write_table,
    "json": write_json,
    "jsonl": write_json_lines,
    "csv": write_csv,
    "tsv": write_tsv,
}


def add_format_arguments(command: argparse.ArgumentParser, note: str = "") -> None:
    """Add `--output` and its short forms.

    Args:
        command: Parser of the command.
        note: End of the help, about the fields of this command.
    """
    formats = command.add_mutually_exclusive_group()
    formats.add_argument(
        "-o",
        "--output",
        choices=tuple(RENDERERS),
        default="table",
        dest="output_format",
        help=f"print a table (default), JSON, one JSON object a line, CSV or TSV{note}",
    )
    for name in ("json", "csv"):
        formats.add_argument(
            f"--{name}",
            action="store_const",
            const=name,
            dest="output_format",
            help=f"short for --output {name}",
        )


def cells_of(data: TableData) -> list[list[str]]:
    """Return the text of each cell, row by row."""
    return [[_format_cell(row.get(name)) for name in data.columns] for row in data.rows]


def _format_cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else to_json(value)


def _write_json_text(text: str, out: TextIO) -> None:
    try:
        text.encode(out.encoding or "utf-8")
    except UnicodeEncodeError:
        text = re.sub(r"[^\x00-\x7f]", lambda match: json.dumps(match[0])[1:-1], text)
    out.write(text + "\n")


def to_json(value: Any, newline: str = "") -> str:
    """Return a value as JSON. Every digit of a Decimal is kept.

    Args:
        value: Value of JSON, with numbers as int or Decimal.
        newline: Newline and indentation of the line that it is on, "" for all on one line.
    """
    if isinstance(value, Decimal):
        return str(value)
    if not value or not isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    inner = newline and f"{newline}  "
    if isinstance(value, list):
        items = [to_json(item, inner) for item in value]
        return f"[{inner}{f',{inner}'.join(items)}{newline}]"
    colon = ": " if newline else ":"
    fields = [f"{to_json(name)}{colon}{to_json(item, inner)}" for name, item in value.items()]
    return f"{{{inner}{f',{inner}'.join(fields)}{newline}}}"
