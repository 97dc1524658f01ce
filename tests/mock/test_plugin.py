"""Test the pytest plugin: the fixture, and the requests in the report of a failed test."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest

from binance_usdm.mock import DEFAULT_API_KEY, DEFAULT_API_SECRET
from tests.support.paths import ROOT
from tests.support.spec_facts import BALANCE_PATH, HOST_BY_ENVIRONMENT, TIME_PATH

PROGRAM = """
import binance_usdm

def client(exchange, secret):
    return binance_usdm.Client(exchange.api_key, secret, transport=exchange.transport)

def test_good(usdm_exchange):
    assert client(usdm_exchange, usdm_exchange.api_secret).balance()

def test_bad(usdm_exchange):
    usdm_exchange.fail("waf", nth=2)
    for _ in range(2):
        try:
            client(usdm_exchange, usdm_exchange.api_key).balance()
        except binance_usdm.APIError:
            pass
    assert False

def test_nothing_sent(usdm_exchange):
    assert False

def test_other():
    assert False
"""


OVERRIDDEN = """
import pytest
from unittest.mock import MagicMock
from binance_usdm.mock import DEFAULT_API_SECRET, Exchange, ManualClock

@pytest.fixture
def usdm_exchange():
    return Exchange(clock=ManualClock(1_700_000_000_000))

@pytest.fixture
def other(usdm_exchange):
    return usdm_exchange

@pytest.fixture
def asking():
    return Exchange()

@pytest.fixture
def double():
    return MagicMock(spec=Exchange)

def test_own(other, asking, double):
    other.handle("GET", b"/fapi/v1/time", ())
    asking.handle("GET", b"/nowhere", ())
    assert False

def test_confused(usdm_exchange):
    signed = "timestamp=1&signature=" + "0123abcd" * 8
    secret = "%6D" + DEFAULT_API_SECRET[1:]
    key = usdm_exchange.api_key
    for path in ("/fapi/v3/balance&" + signed, "/" + "0123abcd" * 8, "/" + secret, "/" + key):
        usdm_exchange.handle("GET", path.encode(), ())
    usdm_exchange.requests[-1].refusal = "no parameter is called " + DEFAULT_API_SECRET
    assert False
""".replace("/fapi/v3/balance", BALANCE_PATH).replace("/fapi/v1/time", TIME_PATH)


SERVED = """
import os
import binance_usdm
import pytest

@pytest.fixture(autouse=True)
def variables(monkeypatch):
    monkeypatch.setenv("BINANCE_API_PRIVATE_KEY", "a key of the shell")
    monkeypatch.setenv("BINANCE_API_KEY_FILE", "/a/file/of/the/shell")
    monkeypatch.setenv("BINANCE_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("BINANCE_BUDGET", "redis://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

@pytest.mark.parametrize("number", range(2))
def test_served(usdm_exchange, usdm_exchange_url, number):
    assert os.environ["BINANCE_BASE_URL"] == usdm_exchange_url
    assert "127.0.0.1" in os.environ["no_proxy"]
    with binance_usdm.Client.from_env() as client:
        assert client.balance()
        usdm_exchange.ban()
        with pytest.raises(binance_usdm.IPBannedError):
            client.balance()
    with pytest.raises(binance_usdm.IPBannedError, match="nothing was sent"):
        binance_usdm.Client.from_env().balance()

def test_same_port(usdm_exchange, monkeypatch, request):
    from binance_usdm.mock import running
    monkeypatch.setattr("binance_usdm.mock.running", lambda exchange: running(exchange, PORT))
    assert request.getfixturevalue("usdm_exchange_url").endswith(f":{PORT}")
    with binance_usdm.Client.from_env() as client:
        assert client.balance()
        usdm_exchange.ban()
        with pytest.raises(binance_usdm.IPBannedError):
            client.balance()

test_same_port_again = test_same_port

def test_after():
    assert not {"BINANCE_BASE_URL", "BINANCE_API_KEY", "BINANCE_API_SECRET"} & os.environ.keys()

class TestOwnKey:
    @pytest.fixture
    def usdm_exchange(self, monkeypatch):
        from binance_usdm.mock import Exchange
        monkeypatch.setenv("BINANCE_API_SECRET", "a secret of the shell")
        return Exchange(api_secret=lambda payload, signature: True)

    def test_private_key_stays(self, usdm_exchange_url):
        assert os.environ["BINANCE_API_PRIVATE_KEY"] == "a key of the shell"
        assert "BINANCE_API_SECRET" not in os.environ
"""


def run_pytest(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in a process of its own, with the plugin alone."""
    options = ["-q", "--tb=short", "-p", "no:cacheprovider", "-p", "binance_usdm._pytest_plugin"]
    variables = {name: text for name, text in os.environ.items() if "BINANCE_" not in name}
    variables["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, *arguments, str(path)],
        env=variables,
        capture_output=True,
        text=True,
        cwd=path,
        check=False,
    )


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the report of each failed test by its name."""
    path = tmp_path_factory.mktemp("program")
    (path / "test_plain.py").write_text(
        PROGRAM.replace("usdm_exchange.api_key)", "'another-secret')")
    )
    (path / "test_overridden.py").write_text(OVERRIDDEN)
    done = run_pytest(path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "5 failed, 1 passed" in done.stdout
    _, *report = re.split(
        r"^_+ (test_\w+) _+$|^=+ short test summary", done.stdout, flags=re.MULTILINE
    )
    return dict(zip(report[::2], report[1::2], strict=False))


def test_failures_show_requests(shown: dict[str, str]) -> None:
    """A failed test shows its requests and why they were rejected."""
    report = shown["test_bad"]
    assert (
        f"1 GET '{BALANCE_PATH}' HTTP 400, code -1022: "
        "the signature is of other bytes or of another secret" in report
    )
    assert f"2 GET '{BALANCE_PATH}' HTTP 403, fault waf: the signature" in report
    for secret in (DEFAULT_API_KEY, DEFAULT_API_SECRET, "another-secret", "signature="):
        assert secret not in report
    assert "Requests to usdm_exchange" in shown["test_nothing_sent"]
    assert "no requests" in shown["test_nothing_sent"]
    assert "Requests to" not in shown["test_other"]


def test_a_fixture_of_ones_own_is_shown_once_under_its_name(shown: dict[str, str]) -> None:
    report = shown["test_own"]
    assert f"1 GET '{TIME_PATH}' HTTP 200\n" in report
    assert "1 GET '/nowhere' HTTP 404" in report
    assert re.findall(r"Requests to (\w+)", report) == ["usdm_exchange", "asking"]


def test_a_forgotten_question_mark_shows_no_signature(shown: dict[str, str]) -> None:
    report = shown["test_confused"]
    assert f"1 GET '{BALANCE_PATH}&timestamp=1&signature=0123ab…' HTTP 404" in report
    assert "2 GET '/0123ab…'" in report
    assert "3 GET '/(secret)'" in report
    assert "4 GET '/(key)' HTTP 404, code -5000: no parameter is called (secret)" in report
    for secret in (DEFAULT_API_KEY, DEFAULT_API_SECRET[1:], "0123abcd"):
        assert secret not in report


def test_the_served_exchange_is_in_the_environment(tmp_path: Path) -> None:
    """`usdm_exchange_url` serves the exchange and sets the environment, without an earlier ban."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (tmp_path / "test_served.py").write_text(f"PORT = {port}\n{SERVED}")
    done = run_pytest(tmp_path)
    assert "6 passed" in done.stdout, done.stdout
    assert done.returncode == 0


def test_the_plugin_imports_nothing_early(tmp_path: Path) -> None:
    """Without a fixture, pytest imports nothing of this package, also for a failed test."""
    (tmp_path / "test_plain.py").write_text(
        """
import sys

def loaded():
    return sorted(name for name in sys.modules if name.startswith("binance_usdm"))

def test_without():
    assert loaded() == ["binance_usdm", "binance_usdm._pytest_plugin", "binance_usdm._version"]

def test_failed():
    raise AssertionError(f"loaded: {loaded()}")

def test_failed_later():
    raise AssertionError(f"loaded: {loaded()}")
"""
    )
    done = run_pytest(tmp_path)
    assert "2 failed, 1 passed" in done.stdout, done.stdout
    assert (
        done.stdout.count(
            "E   AssertionError: loaded: ['binance_usdm', 'binance_usdm._pytest_plugin', 'binance_usdm._version']"
        )
        == 2
    )
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["entry-points"]["pytest11"] == {
        "binance-usdm": "binance_usdm._pytest_plugin"
    }


def test_documented_fixtures_of_each_scope_work(tmp_path: Path) -> None:
    """The documented fixture serves one exchange to the tests of a module or a session."""
    page = (ROOT / "docs" / "mock-exchange.md").read_text(encoding="utf-8")
    (code,) = (
        block
        for block in re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
        if 'scope="session"' in block
    )
    tests = """
import binance_usdm

def test_one(exchange):
    exchange.ban()
    try:
        binance_usdm.Client.from_env().balance()
    except binance_usdm.IPBannedError:
        pass
    exchange.fail("waf", times=None)

def test_two(exchange):
    assert binance_usdm.Client.from_env().balance()
    assert len(exchange.requests) == 1

def test_three(exchange):
    exchange.fail("unavailable", times=2)
    instant = binance_usdm.RetryPolicy(random=lambda: 0.0)
    assert binance_usdm.Client.from_env(retry=instant, timeout=0.9).balance()
    assert len(exchange.requests) == 3
"""
    for scope in ("session", "module"):
        (tmp_path / "conftest.py").write_text(code.replace("session", scope))
        for name in ("a", "b"):
            (tmp_path / f"test_{name}.py").write_text(tests)
        done = run_pytest(tmp_path)
        assert "6 passed" in done.stdout, done.stdout


STRICT = """
import binance_usdm
import pytest

def send(exchange, secret):
    return binance_usdm.Client(exchange.api_key, secret, transport=exchange.transport).balance()

def test_green(usdm_exchange):
    with pytest.raises(binance_usdm.AuthenticationError):
        send(usdm_exchange, "another-secret")

@pytest.mark.usdm_exchange(strict=False)
def test_exempt(usdm_exchange):
    with pytest.raises(binance_usdm.AuthenticationError):
        send(usdm_exchange, "another-secret")

def test_fault(usdm_exchange):
    usdm_exchange.fail("waf")
    with pytest.raises(binance_usdm.APIError):
        send(usdm_exchange, usdm_exchange.api_secret)

def test_raises(usdm_exchange):
    send(usdm_exchange, "another-secret")
"""


def test_a_green_test_can_be_asserted_at_teardown(tmp_path: Path) -> None:
    """With the option or the ini setting, a rejection that nothing explains is an error.

    A mark exempts one test. The JUnit file has the requests in the failure itself.
    """
    (tmp_path / "test_strict.py").write_text(STRICT)
    plain = run_pytest(tmp_path)
    assert "1 failed, 3 passed" in plain.stdout, plain.stdout
    assert "ERROR" not in plain.stdout
    junit = tmp_path / "junit.xml"
    done = run_pytest(tmp_path, "--usdm-exchange-strict", f"--junitxml={junit}")
    assert "1 failed, 3 passed, 2 errors" in done.stdout, done.stdout
    cases = list(ElementTree.parse(junit).iter("testcase"))
    errors = {case.get("name") for case in cases if case.find("error") is not None}
    assert errors == {"test_green", "test_raises"}
    (failure,) = [case.find("failure") for case in cases if case.find("failure") is not None]
    assert failure is not None
    assert "Requests to usdm_exchange" in str(failure.text)
    assert f"1 GET '{BALANCE_PATH}' HTTP 400, code -1022" in str(failure.text)
    assert "another-secret" not in junit.read_text().replace('"another-secret"', "")
    (tmp_path / "pytest.ini").write_text("[pytest]\nusdm_exchange_strict = true\n")
    assert "1 failed, 3 passed, 2 errors" in run_pytest(tmp_path).stdout


def test_tracebacks_end_in_the_test(tmp_path: Path) -> None:
    """A traceback has the frames of the test and none of this package, unless pytest is asked."""
    (tmp_path / "test_strict.py").write_text(STRICT)
    done = run_pytest(tmp_path, "-k", "raises", "--tb=long")
    assert re.search(r"^test_strict\.py:[0-9]+: AuthenticationError$", done.stdout, re.MULTILINE)
    assert "_call/call.py" not in done.stdout
    assert (
        "_call/call.py" in run_pytest(tmp_path, "-k", "raises", "--tb=long", "--full-trace").stdout
    )


SEALED = """
import asyncio
import http.client
import socket
import binance_usdm
import pytest

def look_up(host):
    with pytest.raises(OSError):
        socket.getaddrinfo(host, 443)

def test_client(usdm_exchange):
    with pytest.raises(binance_usdm.TransportError):
        binance_usdm.Client("a-fake-key-of-a-test", "a-fake-secret-of-a-test").balance()

def test_async_client(usdm_exchange):
    async def read():
        async with binance_usdm.AsyncClient("a-fake-key-of-a-test", "a-fake-secret") as client:
            await client.balance()
    with pytest.raises(binance_usdm.TransportError):
        asyncio.run(read())

def test_sibling(usdm_exchange):
    with pytest.raises(OSError):
        http.client.HTTPSConnection("API.SIBLING.").connect()

@pytest.mark.usdm_exchange(sealed=False)
def test_exempt(usdm_exchange):
    with pytest.raises(ZeroDivisionError):
        socket.getaddrinfo("api.SIBLING", 443)

def test_others(usdm_exchange_url):
    assert socket.getaddrinfo("127.0.0.1", 80)
    with binance_usdm.Client.from_env() as client:
        assert client.balance()
    look_up("notSIBLING")

def test_after():
    with pytest.raises(ZeroDivisionError):
        socket.getaddrinfo("api.SIBLING", 443)
"""

NO_NETWORK = """
import socket
real = socket.getaddrinfo

def look_up(host, *arguments, **options):
    if host == "127.0.0.1":
        return real(host, *arguments, **options)
    if str(host).startswith("not"):
        raise OSError("no network")
    raise ZeroDivisionError("it was looked up")

socket.getaddrinfo = look_up
"""


def test_the_exchange_itself_cannot_be_reached(tmp_path: Path) -> None:
    """A test with the fixture fails if it looks up a host of the spec, or a sibling of one."""
    host = HOST_BY_ENVIRONMENT["production"]
    domain = ".".join(host.split(".")[-2:])
    (tmp_path / "conftest.py").write_text(NO_NETWORK)
    (tmp_path / "test_sealed.py").write_text(SEALED.replace("SIBLING", domain))
    done = run_pytest(tmp_path)
    assert "6 passed, 3 errors" in done.stdout, done.stdout
    messages = re.findall(
        r"^the test tried to reach (\S+); nothing was sent$", done.stdout, re.MULTILINE
    )
    assert messages == [host, host, f"API.{domain}."]


def test_the_fixture_starts_with_a_scenario(tmp_path: Path) -> None:
    """The ini option names a file from the root folder, for every test."""
    (tmp_path / "desk.json").write_text('{"accounts": [{"keys": [{"api_key": "desk-key"}]}]}')
    (tmp_path / "pytest.ini").write_text("[pytest]\nusdm_exchange_seed = desk.json\n")
    test = """
def test_NAME(usdm_exchange):
    assert usdm_exchange.api_key == "desk-key"
    usdm_exchange.load_scenario({})
    assert usdm_exchange.api_key != "desk-key"
"""
    (tmp_path / "test_it.py").write_text(test.replace("NAME", "one") + test.replace("NAME", "two"))
    done = run_pytest(tmp_path)
    assert "2 passed" in done.stdout, done.stdout
