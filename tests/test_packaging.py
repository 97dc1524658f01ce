"""What a fresh machine installs: the lock against the declarations and against known advisories."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version
from ruamel.yaml import YAML

from tests.support.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK_TEXT = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
LOCK = {
    canonicalize_name(name): Version(version)
    for name, version in re.findall(r"^([\w.-]+)==([\w.]+)", LOCK_TEXT, re.MULTILINE)
}
AUDIT_TEXT = (ROOT / "requirements-audit.txt").read_text(encoding="utf-8")
MUTATION_TEXT = (ROOT / "requirements-mutation.txt").read_text(encoding="utf-8")
LOCKED_APART = {"bench", "mutation"}  # not needed by `make check`, and large
# Advisories known on 2026-11-22; ids of 2026 come from public changelogs, not from the advisory database.
FLOORS = {
    "httpx": "0.23.0",  # CVE-2021-41945
    "httpcore": "1.0.9",  # refuses an older h11
    "certifi": "2024.7.4",  # CVE-2023-37920, CVE-2024-39689: roots that are trusted no more
    "h11": "0.16.0",  # CVE-2025-43859
    "anyio": "4.14.2",  # CVE-2026-63374
    "idna": "3.15",  # CVE-2026-45409
    "openapi-python-client": "0.29.1",  # CVE-2020-15141; spec text left its string literals in 0.29.0
    "urllib3": "2.8.0",  # CVE-2026-44431, development tools only
}

# They would be used without being asked for: httpx decodes with what it finds. HTTP/2 and SOCKS stay off.
ABSENT = {"brotli", "brotlicffi", "h2", "hpack", "httpx2", "httpcore2", "socksio", "zstandard"}


def declared() -> list[Requirement]:
    project = PROJECT["project"]
    groups = [
        *(
            lines
            for name, lines in PROJECT["dependency-groups"].items()
            if name not in LOCKED_APART
        ),
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


def test_the_lock_has_nothing_that_httpx_would_pick_up_unasked() -> None:
    assert ABSENT & LOCK.keys() == set()


def test_declared_floors_are_above_the_advisories_too() -> None:
    for line in map(Requirement, PROJECT["project"]["dependencies"]):
        if line.name in FLOORS:
            below = Version(f"{FLOORS[line.name]}.dev0")
            assert below not in line.specifier, line


@pytest.mark.promise("S19")
def test_the_generator_library_is_pinned_exactly_and_locked_so() -> None:
    lines = [Requirement(line) for line in PROJECT["dependency-groups"]["generator"]]
    (library,) = (line for line in lines if line.name == "openapi-python-client")
    assert str(library.specifier) == f"=={LOCK[canonicalize_name('openapi-python-client')]}"


def test_the_lock_holds_nothing_that_nobody_asks_for() -> None:
    for entry in re.split(r"\n(?=\S)", LOCK_TEXT.strip()):
        for parent in re.findall(r"^ +#(?: via)? +(\S+)", entry, re.MULTILINE):
            assert parent in ("via", "binance-usdm") or canonicalize_name(parent) in LOCK, (
                entry.split()[0]
            )
        assert "# via" in entry, entry.split()[0]


@pytest.mark.parametrize(
    "text", [LOCK_TEXT, AUDIT_TEXT, MUTATION_TEXT], ids=["dev", "audit", "mutation"]
)
def test_every_locked_package_has_hashes_and_no_other_source(text: str) -> None:
    entries = re.split(r"\n(?=\S)", text.strip())
    assert len(entries) == len(re.findall(r"(?m)^[\w.-]+==[\w.+]+ ", text)) > 25
    assert [
        entry.split()[0] for entry in entries if not re.search(r"--hash=sha256:[0-9a-f]{64}", entry)
    ] == []
    assert "://" not in text
    assert "-index" not in text


def test_what_is_locked_apart_is_what_it_is_for() -> None:
    assert re.search(r"(?m)^semgrep==\d", AUDIT_TEXT)
    assert re.search(r"(?m)^mutmut==\d", MUTATION_TEXT)


def test_run_time_needs_four_packages_and_floors_of_what_they_bring() -> None:
    assert {Requirement(line).name for line in PROJECT["project"]["dependencies"]} == {
        "httpx", "attrs", "httptools", "msgspec", "h11", "anyio", "idna",
    }  # fmt: skip


def test_there_is_one_version() -> None:
    import binance_usdm

    assert f"## {binance_usdm.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "binance_usdm/_version.py"


def test_stated_pythons_are_tested() -> None:
    """CI tests every Python of the classifiers, and the package can be installed on it."""
    classifiers = PROJECT["project"]["classifiers"]
    stated = [
        version
        for classifier in classifiers
        for version in re.findall(r"Python :: (3\.\d+)$", classifier)
    ]
    workflow = YAML(typ="safe").load(ROOT / ".github" / "workflows" / "ci.yml")
    tested = workflow["jobs"]["check"]["strategy"]["matrix"]["python"]
    assert stated
    assert set(stated) <= set(tested)
    assert list(SpecifierSet(PROJECT["project"]["requires-python"]).filter(tested)) == tested
