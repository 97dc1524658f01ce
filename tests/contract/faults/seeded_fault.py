"""The shape of a seeded fault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tests.contract.patch_points import Patch

Layer: TypeAlias = Literal["mock", "requests", "responses"]


@dataclass(frozen=True)
class SeededFault:
    """A change of the product, and the checks that notice it.

    Attributes:
        name: Name, unique among all seeded faults.
        layer: Layer of checks that is run with the fault.
        patch: Function that makes the change.
        checks: Exactly the checks of the layer that notice the change.
        reason: For a change that keeps every promise: why no check notices it.
    """

    name: str
    layer: Layer
    patch: Patch
    checks: frozenset[str]
    reason: str = ""


def seed(layer: Layer, name: str, *checks: str, reason: str = "") -> Callable[[Patch], SeededFault]:
    """Return a function that makes a fault from its patch, which is long and stands last."""
    return lambda patch: SeededFault(name, layer, patch, frozenset(checks), reason)
