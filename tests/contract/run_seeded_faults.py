"""Every seeded fault, planted one by one: a table of what noticed it, and how many nobody did.

    python -m tests.contract.run_seeded_faults [--only WORDS] [--processes N]

Progress goes to stderr, the table, in Markdown, to stdout. Exits 1 when less than 98 % of the faults are caught, when other checks
than those named beside a fault catch it, or when a change that keeps every promise is taken for a fault.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Final

import pytest

from tests.contract import client_edge_cases as beside_client
from tests.contract import faults_client, faults_mock, faults_reply
from tests.contract import faults_unseen as faults_held_out
from tests.contract import mock_edge_cases as beside_mock
from tests.contract.facade import SDKS
from tests.contract.mock_vs_spec import run_mock_vs_spec
from tests.contract.raw_requests import make_exchange
from tests.contract.requests_vs_spec import run_requests_vs_spec
from tests.contract.responses_vs_spec import run_responses_vs_spec
from tests.contract.schemathesis_setup import Found, tried
from tests.contract.spec_facts import SPEC

Layer = Callable[[str], Found]
LEAST: Final = 0.98
Table = Mapping[str, tuple[Callable[[pytest.MonkeyPatch], None], set[str]]]


def _mock(sdk: str) -> Found:
    return run_mock_vs_spec(SPEC)


def _requests(sdk: str) -> Found:
    return run_requests_vs_spec(SPEC, SDKS[sdk])


def _replies(sdk: str) -> Found:
    return run_responses_vs_spec(SPEC, SDKS[sdk])


def _beside_mock(sdk: str) -> Found:
    return _mock(sdk) | tried(beside_mock.CHECKS, SPEC, make_exchange)


def _beside_requests(sdk: str) -> Found:
    return _requests(sdk) | tried(beside_client.CHECKS, SPEC, SDKS[sdk], make_exchange)


WHERE: Final[dict[str, tuple[Table, Layer]]] = {
    "mock": (faults_mock.FAULTS, _mock),
    "requests": (faults_client.FAULTS, _requests),
    "replies": (faults_reply.FAULTS, _replies),
    "mock, held out": (faults_held_out.MOCK, _beside_mock),
    "requests, held out": (faults_held_out.REQUESTS, _beside_requests),
    "replies, held out": (faults_held_out.REPLIES, _replies),
}
EQUIVALENT: Final = {"requests": faults_client.EQUIVALENT, "replies": faults_reply.EQUIVALENT}


@dataclass(frozen=True)
class SeededFault:
    """One fault to plant, what must notice it, and in which client it is looked for."""

    where: str
    name: str
    wanted: frozenset[str]
    reason: str
    sdk: str


@dataclass(frozen=True)
class FaultResult:
    """What noticed a fault."""

    seed: SeededFault
    caught_by: frozenset[str]
    seconds: float

    @property
    def verdict(self) -> str:
        if self.seed.reason:
            return "WRONGLY CAUGHT" if self.caught_by else "kept every promise"
        if not self.caught_by:
            return "SURVIVED"
        return "caught" if self.caught_by == self.seed.wanted else "CAUGHT BY OTHERS"


def iter_faults() -> Iterator[SeededFault]:
    for where, (faults, _) in WHERE.items():
        clients = itertools.cycle(SDKS)
        for name, (_, wanted) in faults.items():
            yield SeededFault(where, name, frozenset(wanted), "", next(clients))
        for name, (_, reason) in EQUIVALENT.get(where, {}).items():
            yield SeededFault(where, name, frozenset(), reason, next(clients))


def run_fault(seed: SeededFault) -> FaultResult:
    """Plant one fault, run the layer that must notice it, take the fault out again."""
    faults, layer = WHERE[seed.where]
    plant = (EQUIVALENT[seed.where] if seed.reason else faults)[seed.name][0]
    started = time.monotonic()
    with pytest.MonkeyPatch.context() as patch:
        plant(patch)
        found = layer(seed.sdk)
    return FaultResult(seed, frozenset(found), time.monotonic() - started)


def table(harvests: list[FaultResult]) -> Iterator[str]:
    yield "| fault | where | caught by |"
    yield "|---|---|---|"
    for each in harvests:
        by = ", ".join(f"`{check}`" for check in sorted(each.caught_by))
        told = by or ("nothing" if not each.seed.reason else f"nothing: {each.seed.reason}")
        yield f"| {each.seed.name} | {each.seed.where} | {told} |"


def summary(harvests: list[FaultResult]) -> tuple[list[str], bool]:
    """How many faults were caught and what is not as it should be, one line each; and whether all is well."""
    faults = [each for each in harvests if not each.seed.reason]
    caught = [each for each in faults if each.caught_by]
    ratio = len(caught) / len(faults) if faults else 1.0
    odd = [each for each in harvests if each.verdict.isupper()]
    told = [
        f"{len(caught)} of {len(faults)} faults caught, {ratio:.1%}.",
        f"{len(harvests) - len(faults)} changes keep every promise and are meant to pass.",
        *(
            f"- {each.verdict}: {each.seed.where}: {each.seed.name}: {sorted(each.caught_by)}, not {sorted(each.seed.wanted)}"
            for each in odd
        ),
    ]
    return told, ratio >= LEAST and all(each.verdict == "SURVIVED" for each in odd)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="faults whose name, or place, has this in it")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    wanted = [seed for seed in iter_faults() if options.only in f"{seed.where} {seed.name}"]
    harvests: list[FaultResult] = []
    with ProcessPoolExecutor(options.processes, multiprocessing.get_context("spawn")) as pool:
        for place, each in enumerate(pool.map(run_fault, wanted), 1):
            harvests.append(each)
            line = f"[{place:>3}/{len(wanted)}] {each.seconds:5.1f} s  {each.verdict:<18} {each.seed.where}: {each.seed.name}"
            print(line, file=sys.stderr, flush=True)
    told, well = summary(harvests)
    print("\n".join([*table(harvests), "", *told]))
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
