"""What a run of contract tests reports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from binance_usdm.contract._cases.coverage import Coverage

# A list of parts that were not touched is cut after these.
MAX_UNTOUCHED_SHOWN = 12


@dataclass(frozen=True)
class Finding:
    """Something that a check found.

    Attributes:
        section: Layer or part of the run.
        check: Name of the check.
        message: What is wrong.
        subject: Operation or response that was checked, if that is known.
        request: The request without its signature, if there is one.
        response: Status and beginning of the body, if there is one.
        reproduce: Command that sends the request again, if there is one.
        count: How many cases had the same problem. Request and response are of the first.
        assumptions: The switches of the mock that the finding rests on; the message says so, too.
    """

    section: str
    check: str
    message: str
    subject: str = ""
    request: str = ""
    response: str = ""
    reproduce: str = ""
    count: int = 1
    assumptions: tuple[str, ...] = ()

    def lines(self) -> Iterator[str]:
        """Yield the finding as lines of text."""
        subject = f" ({self.subject})" if self.subject else ""
        count = f", {self.count} cases" if self.count > 1 else ""
        yield f"{self.check}{subject}{count}"
        for line in self.message.splitlines():
            yield f"    {line}"
        for title in ("request", "response"):
            if text := getattr(self, title):
                yield f"    {title}: {text}"
        if self.reproduce:
            yield f"    reproduce with: {self.reproduce}"


def merge_findings(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings of which those with the same problem are one, with their count."""
    merged: dict[tuple[str, str, str], Finding] = {}
    for finding in findings:
        key = (finding.check, finding.subject, finding.message)
        first = merged.get(key, replace(finding, count=0))
        merged[key] = replace(first, count=first.count + 1)
    return [*merged.values()]


@dataclass
class Section:
    """A layer or another part of a run.

    Attributes:
        name: Its name.
        operations: How many operations had a case.
        cases: How many requests or calls there were.
        checks: Names of the checks that have run.
        seconds: How long it took.
        findings: What was found.
        left_out: Why nothing was sent, "" if something was.
    """

    name: str
    operations: int = 0
    cases: int = 0
    checks: tuple[str, ...] = ()
    seconds: float = 0.0
    findings: list[Finding] = field(default_factory=list)
    left_out: str = ""


@dataclass
class Report:
    """The outcome of a run.

    Attributes:
        target: What was checked: a URL, a class or a program.
        options: Options by which the run can be repeated.
        sections: Layers or parts, in their order.
        is_complete: Whether nothing was left out for lack of time.
        coverage: Parts of the document that were touched, if they were counted.
    """

    target: str
    options: dict[str, str]
    sections: list[Section] = field(default_factory=list)
    is_complete: bool = True
    coverage: Coverage | None = None

    @property
    def findings(self) -> list[Finding]:
        """The findings of all sections."""
        return [finding for section in self.sections for finding in section.findings]

    @property
    def exit_code(self) -> int:
        """0 if nothing was found, 1 if something was, 3 if nothing was but time was up."""
        if self.findings:
            return 1
        return 0 if self.is_complete else 3


TABLE_ROW = "{:<44}{:>11}{:>8}{:>8}{:>9}{:>10}"
TABLE_HEAD = TABLE_ROW.format("layer", "operations", "cases", "checks", "seconds", "problems")


def section_lines(section: Section) -> Iterator[str]:
    """Yield the row of a section, and its findings."""
    if section.left_out:
        yield f"{section.name}: left out, {section.left_out}"
        return
    counts = (section.operations, section.cases, len(section.checks), f"{section.seconds:.1f}")
    yield TABLE_ROW.format(section.name, *counts, len(section.findings))
    for finding in section.findings:
        yield ""
        yield from finding.lines()
    if section.findings:
        yield ""


def coverage_lines(coverage: Coverage) -> Iterator[str]:
    """Yield how much of the document was touched, and what was not."""
    counts = coverage.counts()
    parts = [f"{kind} {touched}/{total}" for kind, (touched, total) in counts.items()]
    yield f"coverage: {', '.join(parts)}"
    untouched = coverage.untouched()
    missing_statuses = tuple(f"{name} " for kind, name in untouched if kind == "status")
    # What only a response with an untouched status could have is not repeated.
    shown = [
        (kind, name)
        for kind, name in untouched
        if kind not in ("media type", "header") or not name.startswith(missing_statuses)
    ]
    for kind, name in shown[:MAX_UNTOUCHED_SHOWN]:
        yield f"    not touched: {kind} {name}"
    if len(shown) > MAX_UNTOUCHED_SHOWN:
        yield f"    and {len(shown) - MAX_UNTOUCHED_SHOWN} more, which a report lists"
