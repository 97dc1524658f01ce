"""A spec that Hypothesis builds is refused with findings, or its package works."""

from __future__ import annotations

from tests.specs.random_specs import check_many


def test_there_is_no_third_outcome() -> None:
    """`make breadth` checks 2,000 specs."""
    refused, works = check_many(60)
    assert refused > 3
    assert works > 3
