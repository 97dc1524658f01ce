"""Chinese texts of pages, spec and site use the words of docs/glossary.yaml."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from ruamel.yaml import YAML

from binance_usdm.mock.admin.assets import read_asset
from docs.builder.pages import WORDS
from generator.document.openapi import load
from tests.docs.pages import CHINESE, DOCS, read_headings, read_prose
from tests.support.paths import SPEC_FILE

GLOSSARY: Final = YAML(typ="safe").load(DOCS / "glossary.yaml")
HTTP_PAGE: Final = json.loads(read_asset("http_page.json"))
SOURCES: Final = {"page", "exchange", "spec", "own"}
# Names of the exchange that are written without the blank.
UNSPACED_NAMES: Final = re.compile(r"U本位|账户余额V3")
HAN: Final = "\u3400-\u9fff"
WIDE: Final = "，。：；？！（）、“”"
TYPOS: Final = {
    "half-width punctuation": rf"[{HAN}] *[,;:!?()](?!//)|[,;:!?()] *[{HAN}]|[{HAN}]\.",
    "blank beside full-width punctuation": rf"[{WIDE}] |(?<=\S) [{WIDE}]",
    "blank between Chinese characters": rf"[{HAN}] +[{HAN}]",
    "no blank beside Latin letters": rf"[{HAN}][A-Za-z0-9]|[A-Za-z0-9%][{HAN}]",
    "straight quotation marks": rf"[{HAN}]\"|\"[{HAN}]",
}


def texts_of(node: Any, where: str = "spec") -> Iterator[tuple[str, str]]:
    """Yield place and text of everything in Chinese below a node of the spec."""
    if isinstance(node, dict):
        for key, value in node.items():
            here = f"{where}.{key}"
            if isinstance(key, str) and key.endswith("-zh"):
                yield here, value
            yield from texts_of(value, here)


def texts_of_site(node: Any, where: str = "words") -> Iterator[tuple[str, str]]:
    """Yield place and text of everything that generated pages say in Chinese."""
    for key, value in node.items():
        here = f"{where}.{key}"
        if isinstance(value, dict):
            yield from texts_of_site(value, here)
        elif isinstance(value, str) and "zh" in here.split("."):
            yield here, value


def plain(text: str) -> str:
    """Return the words of a Markdown text: code is a Latin letter, a link is its text."""
    text = re.sub(r"^---\n.*?\n---\n", "", read_prose(text), flags=re.DOTALL)
    text = re.sub(r"`[^`\n]+`", "x", text)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r" \{ #\S+ \}$", "", text, flags=re.MULTILINE)
    text = re.sub(r'^!!! \w+ "(.*)"$', r"\1", text, flags=re.MULTILINE)
    return text.replace("**", "")


def lines_of(text: str) -> list[str]:
    """Return the paragraphs, list items and table cells of a page."""
    lines = [re.sub(r"^\s*(?:- |[0-9]+\. |#+ )?", "", line) for line in plain(text).splitlines()]
    return [cell.strip() for line in lines for cell in line.split("|")]


PAGES: Final = sorted(CHINESE.rglob("*.md"))
TEXTS: Final[dict[str, list[str]]] = {
    **{page.relative_to(DOCS).as_posix(): lines_of(page.read_text("utf-8")) for page in PAGES},
    **{where: [text] for where, text in texts_of(load(SPEC_FILE))},
    **{where: lines_of(text) for where, text in texts_of_site(WORDS)},
    **{where: [text] for where, text in texts_of_site(HTTP_PAGE, "http_page")},
}


def words_to_avoid(text: str) -> list[str]:
    """Return the words of a text that the glossary forbids."""
    return [
        match[0]
        for entry in GLOSSARY
        for pattern in entry["not"]
        for match in re.finditer(pattern, text)
    ]


def typos_in(text: str) -> list[str]:
    """Return what is wrong with blanks and punctuation of a text, with its place."""
    # A letter that no rule speaks of.
    spaced = UNSPACED_NAMES.sub("\ue000", text)
    return [
        f"{name}: {spaced[max(match.start() - 8, 0) : match.end() + 8]}"
        for name, pattern in TYPOS.items()
        for match in re.finditer(pattern, spaced)
    ]


def test_an_entry_of_the_glossary_is_complete() -> None:
    """Each term stands once, with its word and where that comes from."""
    assert len(GLOSSARY) > 50
    assert all(entry.keys() == {"english", "chinese", "source", "not"} for entry in GLOSSARY)
    assert {entry["source"] for entry in GLOSSARY} == SOURCES
    assert len({entry["english"] for entry in GLOSSARY}) == len(GLOSSARY)
    assert [entry["chinese"] for entry in GLOSSARY if words_to_avoid(entry["chinese"])] == []


def test_texts_are_found() -> None:
    """All pages, the texts of the spec, those of generated pages and of the HTTP page."""
    assert len(PAGES) > 20
    assert len([where for where in TEXTS if where.startswith("spec.")]) > 40
    assert len([where for where in TEXTS if where.startswith("words.")]) > 60
    assert len([where for where in TEXTS if where.startswith("http_page.zh.")]) > 60


@pytest.mark.parametrize("place", TEXTS)
def test_a_text_uses_the_words_of_the_glossary(place: str) -> None:
    """No word of a column `not` is used."""
    assert [word for text in TEXTS[place] for word in words_to_avoid(text)] == []


@pytest.mark.parametrize("place", TEXTS)
def test_a_text_has_no_typo(place: str) -> None:
    """Punctuation is full-width and without blanks; Chinese and Latin letters have one between."""
    assert [typo for text in TEXTS[place] for typo in typos_in(text)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(CHINESE).as_posix())
def test_a_paragraph_is_one_line(page: Any) -> None:
    """HTML shows a line break within a paragraph as a blank, between Chinese letters as a gap."""
    prose = read_prose(page.read_text(encoding="utf-8"))
    assert re.findall(rf"[{HAN}{WIDE}]\n *(?![0-9]+\. )[{HAN}{WIDE}`\[A-Za-z0-9*]", prose) == []


def test_headings_have_no_full_stop() -> None:
    headings = [title for page in PAGES for _, title, _ in read_headings(page.read_text("utf-8"))]
    assert len(headings) > 80
    assert [title for title in headings if title.endswith(("。", "."))] == []


@pytest.mark.parametrize(
    ("text", "words", "typos"),
    [
        ("可用余额", 1, 0),
        ("下单可用余额", 0, 0),
        ("合约测试和端点", 2, 0),
        ("请求,响应", 0, 1),
        ("请求。 响应", 0, 1),
        ("请求 响应", 0, 1),
        ("返回429", 0, 1),
        ("返回 429，再等待", 0, 0),
        ("U本位合约的账户余额V3", 0, 0),
        ('选择"读取"权限', 0, 2),
    ],
)
def test_wrong_texts_are_noticed(text: str, words: int, typos: int) -> None:
    """Each kind of mistake is found, and right texts have none."""
    assert (len(words_to_avoid(text)), len(typos_in(text))) == (words, typos)
