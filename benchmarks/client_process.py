"""One client, alone in a process. Reads what to do from stdin, a JSON line each, and answers on stdout with what it cost.

Started as `python -I client_process.py`, by the interpreter that has the client. First line: which client, where to call. Then
`{"calls": n, "at_once": m}`, answered by seconds a call. It sends no figure before the client gave as many assets as it should.
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
MAX_WAVE_SECONDS = 20.0  # s; a wave that takes longer is no figure


def peak() -> int:
    """The most memory that this process has had, bytes; getrusage would count the parent's at the fork."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def ready(balances: Any, assets: int) -> dict[str, Any]:
    """What a client is, after its first call."""
    if len(balances) != assets:
        raise ValueError(f"{len(balances)} assets came, not {assets}")
    return {"peak": peak()}


def orders() -> Iterator[dict[str, int]]:
    yield from map(json.loads, sys.stdin)


def blocking(client: Client, target: Target, assets: int, write_line: Say) -> None:
    call: Any = client.make(target)
    write_line(ready(call(), assets))
    for order in orders():
        write_line(time_calls(call, order["calls"])._asdict())


async def awaiting(client: Client, target: Target, assets: int, write_line: Say) -> None:
    import asyncio  # it is a part of what a start costs, for those who need it

    made = client.make(target)
    assert isinstance(made, Awaitable)
    call = await made
    write_line(ready(await call(), assets))
    for order in orders():
        try:
            async with asyncio.timeout(MAX_WAVE_SECONDS):
                await timed_async(
                    call, order["at_once"], order["at_once"]
                )  # connections that idled may be gone
                cost = await timed_async(call, order["calls"], order["at_once"])
        except TimeoutError:
            write_line(
                {
                    "error": f"{order['at_once']} calls at once take longer than {MAX_WAVE_SECONDS:.0f} s"
                }
            )
            break
        write_line(cost._asdict())


def main() -> None:
    first = json.loads(sys.stdin.readline())
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # a client may print what it likes
    if first["cpu"] is not None:
        os.sched_setaffinity(0, {first["cpu"]})

    def write_line(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")

    client, target = CLIENTS[first["kind"]][first["name"]], Target(*first["target"])
    try:
        if first["kind"] == "sync":
            blocking(client, target, first["assets"], write_line)
        else:
            import asyncio

            loop: Any = asyncio.SelectorEventLoop
            if first["uvloop"]:
                import uvloop  # type: ignore[import-not-found]  # comes with `make bench`

                loop = uvloop.new_event_loop
            with asyncio.Runner(loop_factory=loop) as runner:
                runner.run(awaiting(client, target, first["assets"], write_line))
    except Exception as error:  # whatever a client raises is for the table  # noqa: BLE001
        write_line(
            {
                "error": f"{type(error).__name__}: {error}".replace(target.secret, "...").replace(
                    target.key, "..."
                )[:160]
            }
        )


if __name__ == "__main__":
    main()
