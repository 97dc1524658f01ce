"""Print results as aligned text, CSV or JSON. No digit of an amount is changed."""

from __future__ import annotations

import contextlib
import json
import os
import re
import unicodedata
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple, TextIO

from binance_usdm_wire import Operation

FALLBACK_WIDTH: Final = 80
"""Columns of a terminal that does not report its width."""
_GAP: Final = "  "
_ZERO_WIDTH_CATEGORIES: Final = {"Mn", "Me"}
_WIDE: Final = {"W", "F"}


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
    text = _to_json(value, "\n") + "\n"
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
    """Write aligned columns: strings to the left, numbers to the right.

    On a terminal that is too narrow for a row, each field gets a line, or its name and its value
    get a line each. Nothing is cut, and no line break is put into a value.
    """
    header, body = _header_and_cells(data)
    # Names and cells may contain escape sequences that move the cursor.
    header = [_escape_unprintable(name, out.encoding) for name in header]
    body = [[_escape_unprintable(cell, out.encoding) for cell in line] for line in body]
    width = terminal_width(out)
    blocks = [_format_columns(header, body)]
    if width is not None and not _is_narrow_enough(blocks, width):
        blocks = [_format_fields(header, line) for line in body] or [header]
        if not _is_narrow_enough(blocks, width):
            blocks = [_format_stacked(header, line) for line in body] or [header]
    out.write("\n\n".join("\n".join(lines) for lines in blocks) + "\n")


RENDERERS: dict[str, Callable[[TableData, TextIO], None]] = {
    "json": write_json,
    "csv": write_csv,
    "text": write_text,
}


def display_width(text: str) -> int:
    """Return how many cells of a terminal a printable string takes."""
    return sum(map(_character_width, text))


def _character_width(character: str) -> int:
    if unicodedata.category(character) in _ZERO_WIDTH_CATEGORIES:
        return 0
    # Vowels and final consonants of Korean are drawn into the syllable before them.
    if "\u1160" <= character <= "\u11ff" or "\ud7b0" <= character <= "\ud7ff":
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1


def terminal_width(out: TextIO) -> int | None:
    """Return the columns of a terminal, None for a pipe or a file.

    The smaller one applies if the terminal and the variable COLUMNS differ: a line that is too
    long would be wrapped within a value.
    """
    if not out.isatty():
        return None
    widths = []
    # Not every stream has a descriptor.
    with contextlib.suppress(OSError):
        widths.append(os.get_terminal_size(out.fileno()).columns)
    text = os.environ.get("COLUMNS", "")
    if text.isascii() and text.isdecimal():
        widths.append(int(text[:9]))
    return min((width for width in widths if width > 0), default=FALLBACK_WIDTH)


def _is_narrow_enough(blocks: Sequence[Sequence[str]], width: int) -> bool:
    return all(display_width(line) <= width for lines in blocks for line in lines)


def _format_columns(header: list[str], body: list[list[str]]) -> list[str]:
    """Return the header and one line for each row."""
    columns = []
    for name, *cells in zip(header, *body, strict=True):
        width = max(map(display_width, (name, *cells)))
        is_numeric = bool(cells) and all(cell == "" or _is_number(cell) for cell in cells)
        columns.append([_pad(cell, width, right=is_numeric) for cell in (name, *cells)])
    return [_GAP.join(line).rstrip() for line in zip(*columns, strict=True)]


def _format_fields(header: list[str], cells: list[str]) -> list[str]:
    """Return a line with name and value for each field of a row."""
    width = max(map(display_width, header))
    return [
        f"{_pad(name, width)}{_GAP}{cell}".rstrip()
        for name, cell in zip(header, cells, strict=True)
    ]


def _format_stacked(header: list[str], cells: list[str]) -> list[str]:
    """Return two lines for each field of a row: the name, and the value."""
    return [line for pair in zip(header, cells, strict=True) for line in pair]


def _pad(text: str, width: int, *, right: bool = False) -> str:
    """Return a string of `width` cells, with the text to the left or to the right."""
    spaces = " " * (width - display_width(text))
    return spaces + text if right else text + spaces


def _is_number(cell: str) -> bool:
    return cell.removeprefix("-").replace(".", "", 1).isdecimal()


def _header_and_cells(data: TableData) -> tuple[list[str], list[list[str]]]:
    """Return header and cells. Fields that are not in the spec come last."""
    header = list(dict.fromkeys([*data.columns, *(name for row in data.rows for name in row)]))
    body = [
        [_format_cell(row[name]) if name in row else "" for name in header] for row in data.rows
    ]
    return header, body


def _format_cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else _to_json(value)


def _to_json(value: Any, newline: str = "") -> str:
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
        items = [_to_json(item, inner) for item in value]
        return f"[{inner}{f',{inner}'.join(items)}{newline}]"
    colon = ": " if newline else ":"
    fields = [f"{_to_json(name)}{colon}{_to_json(item, inner)}" for name, item in value.items()]
    return f"{{{inner}{f',{inner}'.join(fields)}{newline}}}"


def _escape_unprintable(text: str, encoding: str | None) -> str:
    """Return the text as `encoding` can show it, with escapes for all other characters."""
    escaped = "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )
    encoding = encoding or "utf-8"
    return escaped.encode(encoding, "backslashreplace").decode(encoding)
