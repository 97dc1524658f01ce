"""Run a behavior of the catalogue against the parser and the reader alone, without a socket.

It costs microseconds. So every response is also cut into pieces, cut short and bounded.
"""

from __future__ import annotations

import errno
import itertools
import math
from collections.abc import Iterable, Iterator
from typing import Any

from binance_usdm import RateLimitError
from binance_usdm._call.error_mapping import error_from_failure
from binance_usdm._call.response import ParsedValue, parse_response, parse_used_weight
from binance_usdm._http.connections.parser import ResponseParser
from binance_usdm._http.messages import HttpFailure
from binance_usdm_wire import OPERATIONS
from tests.hostile.server_behavior import (
    CUT,
    LATE,
    MIB,
    NOTHING,
    TOO_LARGE,
    VALUE,
    Expected,
    ServerBehavior,
    is_retryable,
    matches,
    outcome_of,
    value_outcome,
)
from tests.support.canaries import KEY
from tests.support.raw_server import CLOSE_WITHOUT_CLOSE_NOTIFY, RESET, Step

BALANCE: Any = OPERATIONS["balance"]
ENDS = {CLOSE_WITHOUT_CLOSE_NOTIFY, RESET}
# What a socket gives at once.
READ_SIZE = 1 << 16
# A response of more bytes is not cut at each of them.
MAX_CUTS = 4000
Parsed = tuple[Expected, bool]


def can_parse(behavior: ServerBehavior) -> bool:
    """Return whether a behavior is bytes that do not depend on the request, and an end."""
    return not behavior.tls and not any(
        callable(step) for step in itertools.islice(behavior.all_steps(), 5)
    )


def feed(steps: Iterable[Step], limit: int = MIB) -> Parsed:
    """Return the outcome of a response, and whether its connection may be used again."""
    parser = ResponseParser(limit, over_tls=False)
    surplus = 0
    for step in steps:
        if isinstance(step, bytes):
            for start in range(0, len(step), READ_SIZE):
                parser.feed(step[start : start + READ_SIZE])
        elif step is CLOSE_WITHOUT_CLOSE_NOTIFY:
            parser.feed(b"")
        elif step is RESET:
            parser.connection_lost(ConnectionResetError(errno.ECONNRESET, "reset"))
        surplus += parser.complete
        if surplus > 2:
            break
    if not parser.complete:
        # A client would wait for more.
        return LATE, False
    return _read(parser, limit), parser.keep_alive


def _read(parser: ResponseParser, limit: int) -> Expected:
    result = parser.result()
    if isinstance(result, HttpFailure):
        return outcome_of(error_from_failure(result, "127.0.0.1", (KEY,), MIB, math.inf))
    value = parse_response(BALANCE, result, (KEY,), MIB)
    if isinstance(value, ParsedValue):
        return value_outcome(value.parsed, parse_used_weight(result.headers))
    found = outcome_of(value)
    shown = f"{value} {value!r} {vars(value)}"
    is_right = value.retryable == is_retryable(found) and VALUE not in shown
    return found if is_right else (type(value), shown)


def find_problems(behavior: ServerBehavior, cut: bool) -> list[str]:
    """Return what is wrong with the outcome of a behavior, whole and in pieces.

    Args:
        behavior: One that `can_parse()`.
        cut: Whether a complete response is also cut short after each of its bytes.
    """
    due = behavior.due
    if issubclass(due[0], RateLimitError):
        # What a limit lasts is the client's decision.
        due = due[:4]
    problems = []
    for name, steps in _splits(behavior):
        found, keep_alive = feed(steps)
        if not matches(found, due):
            problems.append(f"{name}: was {found!r:.300}, due {due!r:.300}")
        if behavior.kept is not None and keep_alive != behavior.kept:
            problems.append(f"{name}: the connection is {'kept' if keep_alive else 'closed'}")
    if behavior.kept and not callable(behavior.steps):
        problems += _find_cut_problems(b"".join(_bytes_of(behavior.steps)), cut)
    return problems


def _bytes_of(steps: Iterable[Step]) -> list[bytes]:
    return [step for step in steps if isinstance(step, bytes)]


def _splits(behavior: ServerBehavior) -> Iterator[tuple[str, Iterable[Step]]]:
    """Yield the steps as they are, in one piece and byte by byte."""
    yield "as sent", behavior.all_steps()
    if callable(behavior.steps):
        return
    whole = b"".join(_bytes_of(behavior.steps))
    ends = [step for step in behavior.steps if step in ENDS]
    yield "in one piece", [whole, *ends]
    if len(whole) <= MAX_CUTS:
        yield "byte by byte", [*(bytes([byte]) for byte in whole), *ends]
    yield "in halves", [whole[: len(whole) // 2], whole[len(whole) // 2 :], *ends]


def _find_cut_problems(whole: bytes, cut: bool) -> list[str]:
    """Return what is wrong when a complete response is cut short, or larger than the bound."""
    problems = []
    places: Iterable[int] = (0, 1, len(whole) // 2)
    if cut and len(whole) <= MAX_CUTS:
        places = range(len(whole))
    for place in places:
        found, _ = feed([whole[:place], CLOSE_WITHOUT_CLOSE_NOTIFY])
        if not matches(found, CUT if place else NOTHING):
            problems.append(f"cut after {place} bytes: was {found!r:.300}")
    if matches(feed([whole], len(whole))[0], TOO_LARGE):
        problems.append("larger than a bound of its own size")
    if not matches(feed([whole], len(whole) - 1)[0], TOO_LARGE):
        problems.append("not larger than a bound of one byte less")
    return problems
