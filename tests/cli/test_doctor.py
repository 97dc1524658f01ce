"""`binance-usdm doctor`: each verdict of each check, and no secret in any report.

The mock exchange responds over real sockets.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import logging
import os
import re
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import unquote

import pytest
import time_machine
import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from binance_usdm import DEMO, MAINNET
from binance_usdm._cli.doctor.checks import CHECKS
from binance_usdm._cli.doctor.findings import judge_clock_offset
from binance_usdm._cli.main import main
from binance_usdm._http.connections.tls import tls_context
from binance_usdm.mock import Exchange, Reply, Switches, running
from binance_usdm.mock.core.response import error_response
from tests.support.raw_server import (
    READ,
    READ_FIRST_BYTE,
    STAY_SILENT,
    RawServer,
    Script,
    repeat,
    response_bytes,
)
from tests.support.spec_facts import BALANCE_PATH, BALANCE_WEIGHT, HOST_BY_ENVIRONMENT, TIME_WEIGHT

KEY, SECRET = "KeyCanary618033".ljust(64, "k"), "SecretCanary141421".ljust(64, "s")
OTHER_KEY, OTHER_SECRET, SHORT = (
    "OtherKeyCanary".ljust(64, "q"),
    "OtherSecretCanary".ljust(64, "r"),
    "ShortCanary173205",
)
ALIAS, AMOUNT, ADDRESS, GATEWAY, PROXY = (
    "AliasCanary577",
    "2718281.82845905",
    "203.0.113.77",
    "HostCanary",
    "ProxyCanary",
)
ROW = {
    "accountAlias": ALIAS,
    "asset": "USDT",
    **dict.fromkeys(
        ("balance", "crossWalletBalance", "crossUnPnl", "availableBalance", "maxWithdrawAmount"),
        AMOUNT,
    ),
    "marginAvailable": True,
    "updateTime": 0,
}
IPS = re.compile(r"(?<![\d.])\d{1,3}(\.\d{1,3}){3}(?![\d.])|::1")
NAMES = list(CHECKS)
MAINNET_HOST, DEMO_HOST = (
    HOST_BY_ENVIRONMENT["production"],
    HOST_BY_ENVIRONMENT["demo"],
)
WEIGHT = 4 * TIME_WEIGHT + BALANCE_WEIGHT
BANNED = "HTTP 418, code -1003: this IP address is banned Send nothing before the ban ends, at 2"
Answer = Callable[[bytes], bytes]


class Report(NamedTuple):
    """One run: what it printed, and the findings by name where that was JSON."""

    code: int
    text: str
    findings: dict[str, Any]

    def verdicts(self) -> list[str]:
        """Return the verdicts of the checks, without the one of installed versions."""
        findings = [self.findings[name] for name in self.findings if name != "dependencies"]
        return [finding["verdict"] for finding in findings]

    def text_of(self, check: str) -> str:
        return f"{self.findings[check]['summary']} {self.findings[check]['advice']}"


class DoctorHarness:
    """Runs the doctor and checks that no output contains a secret."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        caplog: pytest.LogCaptureFixture,
        exchange: Exchange,
        folder: Path,
    ) -> None:
        self._patch, self._capsys, self._caplog, self._exchange, self._folder = (
            monkeypatch,
            capsys,
            caplog,
            exchange,
            folder,
        )

    def run(self, *arguments: str, **environment: str | None) -> Report:
        for name, value in environment.items():
            self._patch.delenv(name, raising=False) if value is None else self._patch.setenv(
                name, value
            )
        code = main(["doctor", *arguments])
        out, err = self._capsys.readouterr()
        self.assert_no_secret(out + err)
        self.assert_no_secret(
            "".join(f"{record.getMessage()} {record.args}" for record in self._caplog.records)
        )
        findings = json.loads(out)["findings"] if "--json" in arguments else []
        return Report(code, out, {finding["check"]: finding for finding in findings})

    def print(self, *arguments: str) -> tuple[int, list[str]]:
        """Run another command; return its exit code and lines."""
        code = main([*arguments])
        out, err = self._capsys.readouterr()
        self.assert_no_secret(out + err)
        return code, out.splitlines()

    def assert_no_secret(self, output: str) -> None:
        signatures = [
            unquote(dict(request.query).get("signature", "Canary"))
            for request in self._exchange.requests
        ]
        secret = ("Canary", AMOUNT, ADDRESS, str(self._folder), *signatures)
        assert not [word for word in secret if word.lower() in unquote(output).lower()]
        shown = " ".join(output.split()).replace("(127.0.0.1, ::1, localhost)", "")
        assert not IPS.search(shown), "the addresses in the help are not secret"

    def json(self, *arguments: str, **environment: str | None) -> Report:
        """As JSON, after the same as text, which must come to the same verdicts."""
        text = self.run(*arguments, **environment)
        report = self.run("--json", *arguments)
        lines = [line.split()[:2] for line in text.text.splitlines() if not line.startswith(" ")][
            1:-1
        ]
        assert lines == [[finding["verdict"], name] for name, finding in report.findings.items()]
        assert text.code == report.code == ("problem" in report.verdicts())
        return report


@pytest.fixture
def exchange() -> Exchange:
    made = Exchange(api_key=KEY, api_secret=SECRET, switches=Switches(caller_ip=ADDRESS))
    made.seed("balance", [ROW])
    return made


@pytest.fixture
def doctor(
    exchange: Exchange,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> DoctorHarness:
    """In an environment of the test's own, without a network."""
    for name in [*os.environ]:
        if name.startswith(("BINANCE_", "SSL_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("BINANCE_API_KEY", KEY)
    monkeypatch.setenv("BINANCE_API_SECRET", SECRET)
    hosts(monkeypatch)
    caplog.set_level(logging.DEBUG)
    return DoctorHarness(monkeypatch, capsys, caplog, exchange, tmp_path)


def hosts(
    monkeypatch: pytest.MonkeyPatch, ports: Mapping[str, int] = MappingProxyType({})
) -> list[str]:
    """Resolve the given host names to ports of this machine, and no others.

    Returns the other names that were looked up.
    """
    asked = list[str]()
    ask = socket.getaddrinfo

    def answer(host: str, port: int, *arguments: Any, **options: Any) -> Any:
        if host in ports:
            host, port = "127.0.0.1", ports[host]
        elif host != "127.0.0.1":
            asked.append(host)
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return ask(host, port, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return asked


def answering(exchange: Exchange) -> Answer:
    """One request's head -> the exchange's reply, as bytes."""

    def answer(head: bytes) -> bytes:
        line, *fields = head.rstrip().split(b"\r\n")
        method, target, _ = line.split(b" ")
        pairs = [(name, value) for name, _, value in (field.partition(b": ") for field in fields)]
        came = exchange.handle(method.decode(), target, pairs)
        headers = [name + b": " + value for name, value in came.headers]
        return response_bytes(came.body, *headers, status=f"{came.status} X")

    return answer


@pytest.fixture
def url(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The exchange on a port of this machine, as BINANCE_BASE_URL."""
    with RawServer(repeat(READ, answering(exchange))) as server:
        monkeypatch.setenv("BINANCE_BASE_URL", server.url)
        yield server.url


@contextlib.contextmanager
def secured(
    monkeypatch: pytest.MonkeyPatch,
    *scripts: Script,
    names: tuple[str, ...] = (MAINNET_HOST, DEMO_HOST),
    trusted: bool = True,
    alone: bool = False,
    **dates: datetime,
) -> Iterator[None]:
    """Run a server at the exchange's names, with a certificate for `names`.

    With `alone` it has the self-signed certificate of an authority.
    """
    authority, settings = (
        trustme.CA(organization_name="Test Authority"),
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER),
    )
    if alone:
        with trustme.Blob(
            authority.private_key_pem.bytes() + authority.cert_pem.bytes()
        ).tempfile() as chain:
            settings.load_cert_chain(chain)
    else:
        authority.issue_cert(*names, **dates).configure_cert(settings)  # type: ignore[arg-type]
    with (
        RawServer(*scripts, tls=settings) as server,
        (authority if trusted else trustme.CA()).cert_pem.tempfile() as pem,
    ):
        monkeypatch.setenv("SSL_CERT_FILE", pem)
        hosts(monkeypatch, {MAINNET_HOST: server.port, DEMO_HOST: server.port})
        tls_context.cache_clear()
        yield
    tls_context.cache_clear()


# the whole


@pytest.mark.promise("S1", "S3")
def test_a_healthy_setup_has_no_problem(
    doctor: DoctorHarness, exchange: Exchange, url: str
) -> None:
    report = doctor.run("--json")
    assert (report.code, report.verdicts()) == (0, ["ok"] * 6)
    assert [request.operation for request in exchange.requests] == ["server_time"] * 4 + ["balance"]
    assert exchange.used_weight == WEIGHT, "as documented"
    assert report.findings["signed_call"]["facts"] == {
        "timed_by": "this machine",
        "rows": 1,
        "used_weight": WEIGHT,
    }
    text = doctor.run()
    assert (text.code, text.text.splitlines()[-1]) == (0, "No problem was found.")
    assert re.search(
        r"^ +timestamp = \d{13}  \(when .*\n +signature = <64 hex characters>  \(",
        text.text,
        re.MULTILINE,
    )


def test_over_tls_it_says_what_was_agreed(
    doctor: DoctorHarness, exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    with secured(monkeypatch, repeat(READ, answering(exchange))):
        report = doctor.json()
        demo = doctor.run("--demo", "--json")
    assert report.verdicts() == ["ok"] * 6
    facts = report.findings["reachable"]["facts"]
    assert (facts["tls"], facts["issuer"], facts["step"]) == ("TLSv1.3", "Test Authority", "done")
    assert facts["certificate_days"] > 0
    assert report.text_of("base_url").startswith("production")
    assert demo.text_of("base_url").startswith("demo, from --base-url")


def test_the_json_has_promised_names_and_plain_values(doctor: DoctorHarness, url: str) -> None:
    report = json.loads(doctor.run("--json").text)
    assert list(report) == ["version", "python", "system", "problems", "findings"]
    assert NAMES == [
        "credentials", "base_url", "reachable", "clock", "signed_call", "signature",
        "dependencies",
    ]  # fmt: skip
    assert [finding["check"] for finding in report["findings"]] == NAMES
    for finding in report["findings"]:
        assert list(finding) == ["check", "verdict", "summary", "advice", "facts", "cause"]
        assert finding["verdict"] in {"ok", "warning", "problem", "skipped"}
        assert all(isinstance(finding[name], str) for name in ("summary", "advice"))
        assert isinstance(finding["facts"], dict)
        assert "\n" not in finding["summary"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--recv-window", "0"),
        ("--recv-window", "x"),
        ("--timeout", "0"),
        ("--base-url", "http://x.example"),
        ("--base-url", "https://x.example", "--demo"),
    ],
)
def test_wrong_usage_is_2(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", *arguments]) == 2
    assert capsys.readouterr().out == ""


# credentials

PEM = "-----BEGIN PRIVATE KEY-----\nPemCanary\n-----END PRIVATE KEY-----\n"


@pytest.mark.promise("S1", "S16")
@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"BINANCE_API_KEY": None}, "BINANCE_API_KEY is not set"),
        ({"BINANCE_API_KEY": ""}, "BINANCE_API_KEY is not set"),
        ({"BINANCE_API_SECRET": None}, "BINANCE_API_SECRET is not set"),
        ({"BINANCE_API_PRIVATE_KEY": PEM},
         "BINANCE_API_SECRET and BINANCE_API_PRIVATE_KEY are set; set only one of them"),
        ({"BINANCE_API_KEY": f" {KEY}"}, "BINANCE_API_KEY contains a space"),
        ({"BINANCE_API_SECRET": f'"{SECRET}"'}, "BINANCE_API_SECRET contains a quotation mark"),
        ({"BINANCE_API_SECRET": PEM}, "BINANCE_API_SECRET holds PEM text"),
        ({"BINANCE_API_KEY": PEM, "BINANCE_API_SECRET": f"{SECRET}\n"},
         "holds PEM text; BINANCE_API_SECRET contains a space"),
        ({"BINANCE_API_KEY": "K K", "BINANCE_API_SECRET": None},
         "contains a space or a newline; copy it again; the env"),
        ({"BINANCE_API_SECRET": KEY}, "BINANCE_API_KEY and BINANCE_API_SECRET are equal"),
        ({"BINANCE_API_SECRET": None, "BINANCE_API_PRIVATE_KEY": PEM}, "cannot be parsed"),
        ({"BINANCE_API_SECRET": None, "BINANCE_API_PRIVATE_KEY_FILE": "/home/UserCanary/x.pem"},
         "No such file"),
    ],
)  # fmt: skip
def test_unusable_credentials_are_a_problem_and_nothing_is_signed(
    doctor: DoctorHarness,
    exchange: Exchange,
    url: str,
    environment: dict[str, str | None],
    said: str,
) -> None:
    report = doctor.json(**environment)
    assert said in report.text_of("credentials")
    assert report.verdicts() == ["problem", "ok", "ok", "ok", "skipped", "skipped"]
    assert report.text_of("signed_call") == "fix credentials first "
    assert {request.operation for request in exchange.requests} == {"server_time"}


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"BINANCE_API_KEY": SHORT}, "BINANCE_API_KEY has 17 characters, real ones have 64"),
        ({"BINANCE_API_SECRET": SHORT}, "BINANCE_API_SECRET has 17 characters, real ones have 64"),
        (
            {"BINANCE_API_PRIVATE_KEY_PASSWORD": SHORT},
            "BINANCE_API_PRIVATE_KEY_PASSWORD is set and not used",
        ),
    ],
)
def test_odd_credentials_are_a_warning_except_for_a_mock(
    doctor: DoctorHarness, environment: dict[str, str | None], said: str
) -> None:
    report = doctor.json(**environment)
    assert report.findings["credentials"]["verdict"] == "warning"
    assert said in report.text_of("credentials")
    mock = doctor.run("--json", "--base-url", "http://127.0.0.1:1")
    assert mock.findings["credentials"]["verdict"] == "ok"
    assert said in mock.text_of("credentials")


def test_which_variables_are_set_is_told_by_name(doctor: DoctorHarness, url: str) -> None:
    facts = doctor.run("--json", BINANCE_API_PRIVATE_KEY="").findings["credentials"]["facts"]
    assert facts == {
        "set": ["BINANCE_API_KEY", "BINANCE_API_SECRET", "BINANCE_BASE_URL"],
        "empty": ["BINANCE_API_PRIVATE_KEY"],
        "lengths": dict.fromkeys(
            ("BINANCE_API_KEY", "BINANCE_API_SECRET"), "64 characters, as real ones have"
        ),
        "kind": "HMAC",
    }


# base URL


@pytest.mark.parametrize(
    ("base_url", "verdict", "said"),
    [
        (f"http://{MAINNET_HOST}", "problem", "BINANCE_BASE_URL must be https"),
        (f"{MAINNET}{BALANCE_PATH}", "problem", "must not contain /fapi/..."),
        (MAINNET_HOST, "problem", "BINANCE_BASE_URL must look like"),
        (f"https://me:{PROXY}@{MAINNET_HOST}", "problem", "BINANCE_BASE_URL must look like"),
        ("https://api.binance.com", "problem", "api.binance.com is the spot API"),
        ("https://api3.binance.com", "problem", "the spot API"),
        ("https://testnet.binance.vision", "problem", "the spot API"),
        ("https://dapi.binance.com", "problem", "the COIN-M futures API"),
        ("https://ws-fapi.binance.com/ws-fapi/v1", "problem", "a WebSocket host"),
        ("https://testnet.binancefuture.com", "warning", "the old test network"),
        (f"https://{GATEWAY}.example/{PROXY}", "warning", "left out here, with a path prefix"),
        ("https://10.1.2.3", "warning", "not the exchange's"),
        (MAINNET, "ok", "production, from BINANCE_BASE_URL"),
        (DEMO, "ok", "demo"),
        ("http://localhost:1/prefix", "ok", "this machine, with a path prefix"),
    ],
)
def test_the_base_url_is_judged(
    doctor: DoctorHarness, base_url: str, verdict: str, said: str
) -> None:
    report = doctor.json("--timeout", "0.3", BINANCE_BASE_URL=base_url)
    assert report.findings["base_url"]["verdict"] == verdict
    assert said in report.text_of("base_url")
    reached = "skipped" if verdict == "problem" else "problem"
    assert report.verdicts()[2:] == [reached, "skipped", "skipped", "skipped"]


def test_no_host_that_is_a_problem_is_asked_for(
    doctor: DoctorHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = hosts(monkeypatch)
    doctor.json(BINANCE_BASE_URL="https://api.binance.com")
    assert asked == []
    doctor.json(BINANCE_BASE_URL=MAINNET)
    assert set(asked) == {MAINNET_HOST}


# the way there


def test_a_name_that_does_not_resolve(doctor: DoctorHarness) -> None:
    report = doctor.json(
        BINANCE_BASE_URL=f"https://{GATEWAY}.invalid",
        HTTPS_PROXY=f"http://me:{PROXY}@10.1.2.3:3128",
    )
    assert "resolving the name failed: the host's name is unknown" in report.text_of("reachable")
    assert "HTTPS_PROXY is not used" in report.text_of("reachable")


def test_a_port_where_nobody_listens(doctor: DoctorHarness) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    report = doctor.json(BINANCE_BASE_URL=f"http://127.0.0.1:{port}")
    assert report.verdicts() == ["ok", "ok", "problem", "skipped", "skipped", "skipped"]
    assert "connecting failed: nothing listens there" in report.text_of("reachable")


def test_a_port_that_swallows_packets_takes_no_longer_than_it_may(doctor: DoctorHarness) -> None:
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):  # its queue is full, so no SYN is answered
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        started = time.monotonic()
        report = doctor.run(
            "--json",
            "--timeout",
            "0.2",
            BINANCE_BASE_URL=f"http://127.0.0.1:{listener.getsockname()[1]}",
        )
        assert time.monotonic() - started < 2
    assert "connecting failed: it took too long" in report.text_of("reachable")


def test_a_server_that_accepts_and_says_nothing(
    doctor: DoctorHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RawServer([STAY_SILENT]) as server:
        plain = doctor.run("--json", "--timeout", "0.2", BINANCE_BASE_URL=server.url)
        hosts(monkeypatch, {MAINNET_HOST: server.port})
        # A busy machine may need the shortest time for the connection alone.
        for timeout in ("0.2", "2", "20"):
            tls = doctor.run("--json", "--timeout", timeout, BINANCE_BASE_URL=MAINNET)
            if "connecting failed" not in tls.text_of("reachable"):
                break
    assert plain.text_of("reachable").startswith("DeadlineExceeded: ")
    assert "TLS failed: it took too long" in tls.text_of("reachable")


FAR, PAST = datetime.now(UTC) + timedelta(days=30), datetime.now(UTC) - timedelta(days=30)


@pytest.mark.promise("S9")
@pytest.mark.parametrize(
    ("server", "said"),
    [
        ({"names": ("elsewhere.example",)}, "the certificate is for another host"),
        ({"trusted": False}, "the certificate's authority is not trusted here"),
        ({"alone": True, "trusted": False}, "the certificate is self-signed"),
        (
            {"not_before": PAST - timedelta(days=1), "not_after": PAST},
            "the certificate has expired",
        ),
        (
            {"not_before": FAR, "not_after": FAR + timedelta(days=1)},
            "the certificate is not valid yet",
        ),
    ],
)
def test_a_certificate_that_is_wrong_in_one_way(
    doctor: DoctorHarness,
    exchange: Exchange,
    monkeypatch: pytest.MonkeyPatch,
    server: dict[str, Any],
    said: str,
) -> None:
    with secured(monkeypatch, repeat(READ, answering(exchange)), **server):
        report = doctor.json()
    assert report.verdicts() == ["ok", "ok", "problem", "skipped", "skipped", "skipped"]
    assert f"TLS failed: {said}" in report.text_of("reachable")
    said = "The system's authorities are replaced: SSL_CERT_FILE is set."
    assert said in report.text_of("reachable")
    assert not exchange.requests


def test_a_missing_file_of_authorities_is_named(
    doctor: DoctorHarness, exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable is to be corrected, and not to be set."""
    with secured(monkeypatch, repeat(READ, answering(exchange))):
        report = doctor.json(SSL_CERT_FILE="/no/such/file.pem")
    assert report.text_of("reachable").endswith(
        "SSL_CERT_FILE names a file or directory that does not exist; correct it."
    )


def test_fake_keys_of_another_machine_have_any_length(doctor: DoctorHarness) -> None:
    """A named test host is no exchange, whose keys would have 64 characters."""
    report = doctor.json(
        BINANCE_BASE_URL="http://mock.invalid:8787",
        BINANCE_ALLOW_HTTP_HOSTS="mock.invalid",
        BINANCE_API_KEY="fake-key",
        BINANCE_API_SECRET="fake-secret",
    )
    assert report.findings["credentials"]["verdict"] == "ok"


def test_a_test_host_is_not_told_to_be_the_exchange(doctor: DoctorHarness) -> None:
    """Plain http needs the opt-in; the exchange's own address would be no help."""
    report = doctor.json(BINANCE_BASE_URL="http://mock.invalid:8787")
    assert "BINANCE_ALLOW_HTTP_HOSTS" in report.findings["base_url"]["summary"]
    assert report.findings["base_url"]["advice"] == ""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX file modes")
def test_a_key_file_that_others_can_read_is_not_to_be_copied(
    doctor: DoctorHarness, tmp_path: Path
) -> None:
    """The problem says `chmod`; nothing has to be copied again."""
    path = tmp_path / "key.pem"
    path.write_bytes(b"-----BEGIN PRIVATE KEY-----")
    path.chmod(0o644)
    report = doctor.json(BINANCE_API_SECRET=None, BINANCE_API_PRIVATE_KEY_FILE=str(path))
    assert "chmod" in report.findings["credentials"]["summary"]
    assert report.findings["credentials"]["advice"] == ""


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (repeat(READ, response_bytes()), "took too long"),  # it waits for a head that never comes
        (
            [READ_FIRST_BYTE, response_bytes()],
            "does not speak TLS: the port looks like one for http",
        ),
        ([READ_FIRST_BYTE, b"\x15\x03\x03\0\2\2\x28"], "no TLS 1.2 or newer there"),
        ([READ_FIRST_BYTE], "the connection was closed"),
    ],
)
def test_something_that_speaks_no_tls(
    doctor: DoctorHarness, monkeypatch: pytest.MonkeyPatch, script: Script, said: str
) -> None:
    with RawServer(script) as server:
        hosts(monkeypatch, {MAINNET_HOST: server.port})
        assert said in doctor.run("--json", "--timeout", "0.3").text_of("reachable")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("waf", "HTTP 403: a firewall in front of the exchange"),
        ("restricted", "HTTP 451, code 0: the exchange does not serve this location"),
        ("not-found", "HTTP 404: there is no such path here Check base_url"),
        ("html-200", "UnexpectedResponse: HTTP 200"),
        ("redirect", "a login page of the network"),
        (
            "html-503",
            "HTTP 503: no reason given A page came instead of JSON: "
            '"Service unavailable". This is a failure of the exchange: try later.',
        ),
        (
            "banned",
            BANNED,
        ),
        ("rate-limited", "HTTP 429, code -1003: the weight limit"),
    ],
)
def test_what_is_met_at_the_door(
    doctor: DoctorHarness, exchange: Exchange, url: str, fault: str, said: str
) -> None:
    exchange.switches = replace(exchange.switches, date_offset=None)
    exchange.fail(fault, times=None, operation="server_time")
    report = doctor.run("--json")
    assert report.verdicts() == ["ok", "ok", "problem", "skipped", "skipped", "skipped"]
    assert report.code == 1
    assert said in report.text_of("reachable")
    assert len(exchange.requests) == 1, "it does not insist"


# the clock


@pytest.mark.parametrize(
    ("offset", "verdict", "side", "timed_by"),
    [
        (-10_000, "problem", "ahead of", "the exchange"),
        (-700, "warning", "ahead of", "this machine"),
        (0, "ok", "", "this machine"),
        (600, "warning", "behind", "this machine"),
        (5_100, "problem", "behind", "the exchange"),
    ],
)
def test_a_wrong_clock_is_told_and_does_not_hide_what_else_is_wrong(
    doctor: DoctorHarness,
    monkeypatch: pytest.MonkeyPatch,
    offset: int,
    verdict: str,
    side: str,
    timed_by: str,
) -> None:
    exchange = Exchange(
        api_key=KEY, api_secret=SECRET, clock=lambda: time.time_ns() // 1_000_000 + offset
    )
    with RawServer(repeat(READ, answering(exchange))) as server:
        report = doctor.json(BINANCE_BASE_URL=server.url)
    facts = report.findings["clock"]["facts"]
    assert report.verdicts() == ["ok", "ok", "ok", verdict, "ok", "ok"]
    assert abs(facts["offset_ms"] - offset) <= facts["error_ms"] + 2, "the exchange counts whole ms"
    assert side in report.text_of("clock")
    assert ("NTP" in report.text_of("clock")) == (verdict != "ok")
    assert report.findings["signed_call"]["facts"]["timed_by"] == timed_by


@pytest.mark.parametrize(
    ("offset", "error", "window", "verdict"),
    [
        (500, 10, 5000, "ok"),
        (501, 10, 5000, "warning"),
        (-500, 10, 5000, "ok"),
        (-501, 10, 5000, "warning"),
        (-999, 10, 5000, "warning"),
        (-1000, 10, 5000, "problem"),
        (4980, 10, 5000, "warning"),
        (4981, 10, 5000, "problem"),
        (2981, 10, 3000, "problem"),
        (0, 150, 300, "ok"),
        (0, 151, 300, "problem"),
    ],
)
def test_the_edges_of_the_clock_are_the_exchange_s(
    offset: float, error: float, window: int, verdict: str
) -> None:
    assert judge_clock_offset(offset, error, window)[0] == verdict


def test_a_way_longer_than_the_window_is_no_clock_problem() -> None:
    assert "recv_window" in judge_clock_offset(0, 151, 300)[1]
    assert "NTP" in judge_clock_offset(600, 10, 300)[1]


def test_the_clock_is_read_by_the_quickest_of_three(
    doctor: DoctorHarness, exchange: Exchange
) -> None:
    count, answer = iter(range(100)), answering(exchange)

    def slow(head: bytes) -> bytes:
        if next(count) in (1, 2):
            time.sleep(0.15)
        return answer(head)

    with RawServer(repeat(READ, slow)) as server:
        facts = doctor.run("--json", BINANCE_BASE_URL=server.url).findings["clock"]["facts"]
    assert facts["samples"] == 3
    assert facts["round_trip_ms"] == pytest.approx(2 * facts["error_ms"], abs=0.2)
    assert facts["round_trip_ms"] < 150 <= facts["round_trip_median_ms"]


@pytest.mark.parametrize(("failing", "verdict"), [(1, "problem"), (2, "ok")])
def test_a_reading_that_fails_ends_the_readings_and_is_no_offset_of_zero(
    doctor: DoctorHarness, exchange: Exchange, failing: int, verdict: str
) -> None:
    count, answer = iter(range(100)), answering(exchange)

    def broken(head: bytes) -> bytes:
        return response_bytes(b"{}", status="500 X") if next(count) == failing else answer(head)

    with RawServer(repeat(READ, broken)) as server:
        report = doctor.run("--json", BINANCE_BASE_URL=server.url)
    assert report.verdicts() == ["ok", "ok", "ok", verdict, "ok", "ok"]
    facts = report.findings["clock"]["facts"]
    assert facts.get("samples") == (1 if verdict == "ok" else None)
    assert ("offset_ms" in facts) == (verdict == "ok")


# the signed call


@pytest.mark.promise("S3", "S5")
@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"BINANCE_API_SECRET": OTHER_SECRET},
         "not belong to this query and this key Most likely the secret is another key's"),
        ({"BINANCE_API_SECRET": SHORT},
         "The secret has 17 characters, real ones have 64: most likely it was not copied whole."),
        ({"BINANCE_API_KEY": OTHER_KEY},
         "may not do this, or not from here The key is well-formed: most likely the list of IP"),
        ({"BINANCE_API_KEY": SECRET, "BINANCE_API_SECRET": KEY}, "key and secret are swapped"),
        ({"BINANCE_API_KEY": SHORT},
         "The key has 17 characters, real ones have 64: most likely it was not copied whole."),
    ],
)  # fmt: skip
def test_credentials_of_another_kind_are_told_apart(
    doctor: DoctorHarness, url: str, environment: dict[str, str | None], said: str
) -> None:
    report = doctor.json(**environment)
    assert said in report.text_of("signed_call")
    refused = "problem" if "BINANCE_API_KEY" not in environment else "ok"
    assert report.verdicts() == ["ok", "ok", "ok", "ok", "problem", refused]


def test_a_malformed_key_is_told(doctor: DoctorHarness, exchange: Exchange, url: str) -> None:
    exchange.switches = Switches(key_format="[A-Za-z0-9]{64}")
    report = doctor.json(BINANCE_API_KEY=SHORT)
    assert (
        "HTTP 401, code -2014: this does not look like a key The key has 17 characters"
        in report.text_of("signed_call")
    )


SIGNATURE = base64.b64encode(b"not the signature but as long as one, so gone").decode()
HOSTILE = f"\x1b[2J no {SIGNATURE}\r\nfor {ADDRESS}"


@pytest.mark.promise("S5")
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (error_response(400, -1021, "x"),
         "too far ahead The clock is right: most likely the request took longer than"),
        (error_response(400, -4109, "This account is inactive."),
         "code -4109: the futures account is not active The futures acc"),
        ("restricted", "HTTP 451, code 0: the exchange does not serve this location"),
        ("waf", "HTTP 403: a firewall in front of the exchange stopped it"),
        ("banned",
         BANNED),
        ("banned", " UTC. Wait 120 s."),
        (error_response(400, -1104, "x"),
         "the exchange did not read every parameter Look for a gateway"),
        (error_response(429, -1003, "x").with_header(b"Retry-After", b"7"),
         "Slow down: the limit counts all programs"),
        (error_response(400, -9999, HOSTILE),
         "HTTP 400, code -9999: \\x1b[2J no [redacted]\\r\\nfor [address]"),
        ("error-500",
         "look at the exchange's status page. This is a failure of the exchange: try later."),
        ("html-200", "UnexpectedResponse: HTTP 200"),
        ("truncated", "UnexpectedResponse: HTTP 200"),
        (Reply(200, ((b"Content-Length", b"500"),), b"["), "TransportError: "),
    ],
)  # fmt: skip
def test_a_refusal_is_explained(
    doctor: DoctorHarness, exchange: Exchange, url: str, fault: str | Reply, said: str
) -> None:
    exchange.switches = replace(exchange.switches, date_offset=None)
    exchange.fail(fault, times=None, operation="balance")
    report = doctor.run("--json")
    assert said in report.text_of("signed_call")
    assert report.verdicts() == ["ok", "ok", "ok", "ok", "problem", "ok"]
    assert [request.operation for request in exchange.requests].count("balance") == 1, (
        "one signed call, whatever comes"
    )
    assert report.findings["signature"]["facts"]["signed"]


def test_a_ban_met_on_the_way_is_respected(doctor: DoctorHarness, exchange: Exchange) -> None:
    count, answer = iter(range(100)), answering(exchange)

    def banning(head: bytes) -> bytes:
        if next(count) == 2:
            exchange.ban(120)
        return answer(head)

    with RawServer(repeat(READ, banning)) as server:
        report = doctor.run("--json", BINANCE_BASE_URL=server.url)
    assert report.verdicts() == ["ok", "ok", "ok", "ok", "problem", "skipped"]
    assert "this IP address is banned" in report.text_of("signed_call")
    assert report.text_of("signature") == "nothing was signed "
    assert [request.status for request in exchange.requests] == [200, 200, 418]


@pytest.mark.parametrize(("arguments", "there"), [((), f"{DEMO} (--demo)"), (("--demo",), MAINNET)])
def test_a_key_of_the_other_environment_is_sent_there(
    doctor: DoctorHarness,
    exchange: Exchange,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    there: str,
) -> None:
    exchange.fail("wrong-environment", times=None, operation="balance")
    with secured(monkeypatch, repeat(READ, answering(exchange))):
        report = doctor.json(*arguments)
    assert "HTTP 401, code -2008: the exchange does not know this key here" in report.text_of(
        "signed_call"
    )
    assert f"most likely it belongs to {there}." in report.text_of("signed_call")


# what was signed


def keys(kind: str, folder: Path) -> dict[str, str | None]:
    """The environment for a new private key in a file, or for the secret."""
    if kind == "HMAC":
        return {}
    key = (
        ed25519.Ed25519PrivateKey.generate()
        if kind == "Ed25519"
        else rsa.generate_private_key(65537, 2048)
    )
    file = folder / "PathCanary.pem"
    file.touch(0o600)
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return {"BINANCE_API_SECRET": None, "BINANCE_API_PRIVATE_KEY_FILE": str(file)}


@pytest.mark.promise("S3", "S6")
@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("HMAC", "<64 hex characters>"),
        ("Ed25519", "characters of escaped base64>"),
        ("RSA", "base64>"),
    ],
)
def test_what_was_signed_can_be_signed_with_openssl(
    doctor: DoctorHarness, exchange: Exchange, url: str, tmp_path: Path, kind: str, shown: str
) -> None:
    """The report shows what was signed, in parts, and a command that makes the same signature."""
    if kind != "HMAC":
        exchange.add_account(OTHER_KEY, lambda payload, signature: True, balance=[ROW])
    report = doctor.json(
        "--recv-window",
        "4000",
        BINANCE_API_KEY=KEY if kind == "HMAC" else OTHER_KEY,
        **keys(kind, tmp_path),
    )
    assert report.verdicts() == ["ok"] * 6
    assert report.findings["credentials"]["facts"]["kind"] == kind
    facts, sent = report.findings["signature"]["facts"], exchange.requests[-1]
    query = dict(sent.query)
    assert [part["name"] for part in facts["parts"]] == ["recvWindow", "timestamp", "signature"]
    assert all(part["meaning"] for part in facts["parts"])
    assert [part["value"] for part in facts["parts"][:2]] == ["4000", query["timestamp"]]
    assert facts["parts"][2]["value"].endswith(shown)
    assert sent.raw_query.decode().startswith(facts["signed"] + "&signature=")
    made = subprocess.run(
        ["sh", "-c", facts["reproduce"]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env=dict(os.environ),
    ).stdout
    assert made.split()[-1] == unquote(query["signature"])


def test_a_private_key_that_is_not_the_registered_one_is_told(
    doctor: DoctorHarness, exchange: Exchange, url: str, tmp_path: Path
) -> None:
    exchange.add_account(OTHER_KEY, lambda payload, signature: False)
    report = doctor.json(BINANCE_API_KEY=OTHER_KEY, **keys("Ed25519", tmp_path))
    assert "HTTP 400, code -1022" in report.text_of("signed_call")
    assert "registered with another public key than this private key's" in report.text_of(
        "signed_call"
    )
    assert report.findings["signature"]["verdict"] == "problem"
    assert "Sign the same text" in report.text_of("signature")


@pytest.mark.parametrize("kind", ["Ed25519", "RSA"])
@pytest.mark.parametrize("code", [-1022, -2015, -2014])
def test_private_keys_are_not_called_secrets(
    doctor: DoctorHarness, exchange: Exchange, url: str, tmp_path: Path, kind: str, code: int
) -> None:
    """With a private key no advice speaks of a secret, which the user does not have."""
    exchange.fail(error_response(400, code, "x"), times=None, operation="balance")
    report = doctor.json(**keys(kind, tmp_path))
    for check in ("signed_call", "signature"):
        assert "secret" not in report.text_of(check)
    if code == -1022:
        assert "Compare the public key that is registered" in report.text_of("signed_call")
        assert "the results differ, so do the private keys" in report.text_of("signature")


def test_a_used_up_budget_is_the_cause(doctor: DoctorHarness, exchange: Exchange) -> None:
    """When other programs have used the weight up, that is the problem, and the clock is not."""
    answer = answering(exchange)
    half_past = datetime(2026, 11, 30, 12, 0, 30, tzinfo=UTC)

    def exhausted(head: bytes) -> bytes:
        return re.sub(rb"(?i)(x-mbx-used-weight-1m: )\d+", rb"\g<1>2395", answer(head))

    with (
        time_machine.travel(half_past, tick=False),
        RawServer(repeat(READ, exhausted)) as server,
    ):
        report = doctor.run("--json", "--timeout", "1", BINANCE_BASE_URL=server.url)
    assert report.verdicts() == ["ok", "ok", "ok", "skipped", "problem", "skipped"]
    assert report.text_of("clock") == "not measured: the weight limit is used up "
    found = report.text_of("signed_call")
    assert found.startswith("not sent: the weight budget of this minute is used up")
    assert re.search(r"Programs behind this IP address have used it: .* Wait \d+ s\.", found)


@pytest.mark.parametrize(
    ("key", "said"),
    [("k", "has 1 character, real ones have 64"), ("k" * 170, "has 170 characters, real")],
)
def test_lengths_are_in_right_words(doctor: DoctorHarness, url: str, key: str, said: str) -> None:
    """A length is a number with the right noun."""
    report = doctor.json(BINANCE_API_KEY=key)
    assert f"BINANCE_API_KEY {said}" in report.text_of("credentials")
    assert f"The key {said}" in report.text_of("signed_call")


def test_lines_are_wrapped(doctor: DoctorHarness, url: str) -> None:
    """Lines have at most 100 columns, except those that are to be copied."""
    wrong = {"BINANCE_API_KEY": "K K" * 60, "BINANCE_API_SECRET": f'"{SECRET}"'}
    for environment in (wrong, {"BINANCE_API_KEY": "k" * 170, "BINANCE_API_SECRET": "s" * 170}):
        text = doctor.run(**environment).text
        lines = [line for line in text.splitlines() if not re.match(" +(signed|reproduce): ", line)]
        assert max(map(len, lines)) <= 100


@pytest.mark.parametrize(("columns", "limit"), [(60, 60), (1, 40), (500, 100)])
def test_lines_fit_the_terminal(
    doctor: DoctorHarness, url: str, monkeypatch: pytest.MonkeyPatch, columns: int, limit: int
) -> None:
    """On a narrow terminal the lines are wrapped to its width, but for names of variables."""
    monkeypatch.setattr("binance_usdm._cli.doctor.command.terminal_width", lambda out: columns)
    text = doctor.run(BINANCE_API_KEY="K K").text
    advice = re.findall("^ {9}(?!  |signed|reproduce).*$", text, re.MULTILINE)
    assert advice
    assert max(map(len, advice)) <= limit


def test_a_large_response_is_no_budget(doctor: DoctorHarness, exchange: Exchange, url: str) -> None:
    """A response that is too large is reported as such, and not as a used-up weight budget."""
    exchange.fail(Reply(200, (), b" " * (2 << 20)), times=None, operation="balance")
    found = doctor.run("--json").text_of("signed_call")
    assert found.startswith("UnexpectedResponse: ")
    assert "at most 1048576 bytes" in found
    assert "budget" not in found


BLOCK_PAGE = b"<html>The distribution is configured to block access from your country.</html>"


@pytest.mark.parametrize("operation", ["server_time", "balance"])
@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (
            Reply(403, (), BLOCK_PAGE),
            "HTTP 403: the exchange does not serve this location, or that",
        ),
        (Reply(202, (), b"<html>"), "HTTP 202, a challenge page, which only a browser can pass"),
        (Reply(405, (), b"<html>"), "HTTP 405: a challenge page, which only a browser can pass"),
        (Reply(520, (), b"<html>"), "HTTP 520: a network in front of the exchange got no valid"),
        (Reply(522, (), b"<html>"), "HTTP 522: a network in front of the exchange got no valid"),
        (Reply(530, (), b"<html>"), "HTTP 530: a network in front of the exchange got no valid"),
        (
            error_response(403, -1, "Configured to block access from your country"),
            "code -1: the exchange does not serve this location, or that of a VPN",
        ),
        (
            error_response(400, 0, "Service unavailable from a restricted location"),
            "code 0: the exchange does not serve this location, or that of a VPN",
        ),
    ],
)
def test_pages_of_firewalls_name_the_location(
    doctor: DoctorHarness, exchange: Exchange, url: str, operation: str, reply: Reply, said: str
) -> None:
    """A response of a firewall is recognized, and the location is among the causes."""
    exchange.fail(reply, times=None, operation=operation)
    report = doctor.run("--json")
    found = report.text_of("reachable" if operation == "server_time" else "signed_call")
    assert said in found
    assert "location" in found or "where this machine's address is registered" in found
    assert "VPN" in found


@pytest.mark.parametrize("trusted", [True, False])
def test_plain_http_to_a_port_for_tls(
    doctor: DoctorHarness, monkeypatch: pytest.MonkeyPatch, trusted: bool
) -> None:
    """The port is asked whether it speaks TLS, whose certificate does not matter."""
    with secured(monkeypatch, [READ], names=("127.0.0.1",), trusted=trusted):
        port = int(socket.getaddrinfo(MAINNET_HOST, 0)[0][4][1])
        report = doctor.json(BINANCE_BASE_URL=f"http://127.0.0.1:{port}")
    assert report.verdicts() == ["ok", "ok", "problem", "skipped", "skipped", "skipped"]
    assert report.text_of("reachable") == (
        "the server speaks TLS: the port looks like one for https "
        "Write https:// in the base URL, or check its port."
    )


@pytest.mark.parametrize("script", [[READ], [READ, response_bytes(status="500 X")]])
def test_a_server_that_fails_is_not_told_to_speak_tls(
    doctor: DoctorHarness, script: Script
) -> None:
    """A plain server is not mistaken for one with TLS, whatever it does with the handshake."""
    with RawServer(script, [READ_FIRST_BYTE]) as server:
        report = doctor.run("--json", "--timeout", "1", BINANCE_BASE_URL=server.url)
    assert "speaks TLS" not in report.text_of("reachable")


# one cause


def later_answers(answer: Answer, first: int, later: bytes) -> Answer:
    """Return `answer` for the first requests, and the same response for all later ones."""
    count = iter(range(100))
    return lambda head: answer(head) if next(count) < first else later


def assert_one_problem(report: Report, *, cause: str, follow_up: str) -> None:
    assert report.findings[cause]["cause"] == ""
    assert report.findings[follow_up]["verdict"] == "problem"
    assert report.findings[follow_up]["cause"] == cause
    assert json.loads(report.text)["problems"] == 1


def test_a_rejected_signature_is_counted_once(
    doctor: DoctorHarness, exchange: Exchange, url: str
) -> None:
    """What was signed is shown as a consequence of the rejected call."""
    report = doctor.json(BINANCE_API_SECRET=OTHER_SECRET)
    assert_one_problem(report, cause="signed_call", follow_up="signature")
    lines = doctor.run().text.splitlines()
    assert lines[-1] == "1 problem. Fix signed_call first."
    assert " " * 9 + "It follows from signed_call." in lines


def test_a_wrong_clock_is_counted_once(doctor: DoctorHarness) -> None:
    """A -1021 beside a wrong clock is no second problem."""
    exchange = Exchange(
        api_key=KEY, api_secret=SECRET, clock=lambda: time.time_ns() // 1_000_000 + 10_000
    )
    exchange.fail(error_response(400, -1021, "x"), times=None, operation="balance")
    with RawServer(repeat(READ, answering(exchange))) as server:
        report = doctor.json(BINANCE_BASE_URL=server.url)
    assert_one_problem(report, cause="clock", follow_up="signed_call")


def test_an_outage_is_counted_once(doctor: DoctorHarness, exchange: Exchange) -> None:
    """The same error of two checks has one cause; another error is a second problem."""
    outage = response_bytes(b"{}", status="500 X")
    with RawServer(repeat(READ, later_answers(answering(exchange), 1, outage))) as server:
        report = doctor.run("--json", BINANCE_BASE_URL=server.url)
    assert_one_problem(report, cause="clock", follow_up="signed_call")
    exchange.fail("error-500", times=None, nth=2, operation="server_time")
    exchange.fail("error", times=None, code=-4109, operation="balance")
    with RawServer(repeat(READ, answering(exchange))) as server:
        report = doctor.run("--json", BINANCE_BASE_URL=server.url)
    assert json.loads(report.text)["problems"] == 2
    assert report.findings["signed_call"]["cause"] == ""


def test_a_skipped_check_names_the_cause(doctor: DoctorHarness) -> None:
    """Checks that were skipped themselves are not to be fixed."""
    report = doctor.json(BINANCE_BASE_URL="http://x.example")
    for check in ("reachable", "clock", "signed_call", "signature"):
        assert report.findings[check]["summary"] == "fix base_url first"
        assert report.findings[check]["cause"] == "base_url"


# the responses against the spec


def contract_lines(report: Report) -> list[str]:
    """Return the deviations that a report names, which the facts have as fields, too."""
    facts = report.findings["contract"]["facts"]
    assert len(facts["deviations"]) == len(facts.get("lines", ()))
    lines: list[str] = facts.get("lines", [])
    return lines


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in ROW.items() if key != name}


JSON_TYPE = (b"Content-Type", b"application/json")
NEW_OBJECT = {"alias": ALIAS, "amount": AMOUNT}


@pytest.mark.promise("S1", "S5")
@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, [{**ROW, "marginLevel": AMOUNT}], ["unknown field [].marginLevel: decimal string"]),
        (200, [{**ROW, "inner": NEW_OBJECT}], ["unknown field [].inner: object"]),
        (200, [without("asset")], ["missing field [].asset: required"]),
        (200, [{**ROW, "balance": 2718281.5}], ["other type [].balance: number, not string"]),
        (200, [{**ROW, "crossUnPnl": None}], ["null [].crossUnPnl: null, not string"]),
        (200, {"rows": [ROW]}, ["other type: object, not array"]),
        (400, {"code": -4999, "msg": "x"}, ["unknown code: -4999"]),
        (206, [ROW], ["unknown status: 206, not 200, 400, 401, 403, "]),
        # The spec allows an error without a code here.
        (503, {"msg": "x"}, []),
        # Names that may be values are not shown.
        (200, [{**ROW, ALIAS: "1"}], ["unknown field [].*: decimal string"]),
        (200, [{**ROW, KEY: "1", ADDRESS: 1}], ["unknown field [].*: decimal string",
                                                "unknown field [].*: integer"]),
    ],
)  # fmt: skip
def test_a_changed_response_is_a_warning(
    doctor: DoctorHarness, exchange: Exchange, url: str, status: int, body: Any, expected: list[str]
) -> None:
    """With --contract a deviation is a warning with the next step, and no value is shown."""
    reply = Reply(status, (JSON_TYPE,), json.dumps(body).encode())
    exchange.fail(reply, times=None, operation="balance")
    report = doctor.json("--contract")
    lines = contract_lines(report)
    assert len(lines) == len(expected)
    for line, start in zip(lines, expected, strict=True):
        assert line.startswith(f"balance {status}: {start}")
    finding = report.findings["contract"]
    assert finding["verdict"] == ("warning" if expected else "ok")
    assert ("contract reply report.json" in finding["facts"].get("next", "")) == bool(expected)
    text = doctor.run("--contract").text
    assert [line for line in text.splitlines() if line.startswith(" " * 11 + "balance ")] == [
        " " * 11 + line for line in lines
    ]
    assert [request.operation for request in exchange.requests[:5]] == [
        *["server_time"] * 4, "balance",
    ]  # fmt: skip


def test_unchanged_responses_are_ok(doctor: DoctorHarness, exchange: Exchange, url: str) -> None:
    """The calls are those of every run; without the option nothing is compared."""
    assert "contract" not in doctor.run("--json").findings
    report = doctor.json("--contract")
    assert (report.code, report.verdicts()) == (0, ["ok"] * 7)
    assert report.findings["contract"]["facts"] == {"responses": 5, "deviations": []}
    assert doctor.run("--contract").text.endswith("No problem was found.\n")


def test_a_warning_alone_exits_with_0(doctor: DoctorHarness, exchange: Exchange, url: str) -> None:
    """What the client can read, such as a new field, is no problem."""
    exchange.seed("balance", [{**ROW, "marginLevel": "1.5"}])
    report = doctor.json("--contract")
    assert (report.code, report.verdicts()) == (0, [*["ok"] * 6, "warning"])


def test_a_changed_time_is_named_though_no_call_succeeds(
    doctor: DoctorHarness, exchange: Exchange, url: str
) -> None:
    """A response that keeps all other checks from running is compared."""
    reply = Reply(200, (JSON_TYPE,), b'{"serverTime": "1617939110373"}')
    exchange.fail(reply, times=None, operation="server_time")
    report = doctor.json("--contract")
    assert report.verdicts() == ["ok", "ok", "problem", *["skipped"] * 3, "warning"]
    assert contract_lines(report) == [
        "server_time 200: other type .serverTime: decimal string, not integer"
    ]


def test_without_a_response_nothing_is_compared(doctor: DoctorHarness) -> None:
    report = doctor.json("--contract", BINANCE_BASE_URL="http://127.0.0.1:1")
    assert report.findings["contract"]["verdict"] == "skipped"
    assert report.text_of("contract").startswith("no response came")


def test_compressed_responses_and_a_path_prefix_are_compared(
    doctor: DoctorHarness, exchange: Exchange
) -> None:
    """A gateway below a path, which compresses, is no deviation."""
    answer = answering(exchange)

    def compress(head: bytes) -> bytes:
        came, _, body = answer(head.replace(b"/gate/", b"/")).partition(b"\r\n\r\n")
        lines = [line for line in came.split(b"\r\n") if not line.lower().startswith(b"content-le")]
        status = lines[0].decode().partition(" ")[2]
        return response_bytes(
            gzip.compress(body), *lines[1:], b"Content-Encoding: gzip", status=status
        )

    with RawServer(repeat(READ, compress)) as server:
        report = doctor.json("--contract", BINANCE_BASE_URL=f"{server.url}gate")
        exchange.seed("balance", [{**ROW, "marginLevel": AMOUNT}])
        changed = doctor.json("--contract")
    assert report.verdicts() == ["ok"] * 7
    expected = "balance 200: unknown field [].marginLevel: decimal string"
    assert contract_lines(changed) == [expected]


def test_the_report_is_what_a_maintainer_needs(
    doctor: DoctorHarness, exchange: Exchange, url: str, tmp_path: Path
) -> None:
    """`contract reply` reads the report, and proposes the spec that describes it."""
    exchange.seed("balance", [{**ROW, "marginLevel": AMOUNT}])
    exchange.fail(error_response(400, -4999, "x"), operation="balance", nth=2)
    report, proposal = tmp_path / "report.json", tmp_path / "proposal.json"
    report.write_text(doctor.run("--contract", "--json").text, encoding="utf-8")
    again = tmp_path / "again.json"
    again.write_text(doctor.run("--contract", "--json").text, encoding="utf-8")
    code, lines = doctor.print(
        "contract", "reply", str(report), str(again), "--proposal", str(proposal)
    )
    assert (code, lines) == (
        1,
        [
            "balance 200: unknown field [].marginLevel: decimal string",
            "balance 400: unknown code: -4999",
        ],
    )
    proposed = json.loads(proposal.read_text("utf-8"))
    assert proposed["components"]["schemas"]["AccountBalance"]["properties"]["marginLevel"]
    assert "-4999" in proposed["x-error-codes"]


def test_the_comparison_needs_no_extra() -> None:
    """Without the extra `contract` the doctor compares as well."""
    program = (
        "import sys; sys.modules.update(dict.fromkeys(['schemathesis', 'jsonschema_rs', 'yaml']))\n"
        "from binance_usdm._cli.main import main\n"
        "sys.exit(main(['doctor', '--contract']))"
    )
    exchange = Exchange(api_key=KEY, api_secret=SECRET)
    with running(exchange) as url:
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={
                **os.environ,
                "BINANCE_API_KEY": KEY,
                "BINANCE_API_SECRET": SECRET,
                "BINANCE_BASE_URL": url,
            },
            capture_output=True,
            text=True,
            check=False,
        )
    assert "ok       contract     all 5 responses are as the spec describes them" in done.stdout
