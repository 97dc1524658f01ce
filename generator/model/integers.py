"""Ranges of integers."""

from __future__ import annotations

from typing import Final

from generator.document.openapi import Json

RANGE_BY_FORMAT: Final = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}


def bounds(schema: Json) -> tuple[int, int]:
    """Return the smallest and the largest integer of a schema: its own, else those of its format."""
    low, high = RANGE_BY_FORMAT[schema["format"]]
    return schema.get("minimum", low), schema.get("maximum", high)
