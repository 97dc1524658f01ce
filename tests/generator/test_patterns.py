"""An accepted pattern means the same to the client, the mock exchange and JSON Schema."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from binance_usdm.mock.spec.schema import compile_validator
from binance_usdm_wire.errors import InvalidArgumentError, ResponseMismatch
from binance_usdm_wire.reading import pattern_reader
from binance_usdm_wire.writing import pattern_writer
from generator.checks.patterns import pattern_problems

TEXTS = [
    "",
    "a",
    "b",
    "ab",
    "A",
    "9",
    "٣",
    "é",
    "ſ",
    "K",
    "aa",
    "a\n",
    "\n",
    ".",
    "$",
    "-",
    "a|b",
    "a]",
    "币",
    "🙂",
]
ACCEPTED = [
    "^[a-z]+$", "^(a|b)$", "^(?:a|b)+$", "^[0-9]{1,3}$", "^[^\\n]*$", "^a?b*$", "^[.$-]$", "^\\.$",
    "^a\\|b$", "^[a\\]]+$", "^$", "^[^a]$", "^币$", "^a{2}$", "^a{2,}$", "^[A-Z0-9_]{1,20}$",
]  # fmt: skip
REFUSED = [
    "^a|b$", "^\\d$", "^\\w$", "^.$", "^a\\Z", "^\\S$", "^a{,3}$", "^(?i)a$", "^(?i:a)$", "^\\bab$",
    "a", "^a", "a$", "^[[:alpha:]]$", "^[a&&b]$", "^\\x61$", "^\\u0061$", "^(?P<x>a)$", "^(?=a)a$",
    "^(a)\\1$", "^a++$", "^a*?$", "^\\p{L}$",
]  # fmt: skip


def answers(pattern: str, text: str) -> dict[str, bool]:
    """Return whether a text matches, by who judges it."""
    schema = {"type": "string", "pattern": pattern}
    found = {"schema": Draft202012Validator(schema).is_valid(text)}
    try:
        found["reader"] = pattern_reader(pattern)(text, None) == text
    except ResponseMismatch:
        found["reader"] = False
    # A query has neither an empty text nor one with spaces or controls.
    if text.isprintable() and text:
        found["mock"] = compile_validator(schema)(text) is None
        try:
            found["writer"] = bool(pattern_writer(pattern, "a rule")("name", text))
        except InvalidArgumentError:
            found["writer"] = False
    return found


@pytest.mark.parametrize("pattern", ACCEPTED)
def test_all_give_the_same_answer(pattern: str) -> None:
    assert list(pattern_problems(pattern)) == []
    for text in TEXTS:
        assert len({*answers(pattern, text).values()}) == 1, (text, answers(pattern, text))


ATOMS = st.sampled_from(
    ["a", "b", "[a-c]", "[^a]", "\\.", "(?:a|b)", "(ab|b)", "[.-]", "币", "[0-9]"]
)
QUANTIFIERS = st.sampled_from(["", "*", "+", "?", "{2}", "{1,}", "{1,2}"])
PATTERNS = st.lists(st.tuples(ATOMS, QUANTIFIERS), max_size=4).map(
    lambda parts: f"^{''.join(map(''.join, parts))}$"
)


@settings(max_examples=150, derandomize=True, database=None, deadline=None)
@given(PATTERNS, st.text(st.sampled_from("ab.c9\n币-"), max_size=5))
def test_random_patterns_agree(pattern: str, text: str) -> None:
    assert list(pattern_problems(pattern)) == []
    assert len({*answers(pattern, text).values()}) == 1, answers(pattern, text)


@pytest.mark.parametrize("pattern", REFUSED)
def test_other_patterns_are_refused(pattern: str) -> None:
    """Each means different things, or nothing, to one of the engines."""
    assert len(list(pattern_problems(pattern))) == 1


@pytest.mark.parametrize("depth", [200, 3000, 100_000])
def test_deep_patterns_are_refused(depth: int) -> None:
    """Neither the lint nor the compiler of the pattern runs out of stack."""
    assert len(list(pattern_problems(f"^{'(' * depth}a{')' * depth}$"))) == 1


@given(st.text(max_size=20))
@settings(max_examples=200, derandomize=True, database=None, deadline=None)
def test_any_text_is_judged(text: str) -> None:
    """No pattern crashes the lint."""
    for pattern in (text, f"^{text}$"):
        assert all(isinstance(problem, str) for problem in pattern_problems(pattern))
