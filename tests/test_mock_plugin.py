"""The pytest plugin as a user meets it: the fixture is there, and a failure shows what was sent and why it was refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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


def test_a_failure_shows_what_was_sent_and_why_it_was_refused(tmp_path: Path) -> None:
    (tmp_path / "test_program.py").write_text(PROGRAM.replace("usdm_exchange.api_key)", "'another-secret')"))
    command = [sys.executable, "-m", "pytest", "-q", "--tb=line", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 1, done.stdout
    assert "1 passed" in done.stdout
    shown = done.stdout.count("Requests to usdm_exchange")
    assert shown == 2, "for the two that used it, and failed"
    assert (
        "1 GET '/fapi/v3/balance' HTTP 400, code -1022: the signature is of other bytes or of another secret"
        in done.stdout
    )
    assert "2 GET '/fapi/v3/balance' HTTP 403, fault waf: the signature" in done.stdout
    assert "none came" in done.stdout
    for secret in (DEFAULT_API_KEY, DEFAULT_API_SECRET, "another-secret", "signature="):
        assert secret not in done.stdout.partition("Requests to")[2]
