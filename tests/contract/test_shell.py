"""The contract tests from the shell: what passes, what fails, and that no report has a secret."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from binance_usdm.contract._cases.raw_requests import UNLIMITED
from binance_usdm.contract._spec.document import SPEC
from binance_usdm.contract._spec.operations import operations
from binance_usdm.mock import DEFAULT_API_KEY, DEFAULT_API_SECRET, Exchange, running
from tests.support.paths import ROOT

from .shell.run import exit_status, main, secret_pattern

HEX = "0123456789abcdef" * 4
REPORTS = {"junit.xml", "output.txt", "html/index.html"}
FAKE_KEY = "fake-key-of-a-careless-server"


def run(out: Path, *arguments: str, key: str = DEFAULT_API_KEY) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.contract.shell.run", "--out", str(out), *arguments]
    env = {**os.environ, "BINANCE_API_KEY": key, "BINANCE_API_SECRET": DEFAULT_API_SECRET}
    return subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, encoding="utf-8", timeout=120, check=False
    )


def read_reports(out: Path) -> dict[str, str]:
    files = [file for file in out.rglob("*") if file.is_file()]
    return {str(file.relative_to(out)): file.read_text("utf-8") for file in files}


def assert_no_secret(out: Path, done: subprocess.CompletedProcess[str]) -> None:
    assert {*read_reports(out)} == REPORTS
    for text in (*read_reports(out).values(), done.stdout, done.stderr):
        assert DEFAULT_API_KEY not in text
        assert DEFAULT_API_SECRET not in text
        assert re.search("[0-9a-f]{64}", text) is None


def test_mock_exchange_passes(tmp_path: Path) -> None:
    """All phases run and find nothing, and the reports have no secret."""
    done = run(tmp_path, "--max-examples", "3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout
    assert re.findall(r"✅  (\w+) \(in", done.stdout) == ["Examples", "Coverage", "Fuzzing"]
    suites = ElementTree.parse(tmp_path / "junit.xml").getroot().attrib
    count = str(len(operations(SPEC)))
    assert (suites["tests"], suites["failures"], suites["errors"]) == (count, "0", "0")
    assert_no_secret(tmp_path, done)


def test_invalid_response_fails(tmp_path: Path) -> None:
    """A body that the spec does not allow is reported, without secrets."""
    exchange = Exchange(switches=UNLIMITED)
    exchange.seed("balance", b'[{"accountAlias":"SgsR","asset":"USDT","balance":1.5}]')
    with running(exchange) as url:
        done = run(tmp_path, "--url", url, "--phases", "examples")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1.5 is not of type" in read_reports(tmp_path)["junit.xml"]
    assert "X-MBX-APIKEY: [Filtered]" in done.stdout
    assert_no_secret(tmp_path, done)


def test_unchecked_signature_fails(tmp_path: Path) -> None:
    """A server that accepts any signature fails, and a report with a secret is named."""
    exchange = Exchange(switches=UNLIMITED)
    exchange.add_account(FAKE_KEY, lambda payload, signature: True)
    more = ("--phases", "examples", "--report", "vcr", "--output-sanitize", "false")
    with running(exchange) as url:
        done = run(tmp_path, "--url", url, *more, key=FAKE_KEY)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "a signature with another last digit: 200" in done.stdout
    assert re.search(r"a key, a secret or a signature is in vcr-\w+\.yaml: ", done.stderr)
    assert FAKE_KEY not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("status", "leaks", "expected"),
    [(0, [], 0), (0, ["junit.xml"], 3), (1, ["junit.xml"], 1), (2, [], 2)],
)
def test_leak_has_its_status(status: int, leaks: list[str], expected: int) -> None:
    assert exit_status(status, leaks) == expected


@pytest.mark.parametrize(
    ("text", "is_secret"),
    [
        (f"?signature={HEX}", True),
        (f"signature%3D{HEX.upper()}", True),
        (f'"name": "signature",\n"value": "{HEX}"', True),
        ("X: fake-key", True),
        ("&signature=%5BFiltered%5D", False),
        (f"sha256 {HEX}", False),
        ("fake", False),
        ("signature=abc", False),
    ],
)
def test_secrets_are_found(text: str, is_secret: bool) -> None:
    """A key and a signature are found in any form, and nothing else is."""
    assert bool(secret_pattern(["fake-key"]).search(text)) is is_secret


def test_server_needs_a_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a key in the environment nothing is sent."""
    monkeypatch.delenv("BINANCE_API_KEY", raising=False)
    with pytest.raises(SystemExit) as ended:
        main(["--url", "http://127.0.0.1:9"])
    assert ended.value.code == 2
    expected = "--url needs BINANCE_API_KEY and BINANCE_API_SECRET in the environment"
    assert expected in capsys.readouterr().err
