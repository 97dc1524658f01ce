"""What `mock run` and `mock serve` say at the end: summary, exit code, log and report file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from binance_usdm.mock import DEFAULT_API_KEY, DEFAULT_API_SECRET
from tests.support.command_line import COMMAND, Finished, run
from tests.support.spec_facts import BALANCE_PATH, TIME_PATH

PROGRAM = """
import http.client, os, sys, urllib.parse
host = urllib.parse.urlsplit(os.environ["BINANCE_BASE_URL"]).netloc
connection = http.client.HTTPConnection(host)
for target in sys.argv[1:]:
    connection.request("GET", target, headers={"X-MBX-APIKEY": os.environ["BINANCE_API_KEY"]})
    connection.getresponse().read()
"""
BAD = f"{BALANCE_PATH}?timestamp=1&signature={'0a' * 32}"


def run_program(*targets: str, options: tuple[str, ...] = ()) -> Finished:
    """Run a program that requests some targets and ends with 0."""
    program = [sys.executable, "-S", "-c", PROGRAM, *targets]
    return run("mock", "run", *options, "--", *program)


def test_a_summary_says_what_was_rejected() -> None:
    """The summary counts requests and names each reason once, without key, query and signature."""
    secret_path = f"/{DEFAULT_API_SECRET}/%0Ax"
    done = run_program(TIME_PATH, BAD, BAD, secret_path, options=("--log",))
    assert done.returncode == 0
    *log, first, bad, unknown = done.stderr.splitlines()
    assert first == "mock exchange: 4 requests: 1 accepted, 3 rejected, 0 answered by faults"
    assert bad.startswith("  2 x balance, HTTP 400, code -1021: the timestamp is 1")
    assert bad.endswith(" [request 2]")
    assert unknown == (
        "  1 x GET /(secret)/%0Ax, HTTP 404, code -5000: unknown path or method [request 4]"
    )
    assert [line.split()[:2] for line in log] == [[str(number), "GET"] for number in range(1, 5)]
    assert log[0] == f"   1 GET '{TIME_PATH}' HTTP 200"
    for secret in (DEFAULT_API_KEY, DEFAULT_API_SECRET, "0a0a0a", "timestamp="):
        assert secret not in done.stderr


def test_log_and_summary_name_the_same_reason() -> None:
    """Also for a limit, which is no property of the request."""
    done = run_program(TIME_PATH, TIME_PATH, options=("--log", "--switch", "weight_limit=1"))
    outcome = "HTTP 429, code -1003: too much weight was used in this minute"
    _, limited, _, reason = done.stderr.splitlines()
    assert limited == f"   2 GET '{TIME_PATH}' {outcome}"
    assert reason == f"  1 x server_time, {outcome} [request 2]"


def test_no_request_is_said() -> None:
    """A program that never reached the mock is told apart from one that was accepted."""
    assert run_program().stderr == "mock exchange: no requests\n"


@pytest.mark.parametrize(
    ("targets", "options", "exit_code"),
    [
        ((TIME_PATH,), (), 0),
        ((BAD,), (), 1),
        (("/nowhere",), (), 1),
        ((TIME_PATH,), ("--fault", "waf"), 0),
        (("/nowhere",), ("--fault", "waf:path=/nowhere"), 0),
        (("/nowhere",), ("--fault", "latency:seconds=0"), 1),
        # A fault answers, and the signature would be rejected all the same.
        ((BAD,), ("--fault", "waf"), 1),
        ((BAD,), ("--clock-offset", "10000"), 0),
        ((TIME_PATH,) * 2, ("--switch", "weight_limit=1"), 1),
    ],
)
def test_strict_fails_for_the_unexpected(
    targets: tuple[str, ...], options: tuple[str, ...], exit_code: int
) -> None:
    """With --strict, rejections that no fault and no set clock explains end with 1."""
    assert run_program(*targets, options=("--strict", *options)).returncode == exit_code


def test_the_programs_failure_is_kept() -> None:
    """The exit code of a program that failed is not replaced."""
    script = f"{sys.executable} -S -c '{PROGRAM}' /nowhere; exit 7"
    assert run("mock", "run", "--strict", "--", "sh", "-c", script).returncode == 7


def test_a_report_is_json_or_junit(tmp_path: Path) -> None:
    """The suffix of --report chooses the format; both have every reason."""
    targets = (TIME_PATH, TIME_PATH, BAD, "/nowhere?&<")
    report = tmp_path / "verdict.json"
    run_program(*targets, options=("--report", str(report)))
    value = json.loads(report.read_text(encoding="utf-8"))
    assert (value["requests"], value["rejected"], value["unexpected"]) == (4, 2, 2)
    assert value["answered"] == {"server_time": 2}
    assert [(entry["target"], entry["count"]) for entry in value["rejections"]] == [
        ("balance", 1),
        ("GET /nowhere", 1),
    ]
    report = tmp_path / "verdict.xml"
    run_program(*targets, options=("--report", str(report)))
    (suite,) = ElementTree.parse(report).getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("3", "2")
    failures = {case.get("name"): case.find("failure") for case in suite.iter("testcase")}
    assert failures.keys() == {"server_time", "balance", "GET /nowhere"}
    assert failures["server_time"] is None
    failure = failures["GET /nowhere"]
    assert failure is not None
    assert "unknown path or method" in str(failure.get("message"))


def test_a_report_that_cannot_be_written_is_wrong_usage(tmp_path: Path) -> None:
    """A wrong suffix and a missing folder are found before the program is run."""
    for name in ("verdict.txt", "missing/verdict.json"):
        done = run_program(options=("--report", str(tmp_path / name)))
        assert (done.returncode, done.stderr.count("argument --report")) == (2, 1)
    done = run("mock", "serve", "--workers", "2", "--strict")
    assert (done.returncode, "need one process" in done.stderr) == (2, True)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    report = str(tmp_path / "verdict.json")
    command = [*COMMAND, "mock", "serve", "--port", "0", "--admin", "--strict", "--report", report]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as server:
        yield server
        server.kill()


def test_a_server_ends_with_its_verdict(served: subprocess.Popen[str], tmp_path: Path) -> None:
    """`mock serve` reports at SIGTERM, also what was rejected before a reset."""
    assert served.stderr is not None
    url = ""
    while not url:
        line = served.stderr.readline()
        assert line, "the server did not start"
        url = line.partition("BINANCE_BASE_URL=")[2].strip()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with pytest.raises(urllib.error.HTTPError):
        opener.open(f"{url}/nowhere")
    reset = urllib.request.Request(
        f"{url}/__admin/reset", b"{}", {"Content-Type": "application/json"}
    )
    opener.open(reset).close()
    served.send_signal(signal.SIGTERM)
    assert served.wait(20) == 1
    assert "1 x GET /nowhere, HTTP 404" in served.stderr.read()
    assert json.loads((tmp_path / "verdict.json").read_text())["requests"] == 1
