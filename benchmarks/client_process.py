"""Run one client in this process, as JSON lines on stdin say, and print on stdout what it cost.

It is started as `python -I client_process.py` by the interpreter that has the client. The first
line names the client and the target. The first call must return the expected number of assets. Each
further line is `{"calls": n, "at_once": m}`; the response has the seconds per call.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.clients import CLIENTS, Client
from benchmarks.cpu_time import time_calls, timed_async
from benchmarks.target import Target

Say = Callable[[dict[str, Any]], None]
MAX_WAVE_SECONDS = 20.0
"""Concurrent calls that take longer are not measured."""


def peak() -> int:
    """Return the peak memory of this process in bytes."""
    # getrusage would include the parent's memory at the fork.
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def ready(balances: Any, assets: int) -> dict[str, Any]:
    """Return the report after the first call.

    Raises:
        ValueError: The call returned another number of assets.
    """
    if len(balances) != assets:
        raise ValueError(f"{len(balances)} assets instead of {assets}")
    return {"peak": peak()}


def orders() -> Iterator[dict[str, int]]:
    yield from map(json.loads, sys.stdin)


def blocking(client: Client, target: Target, assets: int, write_line: Say) -> None:
    call: Any = client.make(target)
    write_line(ready(call(), assets))
    for order in orders():
        write_line(time_calls(call, order["calls"])._asdict())


async def awaiting(client: Client, target: Target, assets: int, write_line: Say) -> None:
    # The import is a part of what an asynchronous client's start costs.
    import asyncio

    making = client.make(target)
    assert isinstance(making, Awaitable)
    call = await making
    write_line(ready(await call(), assets))
    for order in orders():
        try:
            async with asyncio.timeout(MAX_WAVE_SECONDS):
                # The server may have closed idle connections: the first calls are not measured.
                await timed_async(call, order["at_once"], order["at_once"])
                cost = await timed_async(call, order["calls"], order["at_once"])
        except TimeoutError:
            problem = f"{order['at_once']} calls at once take longer than {MAX_WAVE_SECONDS:.0f} s"
            write_line({"error": problem})
            break
        write_line(cost._asdict())


def main() -> None:
    first = json.loads(sys.stdin.readline())
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    # What a client prints goes to stderr.
    os.dup2(2, 1)
    if first["cpu"] is not None:
        os.sched_setaffinity(0, {first["cpu"]})

    def write_line(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")

    client, target = CLIENTS[first["kind"]][first["name"]], Target(*first["target"])
    try:
        if first["kind"] in ("sync", "limiter"):
            blocking(client, target, first["assets"], write_line)
        else:
            import asyncio

            loop: Any = asyncio.SelectorEventLoop
            if first["uvloop"]:
                import uvloop  # type: ignore[import-not-found]  # comes with `make bench`

                loop = uvloop.new_event_loop
            with asyncio.Runner(loop_factory=loop) as runner:
                runner.run(awaiting(client, target, first["assets"], write_line))
    # Any error of a client is reported in the table.
    except Exception as error:  # noqa: BLE001
        problem = f"{type(error).__name__}: {error}".replace(target.secret, "...")
        write_line({"error": problem.replace(target.key, "...")[:160]})


if __name__ == "__main__":
    main()
