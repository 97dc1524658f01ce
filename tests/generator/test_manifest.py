"""The manifest ties the package to its causes, so a check says why a file differs."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import pytest

import generator.output.manifest
from generator.document.openapi import Json
from generator.output.manifest import NAME, explain_differences, make_manifest
from generator.output.package_files import diff_files, read_package
from generator.output.project import PACKAGE
from generator.output.template_globals import SPEC_NAME, banner
from tests.specs.places import DOCUMENT
from tests.support.paths import ROOT

BANNER = banner(SPEC_NAME)
COMMITTED = read_package(ROOT / "generated_client" / PACKAGE)
MANIFEST: Json = json.loads(COMMITTED[NAME])
WRITTEN = {path: content for path, content in COMMITTED.items() if path != NAME}


def changed(**entries: str) -> dict[str, bytes]:
    """Return a new package: one stale file, and a manifest with other entries."""
    files = {**WRITTEN, "errors.py": WRITTEN["errors.py"] + b"# new\n"}
    manifest = json.loads(make_manifest(DOCUMENT, files, BANNER)) | entries
    return {**files, NAME: json.dumps(manifest).encode()}


def explain(now: dict[str, bytes], fresh: dict[str, bytes]) -> list[str]:
    """Return the lines of a check."""
    problems = explain_differences(now, fresh, diff_files(now, fresh))
    return [f"{path}: {problem}" for path, problem in problems.items()]


def test_the_manifest_names_spec_and_tools() -> None:
    """It has the spec's version, the library's and the formatter's, and each other file."""
    assert MANIFEST["spec_version"] == DOCUMENT["info"]["version"]
    assert MANIFEST["library"] == f"openapi-python-client {version('openapi-python-client')}"
    assert MANIFEST["formatter"] == f"ruff {version('ruff')}"
    assert MANIFEST["files"].keys() == WRITTEN.keys()
    assert COMMITTED[NAME] == make_manifest(DOCUMENT, WRITTEN, BANNER)


@pytest.mark.parametrize(
    ("entry", "cause"),
    [
        ("spec", "the spec changed"),
        ("templates", "templates or runtime changed"),
        ("library", "openapi-python-client has another version"),
        ("formatter", "ruff has another version"),
    ],
)
def test_a_stale_file_names_the_cause(entry: str, cause: str) -> None:
    """The entry of the manifest that differs is the cause."""
    fresh = changed(**{entry: "another"})
    assert explain(COMMITTED, fresh) == [f"errors.py: stale: {cause}", f"{NAME}: stale: {cause}"]


def test_a_stale_file_without_a_cause_is_the_generators() -> None:
    """What is neither spec, templates nor tools is the generator's own code."""
    assert explain(COMMITTED, changed())[0] == "errors.py: stale: the generator's code changed"


def test_an_edit_is_told_from_a_stale_file() -> None:
    """A file that is not as it was written was edited, whatever else changed."""
    edited = {**COMMITTED, "errors.py": b"# mine\n"}
    assert explain(edited, COMMITTED) == ["errors.py: edited by hand"]
    assert "errors.py: edited by hand" in explain(edited, changed(spec="another"))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}"])
def test_a_damaged_manifest_explains_nothing(content: bytes) -> None:
    """The lines stay as they are."""
    now = {**COMMITTED, NAME: content}
    assert explain(now, COMMITTED) == [f"{NAME}: stale or edited"]


def test_templates_and_runtime_are_part_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another template gives another manifest."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "model.py.jinja").write_bytes(b"{# new #}")
    monkeypatch.setattr(generator.output.manifest, "__file__", str(tmp_path / "manifest.py"))
    manifest = json.loads(make_manifest(DOCUMENT, WRITTEN, BANNER))
    assert manifest["templates"] != MANIFEST["templates"]
    assert manifest["spec"] == MANIFEST["spec"]
