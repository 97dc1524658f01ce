"""Read the limits of a schema in one form."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from generator.spec import Json

from .documents import canonical
from .shapes import INTEGER_FORMATS

Bound = tuple[Any, bool]
"""A number, and whether it is exclusive."""
COUNTS = (
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
)


def read_limits(schema: Json, json_type: str) -> Iterator[tuple[str, Any]]:
    """Yield the limits of a value; the bounds of an integer are inclusive."""
    for key in COUNTS:
        if _is_number(schema.get(key)):
            yield key, schema[key]
    if schema.get("uniqueItems") is True:
        yield "uniqueItems", True
    if "const" in schema:
        yield "const", canonical(schema["const"])
    size = INTEGER_FORMATS.get(str(schema.get("format"))) if json_type == "integer" else None
    lower, upper = _bounds(schema, "inimum"), _bounds(schema, "aximum")
    if json_type == "integer":
        lower = [_inclusive(bound, 1) for bound in lower]
        upper = [_inclusive(bound, -1) for bound in upper]
    if size is not None:
        lower, upper = lower or [(-size, False)], upper or [(size - 1, False)]
    if lower:
        yield "minimum", max(lower)
    if upper:
        yield "maximum", min(upper, key=lambda bound: (bound[0], not bound[1]))


def _bounds(schema: Json, name: str) -> list[Bound]:
    """Return the inclusive and the exclusive bound of one side, those that there are."""
    closed, opened = schema.get("m" + name), schema.get("exclusiveM" + name)
    if opened is True:
        # OpenAPI 3.0 says so that the other bound is exclusive.
        closed, opened = None, closed
    return [bound for bound in ((closed, False), (opened, True)) if _is_number(bound[0])]


def _is_number(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _inclusive(bound: Bound, sign: int) -> Bound:
    value, is_open = bound
    return (value + sign, False) if is_open and value == int(value) else bound
