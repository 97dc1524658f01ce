"""The mock exchange from the shell: `mock serve`, and `mock run` around real programs."""

import argparse
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from binance_usdm._cli.mock.start import start_lines
from binance_usdm.mock import DEFAULT_API_SECRET, Exchange
from tests.cli.test_cli import ROWS
from tests.support.command_line import COMMAND, process, run
from tests.support.spec_facts import BALANCE_PATH, TIME_PATH


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    file = tmp_path / "rows.json"
    file.write_text(json.dumps(ROWS[:1]), encoding="utf-8")
    return file


def test_a_clock_ten_seconds_behind_is_refused_once_and_then_corrected() -> None:
    done = run("mock", "run", "--clock-offset", "10000", "--", *COMMAND, "balance")
    assert (done.returncode, done.stdout.count("122607.35137903")) == (0, 1)


def test_a_program_can_be_run_against_the_mock() -> None:
    program = "import os, sys; print(os.environ['BINANCE_BASE_URL']); sys.exit(7)"
    done = process("mock", "run", "--", sys.executable, "-c", program)
    assert done.returncode == 7
    assert done.stdout.startswith("http://127.0.0.1:")


def test_a_fault_can_be_chosen() -> None:
    banned = run("mock", "run", "--fault", "banned", "--", *COMMAND, "balance")
    assert banned.returncode == 1
    assert "IPBannedError: HTTP 418" in banned.stderr


def test_a_fault_can_have_options_and_a_rule() -> None:
    once = run(
        "mock", "run", "--fault", "unavailable:times=1,shape=page", "--", *COMMAND, "balance"
    )
    assert (once.returncode, once.stdout.count("122607.35137903")) == (0, 1), (
        "the second attempt gets through"
    )
    coded = run(
        "mock", "run", "--fault", "error:code=-4109,operation=balance", "--", *COMMAND, "balance"
    )
    assert "HTTP 400, code -4109" in coded.stderr
    other = run(
        "mock",
        "run",
        "--fault",
        "waf:operation=server_time",
        "--fault",
        "waf:nth=2",
        "--",
        *COMMAND,
        "balance",
    )
    assert other.returncode == 0


def test_a_switch_can_be_turned() -> None:
    limited = run(
        "mock", "run", "--switch", "weight_limit=4", "--", *COMMAND, "balance", "--timeout", "0.5"
    )
    assert (limited.returncode, "RateLimitError: HTTP 429" in limited.stderr) == (1, True)
    named = run(
        "mock",
        "run",
        "--switch",
        "caller_ip=203.0.113.9",
        "--switch",
        'statuses={"-2014": 400}',
        "--",
        *COMMAND,
        "doctor",
    )
    assert named.returncode == 0


def test_a_private_key_can_be_used_against_its_public_one(tmp_path: Path) -> None:
    private = ed25519.Ed25519PrivateKey.generate()
    public = tmp_path / "public.pem"
    public.write_bytes(
        private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    form = (
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    key = {"BINANCE_API_PRIVATE_KEY": private.private_bytes(*form).decode()}
    command = ("mock", "run", "--public-key", str(public), "--", *COMMAND, "balance")
    assert run(*command, **key).stdout.count("122607.35137903") == 1
    other = ed25519.Ed25519PrivateKey.generate().private_bytes(*form).decode()
    assert "code -1022" in run(*command, BINANCE_API_PRIVATE_KEY=other).stderr


def test_the_shells_own_credentials_do_not_reach_the_program(tmp_path: Path) -> None:
    names = (
        "BINANCE_API_SECRET",
        "BINANCE_API_PRIVATE_KEY",
        "BINANCE_API_PRIVATE_KEY_FILE",
        "BINANCE_API_PRIVATE_KEY_PASSWORD",
        "BINANCE_API_KEY_FILE",
        "BINANCE_API_SECRET_FILE",
    )
    own = {name: f"the-shells-own-{number}" for number, name in enumerate(names)}
    program = (
        sys.executable,
        "-c",
        f"import os; print([str(os.environ.get(name))[-5:] for name in {names}])",
    )
    assert "own-" not in run("mock", "run", "--", *program, **own).stdout
    public = tmp_path / "public.pem"
    key = ed25519.Ed25519PrivateKey.generate().public_key()
    public.write_bytes(
        key.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    output = run("mock", "run", "--public-key", str(public), "--", *program, **own).stdout
    shown = tuple(f"own-{number}" in output for number in (0, 1, 4, 5))
    assert shown == (False, True, False, False), "the private key belongs to that public one"


def test_words_of_json_are_words_where_a_word_is_wanted() -> None:
    done = run(
        "mock", "run", "--fault", "odd-json:kind=null,api_key=123", "--", *COMMAND, "balance"
    )
    assert (done.returncode, done.stdout.count("122607.35137903")) == (0, 1), (
        "no account has the key 123"
    )


def test_captures_are_scrubbed_and_replayed(tmp_path: Path) -> None:
    """`scrub` prints a script for `--replay`, and reports what it left out."""
    message = "Invalid API-key, IP, or permissions for action"
    payload = {"code": -2015, "msg": f"{message}, request ip: 198.51.100.77", "uid": 987654321}
    response = {
        "status": 401,
        "headers": [{"name": "Set-Cookie", "value": "session=cookie-canary"}],
        "content": {"text": json.dumps(payload)},
    }
    request = {"method": "GET", "url": f"https://fapi.binance.com{BALANCE_PATH}?signature=a"}
    captured, script = tmp_path / "captured.har", tmp_path / "script.json"
    entries = [{"request": request, "response": response}]
    captured.write_text(json.dumps({"log": {"entries": entries}}))
    scrubbed = process("mock", "scrub", str(captured))
    report = "binance-usdm: left out or replaced: fields: 1, messages: 1\n"
    assert (scrubbed.returncode, scrubbed.stderr) == (0, report)
    for secret in ("198.51.100.77", "cookie-canary", "987654321"):
        assert secret not in scrubbed.stdout
    script.write_text(scrubbed.stdout)
    replayed = run("mock", "run", "--replay", str(script), "--", *COMMAND, "balance")
    assert replayed.returncode == 1
    assert f"HTTP 401, code -2015: {message}" in replayed.stderr


def test_a_file_that_is_no_capture_is_one_line() -> None:
    done = run("mock", "scrub", __file__)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("binance-usdm: ConfigurationError: ")


def test_a_reply_can_be_chosen(rows: Path) -> None:
    done = run("mock", "run", "--reply", f"balance={rows}", "--", *COMMAND, "balance", "--json")
    assert json.loads(done.stdout) == ROWS[:1]


@pytest.mark.parametrize("name", ["server_time", "server-time"])
def test_a_reply_is_for_the_method_or_the_command(tmp_path: Path, name: str) -> None:
    file = tmp_path / "time.json"
    file.write_text('{"serverTime": 7}')
    done = run("mock", "run", "--reply", f"{name}={file}", "--", *COMMAND, "server-time", "--json")
    assert json.loads(done.stdout) == {"serverTime": 7}


WRONG_VALUES = [
    ("--switch", "gzip=1", "argument --switch: gzip must be true or false"),
    ("--switch", "weight_limit=x", "argument --switch: weight_limit must be an integer, 1 or more"),
    ("--switch", "key_format=[", "argument --switch: key_format must be a regular expression"),
    ("--switch", "statuses=[]", "argument --switch: statuses must map codes to HTTP statuses"),
    ("--public-key", __file__, "argument --public-key: public_key is not a public key in PEM"),
    ("--public-key", os.devnull, "argument --public-key: public_key is not a public key in PEM"),
    ("--fault", "latency:seconds=-1", "argument --fault: option seconds must be a number of 0"),
    ("--fault", "waf:times=x", "argument --fault: times must be an integer of 1 or more"),
    ("--fault", "waf:operation=x", "argument --fault: unknown operation 'x'; expected one of: "),
    ("--fault", "waf:probability=2", "argument --fault: probability must be above 0"),
    ("--replay", __file__, "argument --replay: a script must be a JSON array of responses"),
    ("--api-key", "", "argument --api-key: must not be empty"),
    ("--api-secret", "", "argument --api-secret: must not be empty"),
    (
        "--api-secret",
        "-----BEGIN PUBLIC KEY-----",
        "argument --api-secret: must be an HMAC secret, not PEM",
    ),
]
"""Values of both commands that the exchange rejects: option, value, and what is said."""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run",), "the program is missing"),
        (("run", "--"), "the program is missing"),
        (("run", "--", ""), "the program is missing"),
        (("serve", "--fault", "no"), "argument --fault: unknown fault 'no'; expected one of: waf"),
        (("serve", "--fault", "waf:seconds=1"), "argument --fault: waf accepts times, operation"),
        (("serve", "--fault", "latency:seconds"), "argument --fault: must be NAME=VALUE"),
        (
            ("serve", "--switch", "no=1"),
            "argument --switch: must be NAME=VALUE; the switches are order",
        ),
        (("serve", "--switch", "gzip"), "argument --switch: must be NAME=VALUE"),
        (
            ("serve", "--public-key", "/nowhere/key.pem"),
            "the file cannot be read (No such file or directory)",
        ),
        (("scrub", "/nowhere/capture.har"), "the file cannot be read (No such file or directory)"),
        (("serve", "--host", ""), "argument --host: must be an IP address"),
        (("serve", "--host", "mock"), "argument --host: must be an IP address"),
        (("serve", "--host", "0.0.0.0:80"), "argument --host: must be an IP address"),
        (("serve", "--port", "-1"), "argument --port: must be a port from 0 to 65535"),
        (("serve", "--port", "65536"), "argument --port: must be a port from 0 to 65535"),
        (
            ("serve", "--reply", "rows.json"),
            "argument --reply: must be OPERATION=FILE; the operations are balance",
        ),
        (("serve", "--reply", "balances=rows.json"), "argument --reply: must be OPERATION=FILE"),
        (
            ("serve", "--reply", "balance=/nowhere/rows.json"),
            "the file cannot be read (No such file or directory)",
        ),
        (("serve", "--reply", f"balance={__file__}"), "argument --reply: the file is not JSON"),
        *[
            ((command, option, value, *(("--", "true") if command == "run" else ())), said)
            for command in ("serve", "run")
            for option, value, said in WRONG_VALUES
        ],
        (("serve", "--workers", "0"), "argument --workers: must be an integer of 1 or more"),
        (("serve", "--workers", "2", "--admin"), "error: --admin needs one process"),
        (("run", "--switch", "key_format=[a-z]+", "--", "true"), "error: api_key is empty or does"),
    ],
)
def test_wrong_usage_is_2(arguments: tuple[str, ...], said: str) -> None:
    done = run("mock", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: binance-usdm mock")
    assert said in done.stderr


def read_start(server: subprocess.Popen[str]) -> str:
    """Return all that a server prints at the start, which ends with its address for clients."""
    assert server.stderr is not None
    printed = ""
    while "BINANCE_BASE_URL=" not in printed or not printed.endswith("\n"):
        received = os.read(server.stderr.fileno(), 65536)
        assert received, printed
        printed += received.decode()
    return printed


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_server_says_where_it_is_and_ends_quietly(rows: Path, ending: signal.Signals) -> None:
    command = [*COMMAND, "mock", "serve", "--port", "0", "--reply", f"balance={rows}"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            words = read_start(server).replace(",", "").split()
            assert words[:3] == ["mock", "exchange", "on"]
            assert not words[3].endswith(":0")
            assert httpx.get(f"{words[3]}{TIME_PATH}").status_code == 200
            server.send_signal(ending)
            summary = "mock exchange: 1 request: 1 accepted, 0 rejected, 0 answered by faults\n"
            assert server.communicate(timeout=20) == ("", summary)
        finally:
            server.kill()
    assert server.returncode == 0


def test_the_help_names_both_pages() -> None:
    shown = run("mock", "serve", "--help").stdout
    assert "/__admin/," in shown
    assert "/__admin/http," in shown


@pytest.mark.parametrize(
    ("arguments", "status", "summary"),
    [
        ((), 404, "2 requests: 1 accepted, 1 rejected"),
        (("--admin",), 200, "1 request: 1 accepted, 0 rejected"),
        # Each process has its own requests.
        (("--workers", "2"), 404, None),
    ],
)
def test_a_server_has_an_admin_interface_only_when_asked(
    arguments: tuple[str, ...], status: int, summary: str | None
) -> None:
    command = [*COMMAND, "mock", "serve", "--port", "0", *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            line = read_start(server).splitlines()[0]
            url = line.replace(",", "").split()[3]
            assert ("/__admin/" in line) == (status == 200)
            assert httpx.get(f"{url}/__admin/").status_code == status
            assert httpx.get(f"{url}{TIME_PATH}").status_code == 200
            server.terminate()
            out, err = server.communicate(timeout=20)
            assert out == ""
            if summary is None:
                assert err == ""
            else:
                assert err.startswith(f"mock exchange: {summary}")
        finally:
            server.kill()
    assert server.returncode == 0


@pytest.mark.parametrize(
    ("host", "connect_to", "is_open"),
    [
        ("0.0.0.0", "127.0.0.2", True),
        ("::", "[::1]", True),
        ("127.0.0.3", "127.0.0.3", False),
        ("localhost", "127.0.0.1", False),
    ],
)
def test_a_server_listens_on_its_host(host: str, connect_to: str, is_open: bool) -> None:
    """`--host` is the address to listen on, and it is said if other machines can connect."""
    command = [*COMMAND, "mock", "serve", "--host", host, "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            start = read_start(server)
            port = urlsplit(start.split()[3]).port
            health = httpx.get(f"http://{connect_to}:{port}/__health")
            assert (health.status_code, health.json()) == (200, {"status": "ok"})
            server.terminate()
            server.wait(20)
            assert ("Other machines" in start) is is_open
        finally:
            server.kill()
    assert server.returncode == 0


@contextmanager
def start_server(*arguments: str) -> Iterator[str]:
    """Start a server, and return all that it prints at the start."""
    command = [*COMMAND, "mock", "serve", "--port", "0", *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            yield read_start(server)
        finally:
            server.kill()


@pytest.mark.parametrize(
    "arguments", [(), ("--host", "0.0.0.0"), ("--host", "::"), ("--api-key", "my'key")]
)
def test_exports_can_be_pasted(arguments: tuple[str, ...]) -> None:
    """A shell that gets the lines at the start as commands can run a signed call."""
    with start_server(*arguments) as printed:
        exports = "\n".join(printed.splitlines()[1:]).replace("Other machines", "# Other machines")
        script = f"{exports}\n{shlex.join(COMMAND)} balance --json"
        if "--api-key" in arguments:
            script = f"{exports}\nprintenv BINANCE_API_KEY"
        done = subprocess.run(["sh", "-ec", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "USDT" in done.stdout or done.stdout == "my'key\n"


def test_exports_of_a_named_address_opt_in() -> None:
    """The exports have what is needed for http to an address of the network."""
    options = argparse.Namespace(
        admin=False,
        host="192.0.2.7",
        public_key=None,
        seed=None,
        tls_cert=None,
    )
    lines = [*start_lines(options, Exchange(), "http://192.0.2.7:1")]
    assert lines[1].startswith("Other machines can connect")
    assert lines[-2:] == [
        "export BINANCE_BASE_URL=http://192.0.2.7:1",
        "export BINANCE_ALLOW_HTTP_HOSTS=192.0.2.7",
    ]


def test_a_chosen_secret_is_not_printed(tmp_path: Path) -> None:
    """A secret of the command line, or the type of a key, is named and not printed."""
    with start_server("--api-secret", "could-be-a-real-secret") as printed:
        assert "could-be-a-real-secret" not in printed
        assert "# BINANCE_API_SECRET: the secret of --api-secret" in printed
    public = tmp_path / "public.pem"
    key = ed25519.Ed25519PrivateKey.generate().public_key()
    public.write_bytes(
        key.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    with start_server("--public-key", str(public)) as printed:
        assert "# BINANCE_API_PRIVATE_KEY_FILE: the private key of --public-key" in printed
        assert DEFAULT_API_SECRET not in printed


def test_an_address_of_another_machine_is_one_line() -> None:
    """An address that this machine does not have is one line."""
    done = run("mock", "serve", "--host", "192.0.2.1", "--port", "0")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.endswith(
        "cannot listen on 192.0.2.1, port 0: this machine does not have the address; "
        "--host 0.0.0.0 listens on all that it has\n"
    )


def test_a_port_in_use_is_one_line(taken: int) -> None:
    done = run("mock", "serve", "--port", str(taken))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        "binance-usdm: ConfigurationError: "
        f"the mock exchange cannot listen on 127.0.0.1, port {taken}: another program uses the "
        "port; end it, or choose another port (--port 0 picks a free one)\n"
    )
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [("serve", "--port", "0"), ("run", "--", "true")])
def test_without_uvicorn_both_say_what_to_install(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "uvicorn.py").write_text("raise ImportError('not installed')")
    paths = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = process("mock", *arguments, PYTHONPATH=paths)
    assert (done.returncode, done.stdout) == (1, "")
    assert "pip install uvicorn" in done.stderr
    assert done.stderr.count("\n") == 1
