"""Split saved pages into sections, tables and code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_HEADING = re.compile(r"(#{1,6}) +(.*?)\s*$")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_ADDRESS = re.compile(r"\[\]\((/docs/[^#)\s]*)#")
"""The link to itself that a heading has."""
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_FENCE = re.compile(r"\s{0,3}(```|~~~)")
_CODE_INDENT = "    "


class Line(NamedTuple):
    """A line of a file. `is_code` says whether it belongs to a block of code."""

    number: int
    text: str
    is_code: bool = False


class Section(NamedTuple):
    """A heading of the second level or below, and the lines that follow it."""

    heading: Line
    lines: list[Line]

    def prose(self) -> list[Line]:
        """Return the lines that are neither empty nor code."""
        return [line for line in self.lines if line.text.strip() and not line.is_code]

    def code(self) -> list[Line]:
        """Return the lines of code."""
        return [line for line in self.lines if line.is_code]


class Page(NamedTuple):
    """A page: its title, and its sections in order."""

    title: Line
    sections: list[Section]
    addresses: list[Line]
    """Lines with the path of the page that a heading links to, each path once."""

    @property
    def language(self) -> str:
        """Language of the headings, "en" or "zh"."""
        headings = [self.title, *(section.heading for section in self.sections)]
        return "zh" if _CHINESE.search("".join(line.text for line in headings)) else "en"


def split_pages(text: str) -> list[Page]:
    """Return the pages of a file. Each begins with a heading of the first level."""
    pages: list[Page] = []
    for line in _mark_code(text):
        heading = None if line.is_code else _HEADING.match(line.text)
        if heading is None:
            if pages and pages[-1].sections:
                pages[-1].sections[-1].lines.append(line)
            continue
        title = Line(line.number, strip_links(heading[2]))
        if heading[1] == "#":
            pages.append(Page(title, [], []))
        elif pages:
            pages[-1].sections.append(Section(title, []))
        address = _ADDRESS.search(heading[2])
        if pages and address and address[1] not in {known.text for known in pages[-1].addresses}:
            pages[-1].addresses.append(Line(line.number, address[1]))
    return pages


def _mark_code(text: str) -> Iterator[Line]:
    """Yield the lines with whether they are code: within a fence, or indented."""
    is_fenced = False
    is_front_matter = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() == "---" and not is_fenced:
            # Front matter and a rule between pages look the same and are left out.
            is_front_matter = not is_front_matter and _begins_front_matter(text, number)
            continue
        if _FENCE.match(line):
            is_fenced = not is_fenced
        elif not is_front_matter:
            is_indented = line.startswith((_CODE_INDENT, "\t")) and bool(line.strip())
            yield Line(number, line, is_fenced or is_indented)


def _begins_front_matter(text: str, number: int) -> bool:
    """Return whether the lines after a `---` are keys and values."""
    following = text.splitlines()[number : number + 1]
    return bool(following) and re.match(r"[a-z_]+: ", following[0]) is not None


def strip_links(text: str) -> str:
    """Return a text with the words of its links instead of the links."""
    return _LINK.sub(r"\1", text).strip()


def parse_table(lines: list[Line]) -> tuple[list[tuple[Line, list[str]]], list[Line]]:
    """Return the rows of a table with their cells, header first, and the lines outside of it."""
    rows = []
    others = []
    for line in lines:
        if "|" not in line.text:
            others.append(line)
        elif set(line.text) - set("|:- "):
            cells = line.text.strip().removeprefix("|").removesuffix("|")
            # A trailing empty cell has no text after its separator.
            rows.append((line, [strip_links(cell) for cell in cells.split("|")]))
    return rows, others
