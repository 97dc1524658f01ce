"""The command `python -m generator changes`: its forms, and documents that the lint rejects."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from generator.__main__ import main
from generator.changes.compare.specs import compare
from generator.changes.facts.documents import IncomparableError, find_problems, read_document
from tests.generator.changes.edits import REAL
from tests.support.paths import ROOT, SPEC_FILE
from tests.support.spec_facts import BALANCE_PATH, BALANCE_WEIGHT

TEXT = SPEC_FILE.read_text(encoding="utf-8")
HEAVY = TEXT.replace(f"x-weight: {BALANCE_WEIGHT}", f"x-weight: {2 * BALANCE_WEIGHT}")
Write = Callable[[str, str], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes a document and returns its path."""

    def write_document(name: str, text: str) -> str:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write_document


def test_json_is_one_object(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """It has the verdict, the lines of the report and the changes."""
    assert main(["changes", str(SPEC_FILE), write("new.yaml", HEAVY), "--format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["breaking"] is False
    assert report["semver"] == "patch"
    weights = str(BALANCE_WEIGHT), str(2 * BALANCE_WEIGHT)
    assert f"  the weight of balance() is {weights[1]} instead of {weights[0]}" in report["lines"]
    (change,) = report["changes"]
    assert change["rule"] == "weight-raised"
    assert change["operations"] == ["balance"]
    assert (change["old"], change["new"]) == weights


def test_text_and_markdown_say_the_same(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """Each line of the text is a line of the Markdown, with another mark."""
    new = write("new.yaml", HEAVY)
    outputs = []
    for output_format in ("text", "markdown"):
        assert main(["changes", str(SPEC_FILE), new, "--format", output_format]) == 0
        outputs.append(capsys.readouterr().out)
    text, markdown = ([line.lstrip("#- ") for line in o.splitlines()] for o in outputs)
    assert "new.yaml against" in text[0]
    assert [line for line in text[1:] if line] == [
        line for line in markdown if line and not line.startswith("```")
    ]


def test_a_pattern_can_be_said_to_be_wider(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    """The maintainer decides what the comparison cannot."""
    old = write("old.yaml", _with_asset_pattern(r"^[A-Z]+$"))
    new = write("new.yaml", _with_asset_pattern(r"^\w+$"))
    semver = []
    for options in ([], ["--assume-wider", "AccountBalance.asset"]):
        assert main(["changes", old, new, "--format", "json", *options]) == 0
        semver.append(json.loads(capsys.readouterr().out)["semver"])
    assert semver == ["major", "patch"]


def _with_asset_pattern(pattern: str) -> str:
    place = "        asset:\n          type: string\n"
    return TEXT.replace(place, f"{place}          pattern: '{pattern}'\n")


@pytest.mark.parametrize(
    "text",
    [
        "paths: {}\n" + TEXT,
        TEXT.replace("x-weight: ", "x-wieght: ", 1),
        TEXT.replace('"200":', "200:"),
        TEXT.replace("updated 2026-01-15", "updated").replace("gen: developers", "1: developers"),
        TEXT.replace("minimum: 0", "minimum: .inf"),
        TEXT.replace("headers: *weighed", "<<: *weighed"),
    ],
    ids=["key twice", "misspelled", "number as a key", "source 1", "infinite", "merge key"],
)
def test_rejected_documents_are_compared(text: str, tmp_path: Path) -> None:
    """What the lint finds in either document stands apart from the changes."""
    path = tmp_path / "old.yaml"
    path.write_text(text, encoding="utf-8")
    document, findings = read_document(path)
    assert find_problems(document, findings)
    compare(document, REAL)
    compare(REAL, document)


def test_findings_are_no_changes(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """A document against itself has findings and no change."""
    path = write("old.yaml", TEXT.replace("      tags: [account]\n", "      tags: [nobody]\n"))
    assert main(["changes", path, path]) == 0
    output = capsys.readouterr().out
    assert "none: nothing changes for users" in output
    for name in ("old", "new"):
        assert f"the {name} document: paths.{BALANCE_PATH}.get: tags must name" in output


@pytest.mark.parametrize(
    "text", ["", "- a\n", "openapi: 3.1.0\n", "paths: []\n", "a: [", "a: &a [*a]\npaths: {}\n"]
)
def test_what_cannot_be_compared_stops(
    text: str, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line and exit status 2."""
    assert main(["changes", write("old.yaml", text), str(SPEC_FILE)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("old.yaml: ")


def test_a_missing_file_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """The system's reason stands in the line."""
    assert main(["changes", "nowhere.yaml"]) == 2
    assert capsys.readouterr().err == "nowhere.yaml: cannot be read (No such file or directory)\n"


def test_json_documents_are_read(tmp_path: Path) -> None:
    """The package's own openapi.json is the spec, which nothing changed."""
    served = ROOT / "generated_client" / "binance_usdm_wire" / "openapi.json"
    document, findings = read_document(served)
    assert find_problems(document, findings) == []
    assert compare(REAL, document) == []
    with pytest.raises(IncomparableError):
        read_document(tmp_path)
