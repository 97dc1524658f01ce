"""Layer B as tests: whatever schemathesis asks of the client leaves it as the spec says, on both clients and both kinds of transport."""

from __future__ import annotations

from typing import Any

import pytest

from .facade import SDKS, Facade, Sdk
from .raw_requests import make_exchange
from .requests_vs_spec import run_requests_vs_spec
from .schemathesis_setup import GENERATED, schema_of, try_cases
from .spec_facts import SPEC, operation_facts, unsigned


@pytest.mark.parametrize("sdk", SDKS.values(), ids=list(SDKS))
def test_the_client_sends_and_returns_what_the_spec_says(sdk: Sdk) -> None:
    assert run_requests_vs_spec(SPEC, sdk, how=GENERATED) == {}


def test_generated_arguments_are_good_and_bad() -> None:
    """Each operation is called with success; bad arguments are tried, and refused before anything is sent."""
    facade = Facade(SPEC, *SDKS["sync"].opened(make_exchange(SPEC)))
    assert try_cases(schema_of(unsigned(SPEC), facade), []) == {}
    calls = facade.calls.values()
    sent = {
        each.target.partition(b"?")[0].decode()
        for call in calls
        if call.error is None
        for each in call.sent
    }
    assert sent == {fact.path for fact in operation_facts(SPEC)}
    windows: list[Any] = [
        call.arguments.get("recv_window")
        for call in calls
        if call.error is not None and not call.sent
    ]
    assert {0, 2**63, "AAA"} <= {window for window in windows if not isinstance(window, list)}
    assert any(isinstance(window, list) for window in windows)
