"""Request weights, which may depend on an argument.

`x-weight` is a number, or the rule `{parameter, absent, steps}`: `absent` is the weight of a call
without the parameter, and each step `{to, weight}` that of values up to `to`. The last step has no
`to`. A parameter that is not an integer has this last step only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from generator.document.findings import Finding, Place
from generator.document.openapi import Json


@dataclass(frozen=True)
class WeightRule:
    """Weight by an argument. `steps` are pairs of the largest value and the weight."""

    parameter: str
    absent: int
    steps: tuple[tuple[int | None, int], ...]


def weight_rule(node: int | Json) -> WeightRule | None:
    """Return the rule of an `x-weight`, `None` for a number."""
    if isinstance(node, int):
        return None
    steps = tuple((step.get("to"), step["weight"]) for step in node["steps"])
    return WeightRule(node["parameter"], node["absent"], steps)


def largest_weight(node: int | Json) -> int:
    """Return the largest weight of an `x-weight`."""
    if isinstance(node, int):
        return node
    weights: list[int] = [node["absent"], *(step["weight"] for step in node["steps"])]
    return max(weights)


def check_weight(place: Place, node: Any, types: dict[str, Any]) -> Iterator[Finding]:
    """Yield the findings of an `x-weight`.

    Args:
        place: Place of the operation.
        node: The `x-weight`.
        types: JSON type by name of the operation's parameters.
    """
    place = (*place, "x-weight")
    if isinstance(node, int):
        if node < 0:
            yield Finding.at(place, "x-weight may not be negative; write 0 for a free call")
        return
    if not isinstance(node, dict) or not {"parameter", "absent", "steps"} <= node.keys():
        return
    name, steps = node["parameter"], node["steps"]
    if name not in types:
        known = ", ".join(types) or "none"
        problem = f"depends on {name!r}, which is no parameter of the operation; it has {known}"
        yield Finding.at(place, problem)
    elif types[name] != "integer" and len(steps) != 1:
        yield Finding.at(place, f"steps compare numbers; {name!r} is none, so write one step")
    limits = [step.get("to") for step in steps]
    if not steps or limits[-1] is not None or None in limits[:-1]:
        yield Finding.at(place, "every step but the last needs to, its largest value")
    elif limits[:-1] != sorted(set(limits[:-1])):
        yield Finding.at(place, "the steps must rise; sort them by to")
    if min([node["absent"], *(step.get("weight", 0) for step in steps)]) < 0:
        yield Finding.at(place, "x-weight may not be negative; write 0 for a free call")
