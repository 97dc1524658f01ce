"""The command `contract run`: what passes, what fails, and that no output has a secret."""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from binance_usdm.contract import SPEC
from binance_usdm.contract._cases.run_state import Run
from binance_usdm.contract._cases.schemathesis_setup import EDGES
from binance_usdm.contract._cases.small_changes.variant_builder import Builder
from binance_usdm.contract._cases.small_changes.variant_table import iter_variants
from binance_usdm.contract._cases.small_changes.variants import Variant
from binance_usdm.contract._server import server_vs_spec
from binance_usdm.contract._server.account import Account
from binance_usdm.contract._server.sending import Outcome
from binance_usdm.contract._server.session import FreshClock, ServerSession
from binance_usdm.contract._spec.operations import operations
from binance_usdm.mock import (
    DEFAULT_API_KEY,
    DEFAULT_API_SECRET,
    Exchange,
    Reply,
    Switches,
    running,
)

HERE = Path(__file__).parent
YAML_SPEC = HERE.parents[1] / "spec" / "openapi.yaml"
HEX = "0123456789abcdef" * 4
UNLIMITED = Switches(weight_limit=10**9)
# Section, check and operation of what each fault of the wrong server sets off.
FAULTS = {
    "balance is a number": ("response_schema_conformance", "122607.35 is not of type"),
    "last digit not compared": ("a signature with another last digit", "HTTP 200"),
    "recvWindow ignored": ("a timestamp 3000 ms old, window 1000", "HTTP 200"),
    "status without a key": ("no key", "HTTP 400, code -2014; expected: HTTP 401, code -2014"),
    "method answered": ("undeclared_method", "POST: 200"),
}


ACCOUNT = {"BINANCE_API_KEY": DEFAULT_API_KEY, "BINANCE_API_SECRET": DEFAULT_API_SECRET}


def run(
    *arguments: str, env: Mapping[str, str] = ACCOUNT, cwd: Path = HERE
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "binance_usdm", "contract", "run", *arguments],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        encoding="utf-8",
        timeout=900,
        check=False,
    )


@pytest.fixture(scope="module", params=["k", "fake-key-of-the-wrong-server"])
def wrong_server(request: pytest.FixtureRequest) -> Iterator[tuple[str, dict[str, str]]]:
    """URL and account of the wrong server, with keys of two lengths."""
    account = {
        "BINANCE_API_KEY": request.param,
        "BINANCE_API_SECRET": "fake-secret-of-the-wrong-server",
    }
    command = [sys.executable, str(HERE / "wrong_server.py")]
    with subprocess.Popen(
        command, env={**os.environ, **account}, stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().strip(), account
        finally:
            server.terminate()


def test_mock_exchange_passes(tmp_path: Path) -> None:
    """The mock exchange has no finding, the reports agree, and nothing else is written."""
    reports = [tmp_path / f"report{suffix}" for suffix in (".xml", ".json", ".html")]
    options = [word for report in reports for word in ("--report", str(report))]
    done = run("--max-examples", "3", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {*tmp_path.iterdir()} == {*reports}
    suites = ElementTree.parse(reports[0]).getroot()
    assert [suite.get("failures") for suite in suites] == ["0", "0", "0"]
    report = json.loads(reports[1].read_text("utf-8"))
    assert (report["exit_code"], report["is_complete"]) == (0, True)
    assert report["coverage"]["counts"]["operation"] == {"touched": 2, "described": 2}
    assert "nothing found" in reports[2].read_text("utf-8")


def test_every_fault_is_named(wrong_server: tuple[str, dict[str, str]], tmp_path: Path) -> None:
    """Five faults are named in one run, in every report, and no report has a secret."""
    url, account = wrong_server
    reports = [tmp_path / f"report{suffix}" for suffix in (".xml", ".json", ".html")]
    options = [word for report in reports for word in ("--report", str(report))]
    done = run("--url", url, "--max-examples", "3", *options, env=account)
    assert done.returncode == 1, done.stderr
    findings = [
        finding
        for section in json.loads(reports[1].read_text("utf-8"))["sections"]
        for finding in section["findings"]
    ]
    for name, (check, message) in FAULTS.items():
        assert any(
            finding["check"] == check and message in finding["message"] for finding in findings
        ), name
    for text in (done.stdout, done.stderr, *(report.read_text("utf-8") for report in reports)):
        assert account["BINANCE_API_SECRET"] not in text
        assert len(account["BINANCE_API_KEY"]) == 1 or account["BINANCE_API_KEY"] not in text
        assert re.search("[0-9a-f]{60}", text, re.IGNORECASE) is None
    for check, _ in FAULTS.values():
        assert check in done.stdout
        assert all(check in report.read_text("utf-8") for report in reports)


@pytest.mark.parametrize("wrong_server", ["fake-key-of-the-wrong-server"], indirect=True)
def test_finding_is_reproduced(wrong_server: tuple[str, dict[str, str]]) -> None:
    """The command of a finding signs again, sends that case alone, and finds the same."""
    url, account = wrong_server
    done = run("--url", url, "--max-examples", "3", "--seed", "7", env=account)
    commands = re.findall("reproduce with: (.*)", done.stdout)
    assert len(commands) >= len(FAULTS)
    blocks = done.stdout.split("\n\n")
    for check in ("a signature with another last digit", "response_schema_conformance"):
        block = next(block for block in blocks if block.strip().startswith(check))
        [command] = re.findall("reproduce with: (.*)", block)
        words = shlex.split(command)
        assert words[:3] == ["binance-usdm", "contract", "run"]
        assert {"--url", "--seed", "--max-examples"} <= {*words}
        again = run(*words[3:], env=account)
        assert again.returncode == 1, again.stderr
        assert check in again.stdout
        assert len(re.findall("reproduce with: ", again.stdout)) <= 2


def test_echoed_key_is_redacted() -> None:
    """A server that repeats the key in its body does not bring it into the output."""
    exchange = Exchange(switches=UNLIMITED)
    body = b'{"code": -1, "msg": "key %s"}' % DEFAULT_API_KEY.encode()
    exchange.fail(Reply(500, ((b"Content-Type", b"application/json"),), body), times=None)
    with running(exchange) as url:
        done = run("--url", url, "--max-examples", "0")
    assert done.returncode == 1
    assert "key (key)" in done.stdout
    assert DEFAULT_API_KEY not in done.stdout + done.stderr


def test_field_twice_is_named() -> None:
    """A body in which a field comes twice is found, though its last value is right."""
    exchange = Exchange(switches=UNLIMITED)
    body = b'{"code": -1021, "code": -1000, "msg": "no"}'
    exchange.fail(Reply(400, ((b"Content-Type", b"application/json"),), body), times=None)
    with running(exchange) as url:
        done = run("--url", url, "--max-examples", "0")
    assert done.returncode == 1
    assert "repeated_field (GET" in done.stdout
    assert "an object of the body has a field twice" in done.stdout


@pytest.mark.parametrize(("slow_seconds", "status", "count"), [(-1.0, 200, 2), (1e9, 400, 1)])
def test_slow_request_is_tried_again(
    slow_seconds: float, status: int, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a request shows that took too long is tried again, with a new timestamp, and no other."""
    sent: list[Variant] = []

    def send(session: Any, url: str, variant: Variant) -> Outcome:
        sent.append(variant)
        return Outcome(400, -1021, b"") if len(sent) == 1 else Outcome(200, None, b"")

    monkeypatch.setattr(server_vs_spec, "send_variant", send)
    monkeypatch.setattr(server_vs_spec, "SLOW_SECONDS", slow_seconds)
    times = itertools.count(10**12)
    account = Account("fake-key", "fake-secret")
    check = server_vs_spec.ServerCheck(
        SPEC, "http://127.0.0.1:9", account, EDGES, str, now=lambda: next(times)
    )
    [balance] = [operation for operation in operations(SPEC) if operation.id == "balance"]
    now = FreshClock(check.now)
    build = Builder(balance, account.api_key, account.api_secret, now, is_exact=False)
    variant = next(iter_variants(build))
    outcome, last = check.send_in_time(ServerSession(check.url), Run(), balance, variant)
    assert (outcome.status, len(sent), last) == (status, count, sent[-1])
    assert len({each.query for each in sent}) == count


def test_time_budget_ends_in_3() -> None:
    """A run that ends early without a finding says so."""
    done = run("--time-budget", "0.001")
    assert done.returncode == 3, done.stderr
    assert "the time budget ended" in done.stdout


def test_limited_server_ends_the_run() -> None:
    """A server that limits requests is named, instead of a finding for every other case."""
    with running(Exchange(switches=Switches(weight_limit=30))) as url:
        done = run("--url", url)
    assert done.returncode == 1
    assert "--max-per-minute" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "account", "status", "message"),
    [
        (("--url", "http://127.0.0.1:9"), {"BINANCE_API_KEY": ""}, 2, "BINANCE_API_KEY is not set"),
        (
            ("--url", "http://127.0.0.1:9"),
            {"BINANCE_API_SECRET": ""},
            2,
            "BINANCE_API_SECRET is not set",
        ),
        (("--url", "http://127.0.0.1:9"), {}, 1, "no response from http://127.0.0.1:9"),
        (("--url", "https://fapi.binance.com"), {}, 1, "is a host of the exchange"),
        (("--url", "ftp://127.0.0.1"), {}, 2, "must be http://host"),
        (("--spec", "no-such-file"), {}, 2, "--spec: cannot be read"),
        (("--spec", __file__), {}, 2, "--spec: is n"),
        (("--case", "balance/none"), {}, 1, "there is no case balance/none"),
        (("--report", "report.txt"), {}, 2, "must end with .xml"),
    ],
)
def test_wrong_usage_is_explained(
    arguments: tuple[str, ...], account: dict[str, str], status: int, message: str
) -> None:
    done = run(*arguments, env={**ACCOUNT, **account})
    assert (done.returncode, message in done.stderr) == (status, True), done.stderr
    assert "Traceback" not in done.stderr


def test_signature_without_its_name_is_redacted() -> None:
    """A message may quote the value of a signature alone."""
    text = f"was {'0f' * 32}, not {'Ab' * 31}; id {'0f' * 33}"
    redacted = Account("fake-key", "fake-secret").redact(text)
    assert redacted == f"was (signature), not (signature); id {'0f' * 33}"


@pytest.mark.parametrize(
    ("package", "arguments"),
    [
        ("schemathesis", ["run"]),
        ("yaml", ["reply", "-", "--operation", "balance", "--spec", str(YAML_SPEC)]),
    ],
)
def test_missing_extra_is_named(package: str, arguments: list[str]) -> None:
    """Without the extra the command says what is missing and how to install it."""
    program = (
        f"import sys; sys.modules[{package!r}] = None\n"
        "from binance_usdm._cli.main import main\n"
        f"sys.exit(main(['contract', *{arguments!r}]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 1
    hint = "in a clone of the repository, run pip install '.[contract]'"
    assert f"({package} is missing); {hint}" in done.stderr
    assert "Traceback" not in done.stderr


def test_optimized_python_is_rejected() -> None:
    """Without assertions no check could fail."""
    done = run(env={"PYTHONOPTIMIZE": "1"})
    assert done.returncode == 1
    assert "run Python without -O" in done.stderr


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"?signature={HEX}", "?signature=(signature)"),
        (f"signature%3D{HEX.upper()}", "signature%3D(signature)"),
        (f'"signature": "{HEX}"', '"signature": "(signature)"'),
        (f"?signature={HEX[:-2]}", "?signature=(signature)"),
        ("X: fake-key+1", "X: (key)"),
        ("key=fake-key%2B1&a=1", "key=(key)&a=1"),
        ("the fake secret", "the (secret)"),
        ("fake", "fake"),
        ("signature=abc", "signature=abc"),
    ],
)
def test_secrets_are_redacted(text: str, expected: str) -> None:
    assert Account("fake-key+1", "fake secret").redact(text) == expected


@pytest.mark.parametrize("length", [1, 3, 7, 8, 64, 300])
def test_keys_of_any_length_are_redacted(length: int) -> None:
    """A short key is replaced where it stands alone, and not within words."""
    key = ("ZYXWV98765" * 30)[:length]
    text = Account(key, "fake-secret").redact(f"key {key}, a{key}b")
    assert text.startswith("key (key), ")
    assert text.endswith("a(key)b" if length >= 8 else f"a{key}b")
