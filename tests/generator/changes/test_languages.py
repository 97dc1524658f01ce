"""Whether a pattern accepts all strings of another is decided, or said to be undecided."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.changes.compare.languages import (
    UndecidableError,
    is_included,
    length_automaton,
    literal_automaton,
    pattern_automaton,
)

INCLUDED = [
    ("[A-Z]+", "[A-Z0-9]+"),
    ("a{2,3}", "a{1,9}"),
    ("^abc$", "abc"),
    ("a|b", "[ab]"),
    ("(ab)*", "(a|b)*"),
    ("[^x\\n]", "."),
    ("a+?", "a*"),
    ("", "a?"),
    ("红", "[一-鿿]"),
]
NOT_INCLUDED = [
    ("[A-Z0-9]+", "[A-Z]+"),
    ("a{1,4}", "a{1,3}"),
    ("a*", "a+"),
    ("(?:ab|c)d", "(?:ab|e)d"),
    ("[^a]", "[^b]"),
    ("^a|b$", "a"),
]
UNDECIDABLE = [
    r"\w+",
    "(?=a)a",
    r"(a)\1",
    "a{5000}",
    "(",
    "(?i)a",
    "a^b",
    "(?i:a)",
    r"\ba",
    "(" * 2000 + ")" * 2000,
]


@pytest.mark.parametrize(("inner", "outer"), INCLUDED)
def test_inclusion_is_found(inner: str, outer: str) -> None:
    """All strings of the first pattern match the second."""
    assert is_included([pattern_automaton(inner)], [pattern_automaton(outer)])


@pytest.mark.parametrize(("inner", "outer"), NOT_INCLUDED)
def test_a_string_outside_is_found(inner: str, outer: str) -> None:
    """Some string of the first pattern does not match the second."""
    assert not is_included([pattern_automaton(inner)], [pattern_automaton(outer)])


@pytest.mark.parametrize("pattern", UNDECIDABLE)
def test_other_patterns_are_undecided(pattern: str) -> None:
    """What an automaton cannot express is never guessed."""
    with pytest.raises(UndecidableError):
        pattern_automaton(pattern)


def test_lengths_and_values_are_combined() -> None:
    """A pattern with a length is narrower than the pattern alone."""
    letters = pattern_automaton("[a-z]+")
    assert is_included([letters, length_automaton(0, 3)], [letters])
    assert not is_included([letters], [letters, length_automaton(0, 3)])
    assert is_included([literal_automaton(["ab", "c"])], [letters, length_automaton(1, 2)])
    assert not is_included([literal_automaton(["ab", "C"])], [letters])


PATTERNS = st.recursive(
    st.sampled_from(["a", "b", "[ab]", "[^a]", "c", "."]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})"),
        inner.map(lambda pattern: f"(?:{pattern})*"),
        inner.map(lambda pattern: f"(?:{pattern}){{1,2}}"),
    ),
    max_leaves=5,
)
STRINGS = [
    *"abcd",
    "",
    *(x + y for x in "abc" for y in "abc"),
    *(x + y + z for x in "abc" for y in "abc" for z in "ab"),
]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(PATTERNS, PATTERNS)
def test_the_answer_agrees_with_re(inner: str, outer: str) -> None:
    """No string that `re` matches contradicts an inclusion."""
    is_wider = is_included([pattern_automaton(inner)], [pattern_automaton(outer)])
    outside = [s for s in STRINGS if re.fullmatch(inner, s) and not re.fullmatch(outer, s)]
    assert not (is_wider and outside)
    for pattern in (inner, outer):
        automaton = pattern_automaton(pattern)
        for string in STRINGS:
            is_match = is_included([literal_automaton([string])], [automaton])
            assert is_match == bool(re.fullmatch(pattern, string))
