"""Pages from files that a command writes: promises with their tests, and benchmarks."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from .pages import ROOT, WORDS, write_page


def write_trust_pages(language: str, pages: Path) -> None:
    """Write the pages, in English below a title in the language."""
    words, titles = WORDS["words"][language], WORDS["pages"]
    head = f"| {words['id']} | {words['promise']} | {words['tests']} |\n|---|---|---:|"
    parts = []
    for line in (ROOT / "docs" / "promises.md").read_text(encoding="utf-8").splitlines():
        row = re.fullmatch(r"\| ([A-Z]\d+) \| (.*) \| (.*) \|", line)
        if row is not None:
            parts.append(f"| {row[1]} | {row[2]} | {_number_of_tests(row[3])} |")
        elif line.startswith("## "):
            parts += ["", line, "", head]
    promises = titles["promises"][language]
    path = pages / "trust" / "promises.md"
    write_page(path, 1, promises["title"], promises["intro"], "\n".join(parts).strip())

    results = (ROOT / "benchmarks" / "RESULTS.md").read_text(encoding="utf-8")
    # The levels of its headings skip one.
    text = re.sub(r"^### ", "## ", results.partition("\n")[2].strip(), flags=re.MULTILINE)
    benchmarks = titles["benchmarks"][language]
    path = pages / "trust" / "benchmarks.md"
    write_page(path, 2, benchmarks["title"], benchmarks["intro"], text)
    shutil.copytree(ROOT / "benchmarks" / "plots", pages / "trust" / "plots")


def _number_of_tests(cell: str) -> str:
    """Return the number of tests in a cell, or its text if it names none."""
    if not cell.startswith("`"):
        return cell
    more = re.search(r"and (\d+) more", cell)
    return str(cell.count("`") // 2 + (int(more[1]) if more else 0))
