"""The command `contract reply`: what deviates is named, and no value is shown."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from binance_usdm.contract import SPEC, RecordedReply, find_deviations
from binance_usdm.contract._recorded.json_form import deviation_from_json, deviation_to_json
from binance_usdm.contract._recorded.proposal import propose_document
from binance_usdm.contract._spec.operations import operations
from generator.changes.compare.specs import compare
from tests.support.spec_facts import BALANCE_PATH

BALANCE = next(operation for operation in operations(SPEC) if operation.id == "balance")
ROW = BALANCE.richest_example[0]
JSON = {"Content-Type": "application/json; charset=utf-8"}
PATTERN = "balance 200: out of pattern [].balance: "
SECRET = "QmZtRkWpXsLnVbCd"


def reply(value: Any, status: int = 200, headers: dict[str, str] = JSON) -> RecordedReply:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return RecordedReply("GET", BALANCE_PATH, status, headers, body)


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in ROW.items() if key != name}


# A response, and the one deviation that it has.
DEVIATIONS: dict[str, tuple[RecordedReply, str]] = {
    "unknown": (reply([{**ROW, "new": "1.5"}]), "unknown field [].new: decimal string"),
    "hidden": (reply([{**ROW, ROW["asset"]: "1.5"}]), "unknown field [].*: decimal string"),
    "hidden key": (reply([{**ROW, "K" * 64: "1.5"}]), "unknown field [].*: decimal string"),
    "unknown object": (reply([{**ROW, "new": {"a": 1}}]), "unknown field [].new: object"),
    "missing": (reply([without("asset")]), "missing field [].asset: required"),
    "number": (reply([{**ROW, "balance": 1.5}]), "other type [].balance: number, not string"),
    "integer": (reply([{**ROW, "balance": 1}]), "other type [].balance: integer, not string"),
    "boolean": (
        reply([{**ROW, "marginAvailable": "true"}]),
        "other type [].marginAvailable: string of a boolean, not boolean",
    ),
    "null": (reply([{**ROW, "balance": None}]), "null [].balance: null, not string"),
    "empty": (reply([{**ROW, "balance": ""}]), "out of pattern [].balance: empty string, not "),
    "comma": (reply([{**ROW, "balance": "1,5"}]), "out of pattern [].balance: string, not "),
    "range": (reply([{**ROW, "updateTime": -1}]), "out of range [].updateTime: below it, not 0 to"),
    "large": (reply([{**ROW, "updateTime": 2**63}]), "out of range [].updateTime: above it, not 0"),
    "object": (reply({"rows": [ROW]}), "other type: object, not array"),
    "newline": (reply([{**ROW, "balance": "1.0\n"}]), "out of pattern [].balance: "),
    "page": (reply(b"<html>"), "not JSON: another body, not JSON"),
    "nothing": (reply(b""), "not JSON: an empty body, not JSON"),
    "media type": (reply(b"<html>", headers={"content-type": "text/html"}), "unknown media type: "),
    "odd media type": (
        reply(b"<html>", headers={"content-type": f"a/b\x1b{SECRET}"}),
        "unknown media type: another one, not application/json",
    ),
    "status": (reply({}, status=206), "unknown status: 206, not 200, 400, "),
    "code": (reply({"code": -4999, "msg": SECRET}, status=400), "unknown code: -4999"),
    "code in 200": (reply({"code": -4999, "msg": SECRET}), "unknown code: -4999"),
}


WITHOUT_PROPOSAL = ("page", "nothing", "media type", "odd media type")


@pytest.mark.parametrize("name", DEVIATIONS)
def test_deviation_is_named(name: str) -> None:
    """A response deviates in one place, which is named with its kind, and without its value."""
    recorded, expected = DEVIATIONS[name]
    [deviation] = find_deviations(SPEC, [recorded])
    text = str(deviation)
    assert text.startswith(f"balance {recorded.status}: {expected}")
    for value in (SECRET, ROW["balance"], "1,5", "<html>", "-1,"):
        assert value not in text.replace(expected, "")


@pytest.mark.parametrize("name", [name for name in DEVIATIONS if name not in WITHOUT_PROPOSAL])
def test_proposal_describes_the_response(name: str) -> None:
    """The proposed document describes what deviated, and nothing else changes."""
    recorded, _ = DEVIATIONS[name]
    before = copy.deepcopy(SPEC)
    proposed = propose_document(SPEC, find_deviations(SPEC, [recorded]))
    assert before == SPEC
    assert find_deviations(proposed, [recorded]) == []
    assert find_deviations(proposed, [reply(each) for each in BALANCE.examples]) == []
    removed = {"components": 0, "paths": 0, "x-error-codes": 0}
    assert {**proposed, **removed} == {**SPEC, **removed}


@pytest.mark.parametrize(
    ("name", "rule", "subject"),
    [
        ("unknown", "field-added-optional", "AccountBalance.new"),
        ("missing", "field-optional", "AccountBalance.asset"),
        ("null", "field-nullable", "AccountBalance.balance"),
    ],
)
def test_proposal_is_compared(name: str, rule: str, subject: str) -> None:
    """What the generator says of the proposal is the change that was seen, and no other."""
    recorded, _ = DEVIATIONS[name]
    proposed = propose_document(SPEC, find_deviations(SPEC, [recorded]))
    assert [(each.rule, each.subject) for each in compare(SPEC, proposed)] == [(rule, subject)]


def test_examples_do_not_deviate() -> None:
    """Every example of every operation is described, as are the errors of known codes."""
    replies = [
        RecordedReply(each.method, each.sample_path, 200, JSON, body.encode())
        for each in operations(SPEC)
        for body in each.example_bodies
    ]
    assert len(replies) >= 4
    replies += [reply({"code": int(code), "msg": "x"}, 400) for code in SPEC["x-error-codes"]]
    assert find_deviations(SPEC, replies) == []


def test_equal_deviations_are_counted() -> None:
    rows = [{**ROW, "new": 1}, {**ROW, "new": 2}, {**ROW, "new": "x"}]
    texts = [str(each) for each in find_deviations(SPEC, [reply(rows), reply(rows)])]
    assert texts == [
        "balance 200: unknown field [].new: integer, 4 times",
        "balance 200: unknown field [].new: string, 2 times",
    ]


def run(*arguments: str, source: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "binance_usdm", "contract", "reply", *arguments],
        input=source,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def test_files_are_read(tmp_path: Path) -> None:
    """A HAR file and a script give the same as their bodies, and a good one exits with 0."""
    content = {"mimeType": "application/json", "text": json.dumps([{**ROW, "new": SECRET}])}
    entry = {
        "request": {"method": "GET", "url": f"https://fapi.binance.com{BALANCE_PATH}?timestamp=1"},
        "response": {"status": 200, "headers": [], "content": content},
    }
    har, body = tmp_path / "recorded.har", tmp_path / "body.json"
    har.write_text(json.dumps({"log": {"version": "1.2", "entries": [entry]}}), encoding="utf-8")
    body.write_text(content["text"], encoding="utf-8")
    expected = "balance 200: unknown field [].new: string\n"
    done = run(str(har))
    assert (done.returncode, done.stdout) == (1, expected), done.stderr
    done = run(str(body), "--operation", "balance")
    assert (done.returncode, done.stdout) == (1, expected), done.stderr
    script = tmp_path / "script.json"
    row = {"method": "GET", "path": BALANCE_PATH, "status": 200, "headers": []}
    script.write_text(json.dumps([{**row, "body": json.dumps([ROW])}]), encoding="utf-8")
    done = run(str(script))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "1 responses: no deviation" in done.stderr


def test_json_and_proposal(tmp_path: Path) -> None:
    """The deviations as JSON have a pointer into the spec, and the proposal is a document."""
    proposal = tmp_path / "proposal.json"
    options = ("--operation", "balance", "--json", "--proposal", str(proposal))
    done = run("-", *options, source=json.dumps([{**ROW, "new": 1}]))
    [deviation] = json.loads(done.stdout)
    assert deviation["pointer"] == "components/schemas/AccountBalance"
    assert (deviation["kind"], deviation["place"], deviation["count"]) == (
        "unknown field",
        "[].new",
        1,
    )
    fields = json.loads(proposal.read_text("utf-8"))["components"]["schemas"]["AccountBalance"]
    assert fields["properties"]["new"]["type"] == "integer"


def test_no_extra_is_needed() -> None:
    """Recorded responses are compared without the extra `contract`."""
    program = (
        "import sys; sys.modules.update(dict.fromkeys(['schemathesis', 'jsonschema_rs', 'yaml']))\n"
        "from binance_usdm._cli.main import main\n"
        "sys.exit(main(['contract', 'reply', '-', '--operation', 'balance']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps([{**ROW, "new": SECRET}]),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "balance 200: unknown field [].new: string\n")


@pytest.mark.parametrize("name", DEVIATIONS)
def test_json_is_read_again(name: str) -> None:
    """A deviation is the same after it was written as JSON and read."""
    for deviation in find_deviations(SPEC, [DEVIATIONS[name][0]]):
        fields = json.loads(json.dumps(deviation_to_json(deviation)))
        assert deviation_from_json(SPEC, fields) == deviation


@pytest.mark.parametrize(
    "change",
    [
        {"pointer": "components/schemas/None/x"},
        {"pointer": "openapi"},
        {"pointer": 1},
        {"count": "1"},
        {"place": "\x1b[2J"},
    ],
)
def test_report_of_somebody_else_is_checked(change: dict[str, Any], tmp_path: Path) -> None:
    """A report that is no report of this spec is rejected, and not printed."""
    [deviation] = find_deviations(SPEC, [DEVIATIONS["unknown"][0]])
    rows = [{**deviation_to_json(deviation), **change}]
    path, proposal = tmp_path / "report.json", tmp_path / "proposal.json"
    findings = [{"check": "contract", "facts": {"deviations": rows}}]
    path.write_text(json.dumps({"findings": findings}), encoding="utf-8")
    done = run(str(path), "--proposal", str(proposal))
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert "report.json: a deviation " in done.stderr
    assert "\x1b" not in done.stderr
    assert not proposal.exists()


@pytest.mark.parametrize(
    ("arguments", "source", "status", "message"),
    [
        (("-",), "[]", 2, "for a body give its --operation"),
        (("-", "--operation", "none"), "[]", 2, "expected one of: balance, server-time"),
        (("no-such-file",), "", 1, "no-such-file cannot be read"),
        (("-",), '{"findings": [1]}', 1, "must be what doctor --contract --json prints"),
        (("-",), '{"log": {"secret": "' + SECRET + '"}}', 1, "must be a HAR 1.2 file"),
        (("-", "--operation", "balance", "--status", "99"), "[]", 2, "from 100 to 599"),
    ],
)
def test_wrong_usage_is_explained(
    arguments: tuple[str, ...], source: str, status: int, message: str
) -> None:
    done = run(*arguments, source=source)
    assert (done.returncode, message in done.stderr) == (status, True), done.stderr
    assert SECRET not in done.stderr
    assert "Traceback" not in done.stderr
