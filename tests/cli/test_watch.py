"""`--watch` and the progress line, on pseudo-terminals of three widths and in pipes."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import sys
import unittest.mock
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from binance_usdm import AccountBalance, Budget
from binance_usdm._cli.output.columns import Record, View
from binance_usdm._cli.output.progress import Progress
from binance_usdm._cli.output.watch_output import (
    ChangedLines,
    ChangeTracker,
    Round,
    pack,
    row_keys,
    status_parts,
)
from binance_usdm._events import Event
from binance_usdm.mock import row
from tests.cli.conftest import Desk
from tests.support.command_line import COMMAND, run
from tests.support.spec_facts import BALANCE_WEIGHT
from tests.support.terminal import Terminal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
BUDGET = Budget(limit=1920, used=15, held_until=None, is_banned=False, counted_by="this process")


@pytest.fixture
def environment(desk: Desk) -> dict[str, str]:
    """The environment of alpha's account alone."""
    credentials = {
        "BINANCE_API_KEY": "fake-key-of-alpha",
        "BINANCE_API_SECRET": "fake-secret-of-alpha",
    }
    clean = {name: text for name, text in desk.environment.items() if name != "COLUMNS"}
    return {**clean, **credentials}


@pytest.mark.parametrize(
    ("columns", "lines", "status_lines", "is_whole"),
    [(200, 24, 1, True), (80, 40, 2, True), (80, 14, 2, False), (40, 14, 4, False)],
)
def test_a_terminal_is_drawn_in_place(
    desk: Desk,
    environment: dict[str, str],
    columns: int,
    lines: int,
    status_lines: int,
    is_whole: bool,
) -> None:
    """A change gets a mark where it stood, the weight is shown, and Ctrl-C ends with 0."""
    arguments = ("balance", "--watch", "1")
    with Terminal(*arguments, columns=columns, lines=lines, environment=environment) as terminal:
        first = terminal.wait_for(lambda text: terminal.is_drawn and "Ctrl-C ends" in text)
        assert f"weight {BALANCE_WEIGHT} used, {1920 - BALANCE_WEIGHT} left" in first
        assert "*" not in first
        desk.seed("alpha", ("USDT", "7.25000000"), ("BNB", "0.00000000"))
        second = terminal.wait_for(lambda text: terminal.is_drawn and "7.25000000*" in text)
        terminal.press_ctrl_c()
        assert terminal.end() == 0
    assert second.count("USDT") == first.count("USDT") == 1, "drawn over the first table"
    assert "* changed in the last 3 rounds" in second
    assert "every 1 s" in second
    shown = second.rstrip("\n").splitlines()
    assert len(shown) < lines
    assert len(shown) - len(first.rstrip("\n").splitlines()) <= 1
    assert ("more lines (use --asset, --columns)" in second) != is_whole
    start = next(number for number, line in enumerate(shown) if " UTC" in line)
    assert len(shown) - start == status_lines
    assert "Traceback" not in terminal.raw


def test_a_resized_terminal_is_drawn_anew(desk: Desk, environment: dict[str, str]) -> None:
    """After a change of the width nothing of the old drawing stays."""
    arguments = ("balance", "--watch", "1", "--asset", "USDT")
    with Terminal(*arguments, columns=200, lines=30, environment=environment) as terminal:
        terminal.wait_for(lambda text: terminal.is_drawn)
        terminal.resize(60, 30)
        text = terminal.wait_for(
            lambda text: terminal.is_drawn and "updateTime          16" in text
        )
        assert text.count("USDT") == 1
        assert text.startswith("accountAlias        alias-alpha\n")


def start_watch(environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, "balance", "--watch", "1", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


@pytest.fixture(scope="module")
def _no_ignored_interrupt() -> Iterator[None]:
    """A background job ignores SIGINT, and programs would inherit that."""
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_no_ignored_interrupt")
@pytest.mark.parametrize("output_format", ["jsonl", "csv", "table"])
def test_a_pipe_gets_changed_rows(
    desk: Desk, environment: dict[str, str], output_format: str
) -> None:
    """All rows come first, then one line for each row that changed, each with its time."""
    program = start_watch(environment, "-o", output_format)
    assert program.stdout is not None
    header = output_format != "jsonl"
    lines = [program.stdout.readline() for _ in range(2 + header)]
    desk.seed("alpha", ("USDT", "7.25000000"), ("BNB", "0.00000000"))
    lines.append(program.stdout.readline())
    program.send_signal(signal.SIGINT)
    rest, errors = program.communicate(timeout=30)
    assert (program.returncode, rest, errors) == (0, "", "")
    assert ["USDT" in line for line in lines[header:]] == [True, False, True]
    assert "7.25000000" in lines[-1]
    assert "\x1b" not in "".join(lines)
    if output_format == "csv":
        rows = list(csv.DictReader(io.StringIO("".join(lines))))
        times = [int(row["received_at"]) for row in rows]
        assert times[0] == times[1] < times[2]
    elif output_format == "jsonl":
        assert all(json.loads(line)["received_at"] for line in lines)
    else:
        assert lines[0].split()[0] == "received_at"


@pytest.mark.usefixtures("_no_ignored_interrupt")
def test_one_account_that_fails_is_said_once(desk: Desk) -> None:
    """The others go on; an error that stays is not repeated in each round."""
    desk.environment["ALPHA_SECRET"] = "fake-but-wrong"
    program = start_watch(
        desk.environment, "--all-profiles", "-o", "csv", "--columns", "label,asset,balance"
    )
    assert program.stdout is not None
    lines = [program.stdout.readline() for _ in range(5)]
    for number in (8, 9):
        desk.seed("beta", ("USDT", f"{number}.00000000"), ("BNB", "0.00000000"))
        lines.append(program.stdout.readline())
    program.send_signal(signal.SIGINT)
    _, errors = program.communicate(timeout=30)
    assert program.returncode == 0
    assert lines[-2:] == ["beta,USDT,8.00000000\n", "beta,USDT,9.00000000\n"]
    assert errors.count("AuthenticationError: alpha: ") == 1


@pytest.fixture
def _one_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """End a watch that goes on after its first round."""
    sleep = unittest.mock.Mock(side_effect=KeyboardInterrupt)
    monkeypatch.setattr("binance_usdm._cli.read.watch.time.sleep", sleep)


@pytest.mark.usefixtures("_one_round")
def test_a_failure_for_good_ends_the_watch(environment: dict[str, str]) -> None:
    """A wrong secret at the start ends it with 1; nothing is called again."""
    environment["BINANCE_API_SECRET"] = "fake-but-wrong"
    done = run("balance", "--watch", "1", "-o", "csv", **environment)
    assert done.returncode == 1
    assert "AuthenticationError: HTTP 400, code -1022" in done.stderr


def test_a_failure_that_passes_is_waited_for(
    desk: Desk, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a good round, an error that may pass is shown, and the next round follows."""
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 1:
            desk.exchange.fail("error-500", times=3)
        if len(slept) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("binance_usdm._cli.read.watch.time.sleep", sleep)
    done = run("balance", "--watch", "5", "-o", "csv", "--columns", "asset,balance", **environment)
    assert (done.returncode, len(slept)) == (0, 3)
    assert done.stdout == "asset,balance\nUSDT,0.50000000\nBNB,0.00000000\n"
    assert done.stderr.count("ServerError") == 1
    assert all(3 < seconds <= 5 for seconds in slept)


@pytest.mark.usefixtures("_one_round")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--watch", "0.5"), "argument --watch: must be a number of seconds from 1 to 86400"),
        (("--watch", "x"), "argument --watch: must be a number of seconds from 1 to 86400"),
        (("--watch", "nan"), "argument --watch: must be a number of seconds from 1 to 86400"),
        (("--watch", "5", "--json"), "JSON cannot be continued; use --output jsonl"),
    ],
)
def test_an_unusable_interval_is_wrong_usage(
    environment: dict[str, str], arguments: tuple[str, ...], said: str
) -> None:
    done = run("balance", *arguments, **environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


@pytest.mark.usefixtures("_one_round")
def test_the_budget_dictates_the_interval(desk: Desk) -> None:
    """Forty accounts cannot be read every second; the shortest interval is named."""
    head, _, _ = desk.file.read_text().partition("[profiles.beta]")
    profiles = [head.replace("alpha", f"desk-{number}") for number in range(40)]
    desk.file.write_text("\n".join(profiles))
    done = run("balance", "--all-profiles", "--watch", "1", "-o", "csv", **desk.environment)
    assert (done.returncode, done.stdout, desk.exchange.requests) == (2, "", [])
    weight = 40 * BALANCE_WEIGHT
    assert (
        f"argument --watch: must be at least {(600 * weight // 1920 + 1) / 10}: 40 accounts "
        f"cost weight {weight} each time, and the budget is 1920 a minute"
    ) in done.stderr


def test_columns_stay_below_their_header() -> None:
    """In a pipe the header comes again before rows whose widths are others, and only then."""
    view = View(("asset", "balance"), "table", uses_iso_time=False, is_chosen=True)
    out = io.StringIO()
    lines = ChangedLines(view, out)
    for balance in ("5.0", "5.0", "6.0", "1234567890.0", "1234567891.0"):
        usdt = AccountBalance.from_dict(row("USDT", balance=balance))
        lines.show(Round([Record(usdt, 1)], [], None, 1.0))
    assert out.getvalue() == (
        "asset  balance\nUSDT       5.0\nUSDT       6.0\n"
        "asset       balance\nUSDT   1234567890.0\nUSDT   1234567891.0\n"
    )


def test_a_mark_stays_for_some_rounds() -> None:
    """A changed cell is marked in three rounds; a new row is, and a row that is gone is not."""
    tracker = ChangeTracker(["received_at", "asset", "balance"])
    assert tracker.update(["a"], [["1", "A", "5"]]) == [0]
    assert tracker.marks(["a"]) == set()
    assert tracker.update(["a", "b"], [["2", "A", "6"], ["2", "B", "1"]]) == [0, 1]
    assert tracker.marks(["a", "b"]) == {(0, 2), (1, 1), (1, 2)}
    for _ in range(2):
        assert tracker.update(["b", "a"], [["3", "B", "1"], ["3", "A", "6"]]) == []
        assert tracker.marks(["b", "a"]) == {(1, 2), (0, 1), (0, 2)}
    tracker.update(["a"], [["4", "A", "6"]])
    assert tracker.marks(["a"]) == set()


def test_the_status_says_until_when_nothing_is_sent() -> None:
    """A hold replaces the weight, and parts are packed into lines of the terminal."""
    now_ms = 1_617_939_110_373
    shown = Round([Record(1, now_ms)], [], BUDGET, 5.0)
    parts = status_parts(shown, has_marks=False)
    assert parts == ["03:31:50 UTC", "every 5 s", "weight 15 used, 1905 left", "Ctrl-C ends"]
    held = Budget(
        limit=1920,
        used=15,
        is_banned=True,
        counted_by="",
        held_until=datetime(2021, 4, 9, 3, 31, 50, tzinfo=UTC),
    )
    assert "banned until 03:31:50 UTC" in status_parts(shown._replace(budget=held), has_marks=True)
    assert pack(parts, 40) == [
        "03:31:50 UTC  every 5 s", "weight 15 used, 1905 left  Ctrl-C ends"
    ]  # fmt: skip
    assert row_keys(shown.records) == [(None, 0)]


class FakeClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_progress_line_says_what_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds, accounts, and the rest of a wait stand in one line."""
    clock = FakeClock()
    monkeypatch.setattr("binance_usdm._cli.output.progress.time.monotonic", clock)
    progress = Progress("balance", io.StringIO())
    clock.now += 3
    assert progress.line() == "balance: 3 s"
    progress.on_account("desk-07", 12, 40)
    progress.on_event(Event(kind="budget_wait", operation="balance", attempt=1, seconds=37.0))
    assert progress.line() == (
        "balance: 3 s, 12 of 40 accounts, 37 s until the weight budget has room"
    )
    clock.now += 38
    assert progress.line() == "balance: 41 s, 12 of 40 accounts"


def test_the_progress_line_comes_after_a_second() -> None:
    """A call that takes less than a second shows nothing; then the line is renewed."""
    stream = io.StringIO()
    progress = Progress("balance", stream)
    for ends_after in (1, 3):
        ended = unittest.mock.Mock()
        ended.wait.side_effect = [*[False] * (ends_after - 1), True]
        progress._ended = ended
        progress._run()
        waits = [call.args[0] for call in ended.wait.call_args_list]
        assert waits == [1.0, 0.25, 0.25][:ends_after]
        assert stream.getvalue().count("balance: ") == ends_after - 1


@pytest.mark.parametrize("columns", [200, 80, 40])
def test_a_long_call_shows_a_progress_line(
    desk: Desk, environment: dict[str, str], columns: int, tmp_path: Path
) -> None:
    """After a second a line appears on the terminal, and nothing of it is left at the end."""
    desk.exchange.fail("latency", seconds=1.6)
    with open(tmp_path / "rows.csv", "w+b") as file:
        with Terminal(
            "balance", "--csv", columns=columns, environment=environment, stdout=file.fileno()
        ) as terminal:
            terminal.wait_for(lambda text: "balance: 1 s" in text)
            assert terminal.end() == 0
        assert terminal.screen.text.strip() == ""
        assert (tmp_path / "rows.csv").read_text().startswith("accountAlias,")


def test_a_slow_doctor_shows_a_progress_line(desk: Desk, environment: dict[str, str]) -> None:
    desk.exchange.fail("latency", seconds=1.6, operation="balance")
    # Its longest lines are not wrapped: they are to be copied.
    with Terminal("doctor", columns=200, environment=environment) as terminal:
        terminal.wait_for(lambda text: "doctor: 1 s" in text)
        # The mock's key has an unusual length, which is a warning.
        assert terminal.end() == 0
    assert "doctor: " not in terminal.screen.text
    assert "No problem was found." in terminal.screen.text


def test_a_dumb_terminal_gets_plain_lines(desk: Desk, environment: dict[str, str]) -> None:
    """Without a cursor that moves there is neither a progress line nor a drawing in place."""
    environment["TERM"] = "dumb"
    arguments = ("balance", "--watch", "1", "--columns", "asset,balance")
    with Terminal(*arguments, columns=80, environment=environment) as terminal:
        terminal.wait_for(lambda text: "0.50000000" in text)
        desk.seed("alpha", ("USDT", "7.25000000"), ("BNB", "0.00000000"))
        terminal.wait_for(lambda text: "7.25000000" in text)
        terminal.press_ctrl_c()
        assert terminal.end() == 0
    assert "\x1b" not in terminal.raw
    assert terminal.screen.text.split("\n")[-2].split() == ["USDT", "7.25000000"]
