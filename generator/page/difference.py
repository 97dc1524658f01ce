"""A difference between a page and the spec."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Self

from .markdown import Line


class Difference(NamedTuple):
    """Line of the page, what differs, and how."""

    line: int
    subject: str
    text: str

    @classmethod
    def of(cls, line: int, subject: str, stated: Any, expected: Any) -> Self:
        """Return the difference between what the page states and what the spec has."""
        return cls(line, subject, f"the page has {stated or 'nothing'}, the spec {expected}")


def report_more_text(lines: Iterable[Line], subject: str) -> Iterator[Difference]:
    """Yield a difference for each line of a section that nothing else compares."""
    for line in lines:
        yield Difference(line.number, subject, f'the page also says "{line.text.strip()}"; read it')


def compare_names(
    line: int, kind: str, stated: Sequence[str], expected: Sequence[str]
) -> Iterator[Difference]:
    """Yield what differs between two lists of names: missing, new, repeated, order.

    Args:
        line: Line of the list.
        kind: What is named.
        stated: Names on the page.
        expected: Names in the spec.
    """
    for name in dict.fromkeys(stated):
        if name not in expected:
            yield Difference(line, f"{kind} {name}", "is on the page and not in the spec")
        if stated.count(name) > 1:
            yield Difference(line, f"{kind} {name}", "is on the page more than once")
    for name in expected:
        if name not in stated:
            yield Difference(line, f"{kind} {name}", "is in the spec and not on the page")
    common = [name for name in dict.fromkeys(stated) if name in expected]
    spec_order = [name for name in expected if name in common]
    if common != spec_order:
        text = ", ".join(common)
        yield Difference.of(line, f"order of {kind}s", text, ", ".join(spec_order))
