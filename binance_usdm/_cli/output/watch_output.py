"""How `--watch` shows a round: a table in place, or the rows that changed as lines."""

from __future__ import annotations

import os
import sys
from collections.abc import Hashable, Sequence
from typing import Final, NamedTuple, TextIO

from binance_usdm import Budget

from .columns import Record, View, format_instant, make_table
from .formats import RECEIVED_COLUMN, cells_of, write_csv_lines, write_json_lines, write_tsv_lines
from .progress import CLEAR_LINE, can_move_cursor
from .table import FALLBACK_WIDTH, Marks, cut_to_width, display_width, format_table, terminal_width

MARKED_ROUNDS: Final = 3
"""Rounds in which a change is marked."""
_FALLBACK_HEIGHT: Final = 24


class Round(NamedTuple):
    """What there is to show after a round of calls."""

    records: list[Record]
    messages: list[str]
    """Errors of the accounts that were not read, and warnings."""
    budget: Budget | None
    interval: float


class ChangeTracker:
    """Finds the cells that differ from the round before, and remembers them for some rounds."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._compared = [index for index, name in enumerate(columns) if name != RECEIVED_COLUMN]
        self._cells: dict[Hashable, Sequence[str]] = {}
        self._changed_in: dict[tuple[Hashable, int], int] = {}
        self._round = 0

    def update(self, keys: Sequence[Hashable], rows: Sequence[Sequence[str]]) -> list[int]:
        """Take the rows of a round, and return the indexes of those that changed or are new."""
        self._round += 1
        changed_rows = []
        for row, (key, cells) in enumerate(zip(keys, rows, strict=True)):
            before = self._cells.get(key)
            changed = [
                column
                for column in self._compared
                if before is None or before[column] != cells[column]
            ]
            if changed:
                changed_rows.append(row)
            # In the first round all rows are new.
            if self._round > 1:
                self._changed_in.update({(key, column): self._round for column in changed})
        self._cells = dict(zip(keys, rows, strict=True))
        return changed_rows

    def marks(self, keys: Sequence[Hashable]) -> Marks:
        """Return the cells that changed in the last rounds."""
        oldest = self._round - MARKED_ROUNDS
        self._changed_in = {
            cell: number for cell, number in self._changed_in.items() if number > oldest
        }
        row_by_key = {key: row for row, key in enumerate(keys)}
        return {(row_by_key[key], column) for key, column in self._changed_in if key in row_by_key}


def row_keys(records: Sequence[Record]) -> list[Hashable]:
    """Return what identifies each row from round to round: account, and asset or position."""
    return [
        (record.label, getattr(record.row, "asset", position))
        for position, record in enumerate(records)
    ]


class LiveTable:
    """A table that is drawn again in place. The screen needs no restoring at the end."""

    def __init__(self, view: View, out: TextIO) -> None:
        self._view = view
        self._out = out
        self._tracker = ChangeTracker(view.columns)
        self._drawn_count = 0
        self._drawn_size: tuple[int, int] | None = None

    def show(self, shown: Round) -> None:
        """Draw a round over the one before."""
        width = terminal_width(self._out) or FALLBACK_WIDTH
        height = _terminal_height(self._out)
        table = make_table(shown.records, self._view, is_single_object=False)
        cells = cells_of(table)
        keys = row_keys(shown.records)
        self._tracker.update(keys, cells)
        marks = self._tracker.marks(keys)
        blocks = format_table(table.columns, cells, width, self._out.encoding, marks)
        lines = [line for block in blocks for line in (*block, "")]
        foot = pack(status_parts(shown, has_marks=bool(marks)), width)
        foot += [cut_to_width(message, width) for message in shown.messages]
        # The last line of the terminal stays free for the cursor.
        room = max(height - 1 - len(foot), 1)
        if len(lines) > room:
            hidden = len(lines) - room + 1
            more = f"{hidden} more lines (use --asset, --columns)"
            lines = [*lines[: room - 1], cut_to_width(more, width)]
        self._draw([*lines, *foot], (width, height))

    def _draw(self, lines: Sequence[str], size: tuple[int, int]) -> None:
        if self._drawn_size == size:
            start = f"\x1b[{self._drawn_count}A\r" if self._drawn_count else ""
        else:
            # Lines that were drawn on another width may have been wrapped.
            start = "" if self._drawn_size is None else "\x1b[H\x1b[2J"
        body = "".join(f"{line}\x1b[K\n" for line in lines)
        self._out.write(f"{start}{body}\x1b[J")
        self._out.flush()
        self._drawn_count = len(lines)
        self._drawn_size = size

    def end(self) -> None:
        """Leave the line on which the terminal shows Ctrl-C."""
        self._out.write("\n")


class ChangedLines:
    """Rows as lines: all of them in the first round, then those that changed."""

    def __init__(self, view: View, out: TextIO) -> None:
        self._view = view
        self._out = out
        self._tracker = ChangeTracker(view.columns)
        self._messages: list[str] = []
        self._has_header = False
        self._header_line = ""
        self._has_status = False

    def show(self, shown: Round) -> None:
        """Write the rows that changed, and the state of the budget if stderr is a terminal."""
        self._clear_status()
        table = make_table(shown.records, self._view, is_single_object=False)
        cells = cells_of(table)
        changed = self._tracker.update(row_keys(shown.records), cells)
        rows = [cells[row] for row in changed]
        header = [] if self._has_header else [list(table.columns)]
        if self._view.output_format == "jsonl":
            write_json_lines(table._replace(rows=[table.rows[row] for row in changed]), self._out)
        elif self._view.output_format == "csv":
            write_csv_lines([*header, *rows], self._out)
        elif self._view.output_format == "tsv":
            write_tsv_lines([*header, *rows], self._out)
        else:
            # The columns stand under each other, so the widths are those of all rows.
            lines = format_table(table.columns, cells, None, self._out.encoding)[0]
            # A header of other widths would stand beside the columns.
            needs_header = bool(changed) and lines[0] != self._header_line
            needs_header = needs_header or not self._has_header
            self._header_line = lines[0] if needs_header else self._header_line
            indexes = [*([0] if needs_header else []), *(row + 1 for row in changed)]
            self._out.writelines(f"{lines[index]}\n" for index in indexes)
        self._has_header = True
        self._out.flush()
        for message in shown.messages:
            # A message that stays the same is printed once.
            if message not in self._messages:
                print(f"binance-usdm: {message}", file=sys.stderr)
        self._messages = shown.messages
        if can_move_cursor(sys.stderr):
            width = (terminal_width(sys.stderr) or FALLBACK_WIDTH) - 1
            text = "  ".join(status_parts(shown, has_marks=False))
            sys.stderr.write(f"{CLEAR_LINE}{cut_to_width(text, width)}")
            sys.stderr.flush()
            self._has_status = True

    def _clear_status(self) -> None:
        if self._has_status:
            sys.stderr.write(CLEAR_LINE)
            sys.stderr.flush()

    def end(self) -> None:
        """Remove the state of the budget."""
        self._clear_status()


def status_parts(shown: Round, *, has_marks: bool) -> list[str]:
    """Return the time of the rows, the interval, the weight, and what a mark means."""
    parts = []
    latest = max((record.received_at_ms for record in shown.records), default=0)
    instant = format_instant(latest)
    if isinstance(instant, str):
        parts.append(f"{instant[11:19]} UTC")
    parts.append(f"every {shown.interval:g} s")
    budget = shown.budget
    if budget is not None and budget.held_until is not None:
        reason = "banned" if budget.is_banned else "held"
        parts.append(f"{reason} until {budget.held_until:%H:%M:%S} UTC")
    elif budget is not None and budget.left is not None:
        parts.append(f"weight {budget.used} used, {budget.left} left")
    if has_marks:
        parts.append(f"* changed in the last {MARKED_ROUNDS} rounds")
    parts.append("Ctrl-C ends")
    return parts


def pack(parts: Sequence[str], width: int) -> list[str]:
    """Return lines of at most `width` cells with as many parts each as fit."""
    lines: list[str] = []
    for part in parts:
        joined = f"{lines[-1]}  {part}" if lines else ""
        if lines and display_width(joined) <= width:
            lines[-1] = joined
        else:
            lines.append(cut_to_width(part, width))
    return lines


def _terminal_height(out: TextIO) -> int:
    try:
        return os.get_terminal_size(out.fileno()).lines or _FALLBACK_HEIGHT
    except OSError:
        return _FALLBACK_HEIGHT
