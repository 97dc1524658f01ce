"""The table of small changes: repeated, empty and blank values, and timestamps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from binance_usdm.contract._cases.signing import remove_pairs
from binance_usdm.contract._spec.document import Json
from binance_usdm.contract._spec.schemas import RANGES

from .expected_responses import (
    accepted,
    any_of,
    malformed,
    microseconds,
    out_of_range,
    rejected,
    unless_replayed,
    window,
)
from .variant_builder import Builder
from .variants import Expectation, Variant

# Age of a timestamp in ms, window, and whether it is accepted: at the edges, for a clock that
# stands, and at a distance that a network and two clocks may use up.
EXACT_AGES: Final[tuple[tuple[int, int | None, bool], ...]] = (
    (-999, None, True),
    (-1000, None, False),
    (5000, None, True),
    (5001, None, False),
    (-999, 1, True),
    (-1000, 60_000, False),
    *((each, each, True) for each in (1, 3000, 5000, 60_000, 60_001, 100_000, 10**9)),
    *((each + 1, each, False) for each in (1, 3000, 5000, 60_000, 60_001, 100_000, 10**9)),
)
SAFE_AGES: Final[tuple[tuple[int, int | None, bool], ...]] = (
    (-500, None, True),
    (-2000, None, False),
    (4000, None, True),
    (6000, None, False),
    (-10_000, None, False),
    (10_000, None, False),
    (3000, 1000, False),
    (-2000, 60_000, False),
    (59_000, 60_000, True),
    (61_000, 60_000, False),
    (99_000, 100_000, True),
    (101_000, 100_000, False),
)
# What some programs read as a number.
NUMBERS: Final = {
    "with a sign": "%2B{0}",
    "after a space": "%20{0}",
    "before a space": "{0}%20",
    "with a fraction": "{0}.0",
    "with an exponent": "{0}e0",
    "with an underscore": "{0}_0",
    "with a digit of another script": "%EF%BC%95{0}",
    "with a letter": "{0}x",
}
TOO_LARGE: Final = {end for low, high in RANGES.values() for end in (low - 1, high + 1)}
# An empty optional value is rejected; with which of these is not documented.
EMPTY_OPTIONAL: Final = (-1105, -1100, -1102, -1130)


def iter_repeated(build: Builder) -> Iterator[Variant]:
    """Yield repeated parameters, with the same value and with another one."""
    for each in build.in_query:
        name, pair = each["name"], build.pair(each["name"])
        rest = remove_pairs(build.pairs(), name)
        for what, second in (("twice", pair), ("twice, with different values", f"{pair}1")):
            query = build.sign([*rest, pair, second])
            yield build.build(f"{name} {what}", query, rejected(parameters=-1101))
    query = build.query("noSuchParameter=1", "noSuchParameter=2")
    yield build.build("an unknown parameter twice", query, rejected(parameters=-1101))
    if build.operation.signature:
        query = build.query()
        query = f"{query}&{query.rpartition('&')[2]}"
        expect = rejected(parameters=-1101, signature=-1022)
        yield build.build("signature twice", query, expect)


def iter_values(build: Builder) -> Iterator[Variant]:
    """Yield values that are empty, blank, out of range, or a number to a program only."""
    for each in build.in_query:
        name = each["name"]
        rest = remove_pairs(build.pairs(), name)
        for what, (text, expect) in _values(each, build.pair(name).partition("=")[2]).items():
            query = build.sign([*rest, f"{name}={text}"])
            # A blank, say, is a valid value of some.
            is_valid = text != "" and name not in build.operation.query_problems(query)
            right = accepted if is_valid else unless_replayed(expect)
            yield build.build(f"{name} {what}", query, right)


def iter_times(build: Builder) -> Iterator[Variant]:
    """Yield timestamps at both edges of the window, and in other units."""
    name, window_name = build.operation.timestamp, build.operation.window
    if name is None:
        return
    for age, length, is_in_time in EXACT_AGES if build.is_exact else SAFE_AGES:
        what = f"a timestamp {abs(age)} ms {'ahead' if age < 0 else 'old'}, window {length}"
        if length is None:
            expect: Expectation = accepted if is_in_time else rejected(timestamp=-1021)
            yield build.build(what, build.query(age_ms=age), expect)
        elif window_name:
            query = build.query(f"{window_name}={length}", age_ms=age)
            yield build.build(what, query, window(length, is_in_time))
    for unit, factor, expect in (
        ("seconds", 0.001, rejected(timestamp=-1021)),
        ("microseconds", 1000, microseconds),
    ):
        pairs = [*remove_pairs(build.pairs(), name), f"{name}={int(build.now(0) * factor)}"]
        yield build.build(f"a timestamp in {unit}", build.sign(pairs), expect)


def _values(parameter: Json, valid: str) -> dict[str, tuple[str, Expectation]]:
    """Return values of a parameter and what must come of each, by what is wrong with them."""
    schema, is_required = parameter["schema"], bool(parameter.get("required"))
    not_of_type = malformed(is_required)
    is_number = schema.get("type") in ("integer", "number")
    # Text that is not allowed is not of the type, or out of range.
    wrong = not_of_type if is_number else any_of(not_of_type, out_of_range)
    empty = rejected(parameters=-1102 if is_required else EMPTY_OPTIONAL)
    values = {"empty": ("", empty), "with a space": ("%20", wrong), "with a plus": ("+", wrong)}
    if is_number:
        values |= {what: (form.format(valid), wrong) for what, form in NUMBERS.items()}
    if schema.get("type") == "integer" and "enum" not in schema:
        for bound, step in (("minimum", -1), ("maximum", 1)):
            if bound in schema:
                number = schema[bound] + step
                # A number that the type cannot hold is not of the type, or out of range.
                expect = any_of(not_of_type, out_of_range) if number in TOO_LARGE else out_of_range
                values[f"beyond its {bound}"] = (str(number), expect)
    return values
