"""Each seeded change gets its verdict."""

from __future__ import annotations

import functools

import pytest

from generator.changes.compare.specs import compare
from generator.changes.report import Report
from generator.changes.rules.change import RULES, Change
from tests.generator.changes.seed import Seed
from tests.generator.changes.seeds import SEEDS


@functools.cache
def changes_by_seed() -> dict[str, list[Change]]:
    """Return the changes that each seed makes."""
    return {seed.name: compare(*seed.documents()) for seed in SEEDS}


def test_there_are_enough_seeds() -> None:
    """Each has a name of its own."""
    assert len({seed.name for seed in SEEDS}) == len(SEEDS) >= 60


def test_every_rule_has_a_seed() -> None:
    """Those that a maintainer's word makes are tested with the command."""
    reached = {change.rule for changes in changes_by_seed().values() for change in changes}
    assert set(RULES) - reached == {"argument-assumed", "field-assumed"}


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.name)
def test_a_change_gets_its_verdict(seed: Seed) -> None:
    """The step is right, and the rules that explain it are among the changes."""
    changes = changes_by_seed()[seed.name]
    found = [change.line for change in changes]
    assert Report(changes).step.word == seed.step, found
    assert set(seed.rules) <= {change.rule for change in changes}, found
