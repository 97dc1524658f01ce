"""Write a report as text, Markdown or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence

from .report import GROUPS, Report, bump

MAX_FINDINGS = 5


def _sections(report: Report) -> Iterator[tuple[str, list[str]]]:
    """Yield the headings of a report with their lines."""
    for group in GROUPS:
        if changes := report.group(group):
            yield group.capitalize(), [change.line for change in changes]
    if report.changes:
        yield (
            f"Installed releases {report.urgency}: on the day of the change they",
            report.installed,
        )
    if report.advice:
        yield "Advice", report.advice
    if report.changes:
        yield "Needs a hand", list(report.by_hand) or ["nothing"]
    findings = [
        *_first_findings("the old document", report.old_findings),
        *_first_findings("the new document", report.new_findings),
    ]
    if findings:
        yield "Findings of the lint, which are no changes", findings


def _first_findings(name: str, findings: Sequence[str]) -> Iterator[str]:
    yield from (f"{name}: {line}" for line in findings[:MAX_FINDINGS])
    if len(findings) > MAX_FINDINGS:
        yield f"{name}: {len(findings) - MAX_FINDINGS} more"


def _changelog_heading(report: Report) -> str:
    if report.version is None:
        return "CHANGELOG"
    return f"CHANGELOG, below {bump(report.version, report.step)}"


def render_text(report: Report) -> str:
    """Return the report as text for a terminal."""
    lines = [report.headline]
    for heading, entries in _sections(report):
        lines += ["", heading, *(f"  {entry}" for entry in entries)]
    if report.changelog:
        lines += ["", _changelog_heading(report), *(f"  {line}" for line in report.changelog)]
    return "\n".join(lines)


def render_markdown(report: Report) -> str:
    """Return the report as Markdown."""
    lines = [f"# {report.headline}"]
    for heading, entries in _sections(report):
        lines += ["", f"## {heading}", "", *(f"- {entry}" for entry in entries)]
    if report.changelog:
        lines += [
            "",
            f"## {_changelog_heading(report)}",
            "",
            "```markdown",
            *report.changelog,
            "```",
        ]
    return "\n".join(lines)


def render_json(report: Report) -> str:
    """Return the report as one JSON object."""
    lines = render_text(report).splitlines()
    return json.dumps(report.to_json(lines), ensure_ascii=False, indent=1)


RENDERERS: dict[str, Callable[[Report], str]] = {
    "text": render_text,
    "markdown": render_markdown,
    "json": render_json,
}


def render_summary(report: Report) -> list[str]:
    """Return the lines that `make generate` prints: the headline and what is not quiet."""
    lines = [f"since the package was written: {report.headline}"]
    for group in GROUPS[:2]:
        lines += [f"  {group}: {change.line}" for change in report.group(group)]
    return lines if report.changes else []
