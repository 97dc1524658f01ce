"""Draw the figures of a report as SVG files.

python benchmarks/plots.py FILE.json DIR      draws a report from its JSON
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

# `make bench` installs matplotlib.
from matplotlib import pyplot  # type: ignore[import-not-found]
from matplotlib.ticker import LogLocator, NullLocator  # type: ignore[import-not-found]

INK, FAINT = "#222222", "#c8c8c8"
PAPER = "#fafafa"
"""The pictures have a background, because dark text would not be visible on a dark page."""
OWN: Final = "binance-usdm"
LINE: Final = 15
"""Height of a line of text in points."""
# The palette of Okabe and Ito, which people with any kind of color vision can distinguish. A client
# has the same color in all pictures.
COLORS: Final = {
    OWN: "#0072b2",
    "http.client": "#555555",
    "aiohttp": "#555555",
    "asyncio streams": "#999999",
    "httpx": "#e69f00",
    "python-binance": "#009e73",
    "ccxt": "#d55e00",
    "official SDK": "#cc79a7",
    "futures connector": "#56b4e9",
}
STYLE: Final = {
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 11,
    "axes.titlesize": 13,
    "axes.titlelocation": "left",
    "axes.titlepad": 14,
    "grid.color": FAINT,
    "grid.linewidth": 0.5,
    "svg.hashsalt": "binance-usdm",
}
Rows = Mapping[str, Mapping[str, Mapping[str, float]]]


def draw(report: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write a file for each picture that the report has figures for. Returns the files."""
    pyplot.switch_backend("svg")
    pyplot.rcParams.update(STYLE)
    folder.mkdir(parents=True, exist_ok=True)
    tables: dict[str, Rows] = {
        table["key"]: table["rows"] for table in report["tables"] if table["rows"]
    }
    files = []
    for name, (key, draw_picture) in PICTURES.items():
        if key not in tables:
            continue
        figure, axes = pyplot.subplots(figsize=(8, 4.2))
        # Names of clients are on the left of bars, or on the right of lines.
        left, right = (0.19, 0.97) if draw_picture is peers else (0.12, 0.78)
        figure.subplots_adjust(left, 0.13, right, 0.89)
        draw_picture(axes, tables[key])
        file = folder / f"{name}.svg"
        figure.savefig(file, metadata={"Date": None})
        pyplot.close(figure)
        files.append(file)
    return files


def peers(axes: Any, rows: Rows) -> None:
    """Draw a bar for each client, with its quartiles as a whisker."""
    column = "http, 12 assets"
    cells = {name: row[column] for name, row in rows.items() if column in row}
    values = [cell["value"] for cell in cells.values()]
    noise = [[abs(cell[end] - cell["value"]) for cell in cells.values()] for end in ("low", "high")]
    axes.barh(list(cells), values, color=[COLORS[name] for name in cells], height=0.62)
    axes.errorbar(values, list(cells), xerr=noise, fmt="none", ecolor=INK, elinewidth=1, capsize=3)
    for row, cell in enumerate(cells.values()):
        text = f"{cell['value']:,.0f} µs"
        if cell["ratio"]:
            text += f", {cell['ratio']:.2f} × http.client"
        axes.annotate(text, (cell["high"], row), (8, 0), textcoords="offset points", va="center")
    axes.set_xlim(0, max(cell["high"] for cell in cells.values()) * 1.6)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("CPU of a call, µs (median and quartiles)")
    axes.set_title("One signed balance call, 12 assets, over HTTP")


def concurrency(axes: Any, rows: Rows) -> None:
    """Draw the cost of a call against the number of concurrent calls."""
    _lines(
        axes, {name: {_number(at): cell for at, cell in row.items()} for name, row in rows.items()}
    )
    axes.set_xlabel("calls at once")
    axes.set_title("Cost against concurrency (asyncio, 12 assets)")


def assets(axes: Any, rows: Rows) -> None:
    """Draw the cost of a call against the number of assets."""
    sizes = {"1 asset": 1.0, "http, 12 assets": 12.0, "500 assets": 500.0}
    _lines(
        axes,
        {
            name: {sizes[at]: cell for at, cell in row.items() if at in sizes}
            for name, row in rows.items()
        },
    )
    axes.set_xlabel("assets in a response")
    axes.set_title("Cost against size (one call after the other)")


def accounts(axes: Any, rows: Rows) -> None:
    """Draw the cost of a call against the number of accounts."""
    costs = next(row for name, row in rows.items() if name.startswith("CPU"))
    _lines(axes, {"binance-usdm": {_number(at): cell for at, cell in costs.items()}})
    axes.set_yscale("linear")
    # The axis begins at 0, so that a constant cost looks constant.
    axes.set_ylim(0, 1.3 * max(cell["high"] for cell in costs.values()))
    for at, cell in costs.items():
        near = (_number(at), cell["high"])
        axes.annotate(
            f"{cell['value']:,.0f}", near, (0, 8), textcoords="offset points", ha="center"
        )
    axes.set_xlabel("accounts with one client each, all calling at once")
    axes.set_title("Cost against accounts (one transport and one budget for all)")


def _number(column: str) -> float:
    return float(column.replace(",", ""))


def _lines(axes: Any, lines: Mapping[str, Mapping[float, Mapping[str, float]]]) -> None:
    """Draw a line for each client, with its quartiles as a band and its name at its end."""
    axes.set_xscale("log")
    axes.set_yscale("log")
    ends = []
    for name, points in lines.items():
        places = sorted(points)
        if not places:
            continue
        values = [points[place]["value"] for place in places]
        lows = [points[place]["low"] for place in places]
        highs = [points[place]["high"] for place in places]
        color = COLORS[name]
        axes.plot(
            places,
            values,
            color=color,
            marker="o",
            markersize=4.5,
            linewidth=2.8 if name == OWN else 1.6,
            zorder=3 if name == OWN else 2,
        )
        axes.fill_between(places, lows, highs, color=color, alpha=0.18, linewidth=0)
        ends.append((values[-1], places[-1], name))
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
    """Write names to the right of the lines' ends, moved apart where they would overlap."""
    points = 72 / axes.figure.dpi
    heights = [axes.transData.transform((place, value))[1] * points for value, place, _ in ends]
    moved = list(heights)
    for _ in range(200):
        for low, high in itertools.pairwise(range(len(moved))):
            overlap = max(0.0, LINE - (moved[high] - moved[low]))
            moved[low] -= overlap / 2
            moved[high] += overlap / 2
    for (value, place, name), height, wanted in zip(ends, heights, moved, strict=True):
        axes.annotate(
            name,
            (place, value),
            (26, wanted - height),
            textcoords="offset points",
            va="center",
            annotation_clip=False,
            fontweight="bold" if name == OWN else "normal",
            arrowprops={
                "arrowstyle": "-",
                "color": COLORS[name],
                "relpos": (0, 0.5),
                "shrinkA": 2,
                "shrinkB": 4,
            },
        )


PICTURES: Final[Mapping[str, tuple[str, Callable[[Any, Rows], None]]]] = {
    "peers": ("sync-cpu", peers),
    "concurrency": ("async-cpu", concurrency),
    "assets": ("sync-cpu", assets),
    "accounts": ("accounts", accounts),
}

if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2]))
