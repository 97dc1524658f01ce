"""Every seeded fault is noticed by the checks that it names."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Mapping, Set
from functools import partial
from typing import Any

import pytest

from binance_usdm.contract._cases.assumed_cases import case_checks
from binance_usdm.contract._cases.assumptions import DEFAULTS
from binance_usdm.contract._cases.raw_requests import make_exchange
from binance_usdm.contract._cases.schemathesis_setup import EDGES, Problems, run_checks
from binance_usdm.contract._client_layers import requests_vs_spec, responses_vs_spec
from binance_usdm.contract._client_layers.facade import Facade
from binance_usdm.contract._client_layers.responses_vs_spec import run_responses_vs_spec
from binance_usdm.contract._mock_layer import mock_vs_spec
from binance_usdm.contract._spec.document import SPEC
from binance_usdm.contract._spec.operations import operations
from tests.contract.sdks import SDKS
from tests.support.secret_leaks import WATCH

from .faults import FAULT_BY_NAME, SEEDED_FAULTS, response_checks
from .faults.seeded_fault import SeededFault
from .run_seeded_faults import FAULTY_SPEC, run_fault, sdk_for

LAYER_CHECKS: Mapping[str, tuple[Callable[..., None], ...]] = {
    "mock": mock_vs_spec.CHECKS,
    "requests": requests_vs_spec.CHECKS,
    "responses": responses_vs_spec.CHECKS,
}
LEAK_CHECKS = {
    "secrets_are_not_shown",
    response_checks.SECRETS,
    response_checks.LOGS,
    response_checks.TRANSPORT,
}
# Puts the key where the traceback of any error shows it.
KEY_IN_QUERY = "key in the query"
# Leaves connections open, which the garbage collector closes with a warning.
NOT_CLOSED = "own transport not closed"


def own_checks(layer: str) -> set[str]:
    """Return the names of a layer's checks, without those of schemathesis."""
    exchange = make_exchange(SPEC)
    facade = Facade(SPEC, *SDKS["sync"].connect(exchange))
    checks: dict[str, list[Any]] = {
        "mock": [*case_checks(SPEC, DEFAULTS), *mock_vs_spec.CHECKS],
        "requests": [*requests_vs_spec.case_checks(SPEC, facade), *requests_vs_spec.CHECKS],
        "responses": [*responses_vs_spec.CHECKS],
    }
    return {check.__name__ for check in checks[layer]}


@pytest.mark.parametrize("name", FAULT_BY_NAME)
def test_fault_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each check that the fault names goes red.

    That no other check does is seen by `make contract-faults`, which takes some minutes.
    """
    fault = FAULT_BY_NAME[name]
    with warnings.catch_warnings():
        if name == NOT_CLOSED:
            warnings.simplefilter("ignore", ResourceWarning)
        problems = find_problems(fault, monkeypatch)
        if name == NOT_CLOSED:
            gc.collect()
    assert problems == fault.checks
    assert problems or fault.reason
    if fault.checks & LEAK_CHECKS or name == KEY_IN_QUERY:
        # The fault shows a secret of this test, which is what the checks are for.
        WATCH.pop_leaks()


def find_problems(fault: SeededFault, monkeypatch: pytest.MonkeyPatch) -> Set[str]:
    """Return the names of those checks that a fault names and that notice it.

    Checks of generated cases are run together, if it names one of them. A change that keeps every
    promise names none, and is shown to all checks.
    """
    if fault.reason:
        return run_fault(fault.name).noticed_by
    fault.patch(monkeypatch)
    sdk = SDKS[sdk_for(fault)]
    checks = [check for check in LAYER_CHECKS[fault.layer] if check.__name__ in fault.checks]
    if fault.layer == "responses":
        return run_responses_vs_spec(FAULTY_SPEC, sdk, checks=checks).keys()
    problems: Problems = {}
    names_cases = len(checks) < len(fault.checks)
    if fault.layer == "mock":
        if names_cases:
            problems = mock_vs_spec.run_generated(FAULTY_SPEC, make_exchange, EDGES, DEFAULTS)
        for check in checks:
            problems |= mock_vs_spec.run_check(check, FAULTY_SPEC, make_exchange, DEFAULTS)
        return problems.keys()
    if names_cases:
        problems = requests_vs_spec.run_case_checks(FAULTY_SPEC, sdk, make_exchange, EDGES)
    make = partial(make_exchange, FAULTY_SPEC)
    return (problems | run_checks(checks, operations(FAULTY_SPEC), sdk, make)).keys()


def test_names_are_unique() -> None:
    assert len(FAULT_BY_NAME) == len(SEEDED_FAULTS) > 190


@pytest.mark.parametrize("layer", ["mock", "requests", "responses"])
def test_every_check_notices_something(layer: str) -> None:
    """A check that no fault sets off might never fail."""
    noticed = {check for each in SEEDED_FAULTS if each.layer == layer for check in each.checks}
    assert own_checks(layer) <= noticed
