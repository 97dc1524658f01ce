"""A call costs no more CPU than it did: as a multiple of the same call made with the standard library alone, never in seconds."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable
from typing import Final

import pytest

from tests.support.paths import ROOT

GUARD: Final = ROOT / "benchmarks" / "guard.py"
USUAL: Final = {
    "sync": 0.73,
    "async": 1.40,
}  # CPython 3.11; http.client (0.74 to 0.81 on two busy cores), and asyncio's streams with four calls at once (1.24 on AMD)
MARGIN: Final = 1.15  # medians on a loaded machine with two cores were up to 8 % off; a third more is twice the margin
CROWD: Final = 1.25  # it is 0.75 to 1.1; a look at every open connection, with one system call each, made it 1.7
ROWS: Final = (
    1.2  # rows with an unknown field cost 4.7 times usual ones when each is read by itself
)
TRIES: Final = 3  # a busy machine may spoil a measurement; what is dearer fails in all of them

Medians = dict[str, dict[str, float]]


def measured() -> Medians:
    """In a process of its own: this one is full of other tests' objects, and listens to every call for secrets."""
    done = subprocess.run(
        [sys.executable, "-I", str(GUARD)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, list[float]]] = json.loads(done.stdout)
    return {
        kind: {name: statistics.median(rounds) for name, rounds in each.items()}
        for kind, each in found.items()
    }


@pytest.fixture(scope="module")
def first() -> Medians:
    return measured()


def seen(first: Medians, kind: str, good: Callable[[dict[str, float]], bool]) -> dict[str, float]:
    """The first measurement that is good, or the last."""
    last = first[kind]
    for _ in range(1, TRIES):
        if good(last):
            break
        last = measured()[kind]
    return last


@pytest.mark.parametrize("kind", USUAL)
def test_a_call_costs_no_more_than_it_did(
    kind: str, first: Medians, record_property: Callable[[str, object], None]
) -> None:
    bound = USUAL[kind] * MARGIN
    cost = seen(first, kind, lambda costs: costs["client"] <= bound)["client"]
    record_property(f"cpu_over_floor_{kind}", round(cost, 3))
    assert cost <= bound, (
        f"a call costs {cost:.2f} times the floor; usual is {USUAL[kind]}, the bound {bound:.2f}"
    )


@pytest.mark.parametrize("kind", USUAL)
def test_a_call_that_is_a_third_dearer_would_be_seen(kind: str, first: Medians) -> None:
    costs = seen(first, kind, lambda costs: costs["a third dearer"] > MARGIN * costs["client"])
    assert costs["a third dearer"] > MARGIN * costs["client"], costs


def test_a_call_among_200_costs_no_more_than_among_10(
    first: Medians, record_property: Callable[[str, object], None]
) -> None:
    ratio = seen(first, "concurrency", lambda costs: costs["many"] <= CROWD)["many"]
    record_property("cpu_among_200_over_among_10", round(ratio, 3))
    assert ratio <= CROWD, f"a call among 200 costs {ratio:.2f} times one among 10"


@pytest.mark.parametrize("name", ["without an optional field", "with an unknown field"])
def test_unusual_rows_cost_as_usual_ones(
    name: str, first: Medians, record_property: Callable[[str, object], None]
) -> None:
    """Rows with a field less or more than the spec describes cost at most a fifth more."""
    ratio = seen(first, "rows", lambda costs: costs[name] <= ROWS)[name]
    record_property(f"cpu_of_rows_{name.replace(' ', '_')}", round(ratio, 3))
    assert ratio <= ROWS, f"rows {name} cost {ratio:.2f} times usual ones"
