"""A long run: many calls over one client, with faults, while memory and descriptors are measured.

    python -m tests.hostile.soak [--calls 100000] [--traced]      both clients, one after the other

The server is another process, `fast_server.py`. The process's memory is measured every 5 % of the
calls. From 20 % of the calls on it may grow by GROWTH_KIB, and the file descriptors not at all.
`--traced` counts Python's blocks instead, which is slower and exact. Exits 1 when anything grew.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import logging
import os
import subprocess
import sys
import time
import tracemalloc
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from binance_usdm import AsyncClient, Client, UsdmError
from tests.hostile.catalogue import CLIENTS, client
from tests.support.clients import BlockingFacade
from tests.support.timing import freeze_objects

GROWTH_KIB = 1024  # of what is resident, between 20 % and 100 % of the calls
GROWTH_BYTES = 32_768  # of Python's blocks
POINTS = 20


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured at points of a run: KiB or bytes, and open file descriptors."""

    memory: array[int]
    descriptors: array[int]
    outcomes: Counter[str]
    seconds: float
    bound: int

    @property
    def growth(self) -> int:
        """From 20 % of the calls on.

        The median of five points: one may catch a burst, or the moment between two connections,
        whose buffer of 256 KiB is gone then.
        """
        points = self.memory[POINTS // 5 :]
        return int(median(points[-5:]) - median(points[:5]))

    @property
    def flat(self) -> bool:
        points = self.descriptors[POINTS // 5 :]
        # The one connection may have ended meanwhile.
        return self.growth <= self.bound and points[-1] <= points[0] + 1


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Run `fast_server.py` in a new process, and yield its URL."""
    program = [sys.executable, "-m", "tests.hostile.fast_server"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def called(face: BlockingFacade) -> str:
    try:
        return "rows" if face.balance() else "no rows"
    except UsdmError as error:
        return type(error).__name__


def soak(kind: type[Client] | type[AsyncClient], url: str, calls: int, *, traced: bool) -> Figures:
    """So many calls over one client; any foreign exception ends it."""
    # So measuring takes no memory.
    memory, descriptors = (array("q", bytes(8 * POINTS)) for _ in range(2))
    outcomes: Counter[str] = Counter()
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        if traced:
            tracemalloc.start()
            stack.callback(tracemalloc.stop)
        # Older objects do not grow, and walking through them would take most of the time.
        freeze_objects()
        face = stack.enter_context(client(kind, url, 5.0))
        for point in range(POINTS):
            for _ in range(calls // POINTS):
                outcomes[called(face)] += 1
            gc.collect()
            memory[point] = tracemalloc.get_traced_memory()[0] if traced else resident()
            descriptors[point] = len(os.listdir("/proc/self/fd"))
    bound = GROWTH_BYTES if traced else GROWTH_KIB
    return Figures(memory, descriptors, outcomes, time.monotonic() - began, bound)


def resident() -> int:
    """KiB of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--calls", type=int, default=100_000)
    options.add_argument("--traced", action="store_true")
    chosen = options.parse_args()
    logging.disable(logging.CRITICAL)
    flat = True
    for kind in CLIENTS:
        with server() as url:
            found = soak(kind, url, chosen.calls, traced=chosen.traced)
        flat &= found.flat
        unit = "bytes" if chosen.traced else "KiB"
        outcomes = dict(found.outcomes.most_common())
        print(f"{kind.__name__}: {chosen.calls} calls in {found.seconds:.1f} s, {outcomes}")
        print(f"  memory in {unit} at each twentieth of the run {list(found.memory)}; "
              f"grown by {found.growth} since a fifth of it (bound {found.bound})")  # fmt: skip
        counts = found.descriptors
        print(f"  file descriptors {min(counts)} to {max(counts)}, {counts[-1]} at the end")
    return 0 if flat else 1


if __name__ == "__main__":
    sys.exit(main())
