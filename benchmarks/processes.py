"""What whole processes cost: a first call, a command, the generator; and what is installed for it. Knows command lines."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks.clients import CLIENTS, OURS
from benchmarks.fixed_server import certified, served
from benchmarks.side_by_side import KEY, ROOT, SECRET, Settings, Worker, environment, interpreter
from benchmarks.statistics import Statistic, Table, figure
from benchmarks.target import Target

ONE_LINER = (
    "import os; from binance.client import Client; "
    "client = Client(os.environ['BINANCE_API_KEY'], os.environ['BINANCE_API_SECRET'], ping=False); "
    "client.FUTURES_URL = os.environ['BINANCE_BASE_URL'] + '/fapi'; print(client.futures_account_balance())"
)
MS, MB = 1e3, 1e6


class ProcessRun(NamedTuple):
    """Seconds of a process and its children, bytes at its peak if they are known."""

    cpu: float
    wall: float
    peak: float = 0.0


Runs = Mapping[str, Callable[[], ProcessRun]]


def interleave(runs: Runs, times: int) -> tuple[dict[str, list[ProcessRun]], tuple[str, ...]]:
    """Each so many times, in turn, after one that does not count and leaves compiled files; and notes of those that cannot run."""
    done: dict[str, list[ProcessRun]] = {}
    missing: dict[str, str] = {}
    for number in range(times + 1):
        for name in [name for name in runs if name not in missing]:
            try:
                run = runs[name]()
            except RuntimeError as error:
                missing[name] = str(error)
            else:
                done.setdefault(name, []).extend([run] if number else [])
    kept = {name: each for name, each in done.items() if name not in missing}
    return kept, tuple(f"{name}: {why}" for name, why in missing.items())


def run_process(
    command: Sequence[str], settings: Settings, env: Mapping[str, str], cwd: Path = ROOT
) -> ProcessRun:
    """Run a command that has to succeed; its output goes nowhere."""
    pinned = ["taskset", "-c", str(settings.cpus[0])] if settings.cpus[0] is not None else []
    began = time.perf_counter()
    child = subprocess.Popen(
        [*pinned, *command], cwd=cwd, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"ended with {child.returncode}")
    return ProcessRun(usage.ru_utime + usage.ru_stime, time.perf_counter() - began)


def first_call(settings: Settings) -> list[Table]:
    """A fresh process: import, construct, first call."""

    def first_call(kind: str, name: str, url: str, secure: bool) -> ProcessRun:
        began = time.perf_counter()
        target = Target(url, KEY, SECRET)
        with Worker(
            kind, name, target, settings, assets=12, uvloop=False, tls=tls if secure else None
        ) as worker:
            wall, peak = time.perf_counter() - began, float(worker.ready["peak"])
            return ProcessRun(worker.cpu_of_life(), wall, peak)

    rows: dict[str, dict[str, Statistic]] = {}
    notes: tuple[str, ...] = ()
    with tempfile.TemporaryDirectory() as folder:
        tls = certified(Path(folder))
        for scheme in ("http", "https"):
            secure = scheme == "https"
            with served(tls=tls if secure else None, cpu=settings.cpus[1]) as url:
                runs = {
                    name if kind == "sync" else f"{name} (async)": partial(
                        first_call, kind, name, url, secure
                    )
                    for kind in (("sync",) if secure else CLIENTS)
                    for name in settings.wanted(kind)
                }
                done, missing = interleave(runs, settings.starts)
            notes += tuple(f"{scheme}: {why}" for why in missing)
            base = [run.cpu * MS for run in done.get("httpx", [])] or None
            for name, each in done.items():
                cells = rows.setdefault(name, {})
                cells[f"{scheme}: CPU, ms"] = figure([run.cpu * MS for run in each], base)
                cells[f"{scheme}: time, ms"] = figure([run.wall * MS for run in each])
                cells[f"{scheme}: peak memory, MB"] = figure([run.peak / MB for run in each])
    columns = tuple(
        f"{scheme}: {what}"
        for scheme in ("http", "https")
        for what in ("CPU, ms", "time, ms", "peak memory, MB")
    )
    notes += (
        "CPU is that of the whole process, from its start to its end; time and memory are taken after the first call",
        "https: with a trust store of one authority; a machine's own has a hundred and takes everybody longer to load",
    )
    title = "Fresh process: import, construct, first call"
    return [Table("cold", title, "ms and MB", columns, rows, "httpx", notes).sorted(columns[0])]


def command(settings: Settings) -> list[Table]:
    """A balance from the shell."""
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
    """Making the client from the spec, against openapi-python-client alone."""
    python = interpreter("openapi_python_client")
    if python is None:
        raise RuntimeError("needs openapi-python-client: make install")
    env = environment() | {"PATH": f"{python.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    with tempfile.TemporaryDirectory() as folder:
        spec, output = str(ROOT / "spec" / "openapi.yaml"), str(Path(folder, "made"))
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


def installed(settings: Settings) -> list[Table]:
    """Files of a client and of all that it needs, without compiled ones."""
    rows: dict[str, dict[str, Statistic]] = {}
    notes: tuple[str, ...] = ()
    with tempfile.TemporaryDirectory() as folder:
        homes = {
            path.parent.name: path.parent
            for path in sorted((ROOT / ".scratch" / "interop").glob("*/pyvenv.cfg"))
        }
        if settings.install:
            homes[OURS] = Path(folder, "venv")
            for words in (
                ("-m", "venv", str(homes[OURS])),
                ("-m", "pip", "--python", str(homes[OURS]), "install", "-q", str(ROOT)),
            ):
                subprocess.run([sys.executable, *words], check=True, capture_output=True)
        else:
            notes = (f"{OURS}: measured with --install only, which needs a package index",)
        for name, home in homes.items():
            packages = next(home.glob("lib/python*/site-packages"))
            names = {path.name.split("-")[0] for path in packages.glob("*.dist-info")} - {
                "pip",
                "setuptools",
            }
            files = [
                path for path in packages.rglob("*") if path.is_file() and path.suffix != ".pyc"
            ]
            own = [
                path
                for path in files
                if path.relative_to(packages).parts[0].split("-")[0] not in _TOOLS
            ]
            sizes = sum(path.stat().st_size for path in own) / MB
            rows[name] = {"MB": figure([sizes]), "packages": figure([len(names)])}
    return [
        Table(
            "installed",
            "Installed, with all that it needs",
            "MB and packages",
            ("MB", "packages"),
            rows,
            notes=notes,
        ).sorted("MB")
    ]


_TOOLS = ("pip", "setuptools", "pkg_resources", "_distutils_hack")


def _commands(
    key: str,
    title: str,
    done: Mapping[str, Sequence[ProcessRun]],
    base: str,
    notes: tuple[str, ...],
) -> Table:
    others = {
        what: [getattr(run, what) * MS for run in done.get(base, ())] or None
        for what in ("cpu", "wall")
    }
    rows = {
        name: {
            "CPU, ms": figure([run.cpu * MS for run in each], others["cpu"]),
            "time, ms": figure([run.wall * MS for run in each], others["wall"]),
        }
        for name, each in done.items()
    }  # fmt: skip
    return Table(
        key, title, "ms", ("CPU, ms", "time, ms"), rows, base if base in rows else "", notes
    )
