"""Version and changelog follow the spec of the last release."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from generator.__main__ import main
from generator.changes.releases import find_baseline, release_problems, write_release
from generator.changes.report import bump
from generator.changes.rules.steps import Step
from tests.support.paths import SPEC_FILE
from tests.support.spec_facts import BALANCE_PATH, BALANCE_WEIGHT

TEXT = SPEC_FILE.read_text(encoding="utf-8")
HEAVY = TEXT.replace(f"x-weight: {BALANCE_WEIGHT}", f"x-weight: {2 * BALANCE_WEIGHT}")
RENAMED = TEXT.replace("x-instant: updated_at", "x-instant: changed_at")
Tree = Callable[..., Path]


def with_version(spec: str, version: str) -> str:
    text, count = re.subn(r"(?m)^  version: \S+$", f"  version: {version}", spec)
    assert count == 1
    return text


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Return a function that writes a tree: version, changelog, spec and the released one."""

    def write(version: str, changelog: str, *, spec: str = TEXT, released: str = "") -> Path:
        (tmp_path / "binance_usdm").mkdir(exist_ok=True)
        (tmp_path / "binance_usdm" / "_version.py").write_text(f'__version__ = "{version}"\n')
        (tmp_path / "CHANGELOG.md").write_text(f"# Changelog\n\n{changelog}\n", encoding="utf-8")
        (tmp_path / "spec" / "releases").mkdir(parents=True, exist_ok=True)
        path = tmp_path / "spec" / "openapi.yaml"
        path.write_text(with_version(spec, version), encoding="utf-8")
        if released:
            shutil.copy(SPEC_FILE, tmp_path / "spec" / "releases" / f"{released}.yaml")
        return tmp_path

    return write


def test_this_tree_does_not_lag(capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m generator release-check` finds nothing."""
    assert main(["release-check"]) == 0
    assert capsys.readouterr() == ("", "")


def test_nothing_lags_before_the_first_release(tree: Tree) -> None:
    """Any spec fits an unreleased version."""
    assert list(release_problems(tree("0.1.0", "## 0.1.0 — unreleased", spec=HEAVY))) == []


def test_a_version_without_an_entry_is_found(tree: Tree) -> None:
    """The changelog has an entry for the version."""
    (problem,) = release_problems(tree("0.2.0", "## 0.1.0 — unreleased"))
    assert problem.startswith("CHANGELOG.md: has no entry '## 0.2.0")


def test_a_release_records_its_spec(tree: Tree) -> None:
    """A dated entry needs a copy of the spec."""
    dated = "## 0.1.0 — 2026-12-01"
    (problem,) = release_problems(tree("0.1.0", dated))
    assert problem.startswith("spec/releases/0.1.0.yaml: is missing")
    assert list(release_problems(tree("0.1.0", dated, released="0.1.0"))) == []


@pytest.mark.parametrize(
    ("released", "version", "spec", "needed"),
    [
        ("0.1.0", "0.1.0", HEAVY, "0.1.1"),
        ("0.1.0", "0.1.5", RENAMED, "0.2.0"),
        ("1.2.0", "1.9.0", RENAMED, "2.0.0"),
    ],
)
def test_a_version_that_lags_is_found(
    tree: Tree, released: str, version: str, spec: str, needed: str
) -> None:
    """The step since the last release decides the least version."""
    root = tree(version, f"## {version} — unreleased", spec=spec, released=released)
    (problem,) = release_problems(root)
    assert problem.startswith("binance_usdm/_version.py: ")
    assert problem.endswith(f"so it must be {needed} at least")


def test_a_changelog_that_lags_is_found(tree: Tree) -> None:
    """The entry names what breaks and what is new; an older entry does not count."""
    older = "\n\n## 0.1.0 — 2026-01-01\n\n- `changed_at`"
    entry = "## 0.2.0 — unreleased\n\n- Something."
    root = tree("0.2.0", entry + older, spec=RENAMED, released="0.1.0")
    (problem,) = release_problems(root)
    assert problem.startswith("CHANGELOG.md: the entry 0.2.0 does not name changed_at: ")
    root = tree(
        "0.2.0", entry.replace("Something", "`AccountBalance.changed_at`") + older, spec=RENAMED
    )
    assert list(release_problems(root)) == []


@pytest.mark.parametrize(
    ("version", "step", "following"),
    [
        ("0.1.0", Step.MAJOR, "0.2.0"),
        ("0.1.0", Step.MINOR, "0.1.1"),
        ("0.1.0", Step.PATCH, "0.1.1"),
        ("1.4.2", Step.MAJOR, "2.0.0"),
        ("1.4.2", Step.MINOR, "1.5.0"),
        ("1.4.2", Step.PATCH, "1.4.3"),
        ("1.4.2", Step.NONE, "1.4.2"),
    ],
)
def test_a_step_moves_a_number(version: str, step: Step, following: str) -> None:
    """Before 1.0 the number to the right moves."""
    assert bump(version, step) == following


def test_the_spec_has_the_version_of_the_package(tree: Tree) -> None:
    """Whoever has only the document knows which release it is of."""
    root = tree("0.1.0", "## 0.1.0 — unreleased")
    spec = root / "spec" / "openapi.yaml"
    spec.write_text(with_version(TEXT, "3.0.0"), "utf-8")
    (problem,) = release_problems(root)
    assert problem.startswith("spec/openapi.yaml: info.version is 3.0.0, and binance_usdm/_version")


def test_a_release_is_written(tree: Tree) -> None:
    """Package, spec and record have the version, and nothing else changes."""
    root = tree("0.1.0", "## 0.2.0 — 2026-12-01")
    files = ["binance_usdm/_version.py", "spec/openapi.yaml", "spec/releases/0.2.0.yaml"]
    assert write_release(root, "0.2.0") == files
    assert list(release_problems(root)) == []
    expected = with_version(TEXT, "0.2.0")
    assert [(root / name).read_text("utf-8") for name in files[1:]] == [expected] * 2
    for version in ("0.2.0", "0.1.9", "1.0", "v1.0.0"):
        with pytest.raises(ValueError, match=r"three numbers|is lower than|released already"):
            write_release(root, version)


def test_the_baseline_is_the_newest_release(tree: Tree) -> None:
    """A recorded spec, else that of the last tag, else that of the last commit."""
    root = tree("0.1.0", "## 0.1.0 — unreleased")
    assert find_baseline(root) is None

    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
        subprocess.run(
            ["git", "-C", str(root), *identity, *arguments], check=True, capture_output=True
        )

    git("init", "--quiet")
    git("add", "spec")
    git("commit", "--quiet", "--message", "Begin")
    tree("0.1.0", "", spec=HEAVY)
    names = []
    for tag, recorded in (
        ("", ""),
        ("v0.9.0", ""),
        ("v0.10.0", ""),
        ("", "0.10.0"),
        ("v0.11.0", ""),
    ):
        if tag:
            git("tag", tag)
        tree("0.1.0", "", spec=HEAVY, released=recorded)
        baseline = find_baseline(root)
        assert baseline is not None
        assert baseline.document["paths"][BALANCE_PATH]["get"]["x-weight"] == BALANCE_WEIGHT
        names.append(baseline.name)
    assert names == [
        "the last commit; nothing was released yet",
        "release 0.9.0",
        "release 0.10.0",
        "release 0.10.0",
        "release 0.11.0",
    ]
