"""A Chinese text follows its English one, and has no blank that folded YAML left."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path

import pytest

from generator import __main__ as command
from generator.__main__ import main
from generator.checks.lint import lint
from generator.checks.translations import (
    outdated_translations,
    read_record,
    render_record,
    update_record,
)
from generator.document.openapi import Json
from tests.specs.places import DOCUMENT
from tests.support.paths import ROOT, SPEC_FILE

RECORD = read_record(ROOT / "spec" / "translations.json")
PLACE = "components.schemas.Amount.description"


def changed(**texts: str) -> Json:
    document = copy.deepcopy(DOCUMENT)
    document["components"]["schemas"]["Amount"] |= {
        k.replace("_", "-"): v for k, v in texts.items()
    }
    return document


def test_the_record_is_that_of_the_spec() -> None:
    """Every pair of texts is recorded, and nothing else."""
    assert len(RECORD) > 100
    assert update_record(DOCUMENT, {}) == RECORD
    assert outdated_translations(DOCUMENT, RECORD) == []


def test_an_english_text_that_changed_alone_is_found() -> None:
    """It stays outdated until the Chinese text changes or somebody confirms it."""
    document = changed(description="An amount.")
    (finding,) = outdated_translations(document, RECORD)
    assert finding.startswith(f"{PLACE}: the English text changed and x-description-zh did not")
    kept = update_record(document, RECORD)
    assert kept == RECORD
    assert len(outdated_translations(document, kept)) == 1
    confirmed = update_record(document, RECORD, confirm=True)
    assert outdated_translations(document, confirmed) == []
    assert [place for place in RECORD if RECORD[place] != confirmed[place]] == [PLACE]


def test_both_texts_may_change() -> None:
    """A new pair is recorded, also one whose Chinese text alone changed."""
    for texts in ({"description": "An amount."}, {}):
        document = changed(**texts, x_description_zh="金额。")
        assert outdated_translations(document, RECORD) == []
        assert update_record(document, RECORD)[PLACE] != RECORD[PLACE]


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("金额。 可能为负。", True),
        ("金额 ，可能为负。", True),
        ("金额（ USDT）", True),
        ("金额 可能为负", True),
        ("用 USDT 计", False),
        ("第一行。\n\n第二行", False),
        ("参数 `timestamp`，单位为毫秒", False),
    ],
)
def test_a_stray_blank_is_a_finding(text: str, is_found: bool) -> None:
    """A blank beside a full-width mark or between two Chinese characters is none of the text."""
    findings = lint(changed(x_description_zh=text))
    assert len(findings) == is_found
    assert all("components.schemas.Amount.x-description-zh: a blank in" in f for f in findings)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of spec, record and package, which the command takes for this tree's."""
    shutil.copytree(SPEC_FILE.parent, tmp_path / "spec")
    shutil.copytree(ROOT / "generated_client", tmp_path / "generated_client")
    for name, path in (
        ("ROOT", tmp_path),
        ("SPEC", tmp_path / "spec" / "openapi.yaml"),
        ("OUTPUT", tmp_path / "generated_client"),
        ("TRANSLATIONS", tmp_path / "spec" / "translations.json"),
    ):
        monkeypatch.setattr(command, name, path)
    monkeypatch.setattr(command, "import_problems", lambda *_: [])
    return tmp_path


def run(tree: Path, *arguments: str) -> int:
    spec, output = tree / "spec" / "openapi.yaml", tree / "generated_client"
    return main(["--spec", str(spec), "--output", str(output), *arguments])


def test_the_command_refuses_an_outdated_translation(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Generating names it, and the check fails until it is confirmed."""
    assert run(tree, "--check") == 0
    spec = tree / "spec" / "openapi.yaml"
    text = spec.read_text("utf-8")
    spec.write_text(text.replace("description: Text for people.\n", "description: Text.\n"))
    assert run(tree) == 0
    assert run(tree, "--check") == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith(f"{spec}:") and "the English text changed" in line for line in lines)
    assert main(["translations"]) == 0
    assert run(tree, "--check") == 0


def test_a_record_that_lags_fails_the_check(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Generating writes it."""
    record = tree / "spec" / "translations.json"
    record.write_text(render_record({**RECORD, PLACE: ["0", "1"]}))
    assert run(tree, "--check") == 1
    assert capsys.readouterr().err == "spec/translations.json: stale; run make generate\n"
    assert run(tree) == 0
    assert record.read_text("utf-8") == (ROOT / "spec" / "translations.json").read_text("utf-8")
