"""The pages of both languages have the same places, headings and links, and links lead somewhere."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from docs.builder.pages import find_site_page, link_to_site
from tests.docs.pages import (
    CHINESE,
    DOCS,
    ENGLISH,
    ENGLISH_PAGES,
    GENERATED,
    read_headings,
    read_links,
    read_order,
    translation_of,
)

SECTIONS = {"tutorial", "how-to", "explanation", "reference"}
CHINESE_PAGES = sorted(CHINESE.rglob("*.md"))


def name_of(page: Path) -> str:
    return page.relative_to(DOCS).as_posix()


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def test_both_languages_have_the_same_pages() -> None:
    """Every page is written in English and Chinese."""
    english = [page.relative_to(ENGLISH).as_posix() for page in ENGLISH_PAGES]
    assert english == [page.relative_to(CHINESE).as_posix() for page in CHINESE_PAGES]
    assert {name.rpartition("/")[0] for name in english} == {"", *SECTIONS}


@pytest.mark.parametrize("page", [*ENGLISH_PAGES, *CHINESE_PAGES], ids=name_of)
def test_a_page_has_order_and_headings(page: Path) -> None:
    """It begins with its order, has one title, and each other heading has an ASCII id of its own."""
    assert read_order(read(page)) > 0
    (title, *others) = read_headings(read(page))
    assert title[0] == 1
    assert {level for level, _, _ in others} <= {2, 3}
    ids = [id_ for _, _, id_ in others]
    assert all(id_.isascii() and id_ for id_ in ids)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("page", [*ENGLISH_PAGES, *CHINESE_PAGES], ids=name_of)
def test_links_lead_to_a_page(page: Path) -> None:
    """A link names a page of the same language, or a file that the site has a page for."""
    root = ENGLISH if page.is_relative_to(ENGLISH) else CHINESE
    for path, anchor in read_links(read(page)):
        target = (page.parent / path).resolve() if path else page
        assert target.is_file(), path
        if target.is_relative_to(root):
            ids = {id_ for _, _, id_ in read_headings(read(target))}
            assert not anchor or anchor in ids, anchor
            continue
        site_page = find_site_page(target, anchor or None)
        assert site_page is not None, path
        assert GENERATED.fullmatch(site_page), site_page
        if target.name == "errors.md" and anchor:
            assert f"\n### {anchor}\n" in read(target), anchor


@pytest.mark.parametrize("page", ENGLISH_PAGES, ids=name_of)
def test_a_translation_has_the_same_structure(page: Path) -> None:
    """Order, levels and ids of headings, and links are those of the English page."""
    english, chinese = read(page), read(translation_of(page))
    assert read_order(english) == read_order(chinese)
    assert [heading[::2] for heading in read_headings(english)] == [
        heading[::2] for heading in read_headings(chinese)
    ]
    assert Counter(read_links(english)) == Counter(read_links(chinese))


def test_no_two_pages_of_a_section_have_one_order() -> None:
    """The order of a section's pages is not left to their names."""
    places = Counter((page.parent, read_order(read(page))) for page in ENGLISH_PAGES)
    assert set(places.values()) == {1}


def test_the_home_page_leads_to_tutorials() -> None:
    """A reader reaches every tutorial from the home page."""
    linked = {(ENGLISH / path).resolve() for path, _ in read_links(read(ENGLISH / "index.md"))}
    assert {page for page in ENGLISH_PAGES if page.parent.name == "tutorial"} <= linked


def test_links_are_those_of_the_site() -> None:
    """A file of the tree becomes the page that the site writes; other links stay."""
    text = "[a](../../../binance_usdm/_events.py) [b](../../errors.md#-1021) [c](../index.md) [d](x.md#y)"
    name = Path("how-to/retries-and-events.md")
    assert link_to_site(text, name, ENGLISH) == (
        "[a](../reference/events.md) [b](../errors/1021.md) [c](../index.md) [d](x.md#y)"
    )
