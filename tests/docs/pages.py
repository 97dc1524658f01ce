"""Read the pages of docs/en and docs/zh: front matter, headings, links and code blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from docs.builder.pages import WORDS
from tests.support.paths import ROOT

DOCS: Final = ROOT / "docs"
ENGLISH: Final = DOCS / "en"
CHINESE: Final = DOCS / "zh"
ENGLISH_PAGES: Final = sorted(ENGLISH.rglob("*.md"))
_TRUST: Final = ("benchmarks", "promises")
_REFERENCE: Final = "|".join(name for name in WORDS["pages"] if name not in {"errors", *_TRUST})
GENERATED: Final = re.compile(
    rf"errors/(?:[0-9]+|index)\.md|reference/(?:{_REFERENCE})\.md|trust/(?:{'|'.join(_TRUST)})\.md"
)
"""Pages that the site writes, by their path below the folder of a language."""

_FENCE: Final = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<code>.*?)^```$", re.DOTALL | re.MULTILINE)
_TITLE: Final = re.compile(r' title="(?P<title>[^"]+)"')
_HEADING: Final = re.compile(r"^(?P<level>#+) (?P<text>.+?)(?: \{ #(?P<id>\S+) \})?$", re.MULTILINE)
_LINK: Final = re.compile(r"\]\((?!https?://)(?P<path>[^)#\s]*)(?:#(?P<anchor>[^)\s]+))?\)")
_ORDER: Final = re.compile(r"---\norder: (?P<order>[0-9]+)\n---\n")


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        language: First word behind the fence.
        title: Name of the file that it is, "" without one.
        runs: Whether it is not marked with `no-run`.
        code: Its lines.
        line: Line of the page on which its code begins.
    """

    language: str
    title: str
    runs: bool
    code: str
    line: int


def read_blocks(text: str) -> list[Block]:
    """Return the fenced blocks of a page's text."""
    blocks = []
    for fence in _FENCE.finditer(text):
        title = _TITLE.search(fence["info"])
        words = _TITLE.sub("", fence["info"]).split()
        blocks.append(
            Block(
                language=words[0] if words else "",
                title=title["title"] if title else "",
                runs="no-run" not in words,
                code=fence["code"],
                line=text.count("\n", 0, fence.start()) + 2,
            )
        )
    return blocks


def read_prose(text: str) -> str:
    """Return a page's text without its code blocks."""
    return _FENCE.sub("", text)


def read_headings(text: str) -> list[tuple[int, str, str]]:
    """Return level, text and id of each heading, "" for a heading without an id."""
    headings = _HEADING.finditer(read_prose(text))
    return [(len(heading["level"]), heading["text"], heading["id"] or "") for heading in headings]


def read_links(text: str) -> Iterator[tuple[str, str]]:
    """Yield path and anchor of each link within the site, "" where there is none."""
    for link in _LINK.finditer(read_prose(text)):
        yield link["path"], link["anchor"] or ""


def read_order(text: str) -> int:
    """Return the page's place in its section.

    Raises:
        ValueError: The page does not begin with its front matter.
    """
    match = _ORDER.match(text)
    if match is None:
        raise ValueError("the page does not begin with ---, order: N and ---")
    return int(match["order"])


def translation_of(page: Path) -> Path:
    """Return the path of the Chinese page for an English one."""
    return CHINESE / page.relative_to(ENGLISH)
