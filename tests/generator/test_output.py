"""The generator writes the same bytes everywhere, and replaces the package as a whole."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from generator.__main__ import main
from generator.document.openapi import load
from generator.output.package_files import Files, read_package, replace_package
from generator.output.project import PACKAGE, generate
from tests.support.paths import ROOT
from tests.support.spec_facts import BALANCE_WEIGHT

SPEC = ROOT / "spec" / "openapi.yaml"
COMMITTED = ROOT / "generated_client" / PACKAGE
HOSTILE = "[{0}]\nline-length = 60\nindent-width = 2\n[{1}lint.isort]\nforce-single-line = true\n"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return a copy of the committed package for tests that damage it."""
    shutil.copytree(COMMITTED, tmp_path / PACKAGE, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / PACKAGE


def test_the_committed_package_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m generator --check` finds no difference."""
    assert main(["--check"]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_check_names_every_file_that_differs(
    package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Missing, stale and foreign files are printed, and nothing is written."""
    (package / "errors.py").unlink()
    (package / "py.typed").write_bytes((package / "py.typed").read_bytes() + b"\n")
    (package / "models" / "order.py").write_bytes(b"")
    spoilt = read_package(package)
    assert main(["--check", "--output", str(package.parent)]) == 1
    expected = [
        "errors.py: missing",
        "models/order.py: not written by the generator",
        "py.typed: edited by hand",
    ]
    assert capsys.readouterr().err.splitlines() == expected
    assert read_package(package) == spoilt


def test_a_check_of_an_empty_folder_misses_every_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The check does not create the folder."""
    assert main(["--check", "--output", str(tmp_path)]) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"{path}: missing" for path in sorted(read_package(COMMITTED))
    ]
    assert list(tmp_path.iterdir()) == []


def test_generating_repairs_a_damaged_package(
    package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Missing files come back, and foreign files and folders are removed by name."""
    (package / "errors.py").unlink()
    (package / "models" / "order.py").write_bytes(b"")
    (package / "old" / "deep").mkdir(parents=True)
    (package / "old" / "deep" / "stale.txt").write_bytes(b"x")
    assert main(["--output", str(package.parent)]) == 0
    assert read_package(package) == read_package(COMMITTED)
    assert not (package / "old").exists()
    deleted = ["deleted: models/order.py", "deleted: old/deep/stale.txt"]
    assert capsys.readouterr().out.splitlines()[1:] == deleted
    assert [path.name for path in package.parent.iterdir()] == [PACKAGE]


def test_generating_says_what_the_spec_changed(
    package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The package's copy of the spec is compared with the new one."""
    served = package / "openapi.json"
    text = served.read_text(encoding="utf-8")
    old = text.replace(f'"x-weight": {BALANCE_WEIGHT}', '"x-weight": 1').replace(
        "updateTime", "updatedTime"
    )
    served.write_text(old, encoding="utf-8")
    assert main(["--output", str(package.parent)]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "since the package was written: major: 1 breaking, 2 quiet",
        "  breaking: AccountBalance.updated_time is renamed to AccountBalance.update_time "
        "[balance()]",
    ]


def test_generating_again_touches_no_file(
    package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Files that are up to date keep their modification times."""
    before = {path: path.stat().st_mtime_ns for path in package.rglob("*")}
    assert main(["--output", str(package.parent)]) == 0
    assert capsys.readouterr().out == f"{PACKAGE}: {len(read_package(package))} files, 0 changed\n"
    assert {path: path.stat().st_mtime_ns for path in package.rglob("*")} == before


def test_the_surroundings_do_not_change_the_bytes(tmp_path: Path) -> None:
    """Hash seed, working folder and ruff's configuration around it have no influence."""
    folders = [tmp_path / name / "deeper" for name in ("plain", "pyproject", "ruff")]
    for folder in folders:
        folder.mkdir(parents=True)
    (tmp_path / "pyproject" / "pyproject.toml").write_text(
        HOSTILE.format("tool.ruff", "tool.ruff.")
    )
    (tmp_path / "ruff" / ".ruff.toml").write_text(HOSTILE.replace("[{0}]", "").format("", ""))

    def run(seed: int) -> subprocess.CompletedProcess[str]:
        folder = folders[seed]
        spec = os.path.relpath(SPEC, folder)
        arguments = ["--output", f"out{seed}", *(["--spec", spec] if seed == 0 else [])]
        surroundings = {
            "PYTHONHASHSEED": str(seed),
            "PYTHONPATH": str(ROOT),
            "TMPDIR": str(folder),
            "PATH": "",
        }
        command = [sys.executable, "-m", "generator", *arguments]
        return subprocess.run(
            command,
            cwd=folder,
            env=os.environ | surroundings,
            capture_output=True,
            text=True,
            check=False,
        )

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(run, range(3)))
    assert [(one.returncode, one.stderr) for one in done] == [(0, "")] * 3
    wanted = read_package(COMMITTED)
    for seed in range(3):
        assert read_package(folders[seed] / f"out{seed}" / PACKAGE) == wanted
    # Neither a cache nor a temporary folder is left.
    assert sorted(path.name for path in folders[0].iterdir()) == ["out0"]


def test_every_file_names_the_command_that_writes_it() -> None:
    """The banner is the first line."""
    for path, content in read_package(COMMITTED).items():
        first = content.decode().splitlines()[1 if path.endswith(".json") else 0]
        assert " by `python -m generator` from " in first, path


def test_the_package_has_these_files() -> None:
    """It is typed, and has no other file at its top level."""
    expected = {
        "__init__.py", "decoding.py", "error_codes.py", "error_texts.py", "errors.py",
        "extensions.schema.json",
        "http_dates.py", "lazy.py", "manifest.json", "openapi.json", "openapi_en.json",
        "openapi_zh.json", "operations.py", "py.typed",
        "reading.py", "rows.py", "summaries.py", "types.py", "writing.py",
    }  # fmt: skip
    assert {path for path in read_package(COMMITTED) if "/" not in path} == expected


def test_openapi_json_is_the_spec_word_for_word() -> None:
    """Source marks and the order of keys are kept."""
    served = json.loads((COMMITTED / "openapi.json").read_bytes())
    assert "python -m generator" in served.pop("x-written-by")
    assert served == load(SPEC)
    assert list(served) == list(load(SPEC))


def requirements(table: Any) -> Iterator[str]:
    if isinstance(table, str):
        yield table
    elif isinstance(table, (list, dict)):
        for entry in table.values() if isinstance(table, dict) else table:
            yield from requirements(entry)


def test_the_pinned_generator_library_is_installed() -> None:
    """One exact pin decides the committed bytes."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    declared = [
        project["project"].get("dependencies"),
        project["project"].get("optional-dependencies"),
        project.get("dependency-groups"),
    ]
    lines = [line.replace(" ", "") for line in requirements(declared)]
    pins = [line for line in lines if re.match(r"openapi[-_.]python[-_.]client\b", line)]
    assert pins == [f"openapi-python-client=={version('openapi-python-client')}"]


@pytest.mark.parametrize("failing", [1, 2])
def test_a_failed_replacement_leaves_the_old_package(
    package: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    """The package is replaced as a whole or not at all, also where two folders cannot be swapped."""
    monkeypatch.setattr("generator.output.package_files._exchange", lambda *_: False)
    old = read_package(package)
    renames = 0
    rename = Path.rename

    def fails_once(path: Path, target: Path) -> Path:
        nonlocal renames
        renames += 1
        if renames == failing:
            raise PermissionError(13, "Permission denied")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fails_once)
    with pytest.raises(PermissionError):
        replace_package(package, {"__init__.py": b"new\n"})
    assert read_package(package) == old
    assert [path.name for path in package.parent.iterdir()] == [PACKAGE]


STEPPED = """
import os, sys
from pathlib import Path
from generator.output.package_files import replace_package

kind, at = sys.argv[2], int(sys.argv[3])
steps = 0

def stop(event, _):
    global steps
    if event.partition(".")[0] in {"open", "os", "shutil", "tempfile", "ctypes"}:
        steps += 1
        if steps == at:
            if kind == "killed":
                os._exit(9)
            raise KeyboardInterrupt

package = Path(sys.argv[1])
sys.addaudithook(stop)
replace_package(package, {"__init__.py": b"new\\n", "api/a.py": b"new\\n"})
os._exit(5)
"""


@pytest.mark.parametrize("kind", ["killed", "interrupted"])
def test_a_run_that_ends_early_leaves_a_whole_package(tmp_path: Path, kind: str) -> None:
    """Whenever it is killed or interrupted, the old package or the new one is there."""
    old = {"__init__.py": b"old\n", "gone.py": b"old\n"}
    new = {"__init__.py": b"new\n", "api/a.py": b"new\n"}
    found = []
    for at in range(1, 200):
        package = tmp_path / str(at) / PACKAGE
        for name, content in old.items():
            (package / name).parent.mkdir(parents=True, exist_ok=True)
            (package / name).write_bytes(content)
        command = [sys.executable, "-c", STEPPED, str(package), kind, str(at)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
        found.append(read_package(package))
        assert found[-1] in (old, new)
        if done.returncode == 5:
            break
    else:
        pytest.fail("it never ended by itself")
    assert found[0] == old
    assert found[-1] == new
    assert 5 < len(found) < 60


def test_concurrent_runs_do_not_mix(tmp_path: Path) -> None:
    """Of several runs at once one wins as a whole."""
    package = tmp_path / PACKAGE
    versions = [{f"{name}.py": str(run).encode() for name in "abc"} for run in range(4)]
    for _ in range(25):
        threads = [threading.Thread(target=replace_quietly, args=(package, v)) for v in versions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert read_package(package) in versions
    assert [path.name for path in tmp_path.iterdir()] == [PACKAGE]


def replace_quietly(package: Path, files: Files) -> None:
    with contextlib.suppress(OSError):
        replace_package(package, files)


def test_generating_has_no_side_effects() -> None:
    """Neither the document nor the generator library is changed."""
    import openapi_python_client.parser.properties as properties

    document, reader = load(SPEC), properties._string_based_property
    generate(document)
    assert document == load(SPEC)
    assert properties._string_based_property is reader
