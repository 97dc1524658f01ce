"""The built site: every link leads somewhere, nothing comes from elsewhere, nothing is left out."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Mapping
from dataclasses import fields

import pytest

import binance_usdm
import binance_usdm.contract
import binance_usdm.mock
from binance_usdm import _events
from binance_usdm._call.error_mapping import make_api_error
from binance_usdm._config import environment as _environment
from binance_usdm.mock import FAULTS, Switches
from docs.builder.pages import ROOT, WORDS
from docs.builder.spec_pages import load_spec
from tests.docs.built_site import (
    BASE,
    LATEST,
    SITE,
    Page,
    other_language,
    path_of,
    problem_of_address,
    read_pages,
    require_site,
)

LANGUAGE_FOLDERS = {"en": LATEST, "zh": LATEST / "zh"}
ERROR_CODES: Mapping[str, Mapping[str, object]] = load_spec()["x-error-codes"]


@pytest.fixture(autouse=True)
def _site() -> None:
    require_site()


@pytest.fixture
def pages() -> dict[str, Page]:
    return read_pages()


def markdown_of(page: str, language: str = "en") -> str:
    return (LANGUAGE_FOLDERS[language] / page / "index.md").read_text(encoding="utf-8")


def test_every_link_leads_somewhere(pages: dict[str, Page]) -> None:
    """A link or image within the site names a page or file, and an anchor of it."""
    problems = {
        f"{page.path}: {problem_of_address(address, pages)}"
        for page in pages.values()
        for address in page.links | page.loaded
        if address.startswith(BASE) and problem_of_address(address, pages)
    }
    assert problems == set()


def test_a_broken_link_is_noticed(pages: dict[str, Page]) -> None:
    """A page, an anchor and a file that do not exist are problems."""
    assert problem_of_address(f"{BASE}latest/errors/1021/#do", pages) is None
    assert problem_of_address(f"{BASE}latest/errors/1021/#absent", pages)
    assert problem_of_address(f"{BASE}latest/errors/9999/", pages)
    assert problem_of_address(f"{BASE}latest/trust/plots/absent.svg", pages)


def test_pages_load_nothing_from_another_host(pages: dict[str, Page]) -> None:
    """Scripts, style sheets, images and what style sheets name are files of the site."""
    loaded = {address for page in pages.values() for address in page.loaded}
    assert len(loaded) > 5
    assert {address for address in loaded if not address.startswith(BASE)} == set()
    for sheet in LATEST.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        assert re.findall(r"(?:url\(|@import )['\"]?(?:https?:)?//[^)\s]+", text) == [], sheet.name


def test_every_page_is_in_the_navigation(pages: dict[str, Page]) -> None:
    """The navigation of each language has all its pages, and no other."""
    chinese = {path for path in pages if path.startswith("latest/zh/")}
    for home, expected in ("latest/", pages.keys() - chinese), ("latest/zh/", chinese):
        shown = {path_of(address) for address in pages[home].navigation}
        assert shown == expected


def test_every_page_is_in_both_languages(pages: dict[str, Page]) -> None:
    """The switch and the hreflang links of a page lead to the same page in the other language."""
    assert len(pages) > 80
    for path, page in pages.items():
        other = other_language(path)
        languages = ("zh", "en") if path.startswith("latest/zh/") else ("en", "zh")
        expected = dict(zip(languages, (path, other), strict=True))
        assert {name: path_of(address) for name, address in page.alternates.items()} == expected
        assert path_of(page.switch) == other
        assert other in pages


@pytest.mark.parametrize("language", LANGUAGE_FOLDERS)
def test_every_page_is_markdown_as_well(language: str, pages: dict[str, Page]) -> None:
    """Each page has a Markdown file, which llms.txt names; llms-full.txt has their text."""
    folder = LANGUAGE_FOLDERS[language]
    prefix = f"{folder.relative_to(SITE).as_posix()}/"
    names = set(re.findall(r"\((?:<)?https?://[^/]+/(.+?)>?\)", (folder / "llms.txt").read_text()))
    expected = {
        f"{path}index.md"
        for path in pages
        if path.startswith(prefix) and ("/zh/" in path) == (language == "zh")
    }
    assert names == expected
    full = (folder / "llms-full.txt").read_text(encoding="utf-8")
    for name in expected:
        title = (SITE / name).read_text(encoding="utf-8").partition("\n")[0]
        assert title.startswith("# ")
        assert title.removeprefix("# ") in full


def test_every_public_name_has_an_entry(pages: dict[str, Page]) -> None:
    """What `binance_usdm`, its mock exchange and its contract tests export is in the reference."""
    ids = set().union(*(page.ids for page in pages.values() if "/reference/" in page.path))
    names = [f"binance_usdm.{name}" for name in binance_usdm.__all__ if name != "__version__"]
    names += [f"binance_usdm.mock.{name}" for name in binance_usdm.mock.__all__]
    names += [f"binance_usdm.contract.{name}" for name in binance_usdm.contract.__all__]
    assert [name for name in names if name not in ids] == []


def test_defaults_are_values() -> None:
    """A signature shows 10.0, not the name of the constant; and nothing that nobody may pass."""
    signature = markdown_of("reference/client").partition("```")[2].partition("```")[0]
    assert "timeout: float = 10.0," in signature
    assert "max_reply_bytes: int = 1048576," in signature
    assert not {"DEFAULT_TIMEOUT", "positional", "unknown"} & set(re.findall(r"\w+", signature))


def test_options_variables_and_events_are_complete(pages: dict[str, Page]) -> None:
    """Each option has its default, and each variable and event has an entry."""
    text = markdown_of("reference/options")
    for option in inspect.signature(binance_usdm.Client).parameters.values():
        if option.kind is option.POSITIONAL_OR_KEYWORD or option.kind is option.KEYWORD_ONLY:
            entry = text.partition(f"\n## `{option.name}`")[2].partition("\n## ")[0]
            assert f"Default: `{option.default!r}`" in entry
    variables = {
        value.lower() for name, value in vars(_environment).items() if name.startswith("ENV_API")
    }
    assert len(variables) == 4
    assert variables <= pages["latest/reference/environment/"].ids
    assert set(_events._LOG_LEVEL_BY_KIND) <= pages["latest/reference/events/"].ids


def test_the_mock_exchange_is_complete(pages: dict[str, Page]) -> None:
    """Every fault, switch and admin endpoint has an entry."""
    assert set(FAULTS) <= pages["latest/reference/faults/"].ids
    assert {switch.name for switch in fields(Switches)} <= pages["latest/reference/switches/"].ids
    spec = json.loads((ROOT / "binance_usdm" / "mock" / "admin" / "openapi.json").read_bytes())
    text = markdown_of("reference/admin")
    endpoints = [
        f"{method.upper()} {path}" for path, methods in spec["paths"].items() for method in methods
    ]
    assert [each for each in endpoints if f"\n## `{each}`" not in text] == []


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("binance-usdm", "environment variables:"),
        ("binance-usdm balance", "--non-zero"),
        ("binance-usdm server-time", "--base-url"),
        ("binance-usdm doctor", "--json"),
        ("binance-usdm mock", "scrub"),
        ("binance-usdm mock serve", "/__admin/http"),
        ("binance-usdm mock run", "--fault"),
        ("binance-usdm mock scrub", "FILE"),
    ],
)
def test_the_help_of_a_command_is_shown(command: str, shown: str) -> None:
    text = markdown_of("reference/command")
    entry = text.partition(f"\n## `{command}`")[2].partition("\n## ")[0]
    assert f"usage: {command} " in entry
    assert shown in entry


@pytest.mark.parametrize("code", ERROR_CODES)
def test_a_code_has_an_entry_in_both_languages(code: str) -> None:
    """It names the class and says what the client's own `retryable` says."""
    # A code of a bad request leaves the class to the status.
    error = make_api_error(400, int(code), "", None)
    for language, yes in ("en", "Yes"), ("zh", "能"):
        text = markdown_of(f"errors/{code.removeprefix('-')}", language)
        words = WORDS["words"][language]
        title = text.partition("\n")[0].replace("\\", "")
        assert title == f"# {code} {ERROR_CODES[code]['name']}"
        assert f"[`{type(error).__name__}`]" in text
        answer = text.partition(f"{words['later']}{words['colon']}")[2]
        assert answer.startswith(yes) == error.retryable
        assert text.partition(f"## {words['do']}")[2].strip()


def test_the_fields_are_in_both_languages() -> None:
    """Each field of a row has its description in the spec's words."""
    properties = load_spec()["components"]["schemas"]["AccountBalance"]["properties"]
    for language, key in ("en", "description"), ("zh", "x-description-zh"):
        text = markdown_of("reference/fields", language)
        for name, member in properties.items():
            entry = text.partition(f"\n## `{name}`")[2].partition("\n## ")[0]
            assert member[key].split(" [")[0].rstrip("。.")[:40] in entry


def test_trust_pages_follow_from_their_sources() -> None:
    """Every promise has its number of tests, and the plots are those of the benchmarks."""
    source = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
    text = markdown_of("trust/promises")
    rows = dict(re.findall(r"^\| ([A-Z]\d+) +\| .* \| +(\S.*?) +\|$", text, re.MULTILINE))
    assert rows.keys() == set(re.findall(r"^\| ([A-Z]\d+) \|", source, re.MULTILINE))
    assert all(cell.isdigit() or cell.startswith("declined") for cell in rows.values())
    for plot in (ROOT / "benchmarks" / "plots").iterdir():
        published = LATEST / "trust" / "plots" / plot.name
        assert published.read_bytes() == plot.read_bytes()
    assert "```" not in markdown_of("trust/benchmarks")
