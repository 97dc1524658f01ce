"""Layer A: the mock exchange keeps the spec."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hypothesis import settings

from binance_usdm.contract._cases.assumed_cases import case_checks, explain_cases, load_assumed
from binance_usdm.contract._cases.assumptions import DEFAULTS, Assume, parse_assumptions
from binance_usdm.contract._cases.raw_requests import KEY, SECRET, T0, MakeExchange, make_exchange
from binance_usdm.contract._cases.schemathesis_setup import (
    EDGES,
    Check,
    Problems,
    run_cases,
    run_checks,
)
from binance_usdm.contract._cases.signing import FreshSigner
from binance_usdm.contract._spec.document import Json
from binance_usdm.contract._spec.operations import operations
from binance_usdm.mock import Exchange, Switches

from . import basics
from .control_checks import (
    mock_bodies,
    mock_faults,
    mock_log,
    mock_setup,
    mock_state,
    mock_switches,
    mock_transports,
)
from .exchange_makers import AssumingMaker, DefaultMaker
from .request_checks import (
    mock_checks,
    mock_edge_cases,
    mock_keys,
    mock_limits,
    mock_responses,
    mock_routes,
    mock_values,
    mock_variants,
)

CHECKS: Final[tuple[Callable[..., None], ...]] = (
    *mock_variants.CHECKS,
    *mock_checks.CHECKS,
    *mock_edge_cases.CHECKS,
    basics.basic_requests_work,
    *mock_limits.CHECKS,
    *mock_keys.CHECKS,
    *mock_routes.CHECKS,
    *mock_faults.CHECKS,
    *mock_log.CHECKS,
    *mock_state.CHECKS,
    *mock_switches.CHECKS,
    *mock_setup.CHECKS,
    *mock_transports.CHECKS,
    *mock_bodies.CHECKS,
    *mock_responses.CHECKS,
    *mock_values.CHECKS,
)


def run_mock_vs_spec(
    document: Json,
    make: MakeExchange = make_exchange,
    how: settings = EDGES,
    *,
    assume: Assume = None,
) -> Problems:
    """Return what the mock does not keep of a document, by the name of the check.

    Args:
        document: The document, such as `SPEC`.
        make: Makes the mock exchange: `make_exchange`, or what `exchange_maker` returns.
        how: Which cases are generated, as settings of hypothesis. By default all examples and edges,
            and no random case.
        assume: What is assumed of open questions: a `Switches`, or names of switches to values. The
            exchanges are set to it, and judged by it.

    Raises:
        ValueError: A switch is unknown or has a value that it cannot have.
    """
    switches = parse_assumptions(assume)
    problems = run_generated(document, make, how, switches)
    for check in CHECKS:
        problems |= run_check(check, document, make, switches)
    return problems


def run_check(
    check: Callable[..., None], document: Json, make: MakeExchange, assume: Switches
) -> Problems:
    """Run a check that is no case, and return what it finds.

    A check of the table of small changes expects what is assumed. Any other one sets the switches
    that it needs. What it finds in an exchange that keeps to what is assumed instead is no finding.
    """
    if check in mock_variants.CHECKS:
        return run_checks([check], operations(document), AssumingMaker(document, make, assume))
    maker = DefaultMaker(document, make)
    problems = run_checks([check], operations(document), maker)
    return maker.judge(problems, assume)


def run_generated(document: Json, make: MakeExchange, how: settings, assume: Switches) -> Problems:
    """Run the checks of all generated cases."""
    exchange = AssumingMaker(document, make, assume)()
    return send_cases(document, exchange, case_checks(document, assume), how, assume)


def send_cases(
    document: Json,
    exchange: Exchange,
    checks: list[Check],
    how: settings = EDGES,
    assume: Switches = DEFAULTS,
) -> Problems:
    """Send all cases of schemathesis to an exchange, signed and with its time."""
    return run_cases(
        document,
        exchange.asgi,
        checks,
        how,
        schema=load_assumed(document, assume),
        signer=FreshSigner(operations(document), KEY, SECRET, T0),
        timestamp=T0,
        explain=explain_cases(document, assume),
    )
