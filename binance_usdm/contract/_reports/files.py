"""Write a report as JUnit, JSON or HTML."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from .report import Finding, Report, Section

STYLE: Final = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem;
       color: #1a1a1a; background: #fff; }
table { border-collapse: collapse; } th, td { padding: .2rem .8rem; text-align: right; }
th:first-child, td:first-child { text-align: left; } tr { border-bottom: 1px solid #bbb; }
article { border-left: .3rem solid #b00020; padding-left: 1rem; margin: 1.5rem 0; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f3f3f3; padding: .6rem; }
@media (prefers-color-scheme: dark) {
  body { color: #eee; background: #161616; } pre { background: #262626; } }
"""


def to_json(report: Report) -> str:
    """Return a report as JSON."""
    coverage = report.coverage
    document = {
        "target": report.target,
        "options": report.options,
        "is_complete": report.is_complete,
        "exit_code": report.exit_code,
        "sections": [asdict(section) for section in report.sections],
    }
    if coverage is not None:
        document["coverage"] = {
            "counts": {kind: {"touched": a, "described": b} for kind, (a, b) in _counts(report)},
            "untouched": [{"kind": kind, "name": name} for kind, name in coverage.untouched()],
        }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def to_junit(report: Report) -> str:
    """Return a report as JUnit: a suite for each section, a test case for each check."""
    suites = ElementTree.Element("testsuites")
    for section in report.sections:
        names = dict.fromkeys([*section.checks, *(each.check for each in section.findings)])
        suite = ElementTree.SubElement(suites, "testsuite", name=section.name)
        failed = 0
        for name in names:
            findings = [finding for finding in section.findings if finding.check == name]
            classname = f"contract.{section.name.partition(' ')[0]}"
            case = ElementTree.SubElement(suite, "testcase", classname=classname, name=name)
            failed += bool(findings)
            # Only the first failure of a case is shown by most readers, so there is one.
            if findings:
                message = _xml_text(findings[0].message.partition("\n")[0])
                failure = ElementTree.SubElement(case, "failure", message=message)
                is_assumed = all(finding.assumptions for finding in findings)
                failure.set("type", "assumption" if is_assumed else "finding")
                lines = [line for finding in findings for line in (*finding.lines(), "")]
                failure.text = _xml_text("\n".join(lines))
        suite.set("tests", str(len(names)))
        suite.set("failures", str(failed))
        suite.set("errors", "0")
        suite.set("time", f"{section.seconds:.3f}")
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def to_html(report: Report) -> str:
    """Return a report as one HTML page without scripts."""
    rows = "".join(_html_row(section) for section in report.sections)
    articles = "".join(
        f"<article><h2>{escape(finding.check)}</h2><p>{escape(finding.section)}{_assumed(finding)}</p>"
        f"<pre>{escape(chr(10).join([*finding.lines()][1:]))}</pre></article>"
        for finding in report.findings
    )
    outcome = f"{len(report.findings)} problems" if report.findings else "nothing found"
    if not report.is_complete:
        outcome += ", not everything was tried"
    coverage = "".join(
        f"<tr><td>{escape(kind)}</td><td>{touched}</td><td>{described}</td></tr>"
        for kind, (touched, described) in _counts(report)
    )
    untouched = "".join(
        f"<li>{escape(kind)} {escape(name)}</li>"
        for kind, name in (report.coverage.untouched() if report.coverage else ())
    )
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Contract tests: {escape(outcome)}</title><style>{STYLE}</style>"
        f"<h1>Contract tests: {escape(outcome)}</h1><p>{escape(report.target)}</p>"
        "<table><tr><th>layer<th>operations<th>cases<th>checks<th>seconds<th>problems</tr>"
        f"{rows}</table>{articles}"
        "<h2>Coverage of the document</h2><table><tr><th>part<th>touched<th>described</tr>"
        f"{coverage}</table><details><summary>not touched</summary><ul>{untouched}</ul></details>\n"
    )


WRITERS: Final[dict[str, Callable[[Report], str]]] = {
    ".xml": to_junit,
    ".json": to_json,
    ".html": to_html,
}
"""Formats of a report by the end of the file's name."""


def write_report(report: Report, path: Path) -> None:
    """Write a report in the format that the name of the file ends with."""
    path.write_text(WRITERS[path.suffix](report), encoding="utf-8")


def _counts(report: Report) -> list[tuple[str, tuple[int, int]]]:
    return [*report.coverage.counts().items()] if report.coverage is not None else []


def _html_row(section: Section) -> str:
    cells = (section.operations, section.cases, len(section.checks), f"{section.seconds:.1f}")
    numbers = "".join(f"<td>{cell}</td>" for cell in (*cells, len(section.findings)))
    return f"<tr><td>{escape(section.name)}</td>{numbers}</tr>"


def _assumed(finding: Finding) -> str:
    """Return what a finding rests on, as markup."""
    assumptions = escape(", ".join(finding.assumptions))
    return f"; assumed: <code>{assumptions}</code>" if assumptions else ""


def _xml_text(text: str) -> str:
    """Return text without the characters that XML does not have."""
    return "".join(
        character if character in "\n\t" or character.isprintable() else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )
