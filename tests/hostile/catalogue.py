"""Every hostile behaviour against both clients: what each call came to, how long it took, what it cost, who else was asked.

    python -m tests.hostile.catalogue [--costly] [--memory [--traced]] [--table] [word ...]

prints one line a behaviour and client that is not as it should be, then the figures. Knows how to look; the behaviours and their
outcomes are in `in_the_frame`, `on_the_wire`, `in_the_body` and `in_refusals`.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import re
import resource
import sys
import threading
import time
import tracemalloc
from collections.abc import Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

from binance_usdm import AsyncClient, Client, IPBannedError, RateLimitError, RetryPolicy
from binance_usdm._http.tls import tls_context
from binance_usdm._policy import shared
from tests.hostile.bodies import COSTLY, IN_THE_BODY
from tests.hostile.connections import ON_THE_WIRE
from tests.hostile.error_responses import IN_REFUSALS
from tests.hostile.framing import IN_THE_FRAME
from tests.hostile.server_behavior import (
    GOOD,
    LATE,
    LONG,
    SHORT,
    Expected,
    ServerBehavior,
    matches,
    outcome_of,
)
from tests.support.canaries import CANARIES, KEY, SECRET, crash_report
from tests.support.clients import NOW, BlockingFacade
from tests.support.raw_server import CLOSE_WITHOUT_CLOSE_NOTIFY, RESET, STAY_SILENT, RawServer

FAMILIES: dict[str, list[ServerBehavior]] = {
    **IN_THE_FRAME,
    **ON_THE_WIRE,
    **IN_THE_BODY,
    **IN_REFUSALS,
}
CATALOGUE = [behaviour for family in FAMILIES.values() for behaviour in family]
CLIENTS: tuple[type[Client] | type[AsyncClient], ...] = (Client, AsyncClient)
HELD: Expected = (RateLimitError, 0)
BANNED: Expected = (IPBannedError, 418)
WORK = 0.2  # seconds of a processor that a reply may cost: no deadline ends work
SLACK = 0.1  # seconds that a call may take beyond its time: the promise
PRIVATE = [*CANARIES, "203.0.113"]  # the address that the catalogue's texts tell
WORKERS = 12
LOOKS = 3  # a machine that is busy makes a call late now and then; a client that is late is late each time


class CallCost(NamedTuple):
    """Seconds by the clock, and those of them that the caller's thread worked."""

    seconds: float
    work: float


@dataclass(frozen=True, slots=True)
class Observation:
    """What became of one behaviour on one client."""

    found: Expected
    took: CallCost
    after: Expected | None  # of the next call
    connections: int
    first: int  # requests that the first call came to
    requests: int  # and both
    leaked: tuple[str, ...]  # what a crash report shows and must not

    def next(self) -> Expected:
        """What the next call must come to: a limit that lasts longer than it may take is kept, without asking again."""
        return (
            (HELD if self.found[0] is RateLimitError else BANNED)
            if cooldown_of(self.found) > LONG
            else GOOD
        )

    def late(self, behaviour: ServerBehavior) -> bool:
        """Whether a call took too long, or the next one did, for which all is well."""
        return self.took.seconds > behaviour.timeout + SLACK or (
            self.after is not None and matches(self.after, LATE)
        )

    def faults(self, behaviour: ServerBehavior) -> list[str]:
        """In what it is not as it should be."""
        late = matches(self.found, LATE)
        told_ = {
            f"came to {self.found!r:.300}, due {behaviour.due!r:.300}": not matches(
                self.found, behaviour.due
            ),
            f"took {self.took.seconds:.3f} s of {behaviour.timeout}": self.took.seconds
            > behaviour.timeout + SLACK,
            f"gave up after {self.took.seconds:.3f} s": late
            and self.took.seconds < behaviour.timeout,
            f"worked for {self.took.work:.3f} s": self.took.work
            > WORK,  # the deadline does not end work
            f"the next call came to {self.after!r:.300}": self.after is not None
            and not matches(self.after, self.next()),
            f"{self.first} requests for one attempt": self.first > 1,
            f"{self.requests} requests in spite of a limit": self.next() is not GOOD
            and self.requests != 1,
            f"{self.connections} connections": self.after is not None
            and behaviour.kept is not None
            and self.connections != 2 - behaviour.kept,
            f"shows {self.leaked}": bool(self.leaked),
        }
        return [complaint for complaint, true in told_.items() if true]


def cooldown_of(found: Expected) -> float:
    """For how long an outcome forbids to ask again."""
    return float(found[-1]) if issubclass(found[0], RateLimitError) else 0.0


def configured(timeout: float) -> dict[str, Any]:
    """A client that neither tries again nor waits for weight: one call is one request."""
    return {
        "api_key": KEY,
        "api_secret": SECRET,
        "timeout": timeout,
        "retry": RetryPolicy.off(),
        "limiter": None,
        "clock": lambda: NOW,
    }


class TimedFacade(BlockingFacade):
    """Either client, which can also be left alone."""

    def rest(self, seconds: float) -> None:
        """Let time pass; an event loop sees what comes in it, a blocking client does not look."""
        if isinstance(self.client, Client):
            time.sleep(seconds)
        else:
            passing: bool | Coroutine[Any, Any, bool] = asyncio.sleep(seconds, True)
            self._run(passing)


@contextlib.contextmanager
def client(
    kind: type[Client] | type[AsyncClient], url: str, timeout: float
) -> Iterator[TimedFacade]:
    shared._by_origin.clear()  # A ban is the address's, and ports are reused: each behaviour is met by a client that knows of none.
    with (
        asyncio.Runner() as runner,
        contextlib.closing(TimedFacade(kind(**configured(timeout), base_url=url), runner)) as face,
    ):
        yield face


def called(face: BlockingFacade) -> tuple[Expected, CallCost, BaseException | None]:
    """What a call came to, what it took, and the error if it was one."""
    error: BaseException | None = None
    began, worked = time.monotonic(), time.thread_time()
    try:
        outcome: object = face.balance_detailed()
    except Exception as caught:  # a foreign one is what is looked for  # noqa: BLE001
        outcome = error = caught
    took = CallCost(time.monotonic() - began, time.thread_time() - worked)
    return outcome_of(outcome), took, error


def shown(error: BaseException | None, heads: Iterable[bytes]) -> tuple[str, ...]:
    """The private texts that a crash report with local variables shows."""
    if error is None:
        return ()
    report = crash_report(error)
    signatures = [
        found.decode() for head in heads for found in re.findall(rb"signature=([0-9a-f]{64})", head)
    ]
    return tuple(
        text
        for text in [*PRIVATE, *signatures, *(text[:32] for text in signatures)]
        if text in report
    )


def observe(
    behaviour: ServerBehavior,
    kind: type[Client] | type[AsyncClient],
    elsewhere: bytes = b"",
    look: bool = True,
) -> Observation:
    """Let a client live through a behaviour, and call once more."""
    with RawServer(*behaviour.scripts(elsewhere, over := threading.Event())) as server:
        url = server.url.replace("http:", "https:") if behaviour.tls else server.url
        with client(kind, url, behaviour.timeout) as face:
            found, took, error = called(face)
            first = len(server.requests)
            leaked = shown(error, server.requests) if look else ()
            if behaviour.tls or 0 < cooldown_of(found) < LONG + 1:  # it would only wait
                return Observation(
                    found, took, None, server.connections, first, len(server.requests), leaked
                )
            if behaviour.idle:
                over.wait(LONG)
                server.wait(
                    lambda: (
                        server.ended > 0
                        or not {RESET, CLOSE_WITHOUT_CLOSE_NOTIFY} & set(steps(behaviour))
                    )
                )
                face.rest(0.01)
            after, _, _ = called(face)
            return Observation(
                found, took, after, server.connections, first, len(server.requests), leaked
            )


def examine_all(
    chosen: list[ServerBehavior], look: bool = True
) -> tuple[dict[tuple[str, str], Observation], int]:
    """Each behaviour on both clients, those that wait side by side; and how often the server elsewhere was asked."""
    pairs = [(behaviour, kind) for behaviour in chosen for kind in CLIENTS]
    waiting = [
        pair
        for pair in pairs
        if pair[0].timeout <= SHORT or any(isinstance(step, float) for step in steps(pair[0]))
    ]
    prompt = [pair for pair in pairs if pair not in waiting]
    tls_context()  # loading the system's certificates is work of the first call
    gc.collect()
    gc.freeze()  # what other tests left behind is no work of a reply: walking through it once can take half a second
    with RawServer([STAY_SILENT]) as stranger, ThreadPoolExecutor(WORKERS) as pool:
        elsewhere = f"127.0.0.1:{stranger.port}".encode()

        def one(
            pair: tuple[ServerBehavior, type[Client] | type[AsyncClient]],
        ) -> tuple[tuple[str, str], Observation]:
            for _ in range(LOOKS):
                seen = observe(*pair, elsewhere, look)
                if not seen.late(pair[0]):
                    break
            return (pair[0].name, pair[1].__name__), seen

        try:
            seen = dict([*pool.map(one, waiting), *map(one, prompt)])
        finally:
            gc.unfreeze()
        return seen, stranger.connections


def steps(behaviour: ServerBehavior) -> Iterable[Any]:
    return () if callable(behaviour.steps) else behaviour.steps


def table(seen: dict[tuple[str, str], Observation]) -> list[str]:
    """Name, client, outcome, seconds, connections: a line each."""
    return [
        " | ".join([*key, f"{one.found!r:.200}", f"{one.took.seconds:.3f}", str(one.connections)])
        for key, one in seen.items()
    ]


def memory(chosen: list[ServerBehavior], traced: bool) -> dict[str, float]:
    """How far the most memory in use rises above where it was after some calls, in MiB: the process's, and Python's blocks."""
    if traced:
        tracemalloc.start()
    examine_all(CATALOGUE[::40], look=False)
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tracemalloc.reset_peak()
    blocks = tracemalloc.get_traced_memory()[0]
    examine_all(chosen, look=False)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {
        "resident": grown / 2**10,
        "traced": (tracemalloc.get_traced_memory()[1] - blocks) / 2**20,
    }


def main(arguments: list[str]) -> int:
    logging.disable(logging.CRITICAL)  # each hold is a warning
    words = [word for word in arguments if not word.startswith("--")]
    chosen = COSTLY if "--costly" in arguments else CATALOGUE
    chosen = [one for one in chosen if not words or any(word in one.name for word in words)]
    if "--memory" in arguments:
        print(json.dumps(memory(chosen, "--traced" in arguments)))
        return 0
    began = time.monotonic()
    seen, strangers = examine_all(chosen)
    by_name = {behaviour.name: behaviour for behaviour in chosen}
    wrong = [(*key, fault) for key, one in seen.items() for fault in one.faults(by_name[key[0]])]
    for line in wrong:
        print(*line, sep=" | ")
    print(f"{len(chosen)} behaviours, {len(seen)} outcomes, {len(wrong)} faults, {strangers} connections elsewhere, "
          f"{time.monotonic() - began:.1f} s")  # fmt: skip
    print(*(table(seen) if "--table" in arguments else ()), sep="\n")
    return bool(wrong or strangers)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
