"""Read the limits of a schema in one form, and compare them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from generator.document.openapi import Json

from .documents import canonical_text
from .shapes import INTEGER_FORMATS

UPPER_COUNTS = ("maxLength", "maxItems", "maxProperties")
LOWER_COUNTS = ("minLength", "minItems", "minProperties")


class Bound(NamedTuple):
    """A smallest or largest number."""

    value: Any
    is_exclusive: bool = False


def read_limits(schema: Json, json_type: str) -> Iterator[tuple[str, Any]]:
    """Yield the limits of a value; `minimum` and `maximum` are bounds, for integers inclusive."""
    for key in ("multipleOf", *LOWER_COUNTS, *UPPER_COUNTS):
        if _is_number(schema.get(key)):
            yield key, schema[key]
    if schema.get("uniqueItems") is True:
        yield "uniqueItems", True
    if "const" in schema:
        yield "const", canonical_text(schema["const"])
    size = INTEGER_FORMATS.get(str(schema.get("format"))) if json_type == "integer" else None
    lower = _bounds(schema, "minimum", "exclusiveMinimum")
    upper = _bounds(schema, "maximum", "exclusiveMaximum")
    if json_type == "integer":
        lower = [_inclusive(bound, 1) for bound in lower]
        upper = [_inclusive(bound, -1) for bound in upper]
    if size is not None:
        lower, upper = lower or [Bound(-size)], upper or [Bound(size - 1)]
    if lower:
        yield "minimum", max(lower)
    if upper:
        yield "maximum", min(upper, key=_upper_key)


def _bounds(schema: Json, key: str, exclusive_key: str) -> list[Bound]:
    """Return the inclusive and the exclusive bound of one side, those that there are."""
    closed, opened = schema.get(key), schema.get(exclusive_key)
    if opened is True:
        # OpenAPI 3.0 says so that the other bound is exclusive.
        closed, opened = None, closed
    return [bound for bound in (Bound(closed), Bound(opened, True)) if _is_number(bound.value)]


def _is_number(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _inclusive(bound: Bound, step: int) -> Bound:
    """Return the bound of an integer without exclusion."""
    is_moved = bound.is_exclusive and bound.value == int(bound.value)
    return Bound(bound.value + step) if is_moved else bound


def _upper_key(bound: Bound) -> tuple[Any, bool]:
    """Return what orders largest numbers: an exclusive one is less than an inclusive one."""
    return bound.value, not bound.is_exclusive


def compare_limit(key: str, old: Any, new: Any) -> str | None:
    """Return whether a limit is "narrower" or "wider", None if it is the same."""
    if old == new:
        return None
    if new is None:
        return "wider"
    if old is None:
        return "narrower"
    if key == "minimum" or key in LOWER_COUNTS:
        is_wider = new < old
    elif key == "maximum":
        is_wider = _upper_key(new) > _upper_key(old)
    elif key in UPPER_COUNTS:
        is_wider = new > old
    else:
        # What is a multiple of 10 is one of 5 too. A spec that the lint rejects may have a zero.
        is_integer = isinstance(old, int) and isinstance(new, int)
        is_wider = key == "multipleOf" and is_integer and old * new != 0 and old % new == 0
    return "wider" if is_wider else "narrower"


def allows_number(limits: Mapping[str, Any], value: float) -> bool:
    """Return whether a number is within `minimum` and `maximum`."""
    low, high = limits.get("minimum"), limits.get("maximum")
    return (low is None or Bound(value) >= low) and (
        high is None or _upper_key(Bound(value)) <= _upper_key(high)
    )


def describe_limit(key: str, limit: Any) -> str:
    """Return a limit in words."""
    if limit is None:
        return f"no {key}"
    if not isinstance(limit, Bound):
        return f"{key} {limit}"
    return f"{key} {limit.value}{', exclusive' if limit.is_exclusive else ''}"
