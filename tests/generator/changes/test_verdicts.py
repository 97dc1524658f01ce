"""Each seeded change gets its verdict."""

from __future__ import annotations

import pytest

from generator.changes.change import Change
from generator.changes.compare import compare
from generator.changes.report import Report
from tests.generator.changes.seeds import SEEDS, Seed


def changes_of(seed: Seed) -> list[Change]:
    """Return the changes that a seed makes."""
    return compare(*seed.documents())


def test_there_are_enough_seeds() -> None:
    """Each has a name of its own."""
    assert len({seed.name for seed in SEEDS}) == len(SEEDS) >= 60


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.name)
def test_a_change_gets_its_verdict(seed: Seed) -> None:
    """The step is right, and the rules that explain it are among the changes."""
    changes = changes_of(seed)
    found = [change.line for change in changes]
    assert Report(changes).step.word == seed.step, found
    assert set(seed.rules) <= {change.rule for change in changes}, found
