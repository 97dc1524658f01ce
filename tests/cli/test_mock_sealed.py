"""`mock run --sealed`: a program that tries to reach another host is ended, and the host named.

No host of these tests exists, so nothing is sent if a seal leaks.
"""

from __future__ import annotations

import signal
import sys
import time

import pytest

from binance_usdm._cli.mock import program
from binance_usdm._cli.mock.environment import sealed_environment
from binance_usdm._cli.mock.proxy_trap import ProxyTrap, parse_target
from tests.support.command_line import COMMAND, Finished, run

LEAVE = """
import sys, time, urllib.request as r
try:
    r.urlopen(sys.argv[1])
except OSError:
    pass
print("went on", flush=True)
time.sleep(50)
"""


def run_sealed(code: str, *arguments: str, **environment: str) -> Finished:
    return run(
        "mock", "run", "--sealed", "--", sys.executable, "-c", code, *arguments, **environment
    )


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("https://exchange.invalid/x?signature=y", "exchange.invalid:443"),
        ("http://name:pa55word@exchange.invalid:81/x", "exchange.invalid:81"),
    ],
)
def test_a_program_that_leaves_is_ended(url: str, named: str) -> None:
    """The first attempt ends the run with 1, also with exceptions for proxies in the shell."""
    started_at = time.monotonic()
    done = run_sealed(LEAVE, url, no_proxy="*", NO_PROXY=".invalid", https_proxy="")
    assert time.monotonic() - started_at < 40
    assert done.returncode == 1
    first, *summary = done.stderr.splitlines()
    assert first == f"binance-usdm: the program was ended: it tried to reach {named}"
    assert summary == ["mock exchange: no requests"]


def test_a_client_with_a_real_url_is_ended() -> None:
    """A client of this package that was not given the mock's URL does not leave either."""
    code = """
import binance_usdm, time
client = binance_usdm.Client("a-fake-api-key", "a-fake-api-secret", base_url="https://x.invalid")
try:
    client.balance()
except binance_usdm.TransportError:
    time.sleep(50)
"""
    done = run_sealed(code)
    assert (done.returncode, "tried to reach x.invalid:443" in done.stderr) == (1, True)


def test_a_program_that_stays_is_not_disturbed() -> None:
    """The mock and other servers of this machine are reached without the proxy."""
    done = run("mock", "run", "--sealed", "--strict", "--", *COMMAND, "balance", "--csv")
    assert (done.returncode, "tried to reach" in done.stderr) == (0, False)
    code = "import os, urllib.request as r; r.urlopen(os.environ['BINANCE_BASE_URL'].replace("
    code += "'127.0.0.1', 'localhost') + '/__health').read()"
    assert run_sealed(code).returncode == 0


def test_a_program_that_ignores_the_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """After SIGTERM comes SIGKILL."""
    monkeypatch.setattr(program, "_TERMINATION_SECONDS", 0.2)
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + LEAVE
    started_at = time.monotonic()
    done = run_sealed(code, "http://exchange.invalid/")
    assert time.monotonic() - started_at < 40
    assert done.returncode == 1
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_an_attempt_before_the_program_is_known() -> None:
    """An attempt that comes before the trap knows the program ends it as soon as it does."""
    trap = ProxyTrap("http://127.0.0.1:7")
    ended: list[str] = []
    trap.add_attempt("exchange.invalid")
    trap.set_program(lambda: ended.append("at once"))
    trap.add_attempt("exchange.invalid")
    assert (ended, trap.hosts) == (["at once"] * 2, ["exchange.invalid"])


@pytest.mark.parametrize(
    ("line", "host"),
    [
        (b"CONNECT exchange.invalid:443 HTTP/1.1\r\n", "exchange.invalid:443"),
        (b"CONNECT [::2]:443 HTTP/1.1\r\n", "::2:443"),
        (b"GET http://u:p@exchange.invalid/x HTTP/1.1\r\n", "exchange.invalid"),
        (b"CONNECT u:p@exchange.invalid:1 HTTP/1.0\r\n", "exchange.invalid:1"),
        (b"CONNECT x:99999999 HTTP/1.1\r\n", "a host that is not valid"),
        (b"GET /x HTTP/1.1\r\n", "a host that is not valid"),
        (b"CONNECT \x1b[2Jx:1 HTTP/1.1\r\n", "a host that is not valid"),
        (b"\x05\x01\x00", None),
        (b"", None),
    ],
)
def test_the_host_of_an_attempt(line: bytes, host: str | None) -> None:
    """The first line of a request to a proxy names the host. No password is shown."""
    assert parse_target(line) == host


def test_the_variables_of_other_languages_are_set() -> None:
    """Node and Java get the proxy too, beside Java options of the shell."""
    sealed = sealed_environment({"JAVA_TOOL_OPTIONS": "-Xmx1g"}, "http://127.0.0.1:7")
    assert sealed["JAVA_TOOL_OPTIONS"].split() == [
        "-Xmx1g",
        *("-Dhttp.proxyHost=127.0.0.1", "-Dhttp.proxyPort=7"),
        *("-Dhttps.proxyHost=127.0.0.1", "-Dhttps.proxyPort=7"),
    ]
    assert sealed["NODE_USE_ENV_PROXY"] == "1"
