"""Records of disturbed calls with one thing broken, each of which must be judged so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from tests.hostile.interrupt_report import Record, describe, find_problems

KINDS = ("raise", "close")


def good_record() -> Record:
    """Return a record in which calls were disturbed and nothing is broken."""
    return Record(
        outcomes=["value", "interrupted"],
        disturbances=["raise", "close"],
        overruns=[0.3],
        weight_taken=60,
        weight_arrived=55,
        calm_weight_taken=20,
        calm_weight_arrived=20,
        calm_calls=4,
        leftovers=Counter({"slots": 0}),
    )


BREAKS: dict[str, tuple[Callable[[Record], object], str]] = {
    "changed": (lambda record: record.changed.append("E"), "came out as something different: E"),
    "foreign": (lambda record: record.foreign_errors.append("E"), "no error of the package: E"),
    "mixed up": (lambda record: record.wrong_values.append("E"), "the value of another call: E"),
    "late": (lambda record: record.overruns.append(1.001), "1 calls ended after their deadline"),
    "overrun": (lambda record: setattr(record, "weight_arrived", 61), "the limiters 60 only"),
    "wasted": (lambda record: setattr(record, "weight_taken", 146), "weight 91 was taken"),
    "calm weight": (lambda record: setattr(record, "calm_weight_taken", 25), "counted weight 25"),
    "calm failure": (lambda record: record.calm_failures.append("E"), "was calm again: E"),
    "slot": (lambda record: record.leftovers.update(slots=1), "left at the end: 1 slots"),
    "no interrupt": (lambda record: record.disturbances.pop(0), "nothing was disturbed by: raise"),
    "no value": (lambda record: record.outcomes.pop(0), "no call returned a value"),
    "no calm": (lambda record: setattr(record, "calm_calls", 0), "no call was made when all"),
}


def test_a_good_record_has_no_problem() -> None:
    """A call a little late and weight of interrupted calls are none."""
    assert not find_problems(good_record(), KINDS)
    assert any("calls 2" in line for line in describe(good_record()))


@pytest.mark.parametrize("name", BREAKS)
def test_each_judgement_goes_red(name: str) -> None:
    """A record with one thing broken has one problem, which names it."""
    damage, words = BREAKS[name]
    record = good_record()
    damage(record)
    problems = find_problems(record, KINDS)
    assert len(problems) == 1, problems
    assert words in problems[0]
