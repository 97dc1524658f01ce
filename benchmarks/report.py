"""What stands around the figures: when, on what machine, with which versions; as Markdown and JSON. Names no host, no user and no path."""

from __future__ import annotations

import datetime as dt
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.side_by_side import Settings
from benchmarks.statistics import Table, jsonable, markdown

HEAD = """# What a call costs

Written by `make bench`; do not edit. Every client reads the same signed balances (`GET /fapi/v3/balance`) over loopback from a server of
its own that answers at once, with everything switched on that the client switches on by itself, except a limit on calls a second.
CPU is user and system time of the client's process. Clients take turns in short rounds: a figure is the median over rounds, with the
quartiles in brackets as noise, and **bold** is the median of the rounds' ratios. Ratios travel between machines, microseconds do not.
`binance-usdm`, `http.client`, `httpx`, `aiohttp` and `asyncio streams` give exact amounts (`Decimal`); the peers give texts.
"""


def machine() -> dict[str, str]:
    return {
        "processor": _processor(),
        "CPUs": f"{len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()}",
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
    }


def document(
    tables: Sequence[Table], versions: Mapping[str, str], settings: Settings, now: dt.datetime
) -> dict[str, Any]:
    """Everything, for JSON."""
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
    tables: Sequence[Table], told: Mapping[str, Any], plots: Sequence[Path], beside: Path
) -> str:
    """Everything, for readers; plots are shown by their path from where the page will be."""
    facts = {"date": told["date"], **told["machine"]}
    facts["versions"] = ", ".join(f"{name} {version}" for name, version in told["versions"].items())
    facts["rounds"] = (
        f"{told['rounds']} of about {told['seconds_a_round']} s a client; {told['starts']} fresh processes"
    )
    parts = [
        HEAD,
        "| | |\n|---|---|\n" + "".join(f"| {name} | {value} |\n" for name, value in facts.items()),
    ]
    parts += [
        f"![{path.stem}]({Path(os.path.relpath(path, beside)).as_posix()})\n" for path in plots
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
