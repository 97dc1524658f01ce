"""Print results as a table, text, CSV or JSON. No digit of an amount is changed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple, TextIO

import msgspec

from binance_usdm_wire import Operation

_UNLIMITED_WIDTH = 1_000_000
_JSON = msgspec.json.Encoder(decimal_format="number")


class TableData(NamedTuple):
    """What is printed."""

    columns: list[str]
    """Columns that are printed even without rows."""
    rows: list[dict[str, Any]]
    """JSON objects with the exchange's field names."""
    is_single_object: bool
    """Whether the response was one object instead of a list."""


def table_columns(operation: Operation[Any]) -> list[str]:
    """Return the columns of an operation, in order: the fields of its rows as the spec has them."""
    if operation.row_class is None:
        return []
    return list(operation.row_class.WIRE_NAMES.values())


def write_json(data: TableData, out: TextIO) -> None:
    """Write the rows as JSON with the exchange's field names.

    Numbers keep their digits. If the encoding of `out` cannot represent a name, all characters
    beyond ASCII are escaped.
    """
    value: Any = data.rows
    if data.is_single_object:
        value = data.rows[0] if data.rows else None
    text = msgspec.json.format(_JSON.encode(value), indent=2).decode() + "\n"
    try:
        text.encode(out.encoding or "utf-8")
    except UnicodeEncodeError:
        text = re.sub(r"[^\x00-\x7f]", lambda match: json.dumps(match[0])[1:-1], text)
    out.write(text)


def write_csv(data: TableData, out: TextIO) -> None:
    """Write a header line and the rows as CSV."""
    # Other formats do not wait for this import.
    import csv

    header, body = _header_and_cells(data)
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(body)


def write_text(data: TableData, out: TextIO) -> None:
    """Write aligned columns: strings to the left, numbers to the right."""
    header, body = _header_and_cells(data, printable=True)
    lines = [header, *body]
    right = _numeric_columns(data, header)
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        cells = [
            cell.rjust(width) if numeric else cell.ljust(width)
            for cell, width, numeric in zip(line, widths, right, strict=True)
        ]
        out.write("  ".join(cells).rstrip() + "\n")


def write_table(data: TableData, out: TextIO) -> None:
    """Write a table with rich, or `write_text` if rich is not installed.

    On a terminal that is too narrow each field gets a line. Nothing is cut off.
    """
    try:
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        return write_text(data, out)
    header, body = _header_and_cells(data, printable=True)
    table = Table(box=box.SIMPLE_HEAD)
    for name, numeric in zip(header, _numeric_columns(data, header), strict=True):
        table.add_column(Text(name), justify="right" if numeric else "left", no_wrap=True)
    for line in body:
        table.add_row(*map(Text, line))
    if Console(width=_UNLIMITED_WIDTH).measure(table).maximum > Console(file=out).width:
        table = Table("field", "value", box=box.SIMPLE_HEAD)
        for line in body:
            for name, cell in zip(header, line, strict=True):
                table.add_row(Text(name), Text(cell), end_section=name == header[-1])
    needed = Console(width=_UNLIMITED_WIDTH).measure(table).maximum
    Console(file=out, width=needed).print(table)
    return None


RENDERERS: dict[str, Callable[[TableData, TextIO], None]] = {
    "json": write_json,
    "csv": write_csv,
    "text": write_text,
    "table": write_table,
}


def _header_and_cells(
    data: TableData, *, printable: bool = False
) -> tuple[list[str], list[list[str]]]:
    """Return header and cells. Fields that are not in the spec come last."""
    header = list(dict.fromkeys([*data.columns, *(name for row in data.rows for name in row)]))
    body = [
        [_format_cell(row[name]) if name in row else "" for name in header] for row in data.rows
    ]
    # Names and cells may contain escape sequences that move the cursor.
    if printable:
        header = [_escape_unprintable(name) for name in header]
        body = [[_escape_unprintable(cell) for cell in line] for line in body]
    return header, body


def _format_cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else _JSON.encode(value).decode()


def _escape_unprintable(text: str) -> str:
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


def _numeric_columns(data: TableData, header: list[str]) -> list[bool]:
    """Return for each column whether it contains only numbers, as JSON numbers or as strings."""
    return [bool(data.rows) and _is_numeric_column(data, name) for name in header]


def _is_numeric_column(data: TableData, name: str) -> bool:
    cells = [_format_cell(row[name]) for row in data.rows if name in row]
    return all(cell.lstrip("-").replace(".", "", 1).isdigit() for cell in cells)
