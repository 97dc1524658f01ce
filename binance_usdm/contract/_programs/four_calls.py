"""Four calls by which a program shows whether it reads, signs and reports errors correctly.

A program takes BINANCE_BASE_URL, BINANCE_API_KEY and BINANCE_API_SECRET from its environment, reads
the balances once, and prints a line: `{"ok": true, "balances": [...]}` with the rows as the exchange
names their fields, or `{"ok": false, "code": -1022}` with the exchange's code.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from binance_usdm.contract._spec.exact_json import reject_duplicates
from binance_usdm.mock import DEFAULT_API_KEY, DEFAULT_API_SECRET, Exchange, running

from .balances import BALANCES, iter_differences

LATE_MS: Final = 10_000
TIMEOUT_SECONDS: Final = 60.0
MAX_LINE: Final = 300
# What some systems need to start a program at all, beside PATH.
SYSTEM_VARIABLES: Final = ("PATH", "SYSTEMROOT", "TEMP", "TMPDIR")


@dataclass(frozen=True)
class ProgramCall:
    """What is wrong with a call, and the code that must come; `None` where balances must."""

    key: str = DEFAULT_API_KEY
    secret: str = DEFAULT_API_SECRET
    is_late: bool = False
    code: int | None = None


CALLS: Final[Mapping[str, ProgramCall]] = {
    "right key": ProgramCall(),
    "wrong secret": ProgramCall(secret="another-fake-secret", code=-1022),
    "wrong key": ProgramCall(key="another-fake-key", code=-2015),
    "late clock": ProgramCall(is_late=True, code=-1021),
}


@dataclass(frozen=True)
class Verdict:
    """What came of a call.

    Attributes:
        summary: "ok" and what came, or what came instead of what had to.
        details: A line for each difference, and the last line that the program complained with.
    """

    summary: str
    details: tuple[str, ...] = field(default=())

    @property
    def is_ok(self) -> bool:
        """Whether the call came out as it must."""
        return self.summary.startswith("ok")


@contextmanager
def serve_both() -> Iterator[dict[bool, str]]:
    """Serve two mock exchanges, and yield their URLs by whether the program's clock is late."""

    def setup(exchange: Exchange) -> None:
        exchange.seed("balance", BALANCES)

    ahead = Exchange(clock=lambda: _now_ms() + LATE_MS, setup=setup)
    with running(Exchange(clock=_now_ms, setup=setup)) as url, running(ahead) as late_url:
        yield {False: url, True: late_url}


def run_call(command: Sequence[str], call: ProgramCall, urls: Mapping[bool, str]) -> Verdict:
    """Run a program for one call, and judge what it printed.

    Its environment has the three variables and what the system needs, and nothing that leads to
    another exchange.

    Raises:
        OSError: The program cannot be started.
    """
    url = urls[call.is_late]
    environment = {
        "BINANCE_BASE_URL": url,
        "BINANCE_API_KEY": call.key,
        "BINANCE_API_SECRET": call.secret,
        **{name: os.environ[name] for name in SYSTEM_VARIABLES if name in os.environ},
    }
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Verdict(f"no end within {TIMEOUT_SECONDS:g} s")
    printed = done.stdout.decode("utf-8", "replace")
    verdict = judge_output(call, done.returncode, printed)
    complaint = _last_line(done.stderr.decode("utf-8", "replace"))
    if verdict.is_ok or not complaint:
        return verdict
    return Verdict(verdict.summary, (*verdict.details, f"stderr: {complaint}"))


def judge_output(call: ProgramCall, exit_code: int, printed: str) -> Verdict:
    """Judge what a program printed, and how it ended."""
    try:
        # Digits are compared as they were printed.
        answer: Any = json.loads(printed, parse_float=_Number, object_pairs_hook=reject_duplicates)
        is_ok = answer["ok"]
        found = answer["balances" if is_ok else "code"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        return Verdict(f"no answer, exit {exit_code}", (_why_no_answer(error, exit_code, printed),))
    if type(is_ok) is not bool:
        return Verdict(f"no answer, exit {exit_code}", ('"ok" is neither true nor false',))
    if exit_code:
        return Verdict(f"exit {exit_code}")
    if is_ok and call.code is None:
        differences = tuple(map(_one_line, iter_differences(BALANCES, found)))
        if not differences:
            return Verdict(f"ok {len(BALANCES)} rows")
        return Verdict(f"{len(differences)} differences", differences)
    if not is_ok and found is not None and found == call.code and type(found) is int:
        return Verdict(f"ok {found}")
    came = "balances" if is_ok else f"code {json.dumps(found, default=str)[:40]}"
    return Verdict(f"{came}, not {'balances' if call.code is None else f'code {call.code}'}")


def _why_no_answer(error: Exception, exit_code: int, printed: str) -> str:
    if exit_code < 0:
        return f"ended by signal {-exit_code}"
    if not printed.strip():
        return "nothing was printed"
    if isinstance(error, KeyError):
        return f"the field {error.args[0]} is missing"
    if isinstance(error, TypeError):
        return "not an object"
    problem = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
    return _one_line(f"not one JSON object: {problem}; it begins with {printed.strip()[:60]}")


def _one_line(text: str) -> str:
    """Return the beginning of a text, without what a terminal would act on."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text[:MAX_LINE])


class _Number(float):
    """A JSON number that is shown with the digits that it was written with."""

    def __new__(cls, text: str) -> _Number:
        number = super().__new__(cls, text)
        number.text = text
        return number

    text: str

    def __str__(self) -> str:
        return self.text


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _last_line(text: str) -> str:
    """Return the last line of what a program complained about, without a signature."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return _one_line(re.sub(r"signature=\w+", "signature=...", lines[-1])) if lines else ""
