"""Rows as JSON, CSV or a table. Knows texts and columns, no operation; no amount is changed on its way to the page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple, TextIO

import orjson


class TableData(NamedTuple):
    """What is to be shown: the columns that are always there, the rows as JSON objects, whether the reply was one object."""

    columns: list[str]
    rows: list[dict[str, Any]]
    is_single_object: bool


def write_json(shown: TableData, out: TextIO) -> None:
    """The objects as the wire had them; a number stays the same digits. ASCII with escapes where the encoding cannot hold a name."""
    value: Any = next(iter(shown.rows), None) if shown.is_single_object else shown.rows
    text = orjson.dumps(value, default=_encode_decimal, option=orjson.OPT_INDENT_2).decode() + "\n"
    try:
        text.encode(out.encoding or "utf-8")
    except UnicodeEncodeError:
        text = re.sub(r"[^\x00-\x7f]", lambda match: json.dumps(match[0])[1:-1], text)
    out.write(text)


def _encode_decimal(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value))
    raise TypeError(type(value).__name__)


def write_csv(shown: TableData, out: TextIO) -> None:
    import csv  # only who asks for it waits for it

    header, body = _header_and_cells(shown)
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(body)


def write_text(shown: TableData, out: TextIO) -> None:
    """Aligned columns, two blanks apart: texts to the left, numbers to the right."""
    header, body = _header_and_cells(shown, printable=True)
    lines = [header, *body]
    right = _numeric_columns(shown, header)
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        cells = [
            cell.rjust(width) if numeric else cell.ljust(width)
            for cell, width, numeric in zip(line, widths, right, strict=True)
        ]
        out.write("  ".join(cells).rstrip() + "\n")


def write_table(shown: TableData, out: TextIO) -> None:
    """The same drawn by rich, if it is installed; on a terminal too narrow for it, one member a line. Nothing is ever cut off."""
    try:
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        return write_text(shown, out)
    header, body = _header_and_cells(shown, printable=True)
    table = Table(box=box.SIMPLE_HEAD)
    for name, numeric in zip(header, _numeric_columns(shown, header), strict=True):
        table.add_column(Text(name), justify="right" if numeric else "left", no_wrap=True)
    for line in body:
        table.add_row(*map(Text, line))
    if Console(width=_UNLIMITED_WIDTH).measure(table).maximum > Console(file=out).width:
        table = Table("member", "value", box=box.SIMPLE_HEAD)
        for line in body:
            for name, cell in zip(header, line, strict=True):
                table.add_row(Text(name), Text(cell), end_section=name == header[-1])
    needed = Console(width=_UNLIMITED_WIDTH).measure(table).maximum
    Console(file=out, width=needed).print(table)
    return None


_UNLIMITED_WIDTH = 1_000_000

RENDERERS: dict[str, Callable[[TableData, TextIO], None]] = {
    "json": write_json,
    "csv": write_csv,
    "text": write_text,
    "table": write_table,
}


def _header_and_cells(
    shown: TableData, *, printable: bool = False
) -> tuple[list[str], list[list[str]]]:
    """Header and cells; members that the spec does not know come last, in the order in which they were met."""
    header = list(dict.fromkeys([*shown.columns, *(name for row in shown.rows for name in row)]))
    body = [
        [_format_cell(row[name]) if name in row else "" for name in header] for row in shown.rows
    ]
    if printable:  # a name that moves the cursor stays a name
        header, body = (
            [_escape_unprintable(name) for name in header],
            [[_escape_unprintable(cell) for cell in line] for line in body],
        )
    return header, body


def _format_cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else orjson.dumps(value, default=_encode_decimal).decode()


def _escape_unprintable(text: str) -> str:
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


def _numeric_columns(shown: TableData, header: list[str]) -> list[bool]:
    """Which columns hold only numbers, also those written as text."""
    return [
        all(
            _format_cell(row.get(name)).lstrip("-").replace(".", "", 1).isdigit()
            for row in shown.rows
            if name in row
        )
        and bool(shown.rows)
        for name in header
    ]
