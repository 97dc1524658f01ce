"""The bill of materials, and the rights of the workflows."""

from __future__ import annotations

import importlib.util
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from ruamel.yaml import YAML

from binance_usdm import __version__
from tests.support.paths import ROOT

PROJECT_TEXT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
PROJECT = tomllib.loads(PROJECT_TEXT)
LOCK_TEXT = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")


# The bill of materials inside the wheel (PEP 770).


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def bill(hook: ModuleType) -> str:
    text: str = hook.bill(PROJECT_TEXT, LOCK_TEXT, __version__, "1700000000")
    return text


def test_the_bill_is_valid_cyclonedx_1_6(bill: str) -> None:
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(bill) is None
    assert validator.validate_str(bill.replace('"required"', '"needed"', 1)) is not None


def test_the_bill_names_what_the_wheel_needs_as_locked(bill: str) -> None:
    document = json.loads(bill)
    assert document["metadata"]["component"]["version"] == __version__
    components = {one["name"]: one for one in document["components"]}
    scopes = {
        scope: {name for name, one in components.items() if one["scope"] == scope}
        for scope in ("required", "optional")
    }
    assert scopes["required"] == {
        "httpx", "attrs", "httptools", "msgspec", "anyio", "certifi", "h11", "httpcore", "idna",
        "typing-extensions",
    }  # fmt: skip
    assert {"cryptography", "uvicorn"} <= scopes["optional"]
    # pytest and jinja2 are there, since schemathesis of the extra `contract` needs them.
    assert not {*components} & {"openapi-python-client", "mypy", "ruff", "binance-usdm"}
    for name, one in components.items():
        assert f"\n{name}=={one['version']}" in f"\n{LOCK_TEXT}"
    extras = {each["value"] for one in components.values() for each in one.get("properties", ())}
    assert extras == {*PROJECT["project"]["optional-dependencies"]}
    refs = {one["bom-ref"] for one in (*components.values(), document["metadata"]["component"])}
    assert {edge["ref"] for edge in document["dependencies"]} == refs
    assert {ref for edge in document["dependencies"] for ref in edge["dependsOn"]} < refs


def test_the_bill_depends_on_nothing_but_the_tree(
    hook: ModuleType, bill: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert hook.bill(PROJECT_TEXT, LOCK_TEXT, __version__, "1700000000") == bill
    other = hook.bill(PROJECT_TEXT, LOCK_TEXT, __version__, "1700000001")
    assert json.loads(other)["serialNumber"] != json.loads(bill)["serialNumber"]
    assert (
        "timestamp"
        not in json.loads(hook.bill(PROJECT_TEXT, LOCK_TEXT, __version__, None))["metadata"]
    )
    assert re.findall(r"https?://[^\"]+|/(?:home|root|tmp|work|usr)/", bill) == [
        "http://cyclonedx.org/schema/bom-1.6.schema.json"
    ]


def test_a_dependency_that_is_not_locked_gives_no_bill(hook: ModuleType) -> None:
    with pytest.raises(KeyError, match="msgspec"):
        hook.bill(
            PROJECT_TEXT, re.sub(r"(?m)^msgspec==", "# msgspec==", LOCK_TEXT), __version__, None
        )


# Workflows: least rights, pinned actions, no foreign text in a shell (OpenSSF Scorecard:
# Token-Permissions, Pinned-Dependencies, Dangerous-Workflow). A job that may publish runs no code
# of the tree.

WORKFLOWS = ROOT / ".github" / "workflows"
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
PUBLISHERS = ("actions/download-artifact@", "pypa/gh-action-pypi-publish@")


def faults(text: str) -> Iterator[str]:
    """What a workflow does that it must not."""
    flow: Any = YAML(typ="safe", pure=True).load(text)  # YAML 1.2: `on` is a text
    events = {flow["on"]} if isinstance(flow["on"], str) else set(flow["on"])
    if not events <= {"push", "pull_request", "schedule"}:
        yield "is started by more than a push, a pull request or a schedule"
    if flow.get("permissions") not in ({}, {"contents": "read"}):
        yield "has rights for every job"
    for used in re.findall(r"^\s*(?:- )?uses:\s*(.+?)\s*$", text, re.MULTILINE):
        if not PINNED.fullmatch(used):
            yield f"{used}: no commit with its version"
    if "${{ secrets." in text:
        yield "reads a secret"
    for name, job in flow["jobs"].items():
        rights = job.get("permissions", {})
        publishes = rights == {"id-token": "write"}
        if not publishes and rights not in ({}, {"contents": "read"}):
            yield f"{name}: has rights that it does not need"
        if publishes and ("environment" not in job or events != {"push"}):
            yield f"{name}: may publish without an environment, or without a push"
        if "timeout-minutes" not in job or "uses" in job or "container" in job:
            yield f"{name}: has no end, or is not here"
        for step in job.get("steps", []):
            action = step.get("uses", "")
            if publishes and not action.startswith(PUBLISHERS):
                yield f"{name}: runs more than the upload"
            if "${{" in step.get("run", ""):
                yield f"{name}: puts an expression into a shell"
            if (
                action.startswith("actions/checkout@")
                and step.get("with", {}).get("persist-credentials") is not False
            ):
                yield f"{name}: leaves the token in the checkout"


@pytest.mark.parametrize("name", ["ci.yml", "contract.yml", "release.yml"])
def test_a_workflow_has_no_more_rights_than_it_needs(name: str) -> None:
    assert {path.name for path in WORKFLOWS.iterdir()} == {"ci.yml", "contract.yml", "release.yml"}
    assert list(faults((WORKFLOWS / name).read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  push:\n", "  pull_request_target:\n  push:\n", "started by more"),
        ("  push:\n", "  workflow_run:\n  push:\n", "started by more"),
        ("  push:\n", "  pull_request:\n  push:\n", "without a push"),
        ("permissions: {}\n", "", "for every job"),
        ("permissions: {}\n", "permissions: write-all\n", "for every job"),
        ("permissions: {}\n", "permissions:\n  id-token: write\n", "for every job"),
        ("      contents: read\n", "      contents: write\n", "does not need"),
        (
            "      contents: read\n",
            "      contents: read\n      id-token: write\n",
            "does not need",
        ),
        (
            "      id-token: write\n",
            "      id-token: write\n      contents: write\n",
            "does not need",
        ),
        ("    environment: pypi\n", "", "without an environment"),
        ("    timeout-minutes: 10\n", "", "no end"),
        ("@9c091bb21b7c1c1d1991bb908d89e4e9dddfe3e0 # v7.0.0", "@v7", "no commit"),
        ("@9c091bb21b7c1c1d1991bb908d89e4e9dddfe3e0", "@9c091bb", "no commit"),
        (" # v1.14.0", "", "no commit"),
        (
            "          persist-credentials: false\n",
            "          fetch-depth: 1\n",
            "leaves the token",
        ),
        (
            "      - run: .ci/run\n",
            "      - run: echo ${{ github.event.head_commit.message }}\n",
            "into a shell",
        ),
        (
            "          attestations: true\n",
            "          password: ${{ secrets.TOKEN }}\n",
            "reads a secret",
        ),
        (
            "          attestations: true\n",
            "          attestations: true\n      - run: make build\n",
            "more than the upload",
        ),
    ],
)
def test_every_fault_of_a_workflow_is_seen(old: str, new: str, said: str) -> None:
    text = (WORKFLOWS / "release.yml").read_text(encoding="utf-8")
    assert old in text
    assert [fault for fault in faults(text.replace(old, new, 1)) if said in fault]


def test_what_is_published_was_checked_and_compared() -> None:
    jobs = YAML(typ="safe", pure=True).load(
        (WORKFLOWS / "release.yml").read_text(encoding="utf-8")
    )["jobs"]
    assert jobs["publish"]["needs"] == "build"
    runs = [step["run"] for step in jobs["build"]["steps"] if "run" in step]
    assert ".ci/run" in runs
    assert jobs["publish"]["steps"][-1]["with"]["attestations"] is True
