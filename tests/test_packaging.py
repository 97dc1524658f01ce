"""What a fresh machine installs: the lock against the declarations and against known advisories."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK_TEXT = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
LOCK = {
    canonicalize_name(name): Version(version)
    for name, version in re.findall(r"^([\w.-]+)==([\w.]+)", LOCK_TEXT, re.MULTILINE)
}
# Advisories known on 2026-11-22; ids of 2026 come from public changelogs, not from the advisory database.
FLOORS = {
    "httpx": "0.23.0",  # CVE-2021-41945
    "h11": "0.16.0",  # CVE-2025-43859
    "anyio": "4.14.2",  # CVE-2026-63374
    "idna": "3.15",  # CVE-2026-45409
    "openapi-python-client": "0.29.1",  # CVE-2020-15141; spec text left its string literals in 0.29.0
    "urllib3": "2.8.0",  # CVE-2026-44431, development tools only
}


def declared() -> list[Requirement]:
    project = PROJECT["project"]
    groups = [
        *PROJECT["dependency-groups"].values(),
        *project["optional-dependencies"].values(),
        project["dependencies"],
    ]
    return [Requirement(line) for group in groups for line in group if isinstance(line, str)]


@pytest.mark.parametrize("requirement", declared(), ids=str)
def test_the_lock_satisfies_every_declaration(requirement: Requirement) -> None:
    assert LOCK[canonicalize_name(requirement.name)] in requirement.specifier


@pytest.mark.parametrize("name", FLOORS)
def test_the_lock_is_above_every_known_advisory(name: str) -> None:
    assert LOCK[canonicalize_name(name)] >= Version(FLOORS[name])


def test_every_locked_package_has_hashes_and_no_other_source() -> None:
    entries = re.split(r"\n(?=\S)", LOCK_TEXT.strip())
    assert len(entries) == len(LOCK) > 40
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in LOCK_TEXT
    assert "-index" not in LOCK_TEXT


def test_run_time_needs_four_packages_and_floors_of_what_they_bring() -> None:
    assert {Requirement(line).name for line in PROJECT["project"]["dependencies"]} == {
        "httpx", "attrs", "httptools", "orjson", "h11", "anyio", "idna",
    }  # fmt: skip


def test_there_is_one_version() -> None:
    import binance_usdm

    assert f"## {binance_usdm.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "binance_usdm/_version.py"
