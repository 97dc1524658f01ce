"""Measure clients side by side: each in its process, in rounds in which they take turns."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from benchmarks.clients import CLIENTS
from benchmarks.cpu_time import Cost
from benchmarks.fixed_server import Tls
from benchmarks.target import Target

ROOT: Final = Path(__file__).resolve().parents[1]
KEY: Final = "fake-key-of-a-benchmark-".ljust(64, "0")
SECRET: Final = "fake-secret-of-a-benchmark-".ljust(64, "0")
WORKER: Final = Path(__file__).with_name("client_process.py")
MAX_CALLS: Final = 5_000


class Settings(NamedTuple):
    """How long to measure, and what.

    Attributes:
        rounds: Number of rounds.
        passes: How often the columns of a table are repeated.
        seconds: Approximate time of a client in a round.
        starts: Number of fresh processes.
        quick: Whether large measurements are left out.
        install: Whether to measure an installation.
        clients: Names of the clients, empty for all.
        cpus: CPU of the client and of the server.
    """

    rounds: int = 20
    passes: int = 4
    seconds: float = 0.1
    starts: int = 11
    quick: bool = False
    install: bool = False
    clients: frozenset[str] = frozenset()
    cpus: tuple[int | None, int | None] = (None, None)

    def wanted(self, kind: str) -> list[str]:
        """Return the names of the clients to measure."""
        return [name for name in CLIENTS[kind] if not self.clients or name in self.clients]


class Measurement(NamedTuple):
    """Result of one measurement.

    Attributes:
        costs: Costs per round by client. All clients had the same rounds.
        missing: Why the other clients have no costs.
    """

    costs: dict[str, list[Cost]]
    missing: dict[str, str]

    def joined(self, more: Measurement) -> Measurement:
        """Join two measurements of the clients that are in both: ratios need the same rounds."""
        both = self.costs.keys() & more.costs.keys()
        costs = {name: self.costs[name] + more.costs[name] for name in self.costs if name in both}
        return Measurement(costs, self.missing | more.missing)


def two_cpus() -> tuple[int | None, int | None]:
    """Return a CPU for the client and one for the server, None where there is no choice."""
    usable = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return (usable[0], usable[-1]) if len(usable) > 1 else (None, None)


def interpreter(module: str) -> Path | None:
    """Return an interpreter that can import a module, None if there is none.

    It is this one, or one of those that `make install` and `make interop` have set up.
    """
    with contextlib.suppress(ImportError):
        if importlib.util.find_spec(module):
            return Path(sys.executable)
    for home in (ROOT / ".venv", *sorted((ROOT / ".scratch" / "interop").glob("*"))):
        for packages in home.glob("lib/python*/site-packages"):
            path = packages.joinpath(*module.split("."))
            if path.is_dir() or path.with_suffix(".py").is_file():
                return home / "bin" / "python"
    return None


def versions(settings: Settings) -> dict[str, str]:
    """Return the versions of the clients that are measured."""
    kinds = ("sync", "async")
    wanted = {name: CLIENTS[kind][name] for kind in kinds for name in settings.wanted(kind)}
    found = {}
    for name, client in wanted.items():
        python = interpreter(client.module)
        if python and client.package:
            program = f"from importlib import metadata; print(metadata.version({client.package!r}))"
            done = subprocess.run(
                [str(python), "-I", "-c", program], capture_output=True, text=True, check=True
            )
            found[name] = done.stdout.strip()
    return found


def environment(tls: Tls | None = None, **more: str) -> dict[str, str]:
    """Return the environment of a measured process, without settings of this one."""
    trust = {}
    if tls:
        trust = {"SSL_CERT_FILE": str(tls.authority), "REQUESTS_CA_BUNDLE": str(tls.authority)}
    return {"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8", **trust, **more}


class Worker:
    """Process with one client that has made its first call.

    Raises:
        RuntimeError: The client is not installed, or its first call failed.
    """

    def __init__(
        self,
        kind: str,
        name: str,
        target: Target,
        settings: Settings,
        *,
        assets: int,
        uvloop: bool,
        tls: Tls | None,
    ) -> None:
        python = interpreter(CLIENTS[kind][name].module)
        if python is None:
            raise RuntimeError("not installed")
        if uvloop and not _has_uvloop(python):
            raise RuntimeError("uvloop is not installed there")
        self._process = subprocess.Popen(
            [str(python), "-I", str(WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment(tls),
        )
        first = {
            "kind": kind,
            "name": name,
            "target": target,
            "assets": assets,
            "uvloop": uvloop,
            "cpu": settings.cpus[0],
        }
        try:
            self.ready = self._send_order(first)
        except RuntimeError:
            self.stop()
            raise

    def cost(self, calls: int, at_once: int) -> Cost:
        """Return the cost of `calls` calls, `at_once` of them at any time."""
        return Cost(**self._send_order({"calls": calls, "at_once": at_once}))

    def cpu_of_life(self) -> float:
        """End the process and return the CPU seconds that it used."""
        assert self._process.stdin
        self._process.stdin.close()
        _, _, usage = os.wait4(self._process.pid, 0)
        self._process.returncode = 0
        return usage.ru_utime + usage.ru_stime

    def stop(self) -> None:
        """Kill the process and wait for its end."""
        with self._process as process:
            process.kill()

    def _send_order(self, order: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise RuntimeError("the process ended") from None
        answer: dict[str, Any] = json.loads(
            self._process.stdout.readline() or '{"error": "the process ended"}'
        )
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def interleaved(
    kind: str,
    names: Iterable[str],
    url: str,
    settings: Settings,
    *,
    at_once: int = 1,
    assets: int = 12,
    uvloop: bool = False,
    tls: Tls | None = None,
    redis_url: str = "",
) -> Measurement:
    """Measure all clients in each round, in a random order."""
    measured = Measurement({}, {})
    target = Target(url, KEY, SECRET, at_once, redis_url)
    order = random.Random(0)
    with contextlib.ExitStack() as stack:
        workers: dict[str, tuple[Worker, int]] = {}
        for name in names:
            with _note_missing(measured.missing, name):
                worker = Worker(kind, name, target, settings, assets=assets, uvloop=uvloop, tls=tls)
                stack.enter_context(worker)
                wall = worker.cost(max(20, at_once), at_once).wall
                calls = max(at_once, 10, int(settings.seconds / wall))
                workers[name] = (worker, min(MAX_CALLS, calls))
        for _ in range(settings.rounds):
            for name in order.sample(sorted(workers), len(workers)):
                with _note_missing(measured.missing, name):
                    worker, calls = workers[name]
                    measured.costs.setdefault(name, []).append(worker.cost(calls, at_once))
            for name in measured.missing.keys() & workers.keys():
                del workers[name]
                measured.costs.pop(name, None)
    return measured


@contextlib.contextmanager
def _note_missing(missing: dict[str, str], name: str) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        missing[name] = str(error)


def _has_uvloop(python: Path) -> bool:
    command = [str(python), "-I", "-c", "import uvloop"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
