"""All layers at once, with random cases: a table of what was tried and what was found. Exits 1 when anything was.

python -m tests.contract.run_all
"""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from binance_usdm.mock import Exchange
from tests.contract import client_edge_cases as beside_client
from tests.contract import mock_edge_cases as beside_mock
from tests.contract.facade import SDKS, Sdk
from tests.contract.mock_vs_spec import run_mock_vs_spec
from tests.contract.raw_requests import make_exchange
from tests.contract.requests_vs_spec import run_requests_vs_spec
from tests.contract.responses_vs_spec import HOW, run_responses_vs_spec
from tests.contract.schemathesis_setup import GENERATED, LOOKED, Found, tried
from tests.contract.spec_facts import SPEC, Json


@dataclass
class CaseCounter:
    """What a layer did, counted while it did it."""

    cases: int = 0
    operations: set[str] = field(default_factory=set)
    made: list[Exchange] = field(default_factory=list)

    def exchange(self, document: Json, **options: Any) -> Exchange:
        """An exchange whose requests will be counted."""
        self.made.append(make_exchange(document, log_size=1_000_000, **options))
        return self.made[-1]

    def requests(self) -> None:
        """Count what the exchanges were asked: for the layer whose cases are requests."""
        logged = [each for exchange in self.made for each in exchange.requests]
        self.cases += len(logged)
        self.operations |= {each.operation for each in logged if each.operation}

    def sdk(self, sdk: Sdk) -> Sdk:
        """The same SDK, its calls counted."""
        return replace(
            sdk, client=lambda *given, **options: _Counted(sdk.client(*given, **options), self)
        )


class _Counted:
    """A client whose calls are counted."""

    def __init__(self, client: Any, tally: CaseCounter) -> None:
        self._client, self._tally = client, tally

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)

        @functools.wraps(method)
        def counted(*given: Any, **options: Any) -> Any:
            self._tally.cases += 1
            self._tally.operations.add(name)
            return method(*given, **options)

        return counted


def mock(tally: CaseCounter) -> Found:
    found = run_mock_vs_spec(SPEC, tally.exchange, GENERATED) | tried(
        beside_mock.CHECKS, SPEC, tally.exchange
    )
    tally.requests()
    return found


def requests(tally: CaseCounter) -> Found:
    def layer(name: str, sdk: Sdk) -> Found:
        beside = tried(beside_client.CHECKS, SPEC, sdk, make_exchange)
        return run_requests_vs_spec(SPEC, sdk, how=GENERATED) | beside

    return _with_all(tally, layer)


def replies(tally: CaseCounter) -> Found:
    return _with_all(tally, lambda name, sdk: run_responses_vs_spec(SPEC, sdk, how=HOW[name]))


def _with_all(tally: CaseCounter, layer: Callable[[str, Sdk], Found]) -> Found:
    """A layer with each SDK."""
    each = {name: layer(name, tally.sdk(sdk)) for name, sdk in SDKS.items()}
    return {
        f"{check} ({name})": what for name, found in each.items() for check, what in found.items()
    }


LAYERS: dict[str, Callable[[CaseCounter], Found]] = {
    "A  the mock, as a server": mock,
    "B  the clients, what they send": requests,
    "C  the clients, what they make of replies": replies,
}


def main() -> int:
    print(f"{'layer':<42}{'operations':>11}{'cases':>8}{'checks':>8}{'seconds':>9}{'failures':>10}")
    failures: Found = {}
    for name, layer in LAYERS.items():
        LOOKED.clear()
        tally, started = CaseCounter(), time.monotonic()
        found = layer(tally)
        seconds = time.monotonic() - started
        row = (len(tally.operations), tally.cases, len(LOOKED), f"{seconds:.1f}", len(found))
        print("{:<42}{:>11}{:>8}{:>8}{:>9}{:>10}".format(name, *row), flush=True)
        failures |= {f"{name[0]} {check}": what for check, what in found.items()}
    for check, what in failures.items():
        print(f"\n{check}\n    {what}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
