"""Compare two shapes at the same place."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from generator.changes.facts.documents import canonical_text
from generator.changes.facts.limits import allows_number, compare_limit, describe_limit
from generator.changes.facts.shapes import INTEGER_FORMATS, Shape, unknown_differences

from .compare_strings import (
    choice_set,
    compare_choices,
    compare_strings,
    describe_choices,
    describe_strings,
    string_rules,
)

STRING_LENGTHS = ("minLength", "maxLength")


class Difference(NamedTuple):
    """A difference of two shapes: the end of a rule's id, and the words for both sides."""

    kind: str
    old: str = ""
    new: str = ""
    place: str = ""
    """What is added to the subject, `[]` for the items of an array."""


ClassPair = Callable[[str, str], bool]
"""Called with the names of two classes at the same place; returns whether they are one class."""


def compare_shapes(
    old: Shape, new: Shape, pair_classes: ClassPair, *, flows_in: bool
) -> Iterator[Difference]:
    """Yield the differences of two shapes.

    Args:
        old: Shape in the old document.
        new: Shape in the new document.
        pair_classes: Called for each pair of classes.
        flows_in: Whether the value is an argument, and not a part of a response.
    """
    if old.nullable != new.nullable:
        yield Difference("nullable" if new.nullable else "not-nullable")
    yield from _annotations(old, new)
    if not _is_same_type(old, new, pair_classes):
        kind = "wider" if flows_in and _includes(new, old) else "type"
        yield Difference(kind, old.label, new.label)
        return
    yield from _format(old, new)
    yield from _restrictions(old, new, flows_in=flows_in)
    for place, inner, outer in _paired_parts(old, new):
        for difference in compare_shapes(inner, outer, pair_classes, flows_in=flows_in):
            yield difference._replace(place=place + difference.place)


def _annotations(old: Shape, new: Shape) -> Iterator[Difference]:
    if old.deprecated != new.deprecated:
        yield Difference("deprecated" if new.deprecated else "undeprecated")
    if canonical_text(old.default) != canonical_text(new.default):
        yield Difference("default", _words(old.default), _words(new.default))
    yield from (Difference(*entry) for entry in unknown_differences(old.unknown, new.unknown))


def _is_same_type(old: Shape, new: Shape, pair_classes: ClassPair) -> bool:
    if old.json_type != new.json_type:
        return False
    if old.json_type == "class":
        return pair_classes(old.python_type, new.python_type)
    if old.json_type == "union":
        return sorted(map(_key, old.parts)) == sorted(map(_key, new.parts))
    if old.json_type == "tuple" and len(old.parts) != len(new.parts):
        return False
    if old.json_type in ("array", "map", "tuple"):
        # Their parts are compared one by one.
        return True
    return old.python_type == new.python_type


def _includes(outer: Shape, inner: Shape) -> bool:
    """Return whether all values of the type `inner` have the type `outer`."""
    if outer.json_type == "any":
        return True
    alternatives = outer.parts if outer.json_type == "union" else (outer,)
    inner_parts = inner.parts if inner.json_type == "union" else (inner,)
    plain = {
        _key(part)
        for part in alternatives
        if not part.limits and not part.enum and not part.pattern
    }
    return {_key(part) for part in inner_parts} <= plain | {
        _key(part) for part in alternatives if part in inner_parts
    }


def _key(shape: Shape) -> tuple[str, str]:
    return shape.json_type, shape.python_type


def _paired_parts(old: Shape, new: Shape) -> Iterator[tuple[str, Shape, Shape]]:
    if old.json_type == "union":
        pairs = zip(sorted(old.parts, key=_key), sorted(new.parts, key=_key), strict=True)
        yield from (("", inner, outer) for inner, outer in pairs)
    elif old.json_type == "tuple":
        for number, (inner, outer) in enumerate(zip(old.parts, new.parts, strict=True)):
            yield f"[{number}]", inner, outer
    else:
        for inner, outer in zip(old.parts, new.parts, strict=True):
            yield "[]", inner, outer


def _format(old: Shape, new: Shape) -> Iterator[Difference]:
    if old.format == new.format:
        return
    is_known = old.json_type == "number" or {old.format, new.format} <= {None, *INTEGER_FORMATS}
    words = str(old.format or "none"), str(new.format or "none")
    yield Difference("format", *words) if is_known else Difference("unknown-breaking", "", "format")


def _restrictions(old: Shape, new: Shape, *, flows_in: bool) -> Iterator[Difference]:
    """Yield which values are accepted no more, and which are accepted in addition."""
    if not flows_in and choice_set(old) != choice_set(new):
        # An enum in a response is open: any other value is read too.
        yield Difference("enum", describe_choices(old), describe_choices(new))
    differences = list(_limits(old, new))
    if old.json_type == "string" and string_rules(old) != string_rules(new):
        words = describe_strings(old), describe_strings(new)
        kinds = compare_strings(old, new, flows_in=flows_in)
        differences += [Difference(kind, *words) for kind in kinds]
    elif flows_in and old.enum != new.enum:
        words = describe_choices(old), describe_choices(new)
        differences += [Difference(kind, *words) for kind in compare_choices(old, new)]
    if flows_in and _accepts_choices(old, new):
        differences = [entry for entry in differences if entry.kind != "narrower"]
    yield from differences


def _limits(old: Shape, new: Shape) -> Iterator[Difference]:
    # Lengths of strings are compared together with their pattern.
    left_out = STRING_LENGTHS if old.json_type == "string" else ()
    for key in sorted((old.limits.keys() | new.limits.keys()).difference(left_out)):
        before, after = old.limits.get(key), new.limits.get(key)
        if kind := compare_limit(key, before, after):
            yield Difference(kind, describe_limit(key, before), describe_limit(key, after))


def _accepts_choices(old: Shape, new: Shape) -> bool:
    """Return whether each of the numbers that the old document lists is accepted."""
    is_plain = new.limits.keys() <= {"minimum", "maximum"}
    if not old.enum or not is_plain or new.json_type not in ("integer", "number"):
        return False
    allowed = choice_set(new)
    return all(
        isinstance(value, (int, float))
        and allows_number(new.limits, value)
        and (allowed is None or canonical_text(value) in allowed)
        for value in old.enum
    )


def _words(value: Any) -> str:
    return "none" if value is None else json.dumps(value, ensure_ascii=False)
