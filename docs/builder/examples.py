"""The page with the programs of `examples/`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from .pages import ROOT, WORDS, write_page

EXAMPLES: Final = ROOT / "examples"
_LANGUAGES: Final = {".py": "python", ".sh": "bash", ".mjs": "javascript"}


def write_examples_page(language: str, pages: Path) -> None:
    """Write a section for each program: what it does, and its source.

    Raises:
        KeyError: `words.toml` has no sentence for a program.
    """
    page = WORDS["pages"]["examples"][language]
    parts = []
    for program in sorted(path for path in EXAMPLES.iterdir() if path.suffix in _LANGUAGES):
        text = program.read_text(encoding="utf-8").strip()
        sentence = WORDS["examples"][program.name][language]
        kind = _LANGUAGES[program.suffix]
        parts += [
            f"## {program.name}",
            sentence,
            f'```{kind} title="{program.name}"\n{text}\n```',
        ]
    write_page(pages / "how-to" / "examples.md", 90, page["title"], page["intro"], *parts)
