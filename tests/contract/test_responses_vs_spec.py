"""Layer C: both clients, with both kinds of transport, read responses as the spec says."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from binance_usdm.contract._client_layers.responses_vs_spec import CHECKS, run_responses_vs_spec
from binance_usdm.contract._spec.document import SPEC
from tests.contract.sdks import HOW, SDKS


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("sdk", SDKS)
def test_check_passes(sdk: str, check: Callable[..., None]) -> None:
    """The client makes of a response the value or the error that the spec says."""
    assert run_responses_vs_spec(SPEC, SDKS[sdk], how=HOW[sdk], checks=[check]) == {}
