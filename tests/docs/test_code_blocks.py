"""The code blocks of the pages run, print what the pages show, and are the same in Chinese."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ENGLISH, ENGLISH_PAGES, Block, read_blocks, translation_of
from tests.docs.run_page import matches
from tests.support.paths import ROOT

LANGUAGES = {"ini", "js", "json", "mermaid", "python", "sh", "text", "toml", "ts", "yaml"}


def page_id(page: Path) -> str:
    return page.relative_to(ENGLISH).as_posix()


def blocks_of(page: Path) -> list[Block]:
    return read_blocks(page.read_text(encoding="utf-8"))


def runs_something(page: Path) -> bool:
    return any(
        block.runs and not block.title and block.language in {"python", "sh"}
        for block in blocks_of(page)
    )


def run_page(page: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the blocks of a page in a new process."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BINANCE_")}
    paths = os.pathsep.join(map(str, (ROOT, ROOT / "generated_client")))
    return subprocess.run(
        [sys.executable, "-m", "tests.docs.run_page", *options, str(page)],
        cwd=ROOT,
        env={**clean, "PYTHONPATH": paths, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize(
    "page", [page for page in ENGLISH_PAGES if runs_something(page)], ids=page_id
)
def test_the_blocks_of_a_page_run(page: Path) -> None:
    """Each block runs without a warning and prints the text behind it."""
    done = run_page(page)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


@pytest.mark.parametrize("page", ENGLISH_PAGES, ids=page_id)
def test_both_languages_have_the_same_blocks(page: Path) -> None:
    """Code, titles, marks and outputs are equal, so that running them once is enough."""
    pairs = [
        [(block.language, block.title, block.runs, block.code) for block in blocks_of(each)]
        for each in (page, translation_of(page))
    ]
    assert pairs[0] == pairs[1]


@pytest.mark.parametrize("page", ENGLISH_PAGES, ids=page_id)
def test_no_block_is_skipped_by_a_typo(page: Path) -> None:
    """A block with another name of its language, or output behind nothing, would not be checked."""
    text = page.read_text(encoding="utf-8")
    blocks = read_blocks(text)
    assert {block.language for block in blocks} <= LANGUAGES
    assert text.count("```") == 2 * len(blocks)
    shown = [number for number, block in enumerate(blocks) if block.language == "text"]
    assert [n for n in shown if n == 0 or blocks[n - 1].language not in {"python", "sh"}] == []


WRONG_PAGE = """\
```python
print(1)
```

```text
2
```

```python
print(1)
```

```python
1 / 0
```

```python
import warnings
warnings.warn("deprecated")
```

```python
def test_one() -> None:
    assert 1 == 2
```

```sh
python absent.py
```

```python no-run
import absent_package
```
"""
GOOD_PAGE = """\
```python title="hello.py"
print("hello")
```

```sh
python hello.py
```

```text
hel…
```

```python
import hello
x = 1
```

```text
hello
```

```python
print(x)
```

```text
1
```

```python
def test_one() -> None:
    assert 1 == 1
```
"""


def test_a_wrong_block_is_noticed(tmp_path: Path) -> None:
    """Other output, none shown, an exception, a warning, a failed test and a failed command."""
    (tmp_path / "page.md").write_text(WRONG_PAGE, encoding="utf-8")
    done = run_page(tmp_path / "page.md", "--every-block")
    lines = [2, 10, 14, 18, 23, 28, 32]
    assert re.findall(r"page\.md:(\d+): ", done.stdout) == [str(line) for line in lines]


def test_a_good_page_has_no_problem(tmp_path: Path) -> None:
    """A titled block is a file of the next ones, and a block goes on with the names before it."""
    (tmp_path / "page.md").write_text(GOOD_PAGE, encoding="utf-8")
    done = run_page(tmp_path / "page.md")
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_an_ellipsis_matches_within_a_line() -> None:
    assert matches("1 passed in 0.1s\n", "1 passed in …s\n")
    assert not matches("1 passed\nin 0.1s\n", "1 passed…0.1s\n")
