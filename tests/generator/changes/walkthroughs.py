"""Edits of the spec's text as a maintainer makes them, and what the report has to say.

    python -m tests.generator.changes.walkthroughs

writes the reports of docs/changes.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import NamedTuple

from generator.changes.by_hand import find_places
from generator.changes.compare.specs import compare
from generator.changes.facts.documents import read_document
from generator.changes.rendering import render_markdown
from generator.changes.report import Report
from tests.generator.changes.edits import REAL
from tests.support.paths import ROOT, SPEC_FILE
from tests.support.spec_facts import BALANCE_PATH, BALANCE_WEIGHT, HOST_BY_ENVIRONMENT

TEXT = SPEC_FILE.read_text(encoding="utf-8")
FOLDER = ROOT / "docs" / "changes"
WEIGHT = BALANCE_WEIGHT
DEMO = f"https://{HOST_BY_ENVIRONMENT['demo']}"
MOVED = DEMO.replace("demo-", "demo2-")
NEXT_PATH = re.sub(r"(?<=/v)[0-9]+", lambda match: str(int(match[0]) + 1), BALANCE_PATH)
EXAMPLES = ("weight raised", "field removed", "endpoint retired")
"""The walkthroughs whose reports are in docs/changes."""


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
        ((f"      x-weight: {WEIGHT}\n", f"      x-weight: {2 * WEIGHT}\n"),),
        "patch (0.1.0 -> 0.1.1): 1 quiet",
        (f"- The weight of `balance()` is {2 * WEIGHT} instead of {WEIGHT}.",),
        f"count {WEIGHT} for a call of balance(): the weight budget admits too many calls until the used"
        " weight of a response corrects it, and 429 becomes possible",
        f"README.md: names {1920 // WEIGHT}, which is 1920 / {WEIGHT}",
    ),
    Walkthrough(
        "host moved",
        ((DEMO, MOVED),),
        "major (0.1.0 -> 0.2.0): 1 breaking",
        (f"- Breaking: `DEMO` is {MOVED} instead of {DEMO}.",),
        f"call {DEMO}: they fail when the exchange switches it off; pass"
        f" base_url={MOVED} until the release",
        f"binance_usdm/_config/defaults.py: DEMO is {MOVED}",
    ),
    Walkthrough(
        "endpoint retired",
        ((f"  {BALANCE_PATH}:\n", f"  {NEXT_PATH}:\n"),),
        "patch (0.1.0 -> 0.1.1): 1 quiet",
        (f"- `balance()` calls {NEXT_PATH} instead of {BALANCE_PATH}.",),
        f"call {BALANCE_PATH}: they work until the exchange retires it; from then on every call"
        " fails (404)",
        f"names {BALANCE_PATH}",
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


def report_of(walkthrough: Walkthrough, folder: Path) -> Report:
    """Return the report on the edit, after a release 0.1.0."""
    text = TEXT
    for old, new in walkthrough.edits:
        assert text.count(old) == 1 or old.startswith("https"), old
        text = text.replace(old, new)
    spec = folder / "openapi.yaml"
    spec.write_text(text, encoding="utf-8")
    document, _ = read_document(spec)
    changes = compare(REAL, document)
    by_hand = find_places(changes, ROOT) if walkthrough.by_hand else []
    return Report(changes, version="0.1.0", by_hand=by_hand)


def main() -> None:
    """Write the example reports."""
    FOLDER.mkdir(exist_ok=True)
    for walkthrough in WALKTHROUGHS:
        if walkthrough.name in EXAMPLES:
            path = FOLDER / f"{walkthrough.name.replace(' ', '-')}.md"
            with tempfile.TemporaryDirectory() as scratch:
                report = report_of(walkthrough, Path(scratch))
            path.write_text(f"{render_markdown(report)}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
