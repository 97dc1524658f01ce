"""What a fresh machine installs: the lock against the declarations and against known advisories."""

import itertools
import re
import runpy
import subprocess
import tomllib

import pytest
from hatchling.builders.sdist import SdistBuilder
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version
from ruamel.yaml import YAML

from binance_usdm._cli.doctor.dependencies import FIXED_VERSIONS
from tests.support.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK_TEXT = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
LOCK = {
    canonicalize_name(name): Version(version)
    for name, version in re.findall(r"^([\w.-]+)==([\w.]+)", LOCK_TEXT, re.MULTILINE)
}
DEMO_TEXT = (ROOT / "requirements-demo.txt").read_text(encoding="utf-8")
BENCH_TEXT = (ROOT / "requirements-bench.txt").read_text(encoding="utf-8")
DOCS_TEXT = (ROOT / "requirements-docs.txt").read_text(encoding="utf-8")
LOCKED_APART = {"bench", "docs"}  # in environments of their own
# Advisories known on 2026-11-22; ids of 2026 come from public changelogs, not from the advisory database.
FLOORS = {
    **{name: version for name, (version, _) in FIXED_VERSIONS.items()},
    "httpcore": "1.0.9",  # refuses an older h11
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


def test_the_lock_of_the_site_satisfies_its_group() -> None:
    """Builder and reference are pinned exactly: their configuration changes between releases."""
    lines = [line for line in PROJECT["dependency-groups"]["docs"] if isinstance(line, str)]
    locked = dict(re.findall(r"(?m)^([\w.-]+)==([\w.]+)", DOCS_TEXT))
    for requirement in map(Requirement, lines):
        assert Version(locked[requirement.name]) in requirement.specifier
    pinned = {line.partition(" ")[0] for line in lines if "==" in line}
    assert pinned == {"zensical", "mkdocstrings-python"}


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


def test_schemathesis_is_pinned_exactly_and_locked_so() -> None:
    """Private names of it are used, see tests/contract/test_schemathesis_names.py."""
    (line,) = (
        each
        for each in map(Requirement, PROJECT["project"]["optional-dependencies"]["contract"])
        if each.name == "schemathesis"
    )
    assert str(line.specifier) == f"=={LOCK[canonicalize_name('schemathesis')]}"


def test_the_lock_holds_nothing_that_nobody_asks_for() -> None:
    """Each entry is declared here, or names the locked packages that need it."""
    asked_for = {canonicalize_name(requirement.name) for requirement in declared()}
    for entry in re.split(r"\n(?=\S)", LOCK_TEXT.strip()):
        name = canonicalize_name(entry.partition("=")[0])
        parents = re.findall(r"(?m)^ +#(?: via)? +([\w.-]+)$", entry)
        parents = [parent for parent in parents if parent not in ("via", "binance-usdm")]
        assert parents or name in asked_for, name
        assert {canonicalize_name(parent) for parent in parents} <= LOCK.keys(), name


@pytest.mark.parametrize(
    ("text", "at_least"),
    [(DEMO_TEXT, 12), (LOCK_TEXT, 80), (BENCH_TEXT, 25), (DOCS_TEXT, 35)],
    ids=["demo", "dev", "bench", "docs"],
)
def test_every_locked_package_has_hashes_and_no_other_source(text: str, at_least: int) -> None:
    entries = re.split(r"\n(?=\S)", text.strip())
    assert len(entries) == len(re.findall(r"(?m)^[\w.-]+==[\w.+]+ ", text)) >= at_least
    assert [
        entry.split()[0] for entry in entries if not re.search(r"--hash=sha256:[0-9a-f]{64}", entry)
    ] == []
    assert "://" not in text
    assert "-index" not in text


def test_all_locks_have_the_same_versions() -> None:
    """The demo, the tests, the benchmarks and the site run the same code."""
    for text in (DEMO_TEXT, BENCH_TEXT, DOCS_TEXT):
        for name, version in re.findall(r"(?m)^([\w.-]+)==([\w.]+)", text):
            assert LOCK.get(canonicalize_name(name), Version(version)) == Version(version), name


def test_the_locks_fit_supported_machines() -> None:
    """A wheel's hash stays for Python 3.11 to 3.14 on Linux, macOS and Windows."""
    lock = runpy.run_path(str(ROOT / ".ci" / "lock.py"))
    kept = lock["is_installed_somewhere"]
    for filename in (
        "a-1.tar.gz", "a-1-py3-none-any.whl", "a-1-py2.py3-none-any.whl",
        "a-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        "a-1-cp314-cp314-musllinux_1_2_aarch64.whl", "a-1-cp39-abi3-macosx_11_0_arm64.whl",
        "a-1-cp312-cp312-win_amd64.whl", "a-1-py3-none-manylinux2014_x86_64.whl",
    ):  # fmt: skip
        assert kept(filename), filename
    for filename in (
        "a-1-cp310-cp310-manylinux_2_17_x86_64.whl", "a-1-cp314-cp314t-win_amd64.whl",
        "a-1-cp312-cp312-manylinux_2_17_s390x.whl", "a-1-pp311-pypy311_pp73-win_amd64.whl",
        "a-1-cp312-cp312-win32.whl",
    ):  # fmt: skip
        assert not kept(filename), filename
    requirements = "a==1 \\\n    --hash=sha256:1 \\\n    --hash=sha256:2\n    # via b\n"
    assert lock["keep_hashes"](requirements, {"sha256:1"}) == (
        "a==1 \\\n    --hash=sha256:1\n    # via b\n"
    )


def test_run_time_needs_four_packages() -> None:
    assert {Requirement(line).name for line in PROJECT["project"]["dependencies"]} == {
        "httpx", "attrs", "httptools", "msgspec",
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


def test_the_sdist_has_every_tracked_file() -> None:
    """The tests can be collected and run from an unpacked sdist, with what they read."""
    packed = {
        file.distribution_path.replace("\\", "/")
        for file in SdistBuilder(str(ROOT)).recurse_included_files()
    }
    # The builder adds these whatever the configuration says.
    packed |= {"pyproject.toml", ".gitignore"}
    assert {"tests/test_packaging.py", "docs/errors.md", "requirements-dev.txt"} <= packed
    if not (ROOT / ".git").exists():
        pytest.skip("this is an unpacked sdist")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    tracked = {name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()}
    assert tracked - packed == set()
    assert packed - tracked <= {"PKG-INFO"}


def test_every_declared_dependency_has_a_floor() -> None:
    """`make test-floors` runs the oldest versions, so each needs one, and CI runs it."""
    project = PROJECT["project"]
    extra_lines = itertools.chain(*project["optional-dependencies"].values())
    lines = [*project["dependencies"], *extra_lines]
    for requirement in map(Requirement, lines):
        assert any(part.operator in (">=", "==") for part in requirement.specifier), requirement
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "run: make test-floors" in workflow
    extras = "".join(f" --extra {name}" for name in project["optional-dependencies"])
    command = " ".join(makefile.split()).replace("\\ ", "")
    assert f"{extras} pyproject.toml -o .scratch/floors.txt" in command


def test_the_conda_recipe_says_what_pyproject_says() -> None:
    """Same version, dependencies, Python, build backend and command."""
    recipe = YAML(typ="safe").load(ROOT / ".ci" / "recipe.yaml")
    project = PROJECT["project"]

    def parsed(lines: list[str]) -> set[tuple[str, str]]:
        requirements = [Requirement(line.replace(" ", "", 1)) for line in lines]
        return {(each.name, str(each.specifier)) for each in requirements}

    needed = parsed(project["dependencies"])
    python = ("python", project["requires-python"])
    assert parsed(recipe["requirements"]["run"]) == {*needed, python}
    backend = parsed(PROJECT["build-system"]["requires"])
    assert parsed(recipe["requirements"]["host"]) == {*backend, python, ("pip", "")}
    [command] = recipe["build"]["python"]["entry_points"]
    assert dict([command.split(" = ")]) == project["scripts"]
    assert (
        recipe["context"]["version"]
        == runpy.run_path(str(ROOT / "binance_usdm" / "_version.py"))["__version__"].partition(
            ".dev"
        )[0]
    )
    assert recipe["about"]["license"] == project["license"]
