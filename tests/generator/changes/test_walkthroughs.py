"""From an edit of the spec to the paragraph of the changelog, as a maintainer does it."""

from __future__ import annotations

from pathlib import Path

import pytest

from generator.changes.compare.specs import compare
from generator.changes.facts.documents import read_document
from generator.changes.rendering import render_markdown
from generator.changes.report import Report
from tests.generator.changes.walkthroughs import (
    EXAMPLES,
    FOLDER,
    TEXT,
    WALKTHROUGHS,
    Walkthrough,
    report_of,
)


@pytest.mark.parametrize("walkthrough", WALKTHROUGHS, ids=lambda walkthrough: walkthrough.name)
def test_an_edit_becomes_a_changelog_paragraph(walkthrough: Walkthrough, tmp_path: Path) -> None:
    """Headline, paragraph, effect on installed releases and work by hand follow from the edit."""
    report = report_of(walkthrough, tmp_path)
    assert report.headline.startswith(walkthrough.headline)
    assert tuple(report.changelog[: len(walkthrough.changelog)]) == walkthrough.changelog
    assert walkthrough.installed in report.installed
    assert walkthrough.by_hand in "\n".join(report.by_hand)


def test_a_value_removed_from_an_argument_breaks(tmp_path: Path) -> None:
    """An argument with choices that loses one is a breaking change."""
    choices = "        type: string\n        enum: [{}]\n"
    window = TEXT.index("    RecvWindow:")
    start = TEXT.index("        type: integer", window)
    end = TEXT.index("      example: 5000", start)
    documents = []
    for values in ("SHORT, LONG", "SHORT"):
        spec = tmp_path / "openapi.yaml"
        spec.write_text(TEXT[:start] + choices.format(values) + TEXT[end:], encoding="utf-8")
        documents.append(read_document(spec)[0])
    report = Report(compare(*documents), version="1.4.2")
    assert report.headline == "major (1.4.2 -> 2.0.0): 1 breaking"
    assert report.changelog == [
        "- Breaking: Argument `recv_window` accepts less: SHORT instead of SHORT, LONG"
        " (`balance()`)."
    ]
    assert report.installed == ["still accept the rest; the exchange may reject a call with it"]


def comparable(text: str) -> str:
    """Return a report without the places in other files, which change with them."""
    head, _, rest = text.partition("## Needs a hand\n")
    return head + rest.partition("\n## ")[2]


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_report_is_current(name: str, tmp_path: Path) -> None:
    """The reports of docs/changes are those of today's spec and rules."""
    walkthrough = next(walkthrough for walkthrough in WALKTHROUGHS if walkthrough.name == name)
    written = (FOLDER / f"{name.replace(' ', '-')}.md").read_text(encoding="utf-8")
    assert "## Needs a hand" in written
    rendered = render_markdown(report_of(walkthrough, tmp_path))
    assert comparable(written).rstrip() == comparable(rendered).rstrip()
