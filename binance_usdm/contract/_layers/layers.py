"""Run layers one after the other, each with its counts and problems."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from hypothesis import settings

from binance_usdm.contract._cases.assumptions import Assume
from binance_usdm.contract._cases.coverage import Coverage
from binance_usdm.contract._cases.raw_requests import MakeExchange, make_exchange
from binance_usdm.contract._cases.run_state import Run, as_current
from binance_usdm.contract._cases.schemathesis_setup import GENERATED, Problems
from binance_usdm.contract._client_layers.requests_vs_spec import run_requests_vs_spec
from binance_usdm.contract._client_layers.responses_vs_spec import run_responses_vs_spec
from binance_usdm.contract._client_layers.sdk import Sdk
from binance_usdm.contract._mock_layer.mock_vs_spec import run_mock_vs_spec
from binance_usdm.contract._reports.report import Finding, Section
from binance_usdm.contract._spec.document import Json

from .counting import CaseCounter

RunLayer: TypeAlias = Callable[[CaseCounter], Problems]


@dataclass(frozen=True)
class Layer:
    """A layer with what it judges.

    Attributes:
        name: Its letter and what it judges.
        run: Runs it with the counter of its cases.
        make: Makes the exchanges of the layer.
    """

    name: str
    run: RunLayer = field(repr=False)
    make: MakeExchange = field(default=make_exchange, repr=False)


def mock_layer(
    document: Json, make: MakeExchange, how: settings = GENERATED, assume: Assume = None
) -> Layer:
    """Return layer A for exchanges that a function makes, with what is assumed of them."""

    def run(counter: CaseCounter) -> Problems:
        problems = run_mock_vs_spec(document, counter.make_exchange, how, assume=assume)
        counter.count_requests()
        return problems

    return Layer("A  the mock, as a server", run, make)


def client_layers(
    document: Json, sdks: Mapping[str, Sdk], how: Mapping[str, settings]
) -> list[Layer]:
    """Return layers B and C for clients.

    Args:
        document: The document.
        sdks: Clients by name.
        how: Which cases layer C generates, by the name of the client.
    """

    def run_requests(counter: CaseCounter) -> Problems:
        def run(name: str, sdk: Sdk) -> Problems:
            most = max(how.values(), key=lambda each: (len(each.phases), each.max_examples))
            return run_requests_vs_spec(document, sdk, counter.make_exchange, most)

        return _run_with_each(counter, sdks, run)

    def run_responses(counter: CaseCounter) -> Problems:
        def run(name: str, sdk: Sdk) -> Problems:
            return run_responses_vs_spec(document, sdk, how=how[name])

        return _run_with_each(counter, sdks, run)

    return [
        Layer("B  the client, what it sends", run_requests),
        Layer("C  the client, what it makes of responses", run_responses),
    ]


def run_layers(document: Json, layers: Iterable[Layer], run: Run) -> Iterator[Section]:
    """Run layers, and yield what each has tried and found as soon as it has ended.

    Args:
        document: The document.
        layers: The layers, in their order.
        run: Takes what they have in common: coverage, and whether everything was tried.
    """
    run.coverage = Coverage(document)
    for layer in layers:
        counter = CaseCounter(document, layer.make, coverage=run.coverage)
        run.checks.clear()
        run.assumptions.clear()
        started_at = time.monotonic()
        with as_current(run):
            problems = layer.run(counter)
        findings = [
            Finding(
                layer.name, check, text, assumptions=tuple(map(str, run.assumptions.get(check, ())))
            )
            for check, text in problems.items()
        ]
        yield Section(
            name=layer.name,
            operations=len(counter.operations),
            cases=counter.cases,
            checks=tuple(run.checks),
            seconds=time.monotonic() - started_at,
            findings=findings,
        )


def _run_with_each(
    counter: CaseCounter, sdks: Mapping[str, Sdk], run: Callable[[str, Sdk], Problems]
) -> Problems:
    """Run a layer with each client; with several, their names stand behind the check."""
    return {
        f"{check} ({name})" if len(sdks) > 1 else check: problem
        for name, sdk in sdks.items()
        for check, problem in run(name, counter.count_calls(sdk)).items()
    }
