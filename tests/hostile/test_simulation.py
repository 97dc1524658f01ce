"""The simulation in short, and records with one thing broken, each of which must be judged so."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from binance_usdm import Client
from tests.hostile.exchange_process import ExchangeProcess
from tests.hostile.recording_exchange import Arrival, api_key, api_secret, read_arrivals
from tests.hostile.simulation_report import (
    BUDGET,
    MINUTE_MS,
    Expectation,
    Record,
    describe,
    find_problems,
)
from tests.support.command_line import run_side_by_side
from tests.support.spec_facts import BALANCE_PATH, TIME_PATH

BALANCE = BALANCE_PATH
EXPECTED = Expectation(rate_limits=1, bans=1, restarts=1, reaction_ms=500, lateness_seconds=1.0)
EDGE_MS = 30_000_000 * MINUTE_MS


def arrive(at_ms: int, status: int = 200, *, start: int = 0, retry_after_ms: int = 0) -> Arrival:
    """Return a request for a balance, signed 3 ms before it arrived."""
    now = EDGE_MS + at_ms
    return Arrival(start, now, now, BALANCE, status, None, retry_after_ms, now - 3)


def good_record() -> Record:
    """Return a record with a 429, a ban, a restart and nothing broken."""
    return Record(
        [
            arrive(100),
            arrive(200, 429, retry_after_ms=1_000),
            # On the wire when the 429 left.
            arrive(204),
            arrive(1_300),
            arrive(2_000, 418, retry_after_ms=3_000),
            arrive(2_003, 418, retry_after_ms=3_000),
            arrive(5_100),
            arrive(6_000, start=1),
        ],
        outcomes=Counter({"rows": 6}),
        overruns=[0.2],
        leftovers=Counter({"slots": 0}),
    )


def spend_too_much(record: Record) -> None:
    count = BUDGET // 5 - len(record.arrivals) + 1
    record.arrivals = [*record.arrivals, *(arrive(7_000, start=1) for _ in range(count))]


def send_after_429(record: Record) -> None:
    record.arrivals = [*record.arrivals, arrive(900)]


def send_during_ban(record: Record) -> None:
    record.arrivals = [*record.arrivals, arrive(2_600, 418, retry_after_ms=2_400)]


def send_unsigned_during_ban(record: Record) -> None:
    record.arrivals = [*record.arrivals, arrive(3_000)._replace(timestamp_ms=None)]


def send_stale(record: Record) -> None:
    arrival = arrive(8_000, start=1)
    record.arrivals = [*record.arrivals, arrival._replace(timestamp_ms=arrival.at_ms - 5_001)]


def send_ahead(record: Record) -> None:
    arrival = arrive(8_000, start=1)
    record.arrivals = [*record.arrivals, arrival._replace(timestamp_ms=arrival.at_ms + 1_001)]


def get_rejected_timestamp(record: Record) -> None:
    record.arrivals = [*record.arrivals, arrive(8_000, 400, start=1)._replace(code=-1021)]


def end_late(record: Record) -> None:
    record.overruns.append(1.001)


def raise_foreign_error(record: Record) -> None:
    record.foreign_errors.append("KeyError()")


def lose_slot(record: Record) -> None:
    record.leftovers["slots"] = 1


def have_no_429(record: Record) -> None:
    record.arrivals = [arrival for arrival in record.arrivals if arrival.status != 429]


def have_no_ban(record: Record) -> None:
    record.arrivals = [arrival for arrival in record.arrivals if arrival.status != 418]


def have_second_ban(record: Record) -> None:
    ban = arrive(7_000, 418, start=1, retry_after_ms=1_000)
    record.arrivals = [*record.arrivals, ban, arrive(8_100, start=1)]


def have_no_restart(record: Record) -> None:
    record.arrivals = [arrival._replace(start=0) for arrival in record.arrivals]


def stay_down(record: Record) -> None:
    record.arrivals = [*record.arrivals[:-1], arrive(6_000, 503, start=1)]


BREAKS: dict[Callable[[Record], None], str] = {
    spend_too_much: "weight 1925 in minute",
    send_after_429: "1 requests were sent during",
    send_during_ban: "1 requests were sent during",
    send_unsigned_during_ban: "1 requests were sent during",
    send_stale: "1 requests with a stale timestamp",
    send_ahead: "1 requests with a stale timestamp",
    get_rejected_timestamp: "1 requests with a stale timestamp",
    end_late: "1 calls ended after their deadline",
    raise_foreign_error: "no error of the package: KeyError()",
    lose_slot: "left at the end: 1 slots",
    have_no_429: "0 responses with status 429",
    have_no_ban: "0 bans, not 1",
    have_second_ban: "2 bans, not 1",
    have_no_restart: "1 starts of the exchange, not 2",
    stay_down: "no good response after the last trouble",
}


def test_a_good_record_has_no_problem() -> None:
    """What was on the wire, and a call that a busy machine ended a little late, are none."""
    assert not find_problems(good_record(), EXPECTED)
    assert any("2 that were on the wire" in line for line in describe(good_record(), EXPECTED))


@pytest.mark.parametrize("damage", BREAKS, ids=lambda damage: damage.__name__)
def test_each_judgement_goes_red(damage: Callable[[Record], None]) -> None:
    """A record with one thing broken has one problem, which names it."""
    record = good_record()
    damage(record)
    problems = find_problems(record, EXPECTED)
    assert len(problems) == 1, problems
    assert BREAKS[damage] in problems[0]


def test_a_process_writes_down_its_requests(tmp_path: Path) -> None:
    """Requests before and after a restart are in one file, as the exchange saw them."""
    record = tmp_path / "record"
    with (
        ExchangeProcess(record, 2, ahead_ms=3_600_000) as exchange,
        Client(
            api_key(1), api_secret(1), base_url=exchange.url, clock="exchange", limiter=None
        ) as client,
    ):
        assert client.balance(recv_window=4_321)[0].balance == 4_321
        exchange.restart(0.0)
        assert client.balance()[0].asset == "A1"
    time_request, *balances = read_arrivals(record)
    assert (time_request.path, time_request.weight) == (TIME_PATH, 1)
    assert [(request.start, request.status, request.weight) for request in balances] == [
        (0, 200, 5),
        (1, 200, 5),
    ]


@pytest.mark.promise("R10", "R11", "R12")
def test_accounts_in_trouble_keep_every_limit() -> None:
    """200 accounts share a budget through two 429, a restart, a minute's edge and a ban."""
    program = [sys.executable, "-m", "tests.hostile.simulation", "--short", "--client"]
    for child in run_side_by_side([*program, "sync"], [*program, "async"]):
        assert child.returncode == 0, child.stdout + child.stderr
        assert "nothing is broken" in child.stdout
