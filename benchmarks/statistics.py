"""What a measurement gives: medians with their noise beside them, in tables. Knows no client and no process."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any, NamedTuple


class Statistic(NamedTuple):
    """The median over rounds, between its quartiles; `ratio` is the median of the rounds' ratios to what the table is based on."""

    value: float
    low: float
    high: float
    ratio: float | None = None


def figure(samples: Sequence[float], base: Sequence[float] | None = None) -> Statistic:
    """The figure of one sample a round; `base` has those of another client in the same rounds."""
    low, value, high = (
        statistics.quantiles(samples, n=4, method="inclusive")
        if len(samples) > 1
        else [samples[0]] * 3
    )
    ratios = [
        sample / other
        for sample, other in zip(samples, base or (), strict=base is not None)
        if other
    ]
    return Statistic(value, low, high, statistics.median(ratios) if ratios else None)


class Table(NamedTuple):
    """Figures by row and column. `base` is the row that ratios refer to; `notes` say what is not in it and why."""

    key: str
    title: str
    unit: str
    columns: tuple[str, ...]
    rows: dict[str, dict[str, Statistic]]
    base: str = ""
    notes: tuple[str, ...] = ()

    def sorted(self, by: str) -> Table:
        """The same table, cheapest first."""
        last = Statistic(float("inf"), 0, 0)
        return self._replace(
            rows=dict(sorted(self.rows.items(), key=lambda row: row[1].get(by, last).value))
        )


def markdown(table: Table) -> str:
    """A table for readers: median (quartiles) and ratio."""
    ratio = f" · ÷ {table.base}" if table.base else ""
    lines = [f"### {table.title}", "", f"{table.unit}: median (quartiles){ratio}", ""]
    lines += [
        "| " + " | ".join(("", *table.columns)) + " |",
        "|---" + "|---:" * len(table.columns) + "|",
    ]
    for name, cells in table.rows.items():
        told = (_format_cell(cells.get(column)) for column in table.columns)
        lines.append("| " + " | ".join((name, *told)) + " |")
    return "\n".join(
        [*lines, "", *(f"- {note}" for note in table.notes), *([""] if table.notes else [])]
    )


def jsonable(table: Table) -> dict[str, Any]:
    rows = {
        name: {column: cell._asdict() for column, cell in cells.items()}
        for name, cells in table.rows.items()
    }
    return {**table._asdict(), "rows": rows}


def _format_cell(figure: Statistic | None) -> str:
    if figure is None:
        return ""
    noise = f" ({_number(figure.low)}–{_number(figure.high)})" if figure.low != figure.high else ""
    return f"{_number(figure.value)}{noise}" + (
        "" if figure.ratio is None else f" · **{figure.ratio:.2f}**"
    )


def _number(value: float) -> str:
    """Three digits or all before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
