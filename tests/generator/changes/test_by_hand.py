"""Places that are changed by hand exist, and tables name rules that exist."""

from __future__ import annotations

import re

import pytest

from generator.changes.by_hand import FIXED_PLACES, OLD_NAMES_BY_RULE, WEIGHT_RULES
from generator.changes.rules.change import RULES
from tests.support.paths import ROOT


@pytest.mark.parametrize("place", FIXED_PLACES.values())
def test_a_fixed_place_exists(place: str) -> None:
    """Its file exists, and has the name in capitals that the advice mentions."""
    path, _, advice = place.partition(": ")
    text = (ROOT / path).read_text(encoding="utf-8")
    for name in re.findall(r"[A-Z]+_[A-Z_]+", advice):
        assert re.search(rf"(?m)^{name}\b", text), name


def test_tables_have_rules_only() -> None:
    """Each key is the id of a rule, and so is what replaces a rule."""
    keys = {*FIXED_PLACES, *OLD_NAMES_BY_RULE, *WEIGHT_RULES}
    replacements = {rule.rule_if_assumed for rule in RULES.values()} - {""}
    assert keys | replacements <= RULES.keys()
    assert len(replacements) == 2
