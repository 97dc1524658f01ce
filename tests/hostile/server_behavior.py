"""One behavior of a server, and the outcome that it must have on both clients."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from binance_usdm import (
    AccountBalance,
    APIError,
    DeadlineExceeded,
    IPBannedError,
    RateLimitError,
    ServerError,
    TransportError,
    UnexpectedResponse,
)
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
# Stands for private data in a response. As digits it is an amount, too.
VALUE = "618033988749894"
# Timeouts of a call that must exceed it, and of one that must not.
SHORT = 0.25
LONG = 3.0
# Stands for the address of a server that no client may connect to.
ELSEWHERE = b"elsewhere.invalid:1"
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

# What is said of a server that ends a plain connection before the first byte of its response.
NO_REPLY_HINT = "; a port that expects https does so: then change scheme or port of base_url"

# Outcomes. A shorter one leaves open what it does not have.
GOOD: Expected = (list, [ROW])
MALFORMED: Expected = (TransportError, "RemoteProtocolError: the response is not valid HTTP/1.1")
CUT: Expected = (
    TransportError,
    "RemoteProtocolError: the server closed the connection within the response",
)
NOTHING: Expected = (
    TransportError,
    f"RemoteProtocolError: the server closed the connection without a response{NO_REPLY_HINT}",
)
GONE: Expected = (TransportError, "ReadError: reading the response failed: ECONNRESET")
RESET_UNTOUCHED: Expected = (TransportError, f"{GONE[1]}{NO_REPLY_HINT}")
LATE: Expected = (DeadlineExceeded,)
NO_JSON: Expected = (UnexpectedResponse, 200, (), "a JSON text", "invalid JSON")
TOO_LARGE: Expected = (UnexpectedResponse, 0, (), f"at most {MIB} bytes", "more")


def rows(**changed: Any) -> Expected:
    """Return the one good row, with changed fields."""
    return (list, [{**ROW, **changed}])


def mismatch(found: str, expected: str = "a JSON text", *path: int | str) -> Expected:
    """Return the outcome of a 200 that the spec does not describe."""
    return (UnexpectedResponse, 200, path, expected, found)


@dataclass(frozen=True, slots=True)
class ServerBehavior:
    """Steps of the first connection after a request, and the outcome that the call must have.

    After the steps the connection serves further requests correctly, as later connections do.

    Args:
        name: Name of the behavior.
        steps: Steps of a `RawServer`.
        due: The outcome.
        kept: Whether the next call uses the first connection. `None` allows both.
        timeout: Timeout of the call in seconds.
        idle: Whether all steps are done before the next call.
        unasked: Whether the steps begin before the request.
        tls: Whether the client uses TLS. The server never does.
    """

    name: str
    steps: Steps
    due: Expected
    kept: bool | None = False
    timeout: float = LONG
    idle: bool = False
    unasked: bool = False
    tls: bool = False

    def all_steps(self) -> Iterable[Step]:
        """Return the steps after the request, which may be endless."""
        return self.steps() if callable(self.steps) else self.steps

    def scripts(self, elsewhere: bytes, over: threading.Event) -> list[Script]:
        """Return the scripts of the first connection and of all later ones, for `RawServer`.

        `over` is set when all steps are done.
        """

        def first() -> Iterator[Step]:
            if not self.unasked:
                yield READ
            for step in self.all_steps():
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
    """Behaviors that differ in what is sent and what is due."""
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
    return value_outcome(outcome.parsed, outcome.used_weight)  # type: ignore[attr-defined]


def value_outcome(parsed: list[AccountBalance], used_weight: int | None) -> Expected:
    """Return the outcome of a balance, with the weight that came along."""
    return (type(parsed), [row.to_dict() for row in parsed], used_weight)


def is_retryable(due: Expected) -> bool:
    """Return what `retryable` of an error must be, from its class and what was expected."""
    if due[0] is UnexpectedResponse:
        return due[3:4] == ("a JSON text",)
    may_help = (TransportError, RateLimitError, ServerError)
    never = (DeadlineExceeded, IPBannedError)
    return issubclass(due[0], may_help) and not issubclass(due[0], never)


def matches(found: Expected, due: Expected) -> bool:
    """Whether an outcome is the due one; a function among what is due judges its part."""
    pairs = list(zip(found, due, strict=False))
    judged = [
        wanted(part) if callable(wanted) and not isinstance(wanted, type) else part == wanted
        for part, wanted in pairs
    ]
    return len(found) >= len(due) and all(judged)
