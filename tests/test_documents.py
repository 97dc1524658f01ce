"""Documents for people: links that lead somewhere, and code that runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from ruamel.yaml import YAML

from generator.output import error_page
from tests.support.paths import ROOT

DOCS: Final = ROOT / "docs"
# The site's pages, docs/en and docs/zh, are held by tests/docs.
PAGES: Final = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md"), *(DOCS / "decisions").glob("*.md")])
LINK: Final = re.compile(r"\]\((?!https?://)(?P<path>[^)#\s]*)(?:#(?P<anchor>[^)\s]+))?\)")
HEADING: Final = re.compile(r"^#+ (.+)$", re.MULTILINE)
CODE: Final = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


def anchors(page: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = HEADING.findall(CODE.sub("", page))
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    """A relative link names a file of the tree, and a heading of it."""
    text = page.read_text(encoding="utf-8")
    for link in LINK.finditer(CODE.sub("", text)):
        target = (page.parent / link["path"]).resolve() if link["path"] else page
        assert target.exists(), link[0]
        if link["anchor"] is not None:
            assert link["anchor"] in anchors(target.read_text(encoding="utf-8")), link[0]


def test_a_contract_program_finds_nothing(tmp_path: Path) -> None:
    """The program of the page about contract tests runs as it is shown."""
    page = (ROOT / "docs/en/how-to/contract-client.md").read_text(encoding="utf-8")
    blocks = re.findall(
        r'^```python no-run title="layers.py"\n(.*?)^```$', page, re.DOTALL | re.MULTILINE
    )
    assert len(blocks) == 1
    program = tmp_path / "mine.py"
    program.write_text(blocks[0], encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(program)],
        cwd=ROOT,
        env={"PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "generated_client")))},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.stderr, done.stdout) == ("", "{}\n{}\n{}\n")


def test_a_bug_report_asks_for_doctor() -> None:
    """The issue form asks for the output of `doctor --json` and warns about secrets first."""
    form = YAML(typ="safe").load(ROOT / ".github" / "ISSUE_TEMPLATE" / "bug.yml")
    first, *fields = form["body"]
    assert "Never paste a real API key" in first["attributes"]["value"]
    labels = {field["id"]: field["attributes"]["label"] for field in fields}
    assert "binance-usdm doctor --json" in labels["doctor"]
    assert all(
        field["type"] == "checkboxes" or field["validations"]["required"] for field in fields
    )


def test_the_page_of_errors_is_up_to_date() -> None:
    """`python -m generator.output.error_page --check` finds no difference."""
    assert error_page.main(["--check"]) == 0
