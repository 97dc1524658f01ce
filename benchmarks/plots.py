"""Figures as pictures, SVG. Knows the JSON of a report and matplotlib; measures nothing.

python benchmarks/plots.py FILE.json DIR      draws a report again
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from matplotlib import pyplot  # type: ignore[import-not-found]  # comes with `make bench`
from matplotlib.ticker import LogLocator, NullLocator  # type: ignore[import-not-found]

INK, FAINT, PAPER = (
    "#222222",
    "#c8c8c8",
    "#fafafa",
)  # on a paper of its own, so that a dark page does not swallow the ink
OWN: Final = "binance-usdm"
LINE: Final = 15  # points, of text
COLOURS: Final = {  # Okabe and Ito: told apart with every kind of colour vision; one for a client in all pictures
    OWN: "#0072b2", "http.client": "#555555", "aiohttp": "#555555", "asyncio streams": "#999999", "httpx": "#e69f00",
    "python-binance": "#009e73", "ccxt": "#d55e00", "official SDK": "#cc79a7", "futures connector": "#56b4e9",
}  # fmt: skip
STYLE: Final = {
    "figure.facecolor": PAPER, "axes.facecolor": PAPER, "savefig.facecolor": PAPER, "text.color": INK, "axes.labelcolor": INK,
    "axes.edgecolor": FAINT, "xtick.color": INK, "ytick.color": INK, "axes.spines.top": False, "axes.spines.right": False,
    "font.size": 11, "axes.titlesize": 13, "axes.titlelocation": "left", "axes.titlepad": 14, "grid.color": FAINT, "grid.linewidth": 0.5,
    "svg.hashsalt": "binance-usdm",
}  # fmt: skip
Rows = Mapping[str, Mapping[str, Mapping[str, float]]]


def draw(report: Mapping[str, Any], folder: Path) -> list[Path]:
    """One file for each picture that the report has figures for."""
    pyplot.switch_backend("svg")
    pyplot.rcParams.update(STYLE)
    folder.mkdir(parents=True, exist_ok=True)
    tables: dict[str, Rows] = {
        table["key"]: table["rows"] for table in report["tables"] if table["rows"]
    }
    made = []
    for name, (key, draw) in PICTURES.items():
        if key in tables:
            figure, axes = pyplot.subplots(figsize=(8, 4.2))
            left, right = (
                (0.19, 0.97) if draw is peers else (0.12, 0.78)
            )  # names are on the left, or on the right
            figure.subplots_adjust(left, 0.13, right, 0.89)
            draw(axes, tables[key])
            made.append(folder / f"{name}.svg")
            figure.savefig(made[-1], metadata={"Date": None})
            pyplot.close(figure)
    return made


def peers(axes: Any, rows: Rows) -> None:
    """A bar for each client, its quartiles as a whisker."""
    column = "http, 12 assets"
    cells = {name: row[column] for name, row in rows.items() if column in row}
    values = [cell["value"] for cell in cells.values()]
    noise = [[abs(cell[end] - cell["value"]) for cell in cells.values()] for end in ("low", "high")]
    axes.barh(list(cells), values, color=[COLOURS[name] for name in cells], height=0.62)
    axes.errorbar(values, list(cells), xerr=noise, fmt="none", ecolor=INK, elinewidth=1, capsize=3)
    for place, cell in enumerate(cells.values()):
        told = f"{cell['value']:,.0f} µs" + (
            f", {cell['ratio']:.2f} × http.client" if cell["ratio"] else ""
        )
        axes.annotate(told, (cell["high"], place), (8, 0), textcoords="offset points", va="center")
    axes.set_xlim(0, max(cell["high"] for cell in cells.values()) * 1.6)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("CPU of a call, µs (median and quartiles)")
    axes.set_title("One signed balance call, 12 assets, over HTTP")


def concurrency(axes: Any, rows: Rows) -> None:
    _lines(
        axes, {name: {_number(at): cell for at, cell in row.items()} for name, row in rows.items()}
    )
    axes.set_xlabel("calls at once")
    axes.set_title("Cost against concurrency (asyncio, 12 assets)")


def assets(axes: Any, rows: Rows) -> None:
    sizes = {"1 asset": 1.0, "http, 12 assets": 12.0, "500 assets": 500.0}
    _lines(
        axes,
        {
            name: {sizes[at]: cell for at, cell in row.items() if at in sizes}
            for name, row in rows.items()
        },
    )
    axes.set_xlabel("assets in a reply")
    axes.set_title("Cost against size (one call after the other)")


def accounts(axes: Any, rows: Rows) -> None:
    costs = next(row for name, row in rows.items() if name.startswith("CPU"))
    _lines(axes, {"binance-usdm": {_number(at): cell for at, cell in costs.items()}})
    axes.set_yscale("linear")
    axes.set_ylim(
        0, 1.3 * max(cell["high"] for cell in costs.values())
    )  # from nothing, so that flat is flat
    for at, cell in costs.items():
        near = (_number(at), cell["high"])
        axes.annotate(
            f"{cell['value']:,.0f}", near, (0, 8), textcoords="offset points", ha="center"
        )
    axes.set_xlabel("accounts, each with a client of its own, all calling at once")
    axes.set_title("Cost against accounts (one transport and one budget for all)")


def _number(column: str) -> float:
    return float(column.replace(",", ""))


def _lines(axes: Any, lines: Mapping[str, Mapping[float, Mapping[str, float]]]) -> None:
    """A line for each, its quartiles as a band and its name at its end."""
    axes.set_xscale("log")
    axes.set_yscale("log")
    ends = []
    for name, points in lines.items():
        places = sorted(points)
        values, lows, highs = (
            [points[place][key] for place in places] for key in ("value", "low", "high")
        )
        colour, width = COLOURS[name], 2.8 if name == OWN else 1.6
        axes.plot(
            places,
            values,
            color=colour,
            marker="o",
            markersize=4.5,
            linewidth=width,
            zorder=3 if name == OWN else 2,
        )
        axes.fill_between(places, lows, highs, color=colour, alpha=0.18, linewidth=0)
        ends += [(values[-1], places[-1], name)] if places else []
    axes.set_xticks(sorted({place for points in lines.values() for place in points}))
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axis.set_minor_locator(NullLocator())
    axes.grid(axis="y")
    axes.set_axisbelow(True)
    axes.set_ylabel("CPU of a call, µs")
    _names(axes, sorted(ends))


def _names(axes: Any, ends: list[tuple[float, float, str]]) -> None:
    """Names to the right of lines' ends, moved apart where they would touch."""
    points = 72 / axes.figure.dpi
    own = [axes.transData.transform((place, value))[1] * points for value, place, _ in ends]
    moved = list(own)
    for _ in range(200):
        for low, high in itertools.pairwise(range(len(moved))):
            short = max(0.0, LINE - (moved[high] - moved[low])) / 2
            moved[low], moved[high] = moved[low] - short, moved[high] + short
    for (value, place, name), height, wanted in zip(ends, own, moved, strict=True):
        axes.annotate(
            name, (place, value), (26, wanted - height), textcoords="offset points", va="center", annotation_clip=False,
            fontweight="bold" if name == OWN else "normal",
            arrowprops={"arrowstyle": "-", "color": COLOURS[name], "relpos": (0, 0.5), "shrinkA": 2, "shrinkB": 4},
        )  # fmt: skip


PICTURES: Final[Mapping[str, tuple[str, Callable[[Any, Rows], None]]]] = {
    "peers": ("sync-cpu", peers),
    "concurrency": ("async-cpu", concurrency),
    "assets": ("sync-cpu", assets),
    "accounts": ("accounts", accounts),
}

if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2]))
