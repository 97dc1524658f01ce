"""What the command says: places in the file, files that it deletes, names that nobody has any more."""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from generator import __main__ as command
from generator.__main__ import main
from generator.document.openapi import load
from generator.output.package_files import read_package
from generator.output.project import PACKAGE, generate
from generator.output.wire_imports import import_problems
from tests.specs.broken_specs import BROKEN
from tests.specs.growth import growing_document
from tests.specs.places import DOCUMENT, changed
from tests.support.paths import ROOT, SPEC_FILE

SPEC = SPEC_FILE.read_text(encoding="utf-8")


def change(*pairs: tuple[str, str]) -> str:
    text = SPEC
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def test_findings_have_file_line_and_column(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All findings are printed at once, each with its place in the file."""
    text = change(
        ("x-weight: ", "x-weight: -"),
        ("operationId: server_time", "operationId: serverTime"),
        ('        "401":\n          $ref: "#/components/responses/Unauthorized"\n', ""),
    )
    spec = tmp_path / "spec.yaml"
    spec.write_text(text, encoding="utf-8")
    assert main(["--spec", str(spec), "--output", str(tmp_path / "out")]) == 2
    lines = capsys.readouterr().err.splitlines()
    found = [re.match(r"(.*):(\d+):(\d+): (.*)", line) for line in lines[:-1]]
    assert len(found) == 3
    texts = text.splitlines()
    for match, word in zip(found, ("x-weight", "responses", "get"), strict=True):
        assert match is not None
        assert match[1] == str(spec)
        assert texts[int(match[2]) - 1][int(match[3]) - 1 :].startswith(word), match[0]
    assert not (tmp_path / "out").exists()


def test_there_are_enough_broken_specs() -> None:
    """Each is refused in `test_lint.py`, for its own reason."""
    assert len({(place, repr(value), text) for place, value, text in BROKEN}) == len(BROKEN) >= 80


def test_every_broken_spec_has_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The places of findings are found in the text of the file, also in JSON."""

    spec = tmp_path / "spec.json"
    for place, value, expected in BROKEN[:: max(1, len(BROKEN) // 12)]:
        document = changed(DOCUMENT, place, value)
        spec.write_text(json.dumps(document, indent=1), encoding="utf-8")
        assert main(["--spec", str(spec), "--output", str(tmp_path / "out")]) == 2
        lines = capsys.readouterr().err.splitlines()
        assert any(expected in line for line in lines)
        assert all(re.match(rf"{re.escape(str(spec))}:\d+:\d+: ", line) for line in lines[:-1])
    assert not (tmp_path / "out").exists()


def test_a_missing_translation_is_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A user who adds an operation need not write Chinese."""
    spec = tmp_path / "spec.yaml"
    spec.write_text(change(("      x-summary-zh: 获取服务器时间\n", "")), encoding="utf-8")
    assert main(["--spec", str(spec), "--output", str(tmp_path / "out")]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert re.match(r".*spec.yaml:\d+:7: paths./fapi/v1/time.get.summary: warning: ", line)


def test_deleted_files_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A foreign file in the package is not deleted without a word."""
    package = tmp_path / PACKAGE
    shutil.copytree(ROOT / "generated_client" / PACKAGE, package)
    (package / "models" / "mine.py").write_bytes(b"")
    assert main(["--output", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["deleted: models/mine.py"]


def test_an_import_misses_a_renamed_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The hand-written package names the classes that users import."""
    spec = tmp_path / "spec.yaml"
    renamed = SPEC.replace("AccountBalance", "Balances")
    spec.write_text(renamed, encoding="utf-8")
    monkeypatch.setattr(command, "OUTPUT", tmp_path)
    assert main(["--spec", str(spec), "--output", str(tmp_path)]) == 2
    message = capsys.readouterr().err
    assert re.search(
        r"__init__.py:\d+: 'AccountBalance' is imported from binance_usdm_wire", message
    )
    assert not (tmp_path / PACKAGE).exists()
    kept = renamed.replace(
        "    Balances:\n      type: object\n",
        "    Balances:\n      type: object\n      x-python-name: AccountBalance\n",
    )
    spec.write_text(kept, encoding="utf-8")
    files = generate(load(spec))
    assert import_problems(ROOT / "binance_usdm", PACKAGE, files) == []
    assert read_package(ROOT / "generated_client" / PACKAGE).keys() == files.keys()


def test_imports_of_every_folder_are_checked(tmp_path: Path) -> None:
    """A module in a folder of the package is named with its path."""
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "module.py").write_text("from binance_usdm_wire import Gone, Operation\n")
    [problem] = import_problems(
        tmp_path, PACKAGE, read_package(ROOT / "generated_client" / PACKAGE)
    )
    assert problem.startswith("room/module.py:1: 'Gone' is imported from binance_usdm_wire")


def test_another_library_is_one_line(tmp_path: Path) -> None:
    """Another version of the generator library is named, without a traceback."""
    info = tmp_path / "openapi_python_client-0.29.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: openapi-python-client\nVersion: 0.29.0\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "generator", "--check"], cwd=ROOT, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)}, check=False,
    )  # fmt: skip
    expected = "openapi-python-client 0.29.1 is needed, and 0.29.0 is installed; run make install\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", expected)


def test_an_optional_member_keeps_its_column() -> None:
    """Columns are in the order of the spec, whatever is required."""

    document = copy.deepcopy(DOCUMENT)
    document["components"]["schemas"]["AccountBalance"]["required"].remove("balance")
    code = generate(document)["models/account_balance.py"].decode()
    names = re.findall(r'^        "(\w+)": "\w+",$', code, re.MULTILINE)
    assert names[:4] == ["account_alias", "asset", "balance", "cross_wallet_balance"]


def cpu_seconds(count: int) -> float:
    """Return what it costs to check a spec with this many operations and to render its package."""
    document = growing_document(count)
    started = time.process_time()
    generate(document)
    return time.process_time() - started


def test_the_cost_grows_with_the_spec(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four times the operations cost four times as much, not sixteen times."""
    monkeypatch.setattr("generator.output.project._format", lambda package: None)
    cpu_seconds(5)
    assert cpu_seconds(80) < 9 * cpu_seconds(20)


def test_the_recipe_is_complete(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The operation of CONTRIBUTING.md is all it takes; only its Chinese texts are missing."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    operation, schema = re.findall(r"(?s)```yaml\n(.*?)```", text)
    recipe = change(
        ("  /fapi/v1/time:\n", f"{operation}\n  /fapi/v1/time:\n"),
        (
            "    AccountBalance:\n      type: object\n",
            f"{schema}\n    AccountBalance:\n      type: object\n",
        ),
    )
    spec = tmp_path / "spec.yaml"
    spec.write_text(recipe, encoding="utf-8")
    assert main(["--spec", str(spec), "--output", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().err.splitlines()
    assert all(": warning: the Chinese text is missing" in line for line in printed)
    code = (tmp_path / "out" / PACKAGE / "api" / "market" / "funding_rates.py").read_text()
    assert "symbol: str | None = None, limit: int | None = None" in code


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_operation_of_the_page_is_complete(
    language: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What "Add an operation" adds is accepted without a warning."""
    page = ROOT / "docs" / language / "how-to" / "add-operation.md"
    (operation,) = re.findall(r"(?s)```yaml\n(.*?)```", page.read_text(encoding="utf-8"))
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        change(("  /fapi/v1/time:\n", f"{operation}\n  /fapi/v1/time:\n")), encoding="utf-8"
    )
    assert main(["--spec", str(spec), "--output", str(tmp_path / "out")]) == 0
    assert "warning" not in capsys.readouterr().err
    assert (tmp_path / "out" / PACKAGE / "api" / "account" / "balance_v2.py").is_file()
