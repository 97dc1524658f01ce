"""Write a report as Markdown and JSON: date, machine, versions and tables.

It contains no host name, no user name and no path.
"""

from __future__ import annotations

import datetime as dt
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.side_by_side import Settings
from benchmarks.tables import Table, jsonable, markdown

HEAD = """# What a call costs

Written by `make bench`; do not edit. Every client reads the same signed balances
(`GET /fapi/v3/balance`) over loopback from a server process that responds at once. Clients have
their default settings, except a limit on calls per second. CPU is user and system time of the
client's process. Clients take turns in short rounds: a figure is the median over rounds, with the
quartiles in brackets as noise, and **bold** is the median of the rounds' ratios. Ratios are
comparable between machines, microseconds are not.
`binance-usdm`, `http.client`, `httpx`, `aiohttp` and `asyncio streams` return exact amounts
(`Decimal`); the peers return strings.
"""


def machine() -> dict[str, str]:
    """Return facts about this machine."""
    cpu_count = os.cpu_count()
    if hasattr(os, "sched_getaffinity"):
        cpu_count = len(os.sched_getaffinity(0))
    return {
        "processor": _processor(),
        "CPUs": str(cpu_count),
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
    }


def document(
    tables: Sequence[Table], versions: Mapping[str, str], settings: Settings, now: dt.datetime
) -> dict[str, Any]:
    """Return the report as a JSON object."""
    return {
        "date": now.date().isoformat(),
        "machine": machine(),
        "versions": dict(sorted(versions.items())),
        "rounds": settings.rounds,
        "seconds_a_round": settings.seconds,
        "starts": settings.starts,
        "tables": [jsonable(table) for table in tables],
    }


def page(
    tables: Sequence[Table], report: Mapping[str, Any], plots: Sequence[Path], folder: Path
) -> str:
    """Return the report as Markdown.

    Args:
        tables: The tables.
        report: What `document` returned.
        plots: Pictures.
        folder: Where the page will be. Paths of pictures are relative to it.
    """
    facts = {"date": report["date"], **report["machine"]}
    versions = report["versions"].items()
    facts["versions"] = ", ".join(f"{name} {version}" for name, version in versions)
    facts["rounds"] = (
        f"{report['rounds']} of about {report['seconds_a_round']} s a client; "
        f"{report['starts']} fresh processes"
    )
    parts = [
        HEAD,
        "| | |\n|---|---|\n" + "".join(f"| {name} | {value} |\n" for name, value in facts.items()),
    ]
    parts += [
        f"![{path.stem}]({Path(os.path.relpath(path, folder)).as_posix()})\n" for path in plots
    ]
    return "\n".join([*parts, *map(markdown, tables)]).rstrip() + "\n"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")),
        platform.machine(),
    )
