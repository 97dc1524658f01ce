"""Medians of measurements with their noise, in tables."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any, NamedTuple


class Statistic(NamedTuple):
    """Median of a measurement.

    Attributes:
        value: Median over rounds.
        low: First quartile.
        high: Third quartile.
        ratio: Median of the rounds' ratios to the base of the table, None without a base.
    """

    value: float
    low: float
    high: float
    ratio: float | None = None


def figure(samples: Sequence[float], base: Sequence[float] | None = None) -> Statistic:
    """Return the statistic of one sample per round.

    Args:
        samples: The samples.
        base: Samples of another client in the same rounds.
    """
    low = value = high = samples[0]
    if len(samples) > 1:
        low, value, high = statistics.quantiles(samples, n=4, method="inclusive")
    ratios = [
        sample / other
        for sample, other in zip(samples, base or (), strict=base is not None)
        if other
    ]
    return Statistic(value, low, high, statistics.median(ratios) if ratios else None)


class Table(NamedTuple):
    """Statistics by row and column.

    Attributes:
        base: Row that the ratios refer to, "" for none.
        notes: What is not in the table, and why.
    """

    key: str
    title: str
    unit: str
    columns: tuple[str, ...]
    rows: dict[str, dict[str, Statistic]]
    base: str = ""
    notes: tuple[str, ...] = ()

    def sorted(self, by: str) -> Table:
        """Return the table with the cheapest row first."""
        last = Statistic(float("inf"), 0, 0)
        return self._replace(
            rows=dict(sorted(self.rows.items(), key=lambda row: row[1].get(by, last).value))
        )


def markdown(table: Table) -> str:
    """Return a table as Markdown: median (quartiles) and ratio."""
    ratio = f" · ÷ {table.base}" if table.base else ""
    lines = [f"### {table.title}", "", f"{table.unit}: median (quartiles){ratio}", ""]
    lines += [
        "| " + " | ".join(("", *table.columns)) + " |",
        "|---" + "|---:" * len(table.columns) + "|",
    ]
    for name, cells in table.rows.items():
        row = (_format_cell(cells.get(column)) for column in table.columns)
        lines.append("| " + " | ".join((name, *row)) + " |")
    return "\n".join(
        [*lines, "", *(f"- {note}" for note in table.notes), *([""] if table.notes else [])]
    )


def jsonable(table: Table) -> dict[str, Any]:
    """Return a table as a JSON object."""
    rows = {
        name: {column: cell._asdict() for column, cell in cells.items()}
        for name, cells in table.rows.items()
    }
    return {**table._asdict(), "rows": rows}


def _format_cell(figure: Statistic | None) -> str:
    if figure is None:
        return ""
    text = _number(figure.value)
    if figure.low != figure.high:
        text += f" ({_number(figure.low)}–{_number(figure.high)})"
    if figure.ratio is not None:
        text += f" · **{figure.ratio:.2f}**"
    return text


def _number(value: float) -> str:
    """Return a number with three digits, or with all digits before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
