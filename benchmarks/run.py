"""Measure what a call costs: this project, the standard library, and the other clients.

    python benchmarks/run.py [--quick] [--only NAME ...] [--json FILE] [--markdown FILE]
                             [--plots DIR] [--install]

`--only` takes names of measurements and clients. Clients are those that this interpreter can
import, or that `make interop` has installed. All traffic stays on this machine, except with
--install, which needs a package index. Markdown goes to stdout unless a file is named.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import connecting, installations, limiters, many_accounts, mock, processes
from benchmarks.clients import ASYNC_FLOOR, CLIENTS, FLOOR
from benchmarks.fixed_server import Tls, certified, served
from benchmarks.report import document, page
from benchmarks.side_by_side import Measurement, Settings, interleaved, two_cpus, versions
from benchmarks.tables import Statistic, Table, figure


class Scenario(NamedTuple):
    """Settings of the server, and number of concurrent calls.

    Attributes:
        assets: Number of rows.
        bodies: Number of bodies with different amounts, sent in turn.
        headers: Whether a response has twenty more headers.
        secure: Whether the server has TLS.
        at_once: Number of concurrent calls.
    """

    assets: int = 12
    bodies: int = 1
    headers: bool = False
    secure: bool = False
    at_once: int = 1


SYNC_SCENARIOS: Final = {
    "http, 12 assets": Scenario(),
    "https": Scenario(secure=True),
    "20 more headers": Scenario(headers=True),
    "1 asset": Scenario(assets=1),
    "500 assets": Scenario(assets=500),
    "12 assets, new amounts": Scenario(bodies=400),
    "500 assets, new amounts": Scenario(assets=500, bodies=40),
}
UVLOOP_SCENARIOS: Final = {
    f"{number:,}": Scenario(at_once=number) for number in (1, 10, 100, 1_000)
}
ASYNC_SCENARIOS: Final = {
    **UVLOOP_SCENARIOS,
    "https, 1": Scenario(secure=True),
    "https, 100": Scenario(secure=True, at_once=100),
    "100, new amounts": Scenario(bodies=400, at_once=100),
}
QUICK_AT_ONCE: Final = 100
"""Concurrent calls at most, in a quick run."""


def one_by_one(settings: Settings) -> list[Table]:
    """Measure blocking clients, one call after the other."""
    found = in_passes("sync", SYNC_SCENARIOS, settings)
    return cost_tables("sync", "One call after the other", found, FLOOR)


def at_once(settings: Settings, *, uvloop: bool) -> list[Table]:
    """Measure asyncio clients with concurrent calls."""
    scenarios = {
        column: scenario
        for column, scenario in (UVLOOP_SCENARIOS if uvloop else ASYNC_SCENARIOS).items()
        if not settings.quick or scenario.at_once <= QUICK_AT_ONCE
    }
    found = in_passes("async", scenarios, settings, uvloop=uvloop)
    name = "uvloop" if uvloop else "async"
    loop = "uvloop" if uvloop else "asyncio's own loop"
    return cost_tables(name, f"Many calls at once, {loop}", found, ASYNC_FLOOR)


def measure_scenario(
    kind: str, scenario: Scenario, settings: Settings, tls: Tls, *, uvloop: bool
) -> Measurement:
    """Measure all clients of a kind against a server with the settings of a scenario."""
    assets, bodies, headers, secure, calls_at_once = scenario
    trust = tls if secure else None
    with served(assets, bodies=bodies, headers=headers, tls=trust, cpu=settings.cpus[1]) as url:
        return interleaved(
            kind,
            settings.wanted(kind),
            url,
            settings,
            at_once=calls_at_once,
            assets=assets,
            uvloop=uvloop,
            tls=trust,
        )


def in_passes(
    kind: str, scenarios: Mapping[str, Scenario], settings: Settings, *, uvloop: bool = False
) -> dict[str, Measurement]:
    """Measure all columns several times, so that a slow minute affects more than one column."""
    found: dict[str, Measurement] = {}
    short = settings._replace(rounds=settings.rounds // settings.passes)
    with tempfile.TemporaryDirectory() as folder:
        tls = certified(Path(folder))
        for number in range(settings.passes):
            for column, scenario in scenarios.items():
                print_progress(f"  {column} ({number + 1}/{settings.passes})")
                more = measure_scenario(kind, scenario, short, tls, uvloop=uvloop)
                found[column] = found[column].joined(more) if column in found else more
    return found


def cost_tables(key: str, title: str, found: Mapping[str, Measurement], base: str) -> list[Table]:
    """Return a table of CPU and a table of time, with a row for each client."""
    return [
        _make_table(f"{key}-{field}", title, field, unit, found, base)
        for field, unit in (("cpu", "CPU of a call, µs"), ("wall", "time of a call, µs"))
    ]


def _make_table(
    key: str, title: str, field: str, unit: str, found: Mapping[str, Measurement], base: str
) -> Table:
    """Return the table of one field of Cost."""
    rows: dict[str, dict[str, Statistic]] = {}
    for column, measurement in found.items():
        samples = {
            name: [getattr(cost, field) * 1e6 for cost in costs]
            for name, costs in measurement.costs.items()
        }
        for name, values in samples.items():
            rows.setdefault(name, {})[column] = figure(values, samples.get(base))
    full_title = f"{title}: {unit.partition(',')[0]}"
    base = base if base in rows else ""
    table = Table(key, full_title, unit, tuple(found), rows, base, _missing_notes(found))
    return table.sorted(next(iter(found)))


def _missing_notes(found: Mapping[str, Measurement]) -> tuple[str, ...]:
    """Return why clients were not measured, each reason once."""
    notes = []
    for column, measurement in found.items():
        for name, reason in measurement.missing.items():
            where = name if reason == "not installed" else f"{name}, {column}"
            notes.append(f"{where}: {reason}")
    return tuple(dict.fromkeys(notes))


MEASUREMENTS: Final[Mapping[str, Callable[[Settings], list[Table]]]] = {
    "sync": one_by_one,
    "async": partial(at_once, uvloop=False),
    "uvloop": partial(at_once, uvloop=True),
    "cold": processes.first_call,
    "command": processes.command,
    "connecting": connecting.dead_address,
    "limiters": limiters.limiters,
    "accounts": many_accounts.accounts,
    "mock": mock.mock,
    "generator": processes.generator,
    "installed": installations.installed,
}


def measure(names: list[str], settings: Settings) -> list[Table]:
    """Return all tables. A measurement that fails is named and does not affect the others."""
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


def parse_options() -> argparse.Namespace:
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(description="What a call costs.")
    parser.add_argument("--quick", action="store_true", help="take a minute or two; noisier")
    clients = sorted({name for table in CLIENTS.values() for name in table})
    parser.add_argument(
        "--only",
        nargs="+",
        default=[],
        choices=[*MEASUREMENTS, *clients],
        metavar="NAME",
        help="%(choices)s",
    )
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--markdown", type=Path, metavar="FILE")
    parser.add_argument("--plots", type=Path, metavar="DIR", help="SVG files; needs matplotlib")
    parser.add_argument(
        "--install", action="store_true", help="measure an installation; needs a package index"
    )
    return parser.parse_args()


def main() -> None:
    options = parse_options()
    clients = frozenset(options.only) - MEASUREMENTS.keys()
    settings = Settings(install=options.install, clients=clients, cpus=two_cpus())
    if options.quick:
        settings = settings._replace(rounds=8, passes=2, seconds=0.03, starts=5, quick=True)
    names = [name for name in MEASUREMENTS if name in options.only]
    found = measure(names or list(MEASUREMENTS), settings)
    report = document(found, versions(settings), settings, dt.datetime.now(dt.UTC))
    plots: list[Path] = []
    if options.plots:
        # Only plots need matplotlib.
        from benchmarks.plots import draw

        plots = draw(report, options.plots)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    text = page(found, report, plots, options.markdown.parent if options.markdown else Path.cwd())
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")
    else:
        print(text)


def print_progress(text: str) -> None:
    """Print a line on stderr."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
