"""Layer A: the mock exchange keeps the spec."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import settings

from binance_usdm.contract._cases.assumed_cases import case_checks
from binance_usdm.contract._cases.assumptions import DEFAULTS
from binance_usdm.contract._cases.raw_requests import make_exchange
from binance_usdm.contract._cases.schemathesis_setup import EDGES, GENERATED
from binance_usdm.contract._mock_layer.mock_vs_spec import CHECKS, run_check, send_cases
from binance_usdm.contract._spec.document import SPEC
from binance_usdm.contract._spec.operations import operations


def test_generated_cases_pass() -> None:
    """The mock answers all cases of schemathesis as the spec says."""
    exchange = make_exchange(SPEC)
    assert send_cases(SPEC, exchange, case_checks(SPEC, DEFAULTS), GENERATED) == {}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_check_passes(check: Callable[..., None]) -> None:
    """The mock keeps what no schema states."""
    assert run_check(check, SPEC, make_exchange, DEFAULTS) == {}


def test_cases_reach_every_rule() -> None:
    """Cases are rejected for what is wrong with them, and not for their age alone."""
    exchange = make_exchange(SPEC)
    assert send_cases(SPEC, exchange, []) == {}
    for operation in operations(SPEC):
        codes = {logged.code for logged in exchange.requests if logged.path == operation.path}
        assert codes >= {None, -5000}
        assert not operation.timestamp or codes >= {-1100, -1102, -1104, -1130, -2014}


def test_two_runs_send_the_same() -> None:
    """Cases are derandomized, and random ones come on top of all edges."""

    def send(how: settings) -> list[tuple[str, bytes]]:
        exchange = make_exchange(SPEC)
        assert send_cases(SPEC, exchange, [], how) == {}
        return [(logged.method, logged.raw_query) for logged in exchange.requests]

    few = settings(GENERATED, max_examples=5)
    first = send(few)
    assert first == send(few)
    assert len(first) > len(send(EDGES)) > 30
