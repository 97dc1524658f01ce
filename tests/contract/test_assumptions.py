"""Findings that rest on open questions are labeled, and expectations follow what is assumed."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any

import pytest

from binance_usdm.contract import SPEC, ContractCheck, list_checks, run_mock_vs_spec
from binance_usdm.contract._cases.assumptions import POSITIONS, format_switch
from binance_usdm.contract._cases.raw_requests import MakeExchange, make_exchange
from binance_usdm.contract._cases.run_state import Run
from binance_usdm.contract._cases.schemathesis_setup import EDGES
from binance_usdm.contract._cases.small_changes.variant_builder import Builder
from binance_usdm.contract._cases.small_changes.variant_table import iter_variants
from binance_usdm.contract._layers.layers import mock_layer, run_layers
from binance_usdm.contract._mock_layer import mock_vs_spec
from binance_usdm.contract._mock_layer.request_checks import mock_variants
from binance_usdm.contract._reports.files import WRITERS
from binance_usdm.contract._reports.report import Finding, Report, section_lines
from binance_usdm.contract._server.account import Account
from binance_usdm.contract._server.server_vs_spec import ServerCheck
from binance_usdm.contract._spec.operations import operations
from binance_usdm.mock import Exchange, Switches, running

KEY, SECRET = "FakeKey9" * 8, "fake-secret"
DEFAULTS = Switches()
UNLIMITED = Switches(weight_limit=10**9)
# The order has 24 positions, which the checks of the table tell apart within a second.
OTHER_POSITIONS = [
    (name, value)
    for name, values in POSITIONS.items()
    for value in (values[:: len(values) - 1] if name == "order" else values)
    if value != getattr(DEFAULTS, name)
]
# What generated cases depend on. The combinations have every position of the other switches.
GENERATED = ("order", "unknown_parameter", "refuse_replay", "window_maximum", "wrong_method")
# Every position, in as many exchanges as the longest list has, without that of the order.
COMBINATIONS = [
    Switches(
        **{
            name: values[number * 7 if name == "order" else number % len(values)]
            for name, values in POSITIONS.items()
        }
    )
    for number in range(4)
]


@pytest.fixture(autouse=True)
def quiet_urllib3(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what is sent out of the log of the HTTP library, which nobody turns on for a run."""
    logger = logging.getLogger("urllib3.connectionpool")
    monkeypatch.setattr(logger, "filters", [lambda record: False])


def set_to(**changes: Any) -> MakeExchange:
    """Return a function that makes exchanges with a position that no caller can change."""

    def make(document: Any, **options: Any) -> Exchange:
        switches = replace(options.pop("switches", UNLIMITED), **changes)
        return make_exchange(document, switches=switches, **options)

    return make


def check_server(switches: Switches, **options: Any) -> list[Finding]:
    """Return what a run finds in a mock exchange that is served with switches."""
    served = replace(switches, weight_limit=UNLIMITED.weight_limit)
    exchange = Exchange(api_key=KEY, api_secret=SECRET, switches=served)
    with running(exchange) as url:
        check = ServerCheck(SPEC, url, Account(KEY, SECRET), EDGES, str, **options)
        return [finding for section in check.run(Run()) for finding in section.findings]


def test_every_switch_has_positions() -> None:
    """Each switch of the mock is an open question, with its default among the answers."""
    assert [*POSITIONS] == [switch.name for switch in fields(Switches)]
    for name, values in POSITIONS.items():
        assert getattr(DEFAULTS, name) in values
        assert len(values) > 1
        for value in values:
            Switches(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"), OTHER_POSITIONS, ids=[format_switch(*each) for each in OTHER_POSITIONS]
)
def test_layer_follows_what_is_assumed(name: str, value: Any) -> None:
    """Layer A finds nothing in a mock with a position, if that is assumed."""
    make, assume = set_to(**{name: value}), replace(DEFAULTS, **{name: value})
    if name in GENERATED:
        assert mock_vs_spec.run_generated(SPEC, make, EDGES, assume) == {}
    for check in mock_variants.CHECKS:
        assert mock_vs_spec.run_check(check, SPEC, make, assume) == {}


@pytest.mark.parametrize("name", ["key_format", "refuse_replay", "retry_after", "used_weight"])
def test_other_checks_follow_what_is_assumed(name: str) -> None:
    """So do the checks that need a default which the mock does not take."""
    value = POSITIONS[name][-1]
    assert run_mock_vs_spec(SPEC, set_to(**{name: value}), assume={name: value}) == {}


@pytest.mark.parametrize("order", POSITIONS["order"], ids=" ".join)
def test_table_follows_every_order(order: tuple[str, ...]) -> None:
    for check in mock_variants.CHECKS:
        switches = Switches(order=order)
        assert mock_vs_spec.run_check(check, SPEC, make_exchange, switches) == {}


@pytest.mark.parametrize("switches", COMBINATIONS, ids=map(str, range(4)))
def test_run_follows_what_is_assumed(switches: Switches) -> None:
    """Neither a run nor layer A finds anything in any positions, if those are assumed."""
    assert mock_vs_spec.run_generated(SPEC, make_exchange, EDGES, switches) == {}
    assert check_server(switches, assume=switches) == []


@pytest.mark.parametrize(
    ("name", "value", "checks"),
    [
        ("order", ("parameters", "timestamp", "signature", "key"), {"nothing that signing adds"}),
        ("unknown_parameter", None, {"an unknown parameter", "only_described_is_accepted"}),
        ("signature_last", False, {"a signature that is not the last"}),
        ("window_maximum", 60_000, {"positive_data_acceptance"}),
        ("wrong_method", 405, {"undeclared_method", "method PUT"}),
    ],
)
def test_finding_is_labeled(name: str, value: Any, checks: set[str]) -> None:
    """Each finding in a server that answers one open question otherwise names the switch."""
    findings = check_server(replace(DEFAULTS, **{name: value}))
    assert {finding.check for finding in findings} >= checks
    assumed = format_switch(name, getattr(DEFAULTS, name))
    for finding in findings:
        assert assumed in finding.assumptions, finding
        assert f"rests on an assumption: {assumed}; if your server knows better" in finding.message


@pytest.mark.parametrize(
    "changes",
    [{"microseconds": True, "refuse_replay": True}, {"statuses": {-1022: 418}}],
    ids=["two questions", "a documented status"],
)
def test_fault_is_not_labeled(changes: dict[str, Any]) -> None:
    """What no answer to an open question explains is a finding without a label."""
    problems = run_mock_vs_spec(SPEC, set_to(**changes))
    labeled = {name for name, text in problems.items() if "rests on an assumption" in text}
    expected = {"timestamp_is_checked", "signature_is_checked"}
    assert labeled >= expected if "microseconds" in changes else "signature_is_checked" in problems


def test_default_checks_label_the_switch() -> None:
    """A check beside the table says so when the mock does not take the switch it needs."""
    make = set_to(retry_after=False)
    problems = run_mock_vs_spec(SPEC, make)
    assert problems
    assert all("--assume retry_after=false" in text for text in problems.values())
    assert run_mock_vs_spec(SPEC, make, assume=Switches(retry_after=False)) == {}


def test_every_report_has_the_label() -> None:
    """Text, JUnit, JSON and HTML show the assumption, and the exit code is 1."""
    layer = mock_layer(SPEC, set_to(signature_last=False), EDGES)
    report = Report("mine", {}, [*run_layers(SPEC, [layer], Run())])
    label = "rests on an assumption: signature_last=true; if your server knows better, "
    texts = ["\n".join(section_lines(report.sections[0])), *(w(report) for w in WRITERS.values())]
    assert all(f"{label}--assume signature_last=false" in text for text in texts)
    assert report.exit_code == 1
    [section] = json.loads(WRITERS[".json"](report))["sections"]
    found = {each["check"]: each["assumptions"] for each in section["findings"]}
    assert found == {"signature_is_checked": ["signature_last=true"]}
    assert 'type="assumption"' in WRITERS[".xml"](report)


def signature_check(**options: Any) -> ContractCheck:
    checks = list_checks(mock=set_to_mock, max_examples=0, **options)
    return next(check for check in checks if check.name == "signature_is_checked")


def test_parametrize_takes_assumptions() -> None:
    signature_check(assume={"signature_last": False})()
    check = signature_check()
    with pytest.raises(AssertionError, match="rests on an assumption: signature_last=true"):
        check()
    with pytest.raises(ValueError, match="unknown switch nothing"):
        signature_check(assume={"nothing": 1})


def set_to_mock(**options: Any) -> Exchange:
    """Make an exchange that accepts a signature anywhere."""
    return Exchange(**{**options, "switches": replace(options["switches"], signature_last=False)})


@pytest.mark.parametrize("is_exact", [True, False])
def test_variants_have_names_of_their_own(is_exact: bool) -> None:
    """A variant can be named by `--case`: no two have the same identifier."""
    for operation in operations(SPEC):
        now: Callable[[int], int] = lambda ms: 1_600_000_000_000 + ms  # noqa: E731
        build = Builder(operation, KEY, SECRET, now, is_exact=is_exact)
        variants: Iterator[Any] = iter_variants(build)
        slugs = [variant.slug for variant in variants]
        assert len({*slugs}) == len(slugs) > 10
