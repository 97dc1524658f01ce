"""Judge changes: the step, what installed releases do, and the changelog paragraph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .rules.change import Change
from .rules.steps import UNCHANGED, Effect, Step

GROUPS = ("breaking", "new", "quiet")
NOTHING = "nothing changes for users"
TEXTS_ONLY = "Texts of the documentation are updated."
URGENCY_BY_EFFECT = {
    Effect.WORKS: "keep working",
    Effect.DEGRADED: "work in part",
    Effect.FAILS: "fail",
}
INTRODUCTIONS = {"breaking": "Breaking: ", "new": "New: ", "quiet": ""}


@dataclass(frozen=True)
class Report:
    """What a difference of two documents means."""

    changes: Sequence[Change]
    version: str | None = None
    """Version of the last release, for the heading of the changelog."""
    by_hand: Sequence[str] = ()
    """What the generator does not write and has to be changed too."""
    old_findings: Sequence[str] = ()
    new_findings: Sequence[str] = ()

    @property
    def step(self) -> Step:
        return max((change.step for change in self.changes), default=Step.NONE)

    @property
    def is_breaking(self) -> bool:
        return self.step is Step.MAJOR

    def group(self, name: str) -> list[Change]:
        """Return the changes under one heading."""
        return [change for change in self.changes if change.group == name]

    @property
    def headline(self) -> str:
        """The step and the number of changes, in one line."""
        if not self.changes:
            return f"{self.step.word}: {NOTHING}"
        counts = [f"{len(changes)} {name}" for name in GROUPS if (changes := self.group(name))]
        next_version = bump(self.version, self.step) if self.version else None
        versions = f" ({self.version} -> {next_version})" if next_version else ""
        return f"{self.step.word}{versions}: {', '.join(counts)}"

    @property
    def installed(self) -> list[str]:
        """What installed releases do, the worst first."""
        ordered = sorted(self.changes, key=lambda change: -change.effect)
        lines = dict.fromkeys(c.installed for c in ordered if c.installed != UNCHANGED)
        return [*lines, *self._unaffected()]

    def _unaffected(self) -> Iterator[str]:
        others = sum(change.installed == UNCHANGED for change in self.changes)
        if others:
            words = "1 change" if others == 1 else f"{others} changes"
            yield f"{UNCHANGED} after {words if others < len(self.changes) else 'all of them'}"

    @property
    def urgency(self) -> str:
        """What installed releases do on the day of the worst change, in words."""
        worst = max((change.effect for change in self.changes), default=Effect.WORKS)
        return URGENCY_BY_EFFECT[worst]

    @property
    def advice(self) -> list[str]:
        return list(dict.fromkeys(change.advice for change in self.changes if change.advice))

    @property
    def changelog(self) -> list[str]:
        """The lines of the changelog paragraph."""
        lines = [
            f"- {INTRODUCTIONS[change.group]}{change.sentence}"
            for group in GROUPS
            for change in self.group(group)
            if change.is_in_changelog
        ]
        return lines or ([f"- {TEXTS_ONLY}"] if self.changes else [])

    def to_json(self, lines: Iterable[str]) -> dict[str, Any]:
        """Return the report as one JSON object."""
        return {
            "breaking": self.is_breaking,
            "semver": self.step.word,
            "lines": list(lines),
            "changes": [
                {
                    "rule": change.rule,
                    "group": change.group,
                    "step": change.step.word,
                    "subject": change.subject,
                    "operations": list(change.operations),
                    "old": change.old,
                    "new": change.new,
                    "line": change.line,
                    "installed": change.installed,
                    "advice": change.advice,
                }
                for change in self.changes
            ],
            "installed": self.installed,
            "by_hand": list(self.by_hand),
            "changelog": self.changelog,
            "findings": {"old": list(self.old_findings), "new": list(self.new_findings)},
        }


def parse_version(version: str) -> tuple[int, int, int]:
    """Return the three numbers of a version.

    Raises:
        ValueError: It does not have three numbers.
    """
    major, minor, patch = map(int, version.split("."))
    return major, minor, patch


def bump(version: str, step: Step) -> str:
    """Return the version after a step; before 1.0 the number to the right moves."""
    major, minor, patch = parse_version(version)
    if not major and step > Step.PATCH:
        step = Step(step - 1)
    return {
        Step.NONE: version,
        Step.PATCH: f"{major}.{minor}.{patch + 1}",
        Step.MINOR: f"{major}.{minor + 1}.0",
        Step.MAJOR: f"{major + 1}.0.0",
    }[step]
