"""Layer C: both clients, with both kinds of transport, read responses as the spec says."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from binance_usdm.contract._client_layers.response_checks import connection_checks, transfer_checks
from binance_usdm.contract._client_layers.responses_vs_spec import CHECKS, run_responses_vs_spec
from binance_usdm.contract._spec.document import SPEC
from tests.contract.sdks import HOW, SDKS

# Checks of connections make a client with its own transport, whatever the others pass.
OWN_TRANSPORT = (*connection_checks.CHECKS, *transfer_checks.CHECKS)
CASES = [
    pytest.param(sdk, check, id=f"{sdk}-{check.__name__}")
    for sdk in SDKS
    for check in CHECKS
    if check not in OWN_TRANSPORT or sdk in ("sync", "async")
]


@pytest.mark.parametrize(("sdk", "check"), CASES)
def test_check_passes(sdk: str, check: Callable[..., None]) -> None:
    """The client makes of a response the value or the error that the spec says."""
    assert run_responses_vs_spec(SPEC, SDKS[sdk], how=HOW[sdk], checks=[check]) == {}
