"""Layer B: both clients, with both kinds of transport, send what the spec says."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from binance_usdm.contract._cases.raw_requests import make_exchange
from binance_usdm.contract._cases.schemathesis_setup import GENERATED, run_cases, run_checks
from binance_usdm.contract._client_layers.facade import Facade
from binance_usdm.contract._client_layers.requests_vs_spec import CHECKS, run_case_checks
from binance_usdm.contract._spec.document import SPEC, without_credentials
from binance_usdm.contract._spec.operations import operations
from tests.contract.sdks import SDKS


@pytest.mark.parametrize("sdk", SDKS)
def test_generated_cases_pass(sdk: str) -> None:
    """The client sends and returns what the spec says, for all cases of schemathesis."""
    assert run_case_checks(SPEC, SDKS[sdk], make_exchange, GENERATED) == {}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("sdk", SDKS)
def test_check_passes(sdk: str, check: Callable[..., None]) -> None:
    """The client keeps what one generated call does not show."""
    make = partial(make_exchange, SPEC)
    assert run_checks([check], operations(SPEC), SDKS[sdk], make) == {}


def test_arguments_are_valid_and_invalid() -> None:
    """Each operation is called with success, and invalid arguments are rejected before sending."""
    exchange = make_exchange(SPEC)
    # Of one account, whichever operation comes first.
    for operation in operations(SPEC):
        exchange.seed(operation.id, operation.richest_example)
    facade = Facade(SPEC, *SDKS["sync"].connect(exchange))
    assert run_cases(without_credentials(SPEC), facade, []) == {}
    calls = facade.calls.values()
    sent = [each for call in calls if call.error is None for each in call.sent]
    paths = {each.target.partition(b"?")[0].decode() for each in sent}
    assert paths == {operation.path for operation in operations(SPEC)}
    rejected = [call for call in calls if call.error is not None and not call.sent]
    windows: list[Any] = [call.arguments.get("recv_window") for call in rejected]
    assert {0, 2**63, "AAA"} <= {window for window in windows if not isinstance(window, list)}
    assert any(isinstance(window, list) for window in windows)
