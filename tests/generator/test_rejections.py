"""The generator reports all problems of a spec at once, one line each, and writes nothing."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from generator.__main__ import main
from generator.checks.lint import lint
from generator.document.findings import SpecError
from generator.document.openapi import Json, load
from generator.output.project import PACKAGE, generate
from tests.specs.places import ABSENT, changed, places
from tests.support.paths import ROOT
from tests.support.spec_facts import BALANCE_PATH

SPEC = ROOT / "spec" / "openapi.yaml"
DOCUMENT = load(SPEC)

THREE_FAULTS = (
    SPEC.read_text(encoding="utf-8")
    .replace("operationId: balance", "operationId: server_time", 1)
    .replace("x-weight: ", "x-wieght: ", 1)
    .replace('"#/components/schemas/ServerTime"', '"#/components/schemas/Clock"')
    .encode()
)
NO_SPEC: dict[str, tuple[bytes | None, str]] = {
    "missing file": (None, "cannot be read (No such file or directory)"),
    "empty file": (b"", "not an OpenAPI document (the top level must be a mapping)"),
    "a list": (b"- openapi: 3.1.0\n", "not an OpenAPI document (the top level must be a mapping)"),
    "broken YAML": (b"openapi: [3.1.0\n", "spec.yaml:2:1: not valid YAML"),
    "broken JSON": (b'{"openapi": "3.1.0"', ": not valid YAML"),
    "a key twice": (
        b"openapi: 3.1.0\nopenapi: 3.1.1\n",
        'spec.yaml:2:1: not valid YAML: found duplicate key "openapi"',
    ),
    "Latin-1": ("openapi: é".encode("latin-1"), ": not valid YAML: UnicodeDecodeError"),
    "UTF-16": ("openapi: 3.1.0".encode("utf-16"), ": not valid YAML: UnicodeDecodeError"),
    "an unknown tag": (b"a: !!python/object:os.system {}", "could not determine a constructor"),
    "an impossible date": (b"a: 2026-13-01", "a: JSON has no date; put the value in quotes"),
    "a truth of YAML 1.1": (b"a: yes", "a: YAML 1.1 reads yes as a boolean; put the value in"),
    "another tag": (b"a: !!bool maybe", "could not determine a constructor for the tag"),
    "no end of lists": (b"[" * 20_000, "not valid YAML: exceeded maximum nesting depth"),
    "deep lists": (b"[" * 500, ":1:42: not valid YAML: is nested deeper than 40 levels"),
    "a huge number": (b"a: " + b"9" * 5_000, "a: a number has more than 400 digits"),
    "an infinite number": (b"a: 1e999", "a: the number is out of range"),
    "a status that is a number": (
        b"a: {b: [{200: c}]}",
        "a.b.0: the key 200 is not a string; put it in quotes",
    ),
    "a date": (b"a: 2026-01-15", "a: JSON has no date; put the value in quotes"),
    "not a number": (b"a: .nan", "a: JSON has no nan; put the value in quotes"),
    "a loop": (b"a: &a [*a]", "a.0: contains itself"),
    "a lone surrogate": (b'a: "\\ud800"', "invalid Unicode character escape code"),
    "a lone surrogate in a name": (b'"\\ud800": a', "invalid Unicode character escape code"),
    "a lone surrogate in JSON": (b'{"a": "\\ud800"}', "invalid Unicode character escape code"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an output folder that has a package already."""
    package = tmp_path / "out" / PACKAGE
    package.mkdir(parents=True)
    (package / "kept.py").write_bytes(b"# as it was\r\n")
    return package.parent


def snapshot(folder: Path) -> dict[str, tuple[bytes, int]]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def run(spec: Path, output: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "generator", "--spec", str(spec), "--output", str(output)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_rejected_spec_changes_no_file(tmp_path: Path, folder: Path) -> None:
    """All findings are printed at once, and the folder stays as it was."""
    before = snapshot(folder)
    (tmp_path / "faulty.yaml").write_bytes(THREE_FAULTS)
    (tmp_path / "broken.yaml").write_bytes(b"a: [")
    names = ["faulty.yaml", "broken.yaml", "missing.yaml"]
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda name: run(tmp_path / name, folder), names))
    assert [one.returncode for one in done] == [2, 2, 2]
    assert [one.stdout for one in done] == ["", "", ""]
    assert [len(one.stderr.splitlines()) for one in done] == [6, 2, 2], done
    faulty = done[0].stderr
    for part in (
        "also that of",
        "unknown or unsupported key 'x-wieght'",
        "x-weight is missing",
        "operationId 'balance' is no operation of this document",
        "'#/components/schemas/Clock' names nothing",
    ):
        assert part in faulty
    assert faulty.endswith("5 finding(s); nothing was written\n")
    assert snapshot(folder) == before


@pytest.mark.parametrize("name", NO_SPEC)
def test_a_file_without_a_spec_is_one_finding(
    name: str, tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A missing or unreadable file is a finding, not a traceback."""
    content, expected = NO_SPEC[name]
    before = snapshot(folder)
    if content is not None:
        (tmp_path / "spec.yaml").write_bytes(content)
    assert main(["--spec", str(tmp_path / "spec.yaml"), "--output", str(folder)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[1:] == ["1 finding(s); nothing was written"]
    assert expected in lines[0]
    assert snapshot(folder) == before


def test_a_folder_that_cannot_be_written_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command exits with 2 and the reason."""
    (tmp_path / "file").write_bytes(b"")
    assert main(["--output", str(tmp_path / "file" / "out")]) == 2
    assert capsys.readouterr().err.endswith("cannot be written (Not a directory)\n")


def test_a_check_of_a_broken_spec_exits_with_2(tmp_path: Path) -> None:
    """Exit status 1 means a difference, not an invalid spec."""
    assert main(["--check", "--spec", str(tmp_path / "missing.yaml")]) == 2


def test_an_example_that_breaks_its_schema_is_a_finding() -> None:
    """The mock exchange would send it, and the client would refuse it."""
    document = json.loads(json.dumps(DOCUMENT))
    row = document["components"]["schemas"]["AccountBalance"]
    row["properties"]["marginBalance"] = row["properties"]["balance"]
    assert lint(document) == []
    row["required"] = [*row["required"], "marginBalance"]
    place = f"paths.{BALANCE_PATH}.get.responses.200.content.application/json.examples"
    findings = lint(document)
    assert f'{place}.documentation.value.0: "marginBalance" is a required property' in findings
    assert all("marginBalance" in finding for finding in findings)


def test_deep_nesting_is_a_finding() -> None:
    """The validator's own bound ends in a finding, not in an exception."""
    nested: Json = {}
    for _ in range(400):
        nested = {"a": nested}
    findings = lint(DOCUMENT | {"x-sources": nested})
    assert "document: cannot be checked: Recursion limit reached" in findings


def test_a_rejected_key_that_looks_like_a_number_is_left_out() -> None:
    """The lint goes on without the node, whose path the validator writes as a number."""
    for status in ("404", "0404", "+404"):
        document = json.loads(json.dumps(DOCUMENT))
        document["paths"]["/fapi/v1/time"]["get"]["responses"][status] = None
        assert any("must be a mapping, not null" in finding for finding in lint(document))


# Whatever replaces a node of the document, there are files or findings, never another exception.


def samples(count: int) -> list[Json]:
    reference = {"$ref": "#/components/schemas/Amount"}
    values = [ABSENT, None, 1, "x", [], {}, 1.5, True, [None], reference, 'a"']
    changes = [(place, value) for place in places(DOCUMENT) for value in values]
    chosen = random.Random(20260115).sample(changes, count)
    return [changed(DOCUMENT, place, value) for place, value in chosen]


def test_any_changed_node_gives_files_or_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lint finds every value that the generator cannot handle."""
    # Formatting is skipped for speed: `compile` also rejects what ruff cannot parse.
    monkeypatch.setattr("generator.output.project._format", lambda package: None)
    untouched = json.dumps(DOCUMENT)
    passed = []
    for document in samples(1000):
        findings = lint(document)
        assert all(isinstance(line, str) and line.isprintable() for line in findings)
        passed += [] if findings else [document]
    # Strings and examples may be anything, the rest may not.
    assert 100 < len(passed) < 500
    for document in passed[:24]:
        try:
            files = generate(document)
        except SpecError as error:
            pytest.fail(f"found only after the lint: {error}")
        for path, content in files.items():
            if path.endswith(".py"):
                compile(content, path, "exec")
    assert json.dumps(DOCUMENT) == untouched
