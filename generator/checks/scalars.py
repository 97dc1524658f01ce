"""Check schemas of strings, numbers and booleans."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from generator.document.findings import Finding, Place
from generator.document.openapi import Json
from generator.model.integers import RANGE_BY_FORMAT, bounds

from .patterns import pattern_problems

DECIMAL_PATTERN: Final = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?$"
"""Strings that a `Decimal` represents exactly: ASCII digits, no leading zero, a short exponent."""
FORMATS_BY_TYPE: Final[dict[str, set[str | None]]] = {
    "string": {None, "decimal"},
    "integer": {*RANGE_BY_FORMAT},
}
SNAKE_CASE: Final = re.compile(r"(?=.{1,100}$)[a-z][a-z0-9]*(_[a-z0-9]+)*")


def check_scalar(place: Place, node: Json, json_type: str) -> Iterator[Finding]:
    """Yield the findings of a schema of a scalar type.

    Args:
        place: Place of the schema.
        node: The schema.
        json_type: Its type, without null.
    """
    problems = [*_format_problems(node, json_type)]
    if json_type in _CHECKS:
        problems += _CHECKS[json_type](node)
    if "enum" in node:
        problems += _enum_problems(node, json_type)
    yield from (Finding.at(place, problem) for problem in problems)


def _format_problems(node: Json, json_type: str) -> Iterator[str]:
    formats = FORMATS_BY_TYPE.get(json_type)
    value = node.get("format")
    if formats and value not in formats:
        problem = f"unsupported format {value!r}" if value else "format is missing"
        names = ", ".join(sorted(name or "none" for name in formats))
        yield f"{problem} for type {json_type}; supported: {names}"


def _string_problems(node: Json) -> Iterator[str]:
    pattern: str = node.get("pattern", "^$")
    if node.get("format") == "decimal":
        if pattern != DECIMAL_PATTERN:
            yield f"format decimal needs the pattern {DECIMAL_PATTERN}"
        if node.keys() & {"minLength", "maxLength", "enum"}:
            yield "a decimal string is bounded by its pattern; remove minLength, maxLength and enum"
        return
    yield from pattern_problems(pattern)
    low, high = node.get("minLength", 0), node.get("maxLength")
    if low < 0 or (high is not None and high < low):
        yield "minLength must be 0 or more, and not greater than maxLength"


def _integer_problems(node: Json) -> Iterator[str]:
    given = [node[name] for name in ("minimum", "maximum") if name in node]
    if any(isinstance(bound, float) for bound in given):
        yield "a bound of an integer must be an integer, not a number"
    elif node.get("format") in RANGE_BY_FORMAT:
        low, high = bounds(node)
        smallest, largest = RANGE_BY_FORMAT[node["format"]]
        if low > high:
            yield "minimum is greater than maximum"
        elif low < smallest or high > largest:
            yield (
                f"{node['format']} ends at {smallest} and {largest}, so the bounds would never "
                "apply; lower them or write int64"
            )
    if "x-instant" in node:
        yield from _instant_problems(node)
    if "x-exchange-clock" in node and node.get("format") != "int64":
        yield "x-exchange-clock needs an int64 time in ms"


def _instant_problems(node: Json) -> Iterator[str]:
    if node.get("format") != "int64":
        yield "x-instant needs an int64 time in ms"
    if not SNAKE_CASE.fullmatch(node["x-instant"]):
        yield f"x-instant {node['x-instant']!r} must be a snake_case name"


def _number_problems(node: Json) -> Iterator[str]:
    low, high = node.get("minimum"), node.get("maximum")
    if low is not None and high is not None and low > high:
        yield "minimum is greater than maximum"


def _enum_problems(node: Json, json_type: str) -> Iterator[str]:
    values: list[Any] = node["enum"]
    python_type, name = {"string": (str, "strings"), "integer": (int, "integers")}.get(
        json_type, (type(None), "values")
    )
    if not values or len(values) != len(set(map(repr, values))):
        yield f"enum must be a non-empty list of different {name}"
    if any(type(value) is not python_type for value in values):
        yield f"enum must be a list of {name}, since the type is {json_type}"
    if "" in values:
        yield "enum may not have an empty string, which the exchange refuses"
    if node.keys() & {"pattern", "minLength", "maxLength"} or node.get("format") == "decimal":
        yield "an enum needs no pattern and no format; remove them"
    if json_type == "integer" and node.keys() & {"minimum", "maximum"}:
        yield "an enum of integers needs no minimum and no maximum; remove them"


_CHECKS: Final[dict[str, Callable[[Json], Iterator[str]]]] = {
    "string": _string_problems,
    "integer": _integer_problems,
    "number": _number_problems,
}
