"""What the builder of the site does with pages, translations, warnings and versions."""

from __future__ import annotations

import copy
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from docs.builder import __main__ as builder
from docs.builder import pages as page_files
from docs.builder import spec_pages
from docs.builder.pages import WORDS

Write = Callable[[str, str], None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Return a function that writes a page below a folder that stands for `docs`."""
    monkeypatch.setattr(page_files, "DOCS", tmp_path / "docs")

    def write_page(name: str, text: str) -> None:
        path = tmp_path / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    return write_page


def test_a_page_without_translation_is_named(write: Write, tmp_path: Path) -> None:
    """It is shown in English, with a banner below its title."""
    write("en/index.md", "---\norder: 1\n---\n# Home\n\nWelcome.\n")
    write("zh/index.md", "---\norder: 1\n---\n# 首页\n\n欢迎。\n")
    write("en/how-to/new.md", "---\norder: 1\n---\n# New { #new }\n\nText.\n")
    assert page_files.copy_prose("en", tmp_path / "en") == []
    assert page_files.copy_prose("zh", tmp_path / "zh") == ["zh/how-to/new.md"]
    text = (tmp_path / "zh" / "how-to" / "new.md").read_text(encoding="utf-8")
    assert "# New { #new }\n\n!!! warning" in text
    assert text.index("本页尚未翻译") < text.index("Text.")
    assert "尚未翻译" not in (tmp_path / "zh" / "index.md").read_text(encoding="utf-8")


def test_a_block_that_is_not_run_is_shown(write: Write, tmp_path: Path) -> None:
    """The mark behind its language is for the tests of the pages."""
    write("en/index.md", '---\norder: 1\n---\n# A\n\n```python no-run title="a.py"\n1\n```\n')
    page_files.copy_prose("en", tmp_path / "en")
    text = (tmp_path / "en" / "index.md").read_text(encoding="utf-8")
    assert '```python title="a.py"\n1\n```' in text


def test_the_navigation_follows_the_pages(write: Write, tmp_path: Path) -> None:
    """Pages stand in their order with their titles; the index of a section has no own entry."""
    write("index.md", "---\norder: 1\n---\n# Home\n")
    write("how-to/b.md", "---\norder: 1\n---\n# Use `b` { #b }\n")
    write("how-to/a.md", "---\norder: 10\n---\n# Use a\n")
    write("errors/index.md", "---\norder: 0\n---\n# Errors\n")
    folder = tmp_path / "docs"
    sections = page_files.list_sections("en", folder)
    assert page_files.format_nav(sections, folder) == (
        '[{ "Home" = "index.md" }, '
        '{ "How-to" = [{ "Use b" = "how-to/b.md" }, { "Use a" = "how-to/a.md" }] }, '
        '{ "Errors" = ["errors/index.md"] }]'
    )
    assert '"How-to" = ["how-to/b.md", "how-to/a.md"]' in page_files.format_llms_sections(
        sections, folder
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [("# A\n", "has no order"), ("---\norder: 1\n---\nText\n", "no title")],
)
def test_a_page_without_place_or_title_is_named(
    text: str, problem: str, write: Write, tmp_path: Path
) -> None:
    write("index.md", text)
    with pytest.raises(ValueError, match=rf"index\.md: .*{problem}"):
        page_files.format_nav(page_files.list_sections("en", tmp_path / "docs"), tmp_path / "docs")


def test_a_text_without_translation_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A text of the spec that lacks its Chinese is shown in English."""
    spec: Any = copy.deepcopy(spec_pages.load_spec())
    assert spec["x-error-codes"]["-1021"].pop("x-hint-zh")
    assert spec["components"]["schemas"]["AccountBalance"]["properties"]["asset"].pop(
        "x-description-zh"
    )
    monkeypatch.setattr(spec_pages, "load_spec", lambda: spec)
    assert spec_pages.write_spec_pages("en", tmp_path / "en") == []
    assert spec_pages.write_spec_pages("zh", tmp_path / "zh") == [
        "zh: hint of -1021 in the spec",
        "zh: description of asset in the spec",
    ]
    hint = spec["x-error-codes"]["-1021"]["hint"]
    assert hint[1:] in (tmp_path / "zh" / "errors" / "1021.md").read_text(encoding="utf-8")


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder in which the builder finds two built sites."""
    monkeypatch.setattr(builder, "WORK", tmp_path / "work")
    monkeypatch.setattr(builder, "SITE", tmp_path / "site")

    def write_sources(url: str, version: str) -> list[str]:
        for language in "en", "zh":
            built = tmp_path / "work" / language / "site"
            built.mkdir(parents=True)
            (built / "index.html").write_text(f"{url} {version} {language}", encoding="utf-8")
        return []

    monkeypatch.setattr(builder, "write_sources", write_sources)
    monkeypatch.setattr(builder, "run_zensical", list)
    return tmp_path


def test_versions_stand_beside_each_other(workshop: Path) -> None:
    """A build replaces its own folder only, and the root leads to the latest one."""
    assert builder.main(["--url", "http://docs.invalid/"]) == 0
    assert builder.main(["--url", "http://docs.invalid/", "--version", "0.2.0"]) == 0
    site = workshop / "site"
    assert (site / "latest" / "zh" / "index.html").read_text() == "http://docs.invalid/ latest zh"
    assert (site / "0.2.0" / "index.html").read_text() == "http://docs.invalid/ 0.2.0 en"
    root = (site / "index.html").read_text(encoding="utf-8")
    assert "url=latest/" in root
    assert 'href="0.2.0/"' in root


def test_an_old_version_says_so(tmp_path: Path) -> None:
    """Its pages name their version and lead to the same page of the latest one."""
    arguments = ("zh", tmp_path, "http://docs.invalid/")
    old = builder.configuration(*arguments, "0.2.0")
    assert "0.2.0" in old["OUTDATED"]
    assert '"../../latest/zh/"' in old["LATEST"]
    assert old["URL"] == '"http://docs.invalid/0.2.0/zh/"'
    assert builder.configuration(*arguments, "latest")["OUTDATED"] == '""'


def test_what_is_not_translated_fails_the_build(
    workshop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The site is there all the same, and each page is named."""
    write_sources = builder.write_sources
    monkeypatch.setattr(
        builder, "write_sources", lambda *names: [*write_sources(*names), "zh/a.md"]
    )
    assert builder.main([]) == 1
    assert capsys.readouterr().err == "not translated: zh/a.md\n"
    assert (workshop / "site" / "latest" / "index.html").exists()


def test_a_failed_build_leaves_no_site(
    workshop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The tests of the site would pass with an older one."""
    assert builder.main([]) == 0
    monkeypatch.setattr(builder, "write_sources", lambda *_: [])
    monkeypatch.setattr(builder, "run_zensical", lambda: ["Warning: unresolved link"])
    assert builder.main([]) == 1
    assert capsys.readouterr().err == "Warning: unresolved link\n"
    assert not (workshop / "site" / "latest").exists()


@pytest.mark.parametrize(
    ("printed", "exit_code", "problems"),
    [
        ("Build started", 0, 0),
        ("Warning: unresolved link", 0, 2),
        ("griffe: a.py:1: No type", 0, 2),
        ("Build started", 1, 2),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="the program is a shell script")
def test_a_warning_is_a_problem(
    printed: str,
    exit_code: int,
    problems: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So is a failed build; the exit code alone tells nothing of some warnings."""
    program = tmp_path / "zensical"
    program.write_text(f"#!/bin/sh\necho '{printed}'\nexit {exit_code}\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    for language in "en", "zh":
        (tmp_path / language).mkdir()
    monkeypatch.setattr(builder, "WORK", tmp_path)
    monkeypatch.setattr(sys, "executable", str(program))
    assert len(builder.run_zensical()) == problems


def test_each_described_name_has_a_chinese_line() -> None:
    """Docstrings are English; the Chinese reference begins with a line for each name."""
    described = [path for page in WORDS["pages"].values() for path in page.get("objects", ())]
    assert sorted(WORDS["summaries"]["zh"]) == sorted(described)
