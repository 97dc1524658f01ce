"""The reports of the contract tests say what was done: cases are counted as they happen, and whatever is wrong ends in 1."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from . import run_all as run
from . import run_seeded_faults as seeded
from .facade import SDKS, RecordedCall, call_method
from .raw_requests import ask_well, make_exchange
from .spec_facts import SPEC, operation_facts

GOOD = seeded.SeededFault(
    "mock", "clock stands still", frozenset({"the_clock_is_told"}), "", "sync"
)
SAME = seeded.SeededFault(
    "requests", "another user agent", frozenset(), "the spec does not say", "async"
)


def test_calls_of_a_client_are_counted_whatever_comes_of_them() -> None:
    for sdk in SDKS.values():
        tally = run.CaseCounter()
        client, recorder = tally.sdk(sdk).opened(make_exchange(SPEC))
        for arguments in ({}, {"recv_window": 0}, {"no_such_argument": 1}):
            asyncio.run(call_method(client, "balance", RecordedCall(arguments)))
        assert (tally.cases, tally.operations, len(recorder.sent)) == (2, {"balance_detailed"}, 1)


def test_requests_to_the_mock_are_counted() -> None:
    tally = run.CaseCounter()
    for fact in operation_facts(SPEC):
        for _ in range(20):
            ask_well(tally.exchange(SPEC), fact)
    one = tally.exchange(SPEC)  # the log of an exchange usually ends at a thousand
    for _ in range(1500):
        ask_well(one, operation_facts(SPEC)[0])
    tally.requests()
    assert (tally.cases, tally.operations) == (1540, {"balance", "server_time"})


@pytest.mark.parametrize("found", [{}, {"a_check": "what it found"}])
def test_a_run_ends_in_1_when_anything_was_found(
    found: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        run, "LAYERS", {"A  first": lambda tally: {}, "B  second": lambda tally: found}
    )
    assert run.main() == len(found)
    told = capsys.readouterr().out
    assert ("B a_check" in told, "what it found" in told) == (bool(found), bool(found))
    assert [line.split()[-1] for line in told.splitlines()[1:3]] == ["0", str(len(found))]


def test_every_fault_is_planted_and_has_its_place() -> None:
    seeds = list(seeded.iter_faults())
    assert len({(seed.where, seed.name) for seed in seeds}) == len(seeds) > 180
    assert {GOOD, SAME} <= {
        replace(seed, sdk=known.sdk, reason=known.reason)
        for seed in seeds
        for known in (GOOD, SAME)
    }


def test_a_planted_fault_is_out_again_afterwards() -> None:
    assert seeded.run_fault(GOOD).verdict == "caught"
    assert seeded.run_fault(replace(GOOD, name="empty list")).verdict == "CAUGHT BY OTHERS"
    assert seeded.run_fault(SAME).verdict == "kept every promise"


@pytest.mark.parametrize(
    ("seed", "caught_by", "verdict", "well"),
    [
        (GOOD, {"the_clock_is_told"}, "caught", True),
        (GOOD, {"the_clock_is_told", "crash"}, "CAUGHT BY OTHERS", False),
        (GOOD, set(), "SURVIVED", False),
        (SAME, set(), "kept every promise", True),
        (SAME, {"wire_conformance"}, "WRONGLY CAUGHT", False),
    ],
)
def test_what_became_of_a_fault_is_judged(
    seed: seeded.SeededFault, caught_by: set[str], verdict: str, well: bool
) -> None:
    harvest = seeded.FaultResult(seed, frozenset(caught_by), 0.1)
    assert harvest.verdict == verdict
    told, is_well = seeded.summary([harvest])
    assert (is_well, verdict in "".join(told[2:])) == (well, verdict.isupper())


def test_one_survivor_of_a_hundred_is_told_and_let_pass() -> None:
    caught = [seeded.FaultResult(GOOD, GOOD.wanted, 0.1)] * 99
    told, well = seeded.summary([*caught, seeded.FaultResult(GOOD, frozenset(), 0.1)])
    assert (well, told[0]) == (True, "99 of 100 faults caught, 99.0%.")
    assert "SURVIVED" in told[-1]
    assert not seeded.summary([*caught[:48], seeded.FaultResult(GOOD, frozenset(), 0.1)])[1]


def test_the_table_says_why_nothing_noticed_a_change() -> None:
    lines = list(
        seeded.table(
            [seeded.FaultResult(SAME, frozenset(), 0.1), seeded.FaultResult(GOOD, GOOD.wanted, 0.1)]
        )
    )
    assert lines[2:] == [
        "| another user agent | requests | nothing: the spec does not say |",
        "| clock stands still | mock | `the_clock_is_told` |",
    ]
