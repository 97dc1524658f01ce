"""Run all layers with random cases, and print a table of what was tried and found.

    python -m tests.contract.run_all

Exits 1 when anything was found.
"""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from binance_usdm.contract._cases.raw_requests import make_exchange
from binance_usdm.contract._cases.schemathesis_setup import GENERATED, RUN_COUNT, Problems
from binance_usdm.contract._client_layers.calls import python_name
from binance_usdm.contract._client_layers.requests_vs_spec import run_requests_vs_spec
from binance_usdm.contract._client_layers.responses_vs_spec import run_responses_vs_spec
from binance_usdm.contract._client_layers.sdk import Sdk
from binance_usdm.contract._mock_layer.mock_vs_spec import run_mock_vs_spec
from binance_usdm.contract._spec.document import SPEC, Json
from binance_usdm.contract._spec.operations import operations
from binance_usdm.mock import Exchange
from tests.contract.sdks import HOW, SDKS


@dataclass
class CaseCounter:
    """Counts the cases of a layer while it runs."""

    cases: int = 0
    operations: set[str] = field(default_factory=set)
    exchanges: list[Exchange] = field(default_factory=list)

    def make_exchange(self, document: Json, **options: Any) -> Exchange:
        """Make an exchange whose requests `count_requests` counts."""
        self.exchanges.append(make_exchange(document, log_size=1_000_000, **options))
        return self.exchanges[-1]

    def count_requests(self) -> None:
        """Count the requests to all exchanges, for the layer whose cases are requests."""
        logged = [each for exchange in self.exchanges for each in exchange.requests]
        self.cases += len(logged)
        self.operations |= {each.operation for each in logged if each.operation}

    def count_calls(self, sdk: Sdk) -> Sdk:
        """Return an SDK whose calls are counted."""

        def make_client(*args: Any, **options: Any) -> Any:
            client = sdk.client(*args, **options)
            for operation in operations(SPEC):
                name = f"{python_name(operation.id)}_detailed"
                setattr(client, name, self._count(operation.id, getattr(client, name)))
            return client

        return replace(sdk, client=make_client)

    def _count(self, operation_id: str, method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def counted(*args: Any, **options: Any) -> Any:
            self.cases += 1
            self.operations.add(operation_id)
            return method(*args, **options)

        return counted


def run_mock(counter: CaseCounter) -> Problems:
    problems = run_mock_vs_spec(SPEC, counter.make_exchange, GENERATED)
    counter.count_requests()
    return problems


def run_requests(counter: CaseCounter) -> Problems:
    return _run_with_each(counter, lambda name, sdk: run_requests_vs_spec(SPEC, sdk, how=GENERATED))


def run_responses(counter: CaseCounter) -> Problems:
    return _run_with_each(
        counter, lambda name, sdk: run_responses_vs_spec(SPEC, sdk, how=HOW[name])
    )


def _run_with_each(counter: CaseCounter, run: Callable[[str, Sdk], Problems]) -> Problems:
    """Run a layer with each client."""
    return {
        f"{check} ({name})": problem
        for name, sdk in SDKS.items()
        for check, problem in run(name, counter.count_calls(sdk)).items()
    }


LAYERS: dict[str, Callable[[CaseCounter], Problems]] = {
    "A  the mock, as a server": run_mock,
    "B  the clients, what they send": run_requests,
    "C  the clients, what they make of responses": run_responses,
}


def main() -> int:
    columns = "{:<44}{:>11}{:>8}{:>8}{:>9}{:>10}"
    print(columns.format("layer", "operations", "cases", "checks", "seconds", "problems"))
    all_problems: Problems = {}
    for name, run in LAYERS.items():
        RUN_COUNT.clear()
        counter, started_at = CaseCounter(), time.monotonic()
        problems = run(counter)
        seconds = f"{time.monotonic() - started_at:.1f}"
        counts = (len(counter.operations), counter.cases, len(RUN_COUNT))
        print(columns.format(name, *counts, seconds, len(problems)), flush=True)
        all_problems |= {f"{name[0]} {check}": problem for check, problem in problems.items()}
    for check, problem in all_problems.items():
        print(f"\n{check}\n    {problem}")
    return 1 if all_problems else 0


if __name__ == "__main__":
    sys.exit(main())
