"""What one behaviour of a server is and what both clients must make of it. Knows words for outcomes; knows no single behaviour."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from binance_usdm import APIError, DeadlineExceeded, TransportError, UnexpectedResponse
from tests.support.clients import BODY, ROW
from tests.support.raw_server import (
    CLOSE_WITHOUT_CLOSE_NOTIFY,
    READ,
    RESET,
    STAY_SILENT,
    Script,
    Step,
    response_bytes,
)

Expected: TypeAlias = tuple[Any, ...]
Steps: TypeAlias = Sequence[Step] | Callable[[], Iterable[Step]]

MIB = 1 << 20
SHORT = 0.25  # the whole time of a call that has to run out of it
LONG = 3.0  # and of one that has not
ELSEWHERE = b"elsewhere.invalid:1"  # stands for the address of a server that nobody may ask
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

# outcomes, as `told` tells them; a shorter one leaves open what it does not say
GOOD: Expected = (list, [ROW])
MALFORMED: Expected = (TransportError, "RemoteProtocolError: the response is not valid HTTP/1.1")
CUT: Expected = (
    TransportError,
    "RemoteProtocolError: the server closed the connection within the response",
)
NOTHING: Expected = (
    TransportError,
    "RemoteProtocolError: the server closed the connection without a response",
)
GONE: Expected = (TransportError, "ReadError: reading failed: ECONNRESET")
LATE: Expected = (DeadlineExceeded,)
NO_JSON: Expected = (UnexpectedResponse, 200, (), "a JSON text", "invalid JSON")
TOO_LARGE: Expected = (UnexpectedResponse, 0, (), f"at most {MIB} bytes", "more")


def rows(**changed: Any) -> Expected:
    """The one good row, with other members."""
    return (list, [{**ROW, **changed}])


def mismatch(found: str, expected: str = "a JSON text", *path: int | str) -> Expected:
    """A 200 that is not what the spec describes."""
    return (UnexpectedResponse, 200, path, expected, found)


@dataclass(frozen=True, slots=True)
class ServerBehavior:
    """What the first connection lives through once it has sent a request (at once, if `unasked`), and what the call must come to.

    Whatever the steps are, the connection would then answer further requests rightly, and later connections do. `kept` says whether
    the next call may come over the first one; None when either will do. `idle`: all steps are over before that next call.
    """

    name: str
    steps: Steps
    due: Expected
    kept: bool | None = False
    timeout: float = LONG
    idle: bool = False
    unasked: bool = False
    tls: bool = False  # the client speaks TLS; the server, never

    def scripts(self, elsewhere: bytes, over: threading.Event) -> list[Script]:
        """For `RawServer`: the first connection's script, and that of all later ones. `over` is set when all steps are taken."""

        def first() -> Iterator[Step]:
            if not self.unasked:
                yield READ
            for step in self.steps() if callable(self.steps) else self.steps:
                if step in {STAY_SILENT, RESET, CLOSE_WITHOUT_CLOSE_NOTIFY}:
                    over.set()
                    yield step
                    return
                yield step.replace(ELSEWHERE, elsewhere) if isinstance(step, bytes) else step
            over.set()
            yield from healthy_steps()

        return [first, healthy_steps]


def healthy_steps() -> Iterator[Step]:
    """Every request gets the good row."""
    return itertools.cycle((READ, response_bytes(BODY)))


def family(
    cases: Mapping[str, tuple[bytes | Steps, Expected]], **options: Any
) -> list[ServerBehavior]:
    """Behaviours that differ in what is sent and what is due."""
    return [
        ServerBehavior(name, (sent,) if isinstance(sent, bytes) else sent, due, **options)
        for name, (sent, due) in cases.items()
    ]


def outcome_of(outcome: object) -> Expected:
    """All that a program can see of an outcome, comparable, without the server's name."""
    match outcome:
        case APIError():
            return (
                type(outcome),
                outcome.status,
                outcome.code,
                outcome.message,
                outcome.retry_after,
            )
        case UnexpectedResponse():
            return (type(outcome), outcome.status, outcome.path, outcome.expected, outcome.found)
        case TransportError():
            return (type(outcome), str(outcome).removesuffix(" (127.0.0.1)"))
        case BaseException():
            return (type(outcome), str(outcome))
    parsed, used_weight = outcome.parsed, outcome.used_weight  # type: ignore[attr-defined]
    return (type(parsed), [row.to_dict() for row in parsed], used_weight)


def matches(found: Expected, due: Expected) -> bool:
    """Whether an outcome is the due one; a function among what is due judges its part."""
    pairs = list(zip(found, due, strict=False))
    judged = [
        wanted(part) if callable(wanted) and not isinstance(wanted, type) else part == wanted
        for part, wanted in pairs
    ]
    return len(found) >= len(due) and all(judged)
