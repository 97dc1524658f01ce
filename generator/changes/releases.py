"""Find the spec of the last release, say whether version and changelog follow it, write the next."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from generator.document.openapi import Json

from .compare.specs import compare
from .facts.documents import read_document
from .report import Report, bump, parse_version

SPEC = Path("spec", "openapi.yaml")
RECORDED = Path("spec", "releases")
"""One copy of the spec for each release, by version: `1.2.3.yaml`."""
VERSION_FILE = Path("binance_usdm", "_version.py")
CHANGELOG = Path("CHANGELOG.md")
VERSION = r"[0-9]+\.[0-9]+\.[0-9]+"
PACKAGE_VERSION = re.compile(rf'(?<=__version__ = "){VERSION}(?=")')
SPEC_VERSION = re.compile(r"(?ms)(?P<before>^info:\n.*?^  version: )(?P<version>\S+)$")


class Baseline(NamedTuple):
    """The document that a comparison starts from."""

    name: str
    version: str | None
    document: Json
    findings: list[str]


def read_version(root: Path) -> str:
    """Return the version of the working tree."""
    text = (root / VERSION_FILE).read_text(encoding="utf-8")
    match = PACKAGE_VERSION.search(text)
    if match is None:
        raise ValueError(f"{VERSION_FILE}: has no version of three numbers")
    return match[0]


def write_release(root: Path, version: str) -> list[str]:
    """Write the version into package and spec, and record the spec of this release.

    Returns:
        The files that were written.

    Raises:
        ValueError: It is no version, or lower than that of the tree, or was released already.
    """
    if not re.fullmatch(VERSION, version):
        raise ValueError(f"{version!r} must be three numbers, such as 1.2.3")
    if parse_version(version) < parse_version(read_version(root)):
        raise ValueError(f"{version} is lower than {read_version(root)}")
    if version in recorded_versions(root):
        raise ValueError(f"{version} was released already")
    package = (root / VERSION_FILE).read_text(encoding="utf-8")
    spec = (root / SPEC).read_text(encoding="utf-8")
    spec, count = SPEC_VERSION.subn(rf"\g<before>{version}", spec, count=1)
    if not count:
        raise ValueError(f"{SPEC}: info has no version")
    text_by_path = {
        VERSION_FILE: PACKAGE_VERSION.sub(version, package, count=1),
        SPEC: spec,
        RECORDED / f"{version}.yaml": spec,
    }
    (root / RECORDED).mkdir(exist_ok=True)
    for path, text in text_by_path.items():
        (root / path).write_text(text, encoding="utf-8")
    return [path.as_posix() for path in text_by_path]


def recorded_versions(root: Path) -> list[str]:
    """Return the versions whose spec is in the tree, the newest first."""
    names = [path.stem for path in (root / RECORDED).glob("*.yaml")]
    return sorted(
        (name for name in names if re.fullmatch(VERSION, name)), key=parse_version, reverse=True
    )


def find_baseline(root: Path) -> Baseline | None:
    """Return the spec of the last release, recorded or tagged; without one the last commit's."""
    recorded = recorded_versions(root)[:1]
    tags = [
        tag for tag in _git(root, "tag", "--list", "v*").split() if re.fullmatch(f"v{VERSION}", tag)
    ]
    tagged = sorted((tag[1:] for tag in tags), key=parse_version)[-1:]
    if recorded and (not tagged or parse_version(recorded[0]) >= parse_version(tagged[0])):
        document, findings = read_document(root / RECORDED / f"{recorded[0]}.yaml")
        return Baseline(f"release {recorded[0]}", recorded[0], document, findings)
    revision = f"v{tagged[0]}" if tagged else "HEAD"
    text = _git(root, "show", f"{revision}:{SPEC.as_posix()}")
    if not text:
        return None
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / f"{revision}.yaml"
        path.write_text(text, encoding="utf-8")
        document, findings = read_document(path)
    if tagged:
        return Baseline(f"release {tagged[0]}", tagged[0], document, findings)
    return Baseline("the last commit; nothing was released yet", None, document, findings)


def _git(root: Path, *arguments: str) -> str:
    """Return what git prints, or nothing outside of a repository."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],  # noqa: S607
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
    except OSError:
        return ""
    return done.stdout if done.returncode == 0 else ""


def release_problems(root: Path) -> Iterator[str]:
    """Yield how version and changelog lag behind the spec."""
    version = read_version(root)
    current, _ = read_document(root / SPEC)
    stated = current.get("info", {}).get("version")
    if stated != version:
        yield (
            f"{SPEC}: info.version is {stated}, and {VERSION_FILE} has {version}; "
            f"`python -m generator release` writes both"
        )
    changelog = (root / CHANGELOG).read_text(encoding="utf-8")
    recorded = recorded_versions(root)
    heading = re.search(rf"^## {re.escape(version)} — (.+)$", changelog, re.MULTILINE)
    if heading is None:
        yield f"{CHANGELOG}: has no entry '## {version} — ...', which {VERSION_FILE} names"
        return
    if heading[1] != "unreleased" and version not in recorded:
        copy = (RECORDED / f"{version}.yaml").as_posix()
        yield f"{copy}: is missing; `python -m generator release {version}` writes it"
    if not recorded:
        return
    released, _ = read_document(root / RECORDED / f"{recorded[0]}.yaml")
    report = Report(compare(released, current), version=recorded[0])
    needed = bump(recorded[0], report.step)
    if parse_version(version) < parse_version(needed):
        yield (
            f"{VERSION_FILE}: {version} is too low; since {recorded[0]} the spec changed by a "
            f"{report.step.word} step, so it must be {needed} at least"
        )
        return
    entry = changelog[heading.end() :].partition("\n## ")[0]
    for group in ("breaking", "new"):
        for change in report.group(group):
            name = change.subject.removesuffix("()").rpartition(".")[2].split()[-1]
            if name not in entry:
                yield f"{CHANGELOG}: the entry {version} does not name {name}: {change.words}"
