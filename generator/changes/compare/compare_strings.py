"""Compare which strings two shapes accept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from generator.changes.facts.documents import canonical_text
from generator.changes.facts.limits import compare_limit
from generator.changes.facts.shapes import Shape

from .languages import (
    Automaton,
    UndecidableError,
    is_included,
    length_automaton,
    literal_automaton,
    pattern_automaton,
)

MAX_LENGTH = 1_000
"""Longer strings are compared by their lengths alone."""


def string_rules(shape: Shape) -> tuple[Any, ...]:
    """Return pattern, choices and lengths."""
    lengths = (shape.limits.get("minLength", 0), shape.limits.get("maxLength"))
    return (shape.pattern, None if shape.enum is None else set(map(str, shape.enum)), lengths)


def compare_strings(old: Shape, new: Shape, *, flows_in: bool) -> Iterator[str]:
    """Yield whether fewer strings are accepted, or more, or whether that is undecided."""
    if not flows_in and string_rules(old)[::2] == string_rules(new)[::2]:
        return
    try:
        before = _automata(old, flows_in=flows_in)
        after = _automata(new, flows_in=flows_in)
        if not is_included(before, after):
            yield "narrower"
        if not is_included(after, before):
            yield "wider"
    except UndecidableError:
        yield from _compare_strings_by_rule(old, new, flows_in=flows_in)


def _compare_strings_by_rule(old: Shape, new: Shape, *, flows_in: bool) -> Iterator[str]:
    """Compare rule by rule where the sets of strings cannot be compared."""
    # A length of 0 is the same as none.
    for key, before, after in (
        ("minLength", old.limits.get("minLength") or None, new.limits.get("minLength") or None),
        ("maxLength", old.limits.get("maxLength"), new.limits.get("maxLength")),
    ):
        if kind := compare_limit(key, before, after):
            yield kind
    if flows_in:
        yield from compare_choices(old, new)
    if old.pattern == new.pattern:
        return
    if new.pattern is None:
        yield "wider"
    else:
        yield "narrower" if old.pattern is None else "undecided"


def _automata(shape: Shape, *, flows_in: bool) -> list[Automaton]:
    """Return automata that together accept the strings of a shape."""
    minimum = int(shape.limits.get("minLength", 0))
    maximum = shape.limits.get("maxLength")
    if minimum > MAX_LENGTH or (maximum is not None and maximum > MAX_LENGTH):
        raise UndecidableError("the strings are too long")
    # An argument is never empty: an empty parameter has no meaning to the exchange.
    automata = [
        length_automaton(max(minimum, int(flows_in)), None if maximum is None else int(maximum))
    ]
    if shape.pattern is not None:
        automata.append(pattern_automaton(shape.pattern))
    if shape.enum is not None and flows_in:
        automata.append(literal_automaton(map(str, shape.enum)))
    return automata


def choice_set(shape: Shape) -> set[str] | None:
    """Return the values that are listed, 1 and 1.0 being one; None if none are."""
    return None if shape.enum is None else set(map(canonical_text, shape.enum))


def compare_choices(old: Shape, new: Shape) -> Iterator[str]:
    """Yield whether fewer values are listed, or more."""
    before, after = choice_set(old), choice_set(new)
    if after is not None and (before is None or before - after):
        yield "narrower"
    if before is not None and (after is None or after - before):
        yield "wider"


def describe_choices(shape: Shape) -> str:
    """Return the values that are listed, in words."""
    return "any value" if shape.enum is None else ", ".join(map(str, shape.enum))


def describe_strings(shape: Shape) -> str:
    """Return which strings are accepted, in words."""
    words = [
        f"{key} {shape.limits[key]}" for key in ("minLength", "maxLength") if key in shape.limits
    ]
    if shape.enum is not None:
        words.append(describe_choices(shape))
    if shape.pattern is not None:
        words.append(shape.pattern)
    return " and ".join(words) or "any string"
