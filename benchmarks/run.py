"""What a call costs, measured: this project, the standard library, and every other client that is installed.

    python benchmarks/run.py [--quick] [--only NAME ...] [--json FILE] [--markdown FILE] [--plots DIR] [--install]

`--only` takes measurements and clients. Clients are those that this interpreter can import, or that `make interop` has installed.
Sends nothing beyond this machine, except with --install, which asks a package index. Markdown goes to stdout unless a file is named.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import many_accounts, mock, processes
from benchmarks.clients import ASYNC_FLOOR, CLIENTS, FLOOR
from benchmarks.fixed_server import certified, served
from benchmarks.report import document, page
from benchmarks.side_by_side import Measurement, Settings, interleaved, two_cpus, versions
from benchmarks.statistics import Statistic, Table, figure

CONCURRENCY: Final = (1, 10, 100, 1_000)


class Scenario(NamedTuple):
    """What a server is like that calls are made to."""

    assets: int = 12
    headers: bool = False
    secure: bool = False


WAYS: Final = {
    "http, 12 assets": Scenario(),
    "https": Scenario(secure=True),
    "20 more headers": Scenario(headers=True),
    "1 asset": Scenario(assets=1),
    "500 assets": Scenario(assets=500),
}


def one_by_one(settings: Settings) -> list[Table]:
    """Blocking clients, a call after the other."""
    with ExitStack() as stack:
        tls = certified(Path(stack.enter_context(tempfile.TemporaryDirectory())))

        def measured(column: str, settings: Settings) -> Measurement:
            assets, headers, secure = WAYS[column]
            trust = tls if secure else None
            with served(assets, headers=headers, tls=trust, cpu=settings.cpus[1]) as url:
                return interleaved(
                    "sync", settings.wanted("sync"), url, settings, assets=assets, tls=trust
                )

        return tables(
            "sync", "One call after the other", in_passes(WAYS, measured, settings), FLOOR
        )


def at_once(settings: Settings, *, uvloop: bool) -> list[Table]:
    """Asynchronous clients, so many calls at any time."""
    numbers = {f"{number:,}": number for number in CONCURRENCY[: 3 if settings.quick else None]}

    def measured(column: str, settings: Settings) -> Measurement:
        with served(cpu=settings.cpus[1]) as url:
            names = settings.wanted("async")
            return interleaved(
                "async", names, url, settings, at_once=numbers[column], uvloop=uvloop
            )

    name, loop = ("uvloop", "uvloop") if uvloop else ("async", "asyncio's own loop")
    return tables(
        name, f"Many calls at once, {loop}", in_passes(numbers, measured, settings), ASYNC_FLOOR
    )


def in_passes(
    columns: Iterable[str], measure: Callable[[str, Settings], Measurement], settings: Settings
) -> dict[str, Measurement]:
    """Every column a few times over, so that a slow minute of the machine is not one column's alone."""
    found: dict[str, Measurement] = {}
    short = settings._replace(rounds=settings.rounds // settings.passes)
    for number in range(settings.passes):
        for column in columns:
            print_progress(f"  {column} ({number + 1}/{settings.passes})")
            more = measure(column, short)
            found[column] = found[column].joined(more) if column in found else more
    return found


def tables(key: str, title: str, found: Mapping[str, Measurement], base: str) -> list[Table]:
    """One table of CPU and one of time, a row for each client."""
    made = []
    for what, words in (("cpu", "CPU of a call, µs"), ("wall", "time of a call, µs")):
        rows: dict[str, dict[str, Statistic]] = {}
        for column, (costs, _) in found.items():
            taken = {
                name: [getattr(cost, what) * 1e6 for cost in each] for name, each in costs.items()
            }
            for name, each in taken.items():
                rows.setdefault(name, {})[column] = figure(each, taken.get(base))
        why = {f"{name}, {column}: {word}" if word != "not installed" else f"{name}: {word}": None
               for column, each in found.items() for name, word in each.missing.items()}  # fmt: skip
        table = Table(
            f"{key}-{what}",
            f"{title}: {words.partition(',')[0]}",
            words,
            tuple(found),
            rows,
            base,
            tuple(why),
        )
        made.append((table if base in rows else table._replace(base="")).sorted(next(iter(found))))
    return made


MEASUREMENTS: Final[Mapping[str, Callable[[Settings], list[Table]]]] = {
    "sync": one_by_one,
    "async": partial(at_once, uvloop=False),
    "uvloop": partial(at_once, uvloop=True),
    "cold": processes.first_call,
    "command": processes.command,
    "accounts": many_accounts.accounts,
    "mock": mock.mock,
    "generator": processes.generator,
    "installed": processes.installed,
}


def measured(names: list[str], settings: Settings) -> list[Table]:
    """All tables; a measurement that cannot be made is named, and costs no other."""
    found: list[Table] = []
    for name in names:
        print_progress(name)
        began = time.monotonic()
        try:
            found += MEASUREMENTS[name](settings)
        except (RuntimeError, OSError) as error:
            found.append(Table(name, f"{name}: not measured", "", (), {}, notes=(str(error),)))
            print_progress(f"  not measured: {error}")
        print_progress(f"  {time.monotonic() - began:.0f} s")
    return found


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What a call costs.")
    parser.add_argument("--quick", action="store_true", help="a minute or two, noisier")
    every = sorted({name for table in CLIENTS.values() for name in table})
    parser.add_argument(
        "--only",
        nargs="+",
        default=[],
        choices=[*MEASUREMENTS, *every],
        metavar="NAME",
        help="%(choices)s",
    )
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--markdown", type=Path, metavar="FILE")
    parser.add_argument("--plots", type=Path, metavar="DIR", help="SVG files; needs matplotlib")
    parser.add_argument(
        "--install", action="store_true", help="measure an installation; asks a package index"
    )
    return parser.parse_args()


def main() -> None:
    given = options()
    length: dict[str, Any] = (
        {"rounds": 8, "passes": 2, "seconds": 0.03, "starts": 5, "quick": True}
        if given.quick
        else {}
    )
    clients = frozenset(given.only) - MEASUREMENTS.keys()
    settings = Settings(**length, install=given.install, clients=clients, cpus=two_cpus())
    found = measured(
        [name for name in MEASUREMENTS if name in given.only] or list(MEASUREMENTS), settings
    )
    told = document(found, versions(settings), settings, dt.datetime.now(dt.UTC))
    plots: list[Path] = []
    if given.plots:
        from benchmarks.plots import draw  # matplotlib is needed for nothing else

        plots = draw(told, given.plots)
    if given.json:
        given.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    text = page(found, told, plots, given.markdown.parent if given.markdown else Path.cwd())
    if given.markdown:
        given.markdown.write_text(text, encoding="utf-8")
    else:
        print(text)


def print_progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
