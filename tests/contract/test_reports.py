"""The reports count what is done, and end in 1 when something is wrong."""

from __future__ import annotations

import asyncio

import pytest

from binance_usdm.contract._cases.raw_requests import make_exchange, send_valid
from binance_usdm.contract._client_layers.calls import RecordedCall, call_method
from binance_usdm.contract._client_layers.response_checks.response_error_checks import (
    messages_are_sanitized,
)
from binance_usdm.contract._client_layers.responses_vs_spec import run_responses_vs_spec
from binance_usdm.contract._layers.counting import CaseCounter
from binance_usdm.contract._layers.layers import Layer
from binance_usdm.contract._mock_layer.mock_vs_spec import run_mock_vs_spec
from binance_usdm.contract._spec.document import SPEC
from binance_usdm.contract._spec.operations import operations
from binance_usdm.contract._spec.response_model import error_responses
from tests.contract.sdks import SDKS

from . import run_all, run_seeded_faults
from .faults import FAULT_BY_NAME, SEEDED_FAULTS
from .run_seeded_faults import FaultResult, iter_table, run_fault, summarize

IDS = {operation.id for operation in operations(SPEC)}
FAULT = "exchange time in whole seconds"
EQUIVALENT = "another user agent"
CHECK = "exchange_time_is_sent"


@pytest.mark.parametrize("sdk", SDKS)
def test_calls_are_counted(sdk: str) -> None:
    """Every call counts, whatever comes of it; an unknown argument is not a call."""
    counter = CaseCounter(SPEC)
    client, transport = counter.count_calls(SDKS[sdk]).connect(make_exchange(SPEC))
    for arguments in ({}, {"recv_window": 0}, {"no_such_argument": 1}):
        asyncio.run(call_method(client, operations(SPEC)[0], RecordedCall(arguments)))
    assert (counter.cases, counter.operations, len(transport.sent)) == (2, {"balance"}, 1)


@pytest.mark.parametrize("sdk", SDKS)
def test_counted_clients_pass(sdk: str) -> None:
    """Counting does not change what a client does."""
    counter = CaseCounter(SPEC)
    counted = counter.count_calls(SDKS[sdk])
    assert run_responses_vs_spec(SPEC, counted, checks=[messages_are_sanitized]) == {}
    assert counter.cases == len(error_responses(SPEC))
    assert counter.operations == IDS


def test_requests_are_counted() -> None:
    """Requests to all exchanges count, also beyond the thousand that a log usually keeps."""
    counter = CaseCounter(SPEC)
    for operation in operations(SPEC):
        for _ in range(20):
            send_valid(counter.make_exchange(SPEC), operation)
    exchange = counter.make_exchange(SPEC)
    for _ in range(1500):
        send_valid(exchange, operations(SPEC)[0])
    counter.count_requests()
    assert (counter.cases, counter.operations) == (20 * len(IDS) + 1500, IDS)


@pytest.mark.parametrize("problems", [{}, {"a_check": "what it found"}])
def test_problems_end_in_1(
    problems: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run exits with 1 when a layer found something, and prints it below the layer's row."""
    layers = [Layer("A  first", lambda counter: problems), Layer("B  second", lambda counter: {})]
    monkeypatch.setattr(run_all, "LAYERS", layers)
    assert run_all.main([]) == len(problems)
    lines = capsys.readouterr().out.splitlines()
    rows = {line.split()[0]: (index, line) for index, line in enumerate(lines) if "0.0" in line}
    assert [rows[name][1].split()[-1] for name in "AB"] == [str(len(problems)), "0"]
    between = "".join(lines[rows["A"][0] : rows["B"][0]])
    assert ("a_check" in between, "what it found" in between) == (bool(problems),) * 2


def test_fault_is_taken_out_again() -> None:
    """A fault does not last beyond its run."""
    assert run_fault(FAULT).verdict == "noticed"
    assert run_fault(EQUIVALENT).verdict == "kept every promise"
    assert run_mock_vs_spec(SPEC) == {}


@pytest.mark.parametrize(
    ("name", "noticed_by", "verdict", "is_good"),
    [
        (FAULT, {CHECK}, "noticed", True),
        (FAULT, {CHECK, "crash"}, "NOTICED BY OTHERS", False),
        (FAULT, set(), "MISSED", False),
        (EQUIVALENT, set(), "kept every promise", True),
        (EQUIVALENT, {"wire_conformance"}, "WRONGLY NOTICED", False),
    ],
)
def test_verdict_of_a_fault(name: str, noticed_by: set[str], verdict: str, is_good: bool) -> None:
    """A fault must be noticed by exactly the checks that it names."""
    result = FaultResult(name, frozenset(noticed_by), 0.1)
    lines, is_summary_good = summarize([result])
    assert (result.verdict, is_summary_good) == (verdict, is_good)
    assert (verdict in "".join(lines[2:])) is verdict.isupper()


def test_one_missed_fault_is_allowed() -> None:
    """Of a hundred faults one may be missed, of forty-nine none."""
    noticed, missed = (
        FaultResult(FAULT, frozenset({CHECK}), 0.1),
        FaultResult(FAULT, frozenset(), 0),
    )
    lines, is_good = summarize([*[noticed] * 99, missed])
    assert (is_good, lines[0]) == (True, "99 of 100 faults noticed, 99.0%.")
    assert "MISSED" in lines[-1]
    assert not summarize([*[noticed] * 48, missed])[1]


def test_table_has_the_reasons() -> None:
    """The table says by what a fault is noticed, or why it is not."""
    results = [FaultResult(EQUIVALENT, frozenset(), 0.1), FaultResult(FAULT, frozenset({CHECK}), 0)]
    assert [*iter_table(results)][2:] == [
        f"| {EQUIVALENT} | requests | nothing: {FAULT_BY_NAME[EQUIVALENT].reason} |",
        f"| {FAULT} | mock | `{CHECK}` |",
    ]


def test_clients_take_turns() -> None:
    """Each client has about a quarter of the faults."""
    clients = [run_seeded_faults.sdk_for(fault) for fault in SEEDED_FAULTS]
    assert {clients.count(name) for name in SDKS} <= {len(clients) // 4, len(clients) // 4 + 1}
