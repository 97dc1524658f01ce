"""Lay out rows as text: aligned columns, or a line for each field on a narrow terminal."""

from __future__ import annotations

import contextlib
import os
import unicodedata
from collections.abc import Collection, Sequence
from typing import Final, TextIO

FALLBACK_WIDTH: Final = 80
"""Columns of a terminal that does not report its width."""
MARK: Final = "*"
"""Stands behind a cell that changed. It takes one of the two spaces between columns."""
_GAP: Final = "  "
_ZERO_WIDTH_CATEGORIES: Final = {"Mn", "Me"}
_WIDE: Final = {"W", "F"}

Marks = Collection[tuple[int, int]]
"""Cells that are marked: index of the row and of the column."""


def format_table(
    header: Sequence[str],
    body: Sequence[Sequence[str]],
    width: int | None,
    encoding: str | None = None,
    marks: Marks = (),
) -> list[list[str]]:
    """Return aligned columns: strings to the left, numbers to the right.

    On a terminal that is too narrow for a row, each field gets a line, or its name and its value
    get a line each. Nothing is cut, and no line break is put into a value.

    Args:
        header: Names of the columns.
        body: The text of each cell, row by row.
        width: Columns of the terminal, None for a pipe or a file.
        encoding: Encoding of the stream, None for UTF-8.
        marks: Cells that get a mark.

    Returns:
        Blocks of lines. One for the whole table, or one for each row.
    """
    # Names and cells may contain escape sequences that move the cursor.
    header = [_escape_unprintable(name, encoding) for name in header]
    cells = [[_escape_unprintable(cell, encoding) for cell in line] for line in body]
    marked = [
        [MARK if (row, column) in marks else "" for column in range(len(header))]
        for row in range(len(cells))
    ]
    blocks = [_format_columns(header, cells, marked)]
    if width is not None and not _is_narrow_enough(blocks, width):
        rows = list(zip(cells, marked, strict=True))
        blocks = [_format_fields(header, *row) for row in rows] or [header]
        if not _is_narrow_enough(blocks, width):
            blocks = [_format_stacked(header, *row) for row in rows] or [header]
    return blocks


def display_width(text: str) -> int:
    """Return how many cells of a terminal a printable string takes."""
    return sum(map(_character_width, text))


def cut_to_width(text: str, width: int) -> str:
    """Return as much of a message as fits. Amounts are never cut."""
    while display_width(text) > width:
        text = text[:-1]
    return text


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


def _format_columns(header: list[str], body: list[list[str]], marked: list[list[str]]) -> list[str]:
    """Return the header and one line for each row."""
    columns = []
    for index, name in enumerate(header):
        cells = [line[index] for line in body]
        marks = ["", *(line[index] for line in marked)]
        width = max(map(display_width, (name, *cells)))
        is_numeric = bool(cells) and all(cell == "" or _is_number(cell) for cell in cells)
        columns.append(
            [
                _pad(_pad(cell, width, right=is_numeric) + mark, width + len(_GAP))
                for cell, mark in zip((name, *cells), marks, strict=True)
            ]
        )
    return ["".join(line).rstrip() for line in zip(*columns, strict=True)]


def _format_fields(header: list[str], cells: list[str], marked: list[str]) -> list[str]:
    """Return a line with name and value for each field of a row."""
    width = max(map(display_width, header))
    return [
        f"{_pad(name, width)}{_GAP}{cell}{mark}".rstrip()
        for name, cell, mark in zip(header, cells, marked, strict=True)
    ]


def _format_stacked(header: list[str], cells: list[str], marked: list[str]) -> list[str]:
    """Return two lines for each field of a row: the name, and the value."""
    values = [f"{cell}{mark}" for cell, mark in zip(cells, marked, strict=True)]
    return [line for pair in zip(header, values, strict=True) for line in pair]


def _pad(text: str, width: int, *, right: bool = False) -> str:
    """Return a string of `width` cells, with the text to the left or to the right."""
    spaces = " " * (width - display_width(text))
    return spaces + text if right else text + spaces


def _is_number(cell: str) -> bool:
    return cell.removeprefix("-").replace(".", "", 1).isdecimal()


def _escape_unprintable(text: str, encoding: str | None) -> str:
    """Return the text as `encoding` can show it, with escapes for all other characters."""
    escaped = "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )
    encoding = encoding or "utf-8"
    return escaped.encode(encoding, "backslashreplace").decode(encoding)
