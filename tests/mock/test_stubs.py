"""Test stubs: paths that the spec does not describe, answered and verified."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from binance_usdm.mock import DEFAULT_API_KEY, Exchange
from tests.support.command_line import run
from tests.support.signed_requests import send_query, sign_query
from tests.support.spec_facts import BALANCE_PATH

ACCOUNT = "/fapi/v3/account"


@pytest.fixture
def exchange() -> Exchange:
    exchange = Exchange()
    exchange.stub(f"GET {ACCOUNT}", {"totalWalletBalance": Decimal("1.50")})
    return exchange


def test_ping_is_answered() -> None:
    """The path that clients request first is there, also after a reset, without a key."""
    exchange = Exchange()
    exchange.reset()
    reply = exchange.handle("GET", b"/fapi/v1/ping", ())
    assert (reply.status, reply.body) == (200, b"{}")
    assert exchange.used_weight == 1
    assert exchange.requests[0].operation == "stub GET /fapi/v1/ping"


def test_a_signed_stub_is_verified(exchange: Exchange) -> None:
    """A request with key and signature passes the checks of a signed operation, with any names."""
    query = sign_query(f"omitZeroBalances=true&timestamp={exchange.clock()}")
    reply = send_query(exchange, query, path=ACCOUNT)
    assert (reply.status, json.loads(reply.body)) == (200, {"totalWalletBalance": "1.50"})
    exchange.assert_signed(operation=f"stub GET {ACCOUNT}")
    assert send_query(exchange, query + "0", path=ACCOUNT).code == -1022
    assert send_query(exchange, query, key="another-key", path=ACCOUNT).code == -2015
    assert send_query(exchange, sign_query("timestamp=1"), path=ACCOUNT).code == -1021
    unsigned = f"timestamp={exchange.clock()}"
    assert send_query(exchange, unsigned, path=ACCOUNT).code == -1102
    with pytest.raises(AssertionError, match="4 of 5 requests would be rejected"):
        exchange.assert_signed()


def test_a_request_without_a_signature(exchange: Exchange) -> None:
    """A key alone is verified; a request without a key is public."""
    assert send_query(exchange, "symbol=BTCUSDT", path=ACCOUNT).status == 200
    assert send_query(exchange, "", key="another-key", path=ACCOUNT).code == -2015
    assert exchange.handle("GET", ACCOUNT.encode(), ()).status == 200
    assert exchange.handle("GET", f"{ACCOUNT}?signature=x".encode(), ()).code == -2014
    assert exchange.handle("POST", ACCOUNT.encode(), ()).status == 404
    assert [logged.refusal for logged in exchange.requests][:1] == [""]


def test_a_fault_answers_a_stub_too(exchange: Exchange) -> None:
    """Faults select a stub by its path, and change its response."""
    exchange.fail("wrong-type", path=ACCOUNT)
    reply = exchange.handle("GET", ACCOUNT.encode(), ())
    assert (reply.status, dict(reply.headers)[b"Content-Type"]) == (200, b"text/plain")


@pytest.mark.parametrize(
    "request_line",
    [
        "/fapi/v3/account",
        "GET fapi",
        "get /x",
        "GET /x?a=1",
        f"GET {BALANCE_PATH}",
        "GET /x y",
        "",
    ],
)
def test_a_wrong_stub_is_rejected(exchange: Exchange, request_line: str) -> None:
    """A stub needs a method and a path without a query that is no operation of the spec."""
    with pytest.raises(ValueError, match=r"a stub is for|is the operation balance"):
        exchange.stub(request_line, b"{}")


def test_the_command_has_stubs(tmp_path: Path) -> None:
    """`--stub` answers another path, and the log says that a stub did."""
    (tmp_path / "account.json").write_text('{"assets": []}')
    script = (
        "import os, urllib.request as r; "
        f"print(r.urlopen(os.environ['BINANCE_BASE_URL'] + '{ACCOUNT}').read().decode())"
    )
    stub = f"GET {ACCOUNT}={tmp_path}/account.json"
    done = run(
        "mock", "run", "--log", "--strict", "--stub", stub, "--", sys.executable, "-S", "-c", script
    )
    assert (done.returncode, done.stdout) == (0, '{"assets": []}\n')
    assert f"1 GET '{ACCOUNT}' HTTP 200, stub\n" in done.stderr
    assert DEFAULT_API_KEY not in done.stderr
    for wrong in (f"GET {ACCOUNT}", f"{ACCOUNT}=x.json", f"GET {ACCOUNT}=/dev/null"):
        assert run("mock", "serve", "--stub", wrong).returncode == 2
