"""The Python blocks of the pages pass `mypy --strict`, as in a user's own project."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.docs.pages import CHINESE, read_blocks
from tests.support.paths import ROOT

# The Chinese pages of the site have the code of the English ones.
PAGES: Final = sorted(
    page
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    if not page.is_relative_to(CHINESE)
)
LANGUAGES: Final = {
    "console", "js", "json", "markdown", "mermaid", "python", "sh", "text", "toml", "ts", "yaml",
}  # fmt: skip
WRITTEN: Final = {
    # `python -m generator` writes it in docs/en/how-to/another-api.md.
    "example_api": "class SyncOperations:\n    def wallet(self) -> list[AccountBalance]:\n"
    "        return []\n",
}
"""What commands of pages write and other blocks import."""
LINES_HEAD: Final = """\
import csv, json, sys
from typing import Any
import attrs
import binance_usdm.arrow
from binance_usdm import AccountBalance

def lines(
    rows: list[AccountBalance], fastapi: Any, orjson: Any, pandas: Any, polars: Any
) -> None:
"""


def modules_of(page: Path) -> dict[str, str]:
    """Return the modules of a page by name. A block without an import continues the one before it.

    Blocks that need packages which are not there are left out.
    """
    prefix = "_".join(page.relative_to(ROOT).with_suffix("").parts).replace("-", "_")
    modules: dict[str, str] = {}
    name = ""
    for block in read_blocks(page.read_text(encoding="utf-8")):
        if block.language != "python" or not block.runs:
            continue
        if re.match(r"(?:import|from) ", block.code):
            # Other blocks import a saved one by its name.
            name = Path(block.title).stem if block.title else f"{prefix}_{block.line}"
            modules[name] = ""
        modules[name] += block.code
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
    modules = {name: code for page in PAGES for name, code in modules_of(page).items()}
    rows = (ROOT / "docs" / "rows.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\| .+? \| `(.+)` \|$", rows, re.MULTILINE)
    assert len(modules) >= 35
    assert len(lines) == 8
    imports = "from binance_usdm import AccountBalance\n"
    modules |= {name: imports + code for name, code in WRITTEN.items()}
    modules["page_rows_lines"] = LINES_HEAD + "".join(f"    {line}\n" for line in lines)
    wrong = "import binance_usdm\nbinance_usdm.Client().balance()[0].asset + 1\n"
    said = check({**modules, "page_wrong": wrong}, tmp_path).splitlines()
    assert len(said) == 2, "\n".join(said)
    assert "page_wrong.py:2: error: Unsupported operand types" in said[0]


def test_no_block_has_another_language() -> None:
    """A block with an unusual name of its language would not be checked."""
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    assert {block.language for text in texts for block in read_blocks(text)} <= LANGUAGES
