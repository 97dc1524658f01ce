"""Pages as files: front matter, titles, navigation and translations."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

DOCS: Final = Path(__file__).resolve().parents[1]
ROOT: Final = DOCS.parent
LANGUAGES: Final = ("en", "zh")
WORDS: Final = tomllib.loads((DOCS / "words.toml").read_text(encoding="utf-8"))
_FRONT_MATTER: Final = re.compile(r"\A---\n(.*?\n)---\n", re.DOTALL)
_NO_RUN: Final = re.compile(r"^(```\w+) no-run\b", re.MULTILINE)
_ORDER: Final = re.compile(r"^order: (\d+)$", re.MULTILINE)
_FILE_LINK: Final = re.compile(r"\]\((?P<path>(?:\.\./)+[^)#\s]+)(?:#(?P<anchor>[^)\s]+))?\)")
_ERROR_ANCHOR: Final = re.compile(r"-(\d+)")
_ERROR_PAGE: Final = DOCS / "errors.md"
_PAGE_BY_SOURCE: Final = {
    ROOT / page["source"]: f"reference/{name}.md"
    for name, page in WORDS["pages"].items()
    if "source" in page
}
"""Page that the site writes, by the file that a link names so that it works in a clone as well."""
_TITLE: Final = re.compile(r"^# (.+?)(?: \{ ?#\S+ ?\})?$", re.MULTILINE)


def write_page(path: Path, order: int, title: str, *parts: str) -> None:
    """Write a generated page: a title, and parts with an empty line between them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "\n\n".join([f"---\norder: {order}\n---\n\n# {title}", *filter(None, parts)])
    path.write_text(f"{text}\n", encoding="utf-8")


def write_reference(pages: Path, language: str, name: str, *parts: str) -> None:
    """Write a reference page that `words.toml` describes."""
    page = WORDS["pages"][name]
    objects = [_list_summaries(language, page.get("objects", ()))]
    for path in page.get("objects", ()):
        members = "".join(f"\n        - {name}" for name in page.get("members", {}).get(path, ()))
        options = f"\n    options:\n      members:{members}" if members else ""
        objects.append(f"::: {path}{options}")
    order = list(WORDS["pages"]).index(name)
    words = page[language]
    path = pages / "reference" / f"{name}.md"
    write_page(path, order, words["title"], words["intro"], *parts, *objects)


def _list_summaries(language: str, objects: Iterable[str]) -> str:
    """Return one line for each name, where a language has them, as its docstring is English."""
    summaries = WORDS["summaries"].get(language)
    if summaries is None:
        return ""
    lines = [f"- [`{path.rpartition('.')[2]}`](#{path})：{summaries[path]}" for path in objects]
    return "\n".join(lines)


def sentence(text: str) -> str:
    """Return a text of the spec as a sentence, without the sources in brackets."""
    text = re.sub(r" ?(?:\[[a-z]+\])+", "", text).strip()
    if text.endswith((".", "。")):
        return text[0].upper() + text[1:]
    return f"{text[0].upper()}{text[1:]}{'.' if text.isascii() else '。'}"


def list_facts(words: Mapping[str, str], facts: Mapping[str, object]) -> str:
    """Return facts with their labels as a list, without those that are empty."""
    return "\n".join(f"- {label}{words['colon']}{value}" for label, value in facts.items() if value)


def find_site_page(file: Path, anchor: str | None) -> str | None:
    """Return the page that the site has instead of a file of the tree, None if there is none."""
    code = _ERROR_ANCHOR.fullmatch(anchor or "")
    if file == _ERROR_PAGE:
        return f"errors/{'index' if code is None else code[1]}.md"
    return _PAGE_BY_SOURCE.get(file)


def link_to_site(text: str, name: Path, folder: Path) -> str:
    """Return a page's text with links to pages of the site instead of files of the tree.

    Args:
        text: Text of the page.
        name: Its path below the folder of its language.
        folder: Folder of that language, from which its links count.
    """

    def replace(link: re.Match[str]) -> str:
        file = (folder / name).parent.joinpath(link["path"]).resolve()
        page = find_site_page(file, link["anchor"])
        up = "../" * len(name.parent.parts)
        return link[0] if page is None else f"]({up}{page})"

    return _FILE_LINK.sub(replace, text)


def copy_prose(language: str, pages: Path) -> list[str]:
    """Copy the pages that people write, and return those that the language lacks.

    Such a page is shown in English below a banner.
    """
    banner = f'\n\n!!! warning ""\n    {WORDS["words"][language]["untranslated"]}\n'
    missing = []
    for english in sorted((DOCS / "en").rglob("*.md")):
        name = english.relative_to(DOCS / "en")
        source = DOCS / language / name
        if source.exists():
            text = source.read_text(encoding="utf-8")
        else:
            missing.append(f"{language}/{name.as_posix()}")
            text = english.read_text(encoding="utf-8")
            text = _TITLE.sub(lambda title: title[0] + banner, text, count=1)
        text = link_to_site(text, name, DOCS / language)
        copy = pages / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        # The mark is for the tests that run the blocks; Zensical would not see a block.
        copy.write_text(_NO_RUN.sub(r"\1", text), encoding="utf-8")
    return missing


def list_sections(language: str, pages: Path) -> dict[str, list[Path]]:
    """Return the pages of each section in order, by its title; those of the home page by ""."""
    sections = {"": _ordered(pages)}
    for folder, titles in WORDS["sections"].items():
        sections[titles[language]] = _ordered(pages / folder)
    return {title: paths for title, paths in sections.items() if paths}


def format_nav(sections: dict[str, list[Path]], pages: Path) -> str:
    """Return the navigation as TOML."""
    entries = []
    for title, paths in sections.items():
        items = [_entry(path, pages) for path in paths]
        entries += [f"{{ {_quote(title)} = [{', '.join(items)}] }}"] if title else items
    return f"[{', '.join(entries)}]"


def format_llms_sections(sections: dict[str, list[Path]], pages: Path) -> str:
    """Return the sections of `llms.txt` as TOML."""
    return "\n".join(
        f"{_quote(title or 'binance-usdm')} = "
        + json.dumps([path.relative_to(pages).as_posix() for path in paths])
        for title, paths in sections.items()
    )


def _ordered(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.md"), key=lambda path: (path.stem != "index", _order(path), path))


def _order(path: Path) -> int:
    front_matter = _FRONT_MATTER.match(path.read_text(encoding="utf-8"))
    order = _ORDER.search(front_matter[1]) if front_matter else None
    if order is None:
        raise ValueError(f"{path}: the front matter has no order")
    return int(order[1])


def _entry(path: Path, pages: Path) -> str:
    name = path.relative_to(pages).as_posix()
    # The index of a section is the page of its label.
    if path.stem == "index" and path.parent != pages:
        return _quote(name)
    title = _TITLE.search(path.read_text(encoding="utf-8"))
    if title is None:
        raise ValueError(f"{path}: there is no title")
    return f"{{ {_quote(title[1].replace('`', ''))} = {_quote(name)} }}"


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def fill_configuration(holes: dict[str, Any]) -> str:
    """Return `site.toml` with its holes filled, each with a JSON value or TOML text."""
    text = (DOCS / "site.toml").read_text(encoding="utf-8")
    return re.sub(r"@([A-Z_]+)@", lambda hole: str(holes[hole[1]]), text)
