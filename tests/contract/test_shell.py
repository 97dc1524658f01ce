"""The contract tests from the shell: a sound server passes, a broken one does not, and nothing that they write holds a secret."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from binance_usdm.mock import DEFAULT_API_KEY, DEFAULT_API_SECRET, Exchange, running
from tests.support.paths import ROOT

from .raw_requests import BOUNDLESS
from .shell.run import ending, main, secrets_of

HEX = "0123456789abcdef" * 4
REPORTS = {"junit.xml", "output.txt", "html/index.html"}


def run(out: Path, *arguments: str, key: str = DEFAULT_API_KEY) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.contract.shell.run", "--out", str(out), *arguments]
    env = {**os.environ, "BINANCE_API_KEY": key, "BINANCE_API_SECRET": DEFAULT_API_SECRET}
    return subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, encoding="utf-8", timeout=120, check=False
    )


def files(out: Path) -> dict[str, str]:
    return {
        str(file.relative_to(out)): file.read_text("utf-8")
        for file in out.rglob("*")
        if file.is_file()
    }


def assert_clean(out: Path, *told: str) -> None:
    for text in (*files(out).values(), *told):
        assert DEFAULT_API_KEY not in text
        assert DEFAULT_API_SECRET not in text
        assert re.search("[0-9a-f]{64}", text) is None


def test_the_mock_exchange_passes_all_phases_and_leaves_clean_reports(tmp_path: Path) -> None:
    done = run(tmp_path, "--max-examples", "3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout
    assert re.findall(r"✅  (\w+) \(in", done.stdout) == ["Examples", "Coverage", "Fuzzing"]
    assert {*files(tmp_path)} == REPORTS
    suites = ElementTree.parse(tmp_path / "junit.xml").getroot().attrib
    assert (suites["tests"], suites["failures"], suites["errors"]) == ("2", "0", "0")
    assert_clean(tmp_path, done.stdout, done.stderr)


def test_a_broken_reply_is_a_failure_and_its_reports_are_clean(tmp_path: Path) -> None:
    exchange = Exchange(switches=BOUNDLESS)
    exchange.seed("balance", b'[{"accountAlias":"SgsR","asset":"USDT","balance":1.5}]')
    with running(exchange) as url:
        done = run(tmp_path, "--url", url, "--phases", "examples")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1.5 is not of type" in files(tmp_path)["junit.xml"]
    assert "X-MBX-APIKEY: [Filtered]" in done.stdout
    assert {*files(tmp_path)} == REPORTS
    assert_clean(tmp_path, done.stdout, done.stderr)


def test_a_server_that_takes_any_signature_fails_and_a_leak_is_told(tmp_path: Path) -> None:
    exchange = Exchange(switches=BOUNDLESS)
    exchange.add_account("made-up-key-of-the-trusting", lambda payload, signature: True)
    more = ("--phases", "examples", "--report", "vcr", "--output-sanitize", "false")
    with running(exchange) as url:
        done = run(tmp_path, "--url", url, *more, key="made-up-key-of-the-trusting")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "a signature with another last digit: 200" in done.stdout
    assert re.search(r"a key, a secret or a signature shows in vcr-\w+\.yaml: ", done.stderr)
    assert "made-up-key-of-the-trusting" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("found", "leaks", "status"),
    [(0, [], 0), (0, ["junit.xml"], 3), (1, ["junit.xml"], 1), (2, [], 2)],
)
def test_a_leak_is_a_failure_of_its_own(found: int, leaks: list[str], status: int) -> None:
    assert ending(found, leaks) == status


@pytest.mark.parametrize(
    "text",
    [
        f"?signature={HEX}",
        f"signature%3D{HEX.upper()}",
        f'"name": "signature",\n"value": "{HEX}"',
        "X: made-up-key",
    ],
)
def test_a_secret_is_found_in_any_form(text: str) -> None:
    assert secrets_of(["made-up-key"]).search(text)


@pytest.mark.parametrize(
    "text", ["&signature=%5BFiltered%5D", f"sha256 {HEX}", "made-up", "signature=abc"]
)
def test_what_is_no_secret_is_let_be(text: str) -> None:
    assert secrets_of(["made-up-key"]).search(text) is None


def test_a_server_of_ones_own_needs_a_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("BINANCE_API_KEY", raising=False)
    with pytest.raises(SystemExit) as ended:
        main(["--url", "http://127.0.0.1:9"])
    assert ended.value.code == 2
    assert (
        "--url needs BINANCE_API_KEY and BINANCE_API_SECRET in the environment"
        in capsys.readouterr().err
    )
