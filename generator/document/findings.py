"""What is wrong with a spec, and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TypeAlias

Step: TypeAlias = str | int
Place: TypeAlias = tuple[Step, ...]
"""Keys and indexes that lead to a value of the document."""


class Finding(str):
    """A problem of the spec in one line: the place, what is wrong, and what to write instead.

    Attributes:
        place: Where the problem is. Empty for the document as a whole.
    """

    __slots__ = ("place",)
    place: Place

    @classmethod
    def at(cls, place: Place, problem: str) -> Finding:
        """Return a finding. Its text has the place in front, and no line break."""
        where = ".".join(map(str, place)) or "document"
        finding = cls(" ".join(f"{where}: {problem}".split()))
        finding.place = place
        return finding


class SpecError(Exception):
    """The spec cannot be used. `findings` has one line for each problem."""

    def __init__(self, findings: Iterable[str]) -> None:
        self.findings = list(findings)
        super().__init__("\n".join(self.findings))


def find_duplicates(values: Iterable[str]) -> list[str]:
    """Return the values that occur more than once, sorted."""
    return sorted(value for value, count in Counter(values).items() if count > 1)
