"""Run the hostile behaviors of a server against both clients.

The behaviors and their outcomes are in `framing`, `connections`, `bodies` and `error_responses`.
`parsing` runs them against the parser alone. `python -m tests.hostile.catalogue` prints by how
many MiB those that could take memory raise the peak of a process.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import re
import resource
import threading
import time
from collections.abc import Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from binance_usdm import (
    AsyncClient,
    Client,
    IPBannedError,
    RateLimitError,
    RetryPolicy,
    UsdmError,
    reset_shared_state,
)
from binance_usdm._http.connections.tls import tls_context
from tests.hostile.bodies import COSTLY, IN_THE_BODY
from tests.hostile.connections import ON_THE_WIRE
from tests.hostile.error_responses import IN_REFUSALS
from tests.hostile.framing import IN_THE_FRAME
from tests.hostile.server_behavior import (
    GOOD,
    LATE,
    LONG,
    SHORT,
    VALUE,
    Expected,
    ServerBehavior,
    is_retryable,
    matches,
    outcome_of,
)
from tests.support.canaries import CANARIES, KEY, SECRET, crash_report
from tests.support.clients import NOW, BlockingFacade
from tests.support.raw_server import CLOSE_WITHOUT_CLOSE_NOTIFY, RESET, STAY_SILENT, RawServer
from tests.support.timing import freeze_objects

Kind: TypeAlias = type[Client] | type[AsyncClient]
FAMILIES: dict[str, list[ServerBehavior]] = {
    **IN_THE_FRAME,
    **ON_THE_WIRE,
    **IN_THE_BODY,
    **IN_REFUSALS,
    "costly": COSTLY,
}
CATALOGUE = [behavior for family in FAMILIES.values() for behavior in family]
CLIENTS: tuple[Kind, ...] = (Client, AsyncClient)
HELD: Expected = (RateLimitError, 0)
BANNED: Expected = (IPBannedError, 418)
WORK = 0.2  # seconds of a processor that a reply may cost: no deadline ends work
SLACK = 0.1  # seconds that a call may take beyond its time: the promise
# VALUE is in bodies, the address in messages.
PRIVATE = [*CANARIES, "203.0.113", VALUE]
WORKERS = 12
# A machine that is busy makes a call late now and then; a client that is late is late each time.
LOOKS = 3


class CallCost(NamedTuple):
    """Seconds by the clock, and those of them that the caller's thread worked."""

    seconds: float
    work: float


@dataclass(frozen=True, slots=True)
class Observation:
    """The outcome of one behavior on one client."""

    found: Expected
    took: CallCost
    # `retryable` of an error.
    retryable: bool | None
    # What a crash report shows and must not.
    leaked: tuple[str, ...]
    # Requests of the first call, and of both.
    first: int
    requests: int
    connections: int
    # The outcome of the next call.
    after: Expected | None = None
    # Whether the server saw the end of its first connection.
    ended: bool = False

    def next(self) -> Expected:
        """Return the outcome that the next call must have.

        A cooldown that lasts beyond its deadline ends it without a request.
        """
        if cooldown_of(self.found) <= LONG:
            return GOOD
        return HELD if self.found[0] is RateLimitError else BANNED

    def is_late(self, behavior: ServerBehavior) -> bool:
        """Return whether the call, or the next one, was late."""
        return self.took.seconds > behavior.timeout + SLACK or (
            self.after is not None and matches(self.after, LATE)
        )

    def find_problems(self, behavior: ServerBehavior) -> list[str]:
        """Return what is wrong with this outcome."""
        seconds = self.took.seconds
        has_next = self.after is not None
        is_closed = has_next and behavior.kept is False
        is_ended_early = matches(self.found, LATE) and seconds < behavior.timeout
        is_retryable_wrong = self.retryable not in {None, is_retryable(self.found)}
        is_limit_ignored = self.next() is not GOOD and self.requests != 1
        is_connection_wrong = (
            has_next and behavior.kept is not None and self.connections != 2 - behavior.kept
        )
        problems = {
            f"was {self.found!r:.300}, due {behavior.due!r:.300}": not matches(
                self.found, behavior.due
            ),
            f"took {seconds:.3f} s of {behavior.timeout}": seconds > behavior.timeout + SLACK,
            f"ended after {seconds:.3f} s": is_ended_early,
            # The deadline does not end work of the CPU.
            f"worked for {self.took.work:.3f} s": self.took.work > WORK,
            f"retryable is {self.retryable}": is_retryable_wrong,
            f"the next call was {self.after!r:.300}": self.after is not None
            and not matches(self.after, self.next()),
            f"{self.first} requests for one attempt": self.first > 1,
            f"{self.requests} requests in spite of a limit": is_limit_ignored,
            f"{self.connections} connections": is_connection_wrong,
            "the connection stays open": is_closed and not self.ended,
            f"shows {self.leaked}": bool(self.leaked),
        }
        return [problem for problem, is_so in problems.items() if is_so]


def cooldown_of(found: Expected) -> float:
    """Return the seconds of a cooldown that an outcome starts."""
    return float(found[-1]) if issubclass(found[0], RateLimitError) else 0.0


def configured(timeout: float) -> dict[str, Any]:
    """Return options of a client without retries and limiter, so that a call is one request."""
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
def client(kind: Kind, url: str, timeout: float) -> Iterator[TimedFacade]:
    # A ban belongs to the address, and ports are reused. So each client starts without a ban.
    reset_shared_state()
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
    texts = [*PRIVATE, *signatures, *(text[:32] for text in signatures)]
    return tuple(text for text in texts if text in report)


def observe(
    behavior: ServerBehavior, kind: Kind, elsewhere: bytes = b"", look: bool = True
) -> Observation:
    """Make a call while a server behaves this way, then another one."""
    with RawServer(*behavior.scripts(elsewhere, over := threading.Event())) as server:
        url = server.url.replace("http:", "https:") if behavior.tls else server.url
        with client(kind, url, behavior.timeout) as face:
            found, took, error = called(face)
            retryable = error.retryable if isinstance(error, UsdmError) else None
            leaked = shown(error, server.requests) if look else ()
            first = len(server.requests)
            after, ended = None, False
            # Where there is a short cooldown, a second call would only wait.
            if not (behavior.tls or 0 < cooldown_of(found) < LONG + 1):
                if behavior.idle:
                    over.wait(LONG)
                    if {RESET, CLOSE_WITHOUT_CLOSE_NOTIFY} & set(steps(behavior)):
                        server.wait(lambda: server.ended > 0)
                    face.rest(0.01)
                after, _, _ = called(face)
                ended = behavior.kept is False and server.wait(lambda: server.ended > 0)
            counts = (first, len(server.requests), server.connections)
            return Observation(found, took, retryable, leaked, *counts, after, ended)


def observe_all(
    chosen: list[ServerBehavior], kinds: Iterable[Kind] = CLIENTS, look: bool = True
) -> tuple[dict[tuple[str, str], Observation], int]:
    """Run each behavior on the clients, those that wait side by side.

    Returns:
        The outcomes by name and client, and the number of connections to another server.
    """
    pairs = [(behavior, kind) for behavior in chosen for kind in kinds]
    waiting = [
        pair
        for pair in pairs
        if pair[0].timeout <= SHORT or any(isinstance(step, float) for step in steps(pair[0]))
    ]
    prompt = [pair for pair in pairs if pair not in waiting]
    tls_context()  # loading the system's certificates is work of the first call
    freeze_objects()
    with RawServer([STAY_SILENT]) as stranger, ThreadPoolExecutor(WORKERS) as pool:
        elsewhere = f"127.0.0.1:{stranger.port}".encode()

        def one(pair: tuple[ServerBehavior, Kind]) -> tuple[tuple[str, str], Observation]:
            for _ in range(LOOKS):
                seen = observe(*pair, elsewhere, look)
                if not seen.is_late(pair[0]):
                    break
            return (pair[0].name, pair[1].__name__), seen

        return dict([*pool.map(one, waiting), *map(one, prompt)]), stranger.connections


def steps(behavior: ServerBehavior) -> Iterable[Any]:
    return () if callable(behavior.steps) else behavior.steps


def memory_growth() -> float:
    """Return by how many MiB large replies raise the peak of memory beyond that of small ones."""
    observe_all(CATALOGUE[::40], look=False)
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    observe_all([*FAMILIES["sizes"], *FAMILIES["encodings"], *COSTLY], look=False)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**10


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)  # each hold is a warning
    print(memory_growth())
