"""Every seeded fault, planted one by one: a table of what noticed it, and how many were missed.

    python -m tests.contract.run_seeded_faults [--only WORDS] [--processes N]

Progress goes to stderr, the table, in Markdown, to stdout. Exits 1 when less than 98 % of the
faults are noticed, when other checks notice a fault than it names, or when a change that keeps
every promise is noticed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Final

import pytest

from binance_usdm.contract._cases.schemathesis_setup import Problems
from binance_usdm.contract._client_layers.requests_vs_spec import run_requests_vs_spec
from binance_usdm.contract._client_layers.responses_vs_spec import run_responses_vs_spec
from binance_usdm.contract._mock_layer.mock_vs_spec import run_mock_vs_spec
from binance_usdm.contract._spec.document import SPEC
from binance_usdm.contract._spec.operations import operations
from tests.contract.faults import FAULT_BY_NAME, SEEDED_FAULTS
from tests.contract.faults.seeded_fault import SeededFault
from tests.contract.sdks import SDKS

MIN_RATIO: Final = 0.98
FAULTY_IDS: Final = ("balance", "server_time")
# The operations that the faults change. Others would only be slower: which checks notice a fault
# does not depend on what else the spec has.
FAULTY_SPEC: Final = {
    **SPEC,
    "paths": {o.path: SPEC["paths"][o.path] for o in operations(SPEC) if o.id in FAULTY_IDS},
}
RUN_LAYER: Final[dict[str, Callable[[str], Problems]]] = {
    "mock": lambda sdk: run_mock_vs_spec(FAULTY_SPEC),
    "requests": lambda sdk: run_requests_vs_spec(FAULTY_SPEC, SDKS[sdk]),
    "responses": lambda sdk: run_responses_vs_spec(FAULTY_SPEC, SDKS[sdk]),
}


@dataclass(frozen=True)
class FaultResult:
    """Which checks noticed a fault."""

    name: str
    noticed_by: frozenset[str]
    seconds: float

    @property
    def fault(self) -> SeededFault:
        return FAULT_BY_NAME[self.name]

    @property
    def verdict(self) -> str:
        """What became of the fault; in capitals when it is not as it must be."""
        if self.fault.reason:
            return "WRONGLY NOTICED" if self.noticed_by else "kept every promise"
        if not self.noticed_by:
            return "MISSED"
        is_expected = self.noticed_by == self.fault.checks
        return "noticed" if is_expected else "NOTICED BY OTHERS"


def sdk_for(fault: SeededFault) -> str:
    """Return the name of the client for a fault; each has every fourth."""
    return [*SDKS][SEEDED_FAULTS.index(fault) % len(SDKS)]


def run_fault(name: str) -> FaultResult:
    """Plant a fault, run its layer, and take the fault out again."""
    fault, started_at = FAULT_BY_NAME[name], time.monotonic()
    with pytest.MonkeyPatch.context() as patch:
        fault.patch(patch)
        problems = RUN_LAYER[fault.layer](sdk_for(fault))
    return FaultResult(name, frozenset(problems), time.monotonic() - started_at)


def iter_table(results: list[FaultResult]) -> Iterator[str]:
    yield "| fault | layer | noticed by |"
    yield "|---|---|---|"
    for result in results:
        checks = ", ".join(f"`{check}`" for check in sorted(result.noticed_by))
        reason = f"nothing: {result.fault.reason}" if result.fault.reason else "nothing"
        yield f"| {result.name} | {result.fault.layer} | {checks or reason} |"


def summarize(results: list[FaultResult]) -> tuple[list[str], bool]:
    """Return lines about all results, and whether they are good enough."""
    faults = [result for result in results if not result.fault.reason]
    noticed = [result for result in faults if result.noticed_by]
    ratio = len(noticed) / len(faults) if faults else 1.0
    wrong = [result for result in results if result.verdict.isupper()]
    lines = [
        f"{len(noticed)} of {len(faults)} faults noticed, {ratio:.1%}.",
        f"{len(results) - len(faults)} changes keep every promise and are meant to pass.",
    ]
    for result in wrong:
        checks = f"{sorted(result.noticed_by)}, not {sorted(result.fault.checks)}"
        lines.append(f"- {result.verdict}: {result.fault.layer}: {result.name}: {checks}")
    is_good = ratio >= MIN_RATIO and all(result.verdict == "MISSED" for result in wrong)
    return lines, is_good


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="faults whose layer and name contain this")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    names = [fault.name for fault in SEEDED_FAULTS if options.only in f"{fault.layer} {fault.name}"]
    results: list[FaultResult] = []
    with ProcessPoolExecutor(options.processes, multiprocessing.get_context("spawn")) as pool:
        for result in pool.map(run_fault, names):
            results.append(result)
            progress = f"[{len(results):>3}/{len(names)}] {result.seconds:5.1f} s"
            line = f"{progress}  {result.verdict:<18} {result.fault.layer}: {result.name}"
            print(line, file=sys.stderr, flush=True)
    lines, is_good = summarize(results)
    print("\n".join([*iter_table(results), "", *lines]))
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
