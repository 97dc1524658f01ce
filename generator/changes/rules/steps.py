"""The step of a change, what it does to installed releases, and the form of a rule.

The policy: someone who upgrades the client counts. Arguments flow in, so accepting less or needing
more breaks. Values of a response flow out, so a wider Python type or accepting less breaks.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple


class Step(IntEnum):
    """Step of semantic versioning; the worst change decides."""

    NONE = 0
    PATCH = 1
    MINOR = 2
    MAJOR = 3

    @property
    def word(self) -> str:
        return self.name.lower()


class Effect(IntEnum):
    """What a change of the exchange does to releases that are installed already."""

    WORKS = 0
    DEGRADED = 1
    FAILS = 2


UNCHANGED: Final = "work as before"


class Rule(NamedTuple):
    """One kind of change. Its texts are templates with subject, old, new, operations and wire."""

    step: Step
    words: str
    effect: Effect = Effect.WORKS
    installed: str = UNCHANGED
    advice: str = ""
    is_in_changelog: bool = True
    has_python_names: bool = False
    """Whether old and new are Python names, which Markdown shows as code."""
    rule_if_assumed: str = ""
    """The rule that holds instead when the new pattern is said to accept all that the old one did."""


MAJOR, MINOR, PATCH = Step.MAJOR, Step.MINOR, Step.PATCH
DEGRADED, FAILS = Effect.DEGRADED, Effect.FAILS
REFUSED: Final = "reject every response of {operations} (UnexpectedResponse): release today"
