"""A type checker finds no breaking change that the comparison calls safe."""

from __future__ import annotations

from pathlib import Path

from tests.generator.changes.second_opinion import failing_programs
from tests.generator.changes.seeds import SEEDS

SEEN_BY_TYPES = 33
"""At least so many of the seeds break a program for a type checker; bounds and weights do not."""


def test_what_types_break_is_breaking(tmp_path: Path) -> None:
    """A program for the old client does not fit the new one only where the step is major."""
    pairs = {seed.name: seed.documents() for seed in SEEDS}
    failing = failing_programs(pairs, tmp_path)
    steps = {seed.name: seed.step for seed in SEEDS}
    assert {name for name in failing if steps[name] != "major"} == set()
    assert len(failing) >= SEEN_BY_TYPES
