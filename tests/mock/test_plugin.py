"""Test the pytest plugin: the fixture, and the requests in the report of a failed test."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from binance_usdm.mock import DEFAULT_API_KEY, DEFAULT_API_SECRET

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
"""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the report of each failed test by its name."""
    path = tmp_path_factory.mktemp("program")
    (path / "test_plain.py").write_text(
        PROGRAM.replace("usdm_exchange.api_key)", "'another-secret')")
    )
    (path / "test_overridden.py").write_text(OVERRIDDEN)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--tb=short",
        "-p",
        "no:cacheprovider",
        str(path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=path, check=False)
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
        "1 GET '/fapi/v3/balance' HTTP 400, code -1022: "
        "the signature is of other bytes or of another secret" in report
    )
    assert "2 GET '/fapi/v3/balance' HTTP 403, fault waf: the signature" in report
    for secret in (DEFAULT_API_KEY, DEFAULT_API_SECRET, "another-secret", "signature="):
        assert secret not in report
    assert "Requests to usdm_exchange" in shown["test_nothing_sent"]
    assert "no requests" in shown["test_nothing_sent"]
    assert "Requests to" not in shown["test_other"]


def test_a_fixture_of_ones_own_is_shown_once_under_its_name(shown: dict[str, str]) -> None:
    report = shown["test_own"]
    assert "1 GET '/fapi/v1/time' HTTP 200\n" in report
    assert "1 GET '/nowhere' HTTP 404" in report
    assert re.findall(r"Requests to (\w+)", report) == ["usdm_exchange", "asking"]


def test_a_forgotten_question_mark_shows_no_signature(shown: dict[str, str]) -> None:
    report = shown["test_confused"]
    assert "1 GET '/fapi/v3/balance&timestamp=1&signature=0123ab…' HTTP 404" in report
    assert "2 GET '/0123ab…'" in report
    assert "3 GET '/(secret)'" in report
    assert "4 GET '/(key)' HTTP 404, code -5000: no parameter is called (secret)" in report
    for secret in (DEFAULT_API_KEY, DEFAULT_API_SECRET[1:], "0123abcd"):
        assert secret not in report
