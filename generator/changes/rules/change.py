"""A change, its words, and the place where changes are collected."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from .argument_rules import ARGUMENT_RULES
from .document_rules import DOCUMENT_RULES
from .field_rules import CLASS_RULES, FIELD_RULES
from .operation_rules import OPERATION_RULES
from .steps import Effect, Rule, Step

RULES: dict[str, Rule] = {
    **OPERATION_RULES,
    **ARGUMENT_RULES,
    **FIELD_RULES,
    **CLASS_RULES,
    **DOCUMENT_RULES,
}
"""By the id that the JSON form has as `rule`."""

GROUP_BY_STEP = {Step.MAJOR: "breaking", Step.MINOR: "new", Step.PATCH: "quiet", Step.NONE: "quiet"}


@dataclass(frozen=True)
class Change:
    """One difference that has a meaning for users."""

    rule: str
    subject: str
    """Python name of what changes."""
    old: str = ""
    new: str = ""
    operations: tuple[str, ...] = ()
    """Python names of the operations affected."""
    wire: str = ""

    @property
    def _rule(self) -> Rule:
        return RULES[self.rule]

    @property
    def step(self) -> Step:
        return self._rule.step

    @property
    def effect(self) -> Effect:
        return self._rule.effect

    @property
    def group(self) -> str:
        """Heading of the report: breaking, new or quiet."""
        return GROUP_BY_STEP[self.step]

    @property
    def is_in_changelog(self) -> bool:
        return self._rule.is_in_changelog

    @property
    def words(self) -> str:
        """What changes, in words."""
        return self._fill(self._rule.words)

    @property
    def line(self) -> str:
        """What changes, and the operations affected unless the words name them."""
        missing = [f"{name}()" for name in self.operations if f"{name}()" not in self.words]
        return f"{self.words} [{', '.join(missing)}]" if missing else self.words

    @property
    def installed(self) -> str:
        """What releases do that are installed already."""
        return self._fill(self._rule.installed)

    @property
    def advice(self) -> str:
        return self._fill(self._rule.advice)

    @property
    def sentence(self) -> str:
        """What changes, as a sentence of Markdown with the names as code."""
        names = {"subject": f"`{self.subject}`"} if " " not in self.subject else {}
        if self._rule.has_python_names:
            names |= {"old": f"`{self.old}`", "new": f"`{self.new}`"}
        words = self._fill(self._rule.words, **names)
        missing = [f"`{name}()`" for name in self.operations if f"{name}()" not in words]
        end = f" ({', '.join(missing)})" if missing else ""
        return f"{words[:1].upper()}{words[1:]}{end}."

    def _fill(self, template: str, **names: str) -> str:
        operations = " and ".join(f"{name}()" for name in self.operations) or "the operation"
        texts = {
            "subject": self.subject,
            "old": self.old,
            "new": self.new,
            "operations": operations,
            "wire": self.wire or self.subject,
        }
        return template.format_map(texts | names)


class Collector:
    """Collects changes; the same change of several operations is one change."""

    def __init__(self, assumed_wider: Collection[str] = ()) -> None:
        self.assumed_wider = assumed_wider
        self._changes: dict[tuple[str, ...], Change] = {}

    def add(
        self,
        rule: str,
        subject: str,
        operations: Iterable[str] = (),
        old: Any = "",
        new: Any = "",
        wire: str = "",
    ) -> None:
        if subject in self.assumed_wider:
            rule = RULES[rule].rule_if_assumed or rule
        change = Change(rule, subject, str(old), str(new), tuple(operations), wire)
        key = (rule, subject, change.old, change.new)
        earlier = self._changes.get(key)
        if earlier is not None:
            merged = tuple(dict.fromkeys([*earlier.operations, *change.operations]))
            change = replace(earlier, operations=merged)
        self._changes[key] = change

    def __iter__(self) -> Iterator[Change]:
        """Iterate over the changes, the worst first."""
        return iter(sorted(self._changes.values(), key=lambda change: -change.step))

    def __len__(self) -> int:
        return len(self._changes)
