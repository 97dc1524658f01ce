"""Forbidden calls, the bill of materials, and the rights of the workflows."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import subprocess
import sys
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
CODE = (
    "binance_usdm", "generated_client", "generator", "hatch_build.py",
)  # fmt: skip
RULES = ROOT / "tests" / "rules"


# Forbidden calls. semgrep needs a separate environment (`make audit`); its most important rules are
# checked here too, with the same samples.

FORBIDDEN = {
    "lets-httpx-talk": re.compile(
        r"httpx\.(Async)?Client|httpx\.(get|post|request|stream)|.*\.raise_for_status"
    ),
    "runs-what-it-reads": re.compile(
        r"eval|exec|os\.(system|popen)|pickle\.\w+|yaml\.(load|unsafe_load)"
    ),
    "reads-the-wall-clock": re.compile(
        r"time\.time(_ns)?|(\w+\.)*(datetime|dt)\.(now|utcnow|today)"
    ),
}
SECRET = re.compile(r"(?i).*(signature|secret|digest|hmac)\w*(\(.*)?", re.DOTALL)


def breaches(rule: str, source: str) -> Iterator[int]:
    """The lines of a module that break a rule."""
    for node in ast.walk(ast.parse(source)):
        if rule == "compares-a-signature":
            if isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
                sides = [ast.unparse(side) for side in (node.left, *node.comparators)]
                if any(map(SECRET.fullmatch, sides)) and sides != [
                    "api_key",
                    "api_secret",
                ]:  # the caller's own two
                    yield node.lineno
        elif isinstance(node, ast.Call) and FORBIDDEN[rule].fullmatch(ast.unparse(node.func)):
            yield node.lineno


def modules() -> Iterator[Path]:
    yield from sorted(path for name in CODE[:3] for path in (ROOT / name).rglob("*.py"))


def holds(rule: str, path: Path) -> bool:
    """Whether a rule holds for a file: some modules are clocks."""
    # Idle connections notice a clock that jumped; Retry-After may be a date.
    dated = ("pool.py", "origin_pool.py", "_response.py")
    clocks = (
        "mock" in path.parts
        or path.parent.name == "_policy"
        or path.name in ("mock.py", "probe.py", *dated)
    )
    return not (rule == "reads-the-wall-clock" and clocks)


@pytest.mark.promise("S18", "S10", "S12")
@pytest.mark.parametrize("rule", [*FORBIDDEN, "compares-a-signature"])
def test_no_module_makes_a_forbidden_call(rule: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in modules()
        if holds(rule, path)
        for line in breaches(rule, path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize("rule", [*FORBIDDEN, "compares-a-signature"])
def test_a_forbidden_call_is_found_and_a_good_one_is_not(rule: str) -> None:
    bad, good = (
        (RULES / f"{rule}.{kind}.txt").read_text(encoding="utf-8") for kind in ("bad", "good")
    )
    assert set(breaches(rule, bad)) & {
        number for number, line in enumerate(bad.splitlines(), 1) if line.endswith("# bad")
    }
    assert list(breaches(rule, good)) == []


def test_every_rule_of_the_audit_has_a_bad_and_a_good_sample() -> None:
    text = (RULES / "rules.yaml").read_text(encoding="utf-8")
    rules = [rule["id"] for rule in YAML(typ="safe", pure=True).load(text)["rules"]]
    assert len(rules) == len(set(rules)) >= 9
    assert {path.name for path in RULES.glob("*.txt")} == {
        f"{rule}.{kind}.txt" for rule in rules for kind in ("bad", "good")
    }
    for rule in rules:
        assert "# bad\n" in (RULES / f"{rule}.bad.txt").read_text(encoding="utf-8")
        assert "# bad" not in (RULES / f"{rule}.good.txt").read_text(encoding="utf-8")


def bandit(*targets: str) -> list[str]:
    command = [
        sys.executable,
        "-m",
        "bandit",
        "-q",
        "-f",
        "json",
        "-c",
        "pyproject.toml",
        "-r",
        *targets,
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    said = json.loads(done.stdout)
    assert said["errors"] == []
    return [
        f"{found['filename']}:{found['line_number']}: {found['test_id']}"
        for found in said["results"]
    ]


@pytest.mark.promise("S9")
def test_bandit_finds_nothing() -> None:
    assert bandit(*CODE) == []


def test_bandit_would_find_something(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(
        "import requests\nrequests.get('https://example.com', verify=False, timeout=1)\n"
    )
    assert bandit(str(tmp_path)) == [f"{tmp_path}/bad.py:2: B501"]


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
    assert not set(components) & {
        "openapi-python-client",
        "pytest",
        "mypy",
        "bandit",
        "jinja2",
        "binance-usdm",
    }
    for name, one in components.items():
        assert f"\n{name}=={one['version']}" in f"\n{LOCK_TEXT}"
    assert {
        one["properties"][0]["value"] for one in components.values() if "properties" in one
    } == set(PROJECT["project"]["optional-dependencies"])
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
    if not events <= {"push", "pull_request"}:
        yield "is started by more than a push or a pull request"
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
        if publishes and ("environment" not in job or "pull_request" in events):
            yield f"{name}: may publish without an environment, or from a pull request"
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


@pytest.mark.parametrize("name", ["ci.yml", "release.yml"])
def test_a_workflow_has_no_more_rights_than_it_needs(name: str) -> None:
    assert {path.name for path in WORKFLOWS.iterdir()} == {"ci.yml", "release.yml"}
    assert list(faults((WORKFLOWS / name).read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  push:\n", "  pull_request_target:\n  push:\n", "started by more"),
        ("  push:\n", "  workflow_run:\n  push:\n", "started by more"),
        ("  push:\n", "  pull_request:\n  push:\n", "from a pull request"),
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
            "      - run: make audit\n",
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
    assert {".ci/run", "make audit"} <= set(runs)
    assert jobs["publish"]["steps"][-1]["with"]["attestations"] is True
