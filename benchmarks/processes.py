"""Measure whole processes: a first call, a command, the generator."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks.clients import CLIENTS
from benchmarks.fixed_server import Tls, certified, served
from benchmarks.side_by_side import KEY, ROOT, SECRET, Settings, Worker, environment, interpreter
from benchmarks.tables import Statistic, Table, figure
from benchmarks.target import Target

ONE_LINER = (
    "import os; from binance.client import Client; "
    "client = Client(os.environ['BINANCE_API_KEY'], os.environ['BINANCE_API_SECRET'], ping=False); "
    "client.FUTURES_URL = os.environ['BINANCE_BASE_URL'] + '/fapi'; "
    "print(client.futures_account_balance())"
)
MS = 1e3
"""Milliseconds per second."""
MB = 1e6
"""Bytes per megabyte."""
SCHEMES = ("http", "https")
FIRST_CALL_UNITS = ("CPU, ms", "time, ms", "peak memory, MB")


class ProcessRun(NamedTuple):
    """Cost of a process and its children.

    Attributes:
        cpu: CPU time in seconds.
        wall: Time of the wall clock in seconds.
        peak: Peak memory in bytes, 0 if it is not known.
    """

    cpu: float
    wall: float
    peak: float = 0.0


Runs = Mapping[str, Callable[[], ProcessRun]]


def interleave(runs: Runs, times: int) -> tuple[dict[str, list[ProcessRun]], tuple[str, ...]]:
    """Run each of `runs` several times, in turn.

    A first run of each, which is not counted, leaves compiled files.

    Args:
        runs: Functions that run a process, by name.
        times: How often each is run.

    Returns:
        Results by name, and notes about those that failed. These have no results.
    """
    missing: dict[str, str] = {}
    results: dict[str, list[ProcessRun]] = {name: [] for name in runs}
    for number in range(times + 1):
        for name in [name for name in runs if name not in missing]:
            try:
                result = runs[name]()
            except RuntimeError as error:
                missing[name] = str(error)
                del results[name]
                continue
            if number > 0:
                results[name].append(result)
    return results, tuple(f"{name}: {reason}" for name, reason in missing.items())


def run_process(
    command: Sequence[str], settings: Settings, env: Mapping[str, str], cwd: Path = ROOT
) -> ProcessRun:
    """Run a command without its output.

    Raises:
        RuntimeError: It failed.
    """
    pinned = ["taskset", "-c", str(settings.cpus[0])] if settings.cpus[0] is not None else []
    started_at = time.perf_counter()
    child = subprocess.Popen(
        [*pinned, *command], cwd=cwd, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"ended with {child.returncode}")
    return ProcessRun(usage.ru_utime + usage.ru_stime, time.perf_counter() - started_at)


def first_call(settings: Settings) -> list[Table]:
    """Measure a fresh process: import, construct, first call."""
    rows: dict[str, dict[str, Statistic]] = {}
    notes: tuple[str, ...] = ()
    with tempfile.TemporaryDirectory() as folder:
        tls = certified(Path(folder))
        for scheme in SCHEMES:
            results, missing = _first_calls(settings, tls if scheme == "https" else None)
            notes += tuple(f"{scheme}: {note}" for note in missing)
            for name, runs in results.items():
                cells = _first_call_cells(scheme, runs, results.get("httpx", []))
                rows.setdefault(name, {}).update(cells)
    columns = tuple(f"{scheme}: {unit}" for scheme in SCHEMES for unit in FIRST_CALL_UNITS)
    notes += (
        "CPU is that of the whole process, from its start to its end; time and memory are taken "
        "after the first call",
        "https: with a trust store of one authority; that of a machine has about a hundred, which "
        "take every client longer to load",
    )
    title = "Fresh process: import, construct, first call"
    return [Table("cold", title, "ms and MB", columns, rows, "httpx", notes).sorted(columns[0])]


def _first_call_cells(
    scheme: str, runs: Sequence[ProcessRun], base: Sequence[ProcessRun]
) -> dict[str, Statistic]:
    """Return the cells of one client and scheme. The CPU has a ratio to `base`."""
    cpu = figure([run.cpu * MS for run in runs], [run.cpu * MS for run in base] or None)
    wall = figure([run.wall * MS for run in runs])
    peak = figure([run.peak / MB for run in runs])
    columns = (f"{scheme}: {unit}" for unit in FIRST_CALL_UNITS)
    return dict(zip(columns, (cpu, wall, peak), strict=True))


def _first_calls(
    settings: Settings, tls: Tls | None
) -> tuple[dict[str, list[ProcessRun]], tuple[str, ...]]:
    """Run `interleave` for all clients, with TLS for blocking ones only."""
    with served(tls=tls, cpu=settings.cpus[1]) as url:
        runs: dict[str, Callable[[], ProcessRun]] = {}
        for kind in CLIENTS if tls is None else ("sync",):
            for name in settings.wanted(kind):
                label = name if kind == "sync" else f"{name} (async)"
                runs[label] = partial(_run_first_call, kind, name, url, settings, tls)
        return interleave(runs, settings.starts)


def _run_first_call(
    kind: str, name: str, url: str, settings: Settings, tls: Tls | None
) -> ProcessRun:
    started_at = time.perf_counter()
    target = Target(url, KEY, SECRET)
    with Worker(kind, name, target, settings, assets=12, uvloop=False, tls=tls) as worker:
        wall = time.perf_counter() - started_at
        peak = float(worker.ready["peak"])
        return ProcessRun(worker.cpu_of_life(), wall, peak)


def command(settings: Settings) -> list[Table]:
    """Measure a balance from the shell."""
    peer = interpreter("binance.client")
    own = str(interpreter("binance_usdm"))
    with served(cpu=settings.cpus[1]) as url:
        env = environment(BINANCE_API_KEY=KEY, BINANCE_API_SECRET=SECRET, BINANCE_BASE_URL=url)
        runs: dict[str, Callable[[], ProcessRun]] = {
            "binance-usdm balance": lambda: run_process(
                [own, "-I", "-m", "binance_usdm", "balance"], settings, env
            ),
            "python -c pass": lambda: run_process([own, "-I", "-c", "pass"], settings, env),
        }
        if peer:
            runs["python-binance one-liner"] = lambda: run_process(
                [str(peer), "-I", "-c", ONE_LINER], settings, env
            )
        done, notes = interleave(runs, settings.starts)
    return [
        _commands("command", "A balance from the shell", done, "python-binance one-liner", notes)
    ]


def generator(settings: Settings) -> list[Table]:
    """Measure the generator, against openapi-python-client alone."""
    python = interpreter("openapi_python_client")
    if python is None:
        raise RuntimeError("needs openapi-python-client: make install")
    env = environment() | {"PATH": f"{python.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    with tempfile.TemporaryDirectory() as folder:
        spec = str(ROOT / "spec" / "openapi.yaml")
        output = str(Path(folder, "output"))
        alone = [
            str(python),
            "-m",
            "openapi_python_client",
            "generate",
            "--path",
            spec,
            "--output-path",
            output,
            "--overwrite",
        ]
        whole = [str(python), "-m", "generator", "--check"]
        runs = {
            "python -m generator --check": lambda: run_process(whole, settings, env),
            "openapi-python-client alone": lambda: run_process(alone, settings, env, Path(folder)),
        }
        done, notes = interleave(runs, max(3, settings.starts // 2))
    return [
        _commands(
            "generator",
            "Making the client from the spec",
            done,
            "openapi-python-client alone",
            notes,
        )
    ]


def _commands(
    key: str,
    title: str,
    results: Mapping[str, Sequence[ProcessRun]],
    base: str,
    notes: tuple[str, ...],
) -> Table:
    """Return a table of CPU and time, with ratios to the command `base`."""
    base_runs = results.get(base, ())
    base_cpu = [run.cpu * MS for run in base_runs] or None
    base_wall = [run.wall * MS for run in base_runs] or None
    rows = {
        name: {
            "CPU, ms": figure([run.cpu * MS for run in runs], base_cpu),
            "time, ms": figure([run.wall * MS for run in runs], base_wall),
        }
        for name, runs in results.items()
    }
    columns = ("CPU, ms", "time, ms")
    return Table(key, title, "ms", columns, rows, base if base in rows else "", notes)
