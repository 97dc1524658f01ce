"""The Python blocks of the pages pass `mypy --strict`, as in a user's own project."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.support.paths import ROOT

PAGES: Final = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
BLOCK: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LANGUAGES: Final = {"console", "mermaid", "python", "sh", "text", "toml", "yaml"}
LINES_HEAD: Final = """\
import csv, json, sys
from typing import Any
import attrs
from binance_usdm import AccountBalance

def lines(
    rows: list[AccountBalance], fastapi: Any, orjson: Any, pandas: Any, polars: Any
) -> None:
"""


def modules_of(page: Path) -> list[str]:
    """Return the modules of a page. A block without an import continues the one before it."""
    modules: list[str] = []
    for language, code in BLOCK.findall(page.read_text(encoding="utf-8")):
        if language == "python" and re.match(r"(?:import|from) ", code):
            modules.append(code)
        elif language == "python":
            modules[-1] += code
    return modules


def check(modules: dict[str, str], folder: Path) -> str:
    """Return what mypy says about modules. Its cache is that of `make types`."""
    for name, code in modules.items():
        (folder / f"{name}.py").write_text(code, encoding="utf-8")
    # `strict` is set in the file.
    command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml")]
    done = subprocess.run(
        [*command, *(str(folder / f"{name}.py") for name in modules)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.stdout + done.stderr


def test_code_of_pages_passes_mypy(tmp_path: Path) -> None:
    """Every Python block and every line of docs/rows.md is checked; a wrong one is found."""
    modules = {
        f"page_{page.stem.replace('-', '_')}_{number}": code
        for page in PAGES
        for number, code in enumerate(modules_of(page))
    }
    rows = (ROOT / "docs" / "rows.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\| .+? \| `(.+)` \|$", rows, re.MULTILINE)
    assert len(modules) >= 7
    assert len(lines) == 7
    modules["page_rows_lines"] = LINES_HEAD + "".join(f"    {line}\n" for line in lines)
    wrong = "import binance_usdm\nbinance_usdm.Client().balance()[0].asset + 1\n"
    said = check({**modules, "page_wrong": wrong}, tmp_path).splitlines()
    assert len(said) == 2, "\n".join(said)
    assert "page_wrong.py:2: error: Unsupported operand types" in said[0]


def test_no_block_has_another_language() -> None:
    """A block with an unusual name of its language would not be checked."""
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    assert {language for text in texts for language, _ in BLOCK.findall(text)} <= LANGUAGES
