"""Layer A as tests: whatever schemathesis makes of the spec, and every table beside it, holds for the mock exchange."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings

from .mock_tables import CHECKS
from .mock_vs_spec import checks_of, mock_schema
from .raw_requests import make_exchange
from .schemathesis_setup import EDGES, GENERATED, Case, try_cases
from .spec_facts import SPEC, operation_facts

EXCHANGE = make_exchange(SPEC)
SCHEMA = mock_schema(SPEC, EXCHANGE)


@SCHEMA.parametrize()
@GENERATED
def test_the_mock_answers_as_the_spec_says(case: Case) -> None:
    case.call_and_validate(additional_checks=checks_of(SPEC, EXCHANGE))


@pytest.mark.parametrize("claim", CHECKS, ids=lambda claim: claim.__name__)
def test_the_mock_keeps_what_no_schema_says(claim: Callable[..., None]) -> None:
    claim(SPEC, make_exchange)


def test_generated_cases_are_refused_for_what_is_wrong_with_them() -> None:
    """Not for their age alone: then nothing else would have been looked at."""
    exchange = make_exchange(SPEC)
    assert not try_cases(mock_schema(SPEC, exchange), [])
    for fact in operation_facts(SPEC):
        codes = {logged.code for logged in exchange.requests if logged.path == fact.path}
        assert codes >= {None, -5000}
        assert fact.timestamp is None or codes >= {-1100, -1102, -1104, -1130, -2014}


def test_two_runs_try_the_same_cases() -> None:
    def sent(how: settings) -> list[tuple[str, bytes]]:
        exchange = make_exchange(SPEC)
        try_cases(mock_schema(SPEC, exchange), [], how)
        return [(logged.method, logged.raw_query) for logged in exchange.requests]

    how = settings(GENERATED, max_examples=5)
    first: Any = sent(how)
    assert first == sent(how)
    assert len(first) > len(sent(EDGES)) > 30
