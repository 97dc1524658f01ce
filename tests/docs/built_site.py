"""Read the built site: pages, their links and anchors, and what they load."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final
from urllib.parse import unquote, urljoin, urlsplit

import pytest

from docs.builder.pages import ROOT

SITE: Final = ROOT / ".scratch" / "site"
LATEST: Final = SITE / "latest"
# Addresses are resolved against this one, so that another host shows.
BASE: Final = "http://site.invalid/"
_LOADED: Final = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src"}
_LOADED_RELATIONS: Final = {"stylesheet", "icon", "preload", "preconnect", "manifest"}


def require_site() -> None:
    """Skip the test when no site was built; with USDM_REQUIRE_SITE fail instead."""
    if not (LATEST / "zh" / "index.html").exists():
        reason = "the site is not built; make docs"
        if os.environ.get("USDM_REQUIRE_SITE"):
            pytest.fail(reason)
        pytest.skip(reason)


@dataclass
class Page:
    """What a page of the site refers to. Addresses are absolute, below `BASE`.

    Attributes:
        path: Path below the site, such as "latest/errors/1021/".
        ids: What links can lead to within the page.
        links: Addresses of its links.
        navigation: Those of the links that are in the navigation.
        loaded: Addresses of scripts, style sheets and images.
        alternates: Address of the page in each language.
        switch: Address that the switch of languages leads to.
    """

    path: str
    ids: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    navigation: set[str] = field(default_factory=set)
    loaded: set[str] = field(default_factory=set)
    alternates: dict[str, str] = field(default_factory=dict)
    switch: str = ""


class _Reader(HTMLParser):
    def __init__(self, page: Page) -> None:
        super().__init__()
        self.page = page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        page = self.page
        page.ids |= {values[name] for name in ("id", "name") if name in values}
        classes = values.get("class", "").split()
        address = urljoin(BASE + page.path, values.get("href", values.get("src", "")))
        if tag == "a" and "href" in values:
            page.links.add(address)
            if "md-nav__link" in classes:
                page.navigation.add(address)
            if "site-language" in classes:
                page.switch = address
        elif tag == "link" and "alternate" in values["rel"].split() and "hreflang" in values:
            page.alternates[values["hreflang"]] = address
        if _LOADED.get(tag, "") in values or values.get("rel") in _LOADED_RELATIONS:
            page.loaded.add(address)


@functools.cache
def read_pages() -> dict[str, Page]:
    """Return all pages of the latest version by their paths, without the one for an unknown address."""
    pages = {}
    for file in sorted(LATEST.rglob("index.html")):
        path = f"{file.parent.relative_to(SITE).as_posix()}/"
        pages[path] = page = Page(path)
        _Reader(page).feed(file.read_text(encoding="utf-8"))
    return pages


def problem_of_address(address: str, pages: dict[str, Page]) -> str | None:
    """Return what is wrong with an address below `BASE`, None if it leads somewhere."""
    parts = urlsplit(address)
    path, anchor = unquote(parts.path).removeprefix("/"), unquote(parts.fragment)
    if path in pages:
        missing = anchor and anchor not in pages[path].ids
        return f"{path} has no anchor {anchor}" if missing else None
    return None if (SITE / path).is_file() else f"{path} does not exist"


def path_of(address: str) -> str:
    """Return the path of an address, without its anchor."""
    return urlsplit(address).path.removeprefix("/")


def other_language(path: str) -> str:
    """Return the path of a page in the other language."""
    if path.startswith("latest/zh/"):
        return path.replace("latest/zh/", "latest/", 1)
    return path.replace("latest/", "latest/zh/", 1)
