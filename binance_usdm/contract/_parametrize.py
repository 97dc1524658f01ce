"""The checks of the layers as test cases of pytest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, TypeAlias

import pytest

from binance_usdm.mock import Switches

from ._cases.assumptions import Assume, parse_assumptions
from ._cases.raw_requests import exchange_maker, make_exchange
from ._cases.schemathesis_setup import Problems, run_checks, settings_for
from ._client_layers import requests_vs_spec, responses_vs_spec
from ._client_layers.sdk import Sdk
from ._mock_layer import mock_vs_spec
from ._spec.document import SPEC, Json
from ._spec.operations import operations

LayerName: TypeAlias = Literal["mock", "requests", "responses"]


@dataclass(frozen=True)
class ContractCheck:
    """A check of a layer. Call it in a test.

    Attributes:
        layer: "mock" for layer A, "requests" for B, "responses" for C.
        name: Name of the check; `generated_cases` stands for all that schemathesis generates.
    """

    layer: LayerName
    name: str
    run: Callable[[], Problems] = field(repr=False)

    def __str__(self) -> str:
        return f"{self.layer}-{self.name}"

    def __call__(self) -> None:
        """Run the check.

        Raises:
            AssertionError: It found something.
        """
        # A traceback through the layers would not help.
        __tracebackhide__ = True
        problems = self.run()
        if problems:
            lines = [f"{name}: {problem}" for name, problem in problems.items()]
            raise AssertionError("\n".join(lines))


def list_checks(
    *,
    client: Any = None,
    mock: Any = None,
    document: Json = SPEC,
    max_examples: int = 25,
    assume: Assume = None,
) -> list[ContractCheck]:
    """Return the checks of a client (layers B and C), of a mock exchange (A), or of both.

    Args:
        client: Class with the methods of `Client` or `AsyncClient`, or an `Sdk`.
        mock: Subclass of `Exchange`, or a function with its arguments.
        document: OpenAPI document that is kept.
        max_examples: Random cases of an operation, beside all examples and edges.
        assume: What is assumed of the mock in open questions: names of its switches to values, or
            a `Switches`.

    Raises:
        ValueError: Neither a client nor a mock was given, or an assumption is not valid.
    """
    if client is None and mock is None:
        raise ValueError("pass client=, mock= or both")
    checks: list[ContractCheck] = []
    if mock is not None:
        checks += _mock_checks(mock, document, max_examples, parse_assumptions(assume))
    if client is not None:
        sdk = client if isinstance(client, Sdk) else Sdk(client)
        checks += _client_checks(sdk, document, max_examples)
    return checks


def parametrize(
    *,
    client: Any = None,
    mock: Any = None,
    document: Json = SPEC,
    max_examples: int = 25,
    assume: Assume = None,
) -> pytest.MarkDecorator:
    """Return a decorator that runs a test once with each check, as `contract_check`.

    Args:
        client: Class with the methods of `Client` or `AsyncClient`, or an `Sdk`.
        mock: Subclass of `Exchange`, or a function with its arguments.
        document: OpenAPI document that is kept.
        max_examples: Random cases of an operation, beside all examples and edges.
        assume: What is assumed of the mock in open questions: names of its switches to values, or
            a `Switches`.

    Example:
        @contract.parametrize(client=MyClient)
        def test_contract(contract_check):
            contract_check()
    """
    checks = list_checks(
        client=client, mock=mock, document=document, max_examples=max_examples, assume=assume
    )
    return pytest.mark.parametrize("contract_check", checks, ids=str)


def _mock_checks(
    mock: Any, document: Json, max_examples: int, assume: Switches
) -> list[ContractCheck]:
    make = exchange_maker(mock)

    def run_generated() -> Problems:
        return mock_vs_spec.run_generated(document, make, settings_for(max_examples), assume)

    def run(check: Callable[..., None]) -> Problems:
        return mock_vs_spec.run_check(check, document, make, assume)

    checks = [
        ContractCheck("mock", each.__name__, partial(run, each)) for each in mock_vs_spec.CHECKS
    ]
    return [ContractCheck("mock", "generated_cases", run_generated), *checks]


def _client_checks(sdk: Sdk, document: Json, max_examples: int) -> list[ContractCheck]:
    how = settings_for(max_examples)
    make = partial(make_exchange, document)

    def run_generated() -> Problems:
        return requests_vs_spec.run_case_checks(document, sdk, make_exchange, how)

    def run_requests(check: Callable[..., None]) -> Problems:
        return run_checks([check], operations(document), sdk, make)

    def run_responses(check: Callable[..., None]) -> Problems:
        return responses_vs_spec.run_responses_vs_spec(document, sdk, how=how, checks=[check])

    return [
        ContractCheck("requests", "generated_cases", run_generated),
        *(
            ContractCheck("requests", each.__name__, partial(run_requests, each))
            for each in requests_vs_spec.CHECKS
        ),
        *(
            ContractCheck("responses", each.__name__, partial(run_responses, each))
            for each in responses_vs_spec.CHECKS
        ),
    ]
