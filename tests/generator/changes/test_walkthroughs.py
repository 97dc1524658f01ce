"""From an edit of the spec to the paragraph of the changelog, as a maintainer does it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from generator.changes.by_hand import find_places
from generator.changes.compare import compare
from generator.changes.documents import read_document
from generator.changes.report import Report
from tests.generator.changes.edits import REAL
from tests.support.paths import ROOT, SPEC_FILE

TEXT = SPEC_FILE.read_text(encoding="utf-8")


class Walkthrough(NamedTuple):
    """An edit of the spec's text, and what the report has to say."""

    name: str
    edits: tuple[tuple[str, str], ...]
    headline: str
    changelog: tuple[str, ...]
    installed: str
    by_hand: str = ""


WALKTHROUGHS = [
    Walkthrough(
        "field added",
        (
            (
                "        updateTime:\n          type: integer",
                "        marginBalance:\n"
                '          $ref: "#/components/schemas/Amount"\n'
                "          description: Margin balance, in the asset [page].\n"
                "          x-description-zh: 保证金余额。\n"
                "        updateTime:\n          type: integer",
            ),
        ),
        "minor (0.1.0 -> 0.1.1): 1 new",
        (
            "- New: `AccountBalance.margin_balance` is new, optional (Decimal in a string)"
            " (`balance()`).",
        ),
        "work: the field marginBalance is kept in additional_properties",
    ),
    Walkthrough(
        "field removed",
        (
            ("        - marginAvailable\n", ""),
            (
                "        marginAvailable:\n"
                "          type: boolean\n"
                "          description: Whether the asset can be used as margin in Multi-Assets"
                " mode.\n"
                "          x-description-zh: 是否可用作联合保证金。\n"
                "          examples: [true]\n",
                "",
            ),
        ),
        "major (0.1.0 -> 0.2.0): 1 breaking",
        ("- Breaking: `AccountBalance.margin_available` is removed (bool) (`balance()`).",),
        "reject every response of balance() (UnexpectedResponse): release today",
        "README.md",
    ),
    Walkthrough(
        "argument renamed",
        (("      name: recvWindow\n", "      name: window\n"),),
        "major (0.1.0 -> 0.2.0): 1 breaking",
        ("- Breaking: Argument `recv_window` is renamed to `window` (`balance()`).",),
        "send the old name; the exchange may reject or ignore an argument that it no longer knows",
        "names recv_window",
    ),
    Walkthrough(
        "weight raised",
        (("      x-weight: 5\n", "      x-weight: 10\n"),),
        "patch (0.1.0 -> 0.1.1): 1 quiet",
        ("- The weight of `balance()` is 10 instead of 5.",),
        "count 5 for a call of balance(): the weight budget admits too many calls until the used"
        " weight of a response corrects it, and 429 becomes possible",
        "README.md: names 384, which is 1920 / 5",
    ),
    Walkthrough(
        "host moved",
        (("https://demo-fapi.binance.com", "https://demo2-fapi.binance.com"),),
        "major (0.1.0 -> 0.2.0): 1 breaking",
        (
            "- Breaking: `DEMO` is https://demo2-fapi.binance.com instead of"
            " https://demo-fapi.binance.com.",
        ),
        "call https://demo-fapi.binance.com: they fail when the exchange switches it off; pass"
        " base_url=https://demo2-fapi.binance.com until the release",
        "binance_usdm/_config.py: DEMO is https://demo2-fapi.binance.com",
    ),
    Walkthrough(
        "endpoint retired",
        (("  /fapi/v3/balance:\n", "  /fapi/v4/balance:\n"),),
        "patch (0.1.0 -> 0.1.1): 1 quiet",
        ("- `balance()` calls /fapi/v4/balance instead of /fapi/v3/balance.",),
        "call /fapi/v3/balance: they work until the exchange retires it; from then on every call"
        " fails (404)",
        "names /fapi/v3/balance",
    ),
    Walkthrough(
        "error code added",
        (
            (
                '  "-1011":\n',
                '  "-1010":\n'
                "    name: MAINTENANCE\n"
                "    kind: server\n"
                "    meaning: the exchange is being maintained\n"
                "    hint: call again later\n"
                '  "-1011":\n',
            ),
        ),
        "minor (0.1.0 -> 0.1.1): 1 new",
        ("- New: Code `-1010` is new: MAINTENANCE, ServerError.",),
        "judge code -1010 by the HTTP status, without a hint",
    ),
    Walkthrough(
        "deprecation announced",
        (
            (
                "      x-security-type: USER_DATA\n",
                "      x-security-type: USER_DATA\n      deprecated: true\n",
            ),
        ),
        "minor (0.1.0 -> 0.1.1): 1 new",
        ("- New: `balance()` is deprecated.",),
        "work; they do not warn",
    ),
]


@pytest.mark.parametrize("walkthrough", WALKTHROUGHS, ids=lambda walkthrough: walkthrough.name)
def test_an_edit_becomes_a_changelog_paragraph(walkthrough: Walkthrough, tmp_path: Path) -> None:
    """Headline, paragraph, effect on installed releases and work by hand follow from the edit."""
    text = TEXT
    for old, new in walkthrough.edits:
        assert text.count(old) == 1 or old.startswith("https"), old
        text = text.replace(old, new)
    spec = tmp_path / "openapi.yaml"
    spec.write_text(text, encoding="utf-8")
    report = report_of(spec)
    assert report.headline.startswith(walkthrough.headline)
    assert tuple(report.changelog[: len(walkthrough.changelog)]) == walkthrough.changelog
    assert walkthrough.installed in report.installed
    assert walkthrough.by_hand in "\n".join(report.by_hand)


def report_of(spec: Path) -> Report:
    """Return the report on an edited spec."""
    document, _ = read_document(spec)
    changes = compare(REAL, document)
    return Report(changes, version="0.1.0", by_hand=find_places(changes, ROOT))


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
