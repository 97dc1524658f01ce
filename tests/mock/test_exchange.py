"""Test the mock exchange as a whole: accounts, seeds, request log, httpx, ASGI, socket, pytest."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import os
import subprocess
import sys
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

import binance_usdm.mock as door
from binance_usdm import _pytest_plugin
from binance_usdm.mock import (
    DEFAULT_API_KEY,
    DEFAULT_API_SECRET,
    Exchange,
    ManualClock,
    Reply,
    Switches,
    running,
    serve,
)
from tests.support.spec_facts import BALANCE_PATH, BALANCE_WEIGHT, TIME_PATH

T0 = 1_700_000_000_000
ODD = f"recvWindow=%35000&timestamp={T0}"  # an encoding no library would choose by itself
ROW: dict[str, Any] = {
    "accountAlias": "SgsR",
    "asset": "USDT",
    "balance": "1.0",
    "crossWalletBalance": "0.00000000",
    "crossUnPnl": "-0.5",
    "availableBalance": "1",
    "maxWithdrawAmount": "1",
    "marginAvailable": True,
    "updateTime": 0,
}
usdm_exchange = _pytest_plugin.usdm_exchange


def target(query: str = f"timestamp={T0}", secret: str = DEFAULT_API_SECRET) -> str:
    proof = hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()
    return f"{BALANCE_PATH}?{query}&signature={proof}"


def ask(exchange: Exchange, key: str = DEFAULT_API_KEY, secret: str = DEFAULT_API_SECRET) -> Reply:
    return exchange.handle("GET", target(secret=secret).encode(), [(b"X-MBX-APIKEY", key.encode())])


@pytest.fixture
def exchange() -> Exchange:
    return Exchange(clock=ManualClock(T0))


HEADERS = {"X-MBX-APIKEY": DEFAULT_API_KEY}


def test_the_door_is_complete_and_sorted() -> None:
    names = door.__all__
    assert names == sorted(
        names, key=lambda name: (not name.isupper(), not name[0].isupper(), name)
    )
    assert all(hasattr(door, name) for name in names)


# -- accounts and seeds


def test_amounts_go_out_as_they_were_seeded(exchange: Exchange) -> None:
    rows = [
        {**ROW, "asset": "币安", "balance": "-0.00000000"},
        {**ROW, "balance": "1.000", "newMember": [1.50, None]},
    ]
    exchange.seed("balance", rows)
    assert ask(exchange).body.decode() == json.dumps(
        rows, ensure_ascii=False, separators=(",", ":")
    )


@pytest.mark.parametrize(
    "text", ["1", "0.00000000", "-0.10", "123456789012345678901234567890.000000000000000000010"]
)
def test_a_decimal_goes_out_as_its_plain_text(exchange: Exchange, text: str) -> None:
    exchange.seed("balance", [{**ROW, "balance": Decimal(text)}])
    assert json.loads(ask(exchange).body)[0]["balance"] == text
    exchange.seed("balance", [{**ROW, "balance": Decimal("1E+3")}])
    assert json.loads(ask(exchange).body)[0]["balance"] == "1000"


@pytest.mark.parametrize(
    ("operation", "value", "says"),
    [
        ("balance", {}, "balance: the value is not of type array"),
        ("balance", [ROW, "new"], r"balance\[1\]: the value is not of type object"),
        (
            "balance",
            [{**ROW, "balance": "1E+100"}],
            r"balance\[0\]\.balance: the value does not match",
        ),
        ("balance", [{**ROW, "balance": "01"}], r"balance\[0\]\.balance: the value does not match"),
        (
            "balance",
            [{**ROW, "balance": 1}],
            r"balance\[0\]\.balance: the value is not of type string",
        ),
        (
            "balance",
            [{**ROW, "asset": None}],
            r"balance\[0\]\.asset: the value is not of type string",
        ),
        (
            "balance",
            [{**ROW, "marginAvailable": 1}],
            r"balance\[0\]\.marginAvailable: the value is not of type boolean",
        ),
        (
            "balance",
            [{**ROW, "updateTime": True}],
            r"balance\[0\]\.updateTime: the value is not of type integer",
        ),
        (
            "balance",
            [{**ROW, "updateTime": 1.0}],
            r"balance\[0\]\.updateTime: the value is not of type integer",
        ),
        ("balance", [{**ROW, "updateTime": 2**63}], r"balance\[0\]\.updateTime: the value"),
        (
            "balance",
            [{"balance": Decimal(1)}],
            r"balance\[0\]: the value lacks accountAlias, asset, crossWallet",
        ),
        ("server_time", {"serverTime": -1}, r"server_time\.serverTime: the value"),
        ("balance", [{**ROW, "balance": Decimal("NaN")}], "JSON"),
    ],
)
def test_invalid_seeds_are_rejected(
    exchange: Exchange, operation: str, value: Any, says: str
) -> None:
    """A value that the spec forbids is rejected with its path."""
    before = exchange.handle("GET", TIME_PATH.encode(), []).body, ask(exchange).body
    with pytest.raises(ValueError, match=says):
        exchange.seed(operation, value)
    assert (exchange.handle("GET", TIME_PATH.encode(), []).body, ask(exchange).body) == before


def test_only_an_hmac_secret_is_shared() -> None:
    """`api_secret` is a string for clients; a public key or function has no secret to share."""
    assert Exchange(api_secret="made-up").api_secret == "made-up"
    own = Exchange(api_secret=lambda payload, signature: True)
    with pytest.raises(AttributeError, match=r"^the exchange has no api_secret: "):
        _ = own.api_secret


def test_an_exponent_is_served_as_written(exchange: Exchange) -> None:
    """An amount with a short exponent is a valid seed and keeps its form in the response."""
    exchange.seed("balance", [{**ROW, "balance": "5.0E7", "crossUnPnl": "0E-8"}])
    body = ask(exchange).body
    assert b'"balance":"5.0E7"' in body
    assert b'"crossUnPnl":"0E-8"' in body


def test_amount_must_not_end_with_newline(exchange: Exchange) -> None:
    """An amount with a newline at its end does not match the pattern."""
    with pytest.raises(ValueError, match=r"balance\[0\]\.balance: the value does not match"):
        exchange.seed("balance", [{**ROW, "balance": "1.0\n"}])


def test_an_account_with_a_bad_seed_is_not_opened(exchange: Exchange) -> None:
    with pytest.raises(ValueError, match=r"balance\[0\]"):
        exchange.add_account("second", "its secret", balance=[{}])
    assert ask(exchange, "second", "its secret").code == -2015


def test_bytes_are_sent_as_they_are(exchange: Exchange) -> None:
    exchange.seed("balance", b"\xef\xbb\xbf[NaN")
    assert ask(exchange).body == b"\xef\xbb\xbf[NaN"


def test_a_seeded_time_beats_the_clock(exchange: Exchange) -> None:
    exchange.seed("server_time", {"serverTime": 1})
    assert exchange.handle("GET", TIME_PATH.encode(), []).body == b'{"serverTime":1}'


def test_a_seed_is_a_copy(exchange: Exchange) -> None:
    rows: list[Any] = []
    exchange.seed("balance", rows)
    rows.append("later")
    assert ask(exchange).body == b"[]"


def test_accounts_do_not_see_each_others_money(exchange: Exchange) -> None:
    exchange.add_account("second", "its secret", balance=[{**ROW, "asset": "BNB"}])
    exchange.add_account("third", "its secret")
    exchange.seed("balance", [])
    assert ask(exchange).body == b"[]"
    assert (
        ask(exchange, "second", "its secret").body
        == json.dumps([{**ROW, "asset": "BNB"}], separators=(",", ":")).encode()
    )
    assert b"122607.35137903" in ask(exchange, "third", "its secret").body
    exchange.seed("balance", b"new", api_key="third")
    assert ask(exchange, "third", "its secret").body == b"new"


def test_unreachable_seeds_are_rejected(exchange: Exchange) -> None:
    """A seed for an unknown key, or for a key that the operation does not need, is rejected."""
    with pytest.raises(ValueError, match="balance, server_time"):
        exchange.seed("balances", [])
    with pytest.raises(ValueError, match="no account has"):
        exchange.seed("balance", [], api_key="unknown-key")
    with pytest.raises(ValueError, match="needs no API key"):
        exchange.seed("server_time", {}, api_key=DEFAULT_API_KEY)
    with pytest.raises(ValueError, match="already"):
        exchange.add_account(DEFAULT_API_KEY, "another secret")
    with pytest.raises(TypeError):
        exchange.seed("balance", object())
    with pytest.raises(ValueError, match="JSON"):
        exchange.seed("balance", float("nan"))


@pytest.mark.parametrize("key", ["", "with blank", "line\n", "x" * 129, "钥匙"])
def test_a_key_that_could_never_come_is_refused(exchange: Exchange, key: str) -> None:
    for opened in (lambda: Exchange(api_key=key), lambda: exchange.add_account(key, "secret")):
        with pytest.raises(ValueError, match=r"api_key .*key_format") as caught:
            opened()
        assert not key or key not in str(caught.value)
    with pytest.raises(ValueError, match="api_key"):
        Exchange(api_key="", switches=Switches(key_format=".*"))


@pytest.mark.parametrize("now", [1.7e12, True, "1700000000000", None])
def test_clock_must_return_integers(
    now: Any,
) -> None:
    """A clock that does not return integer milliseconds raises at the first request."""
    exchange = Exchange(clock=lambda: now)
    for asks in (
        lambda: exchange.handle("GET", TIME_PATH.encode(), []),
        lambda: exchange.spend(1),
        exchange.ban,
    ):
        with pytest.raises(TypeError, match=f"clock .*{type(now).__name__}"):
            asks()


# -- request log


def test_the_log_tells_what_came_and_how_it_ended(exchange: Exchange) -> None:
    exchange.handle(
        "GET", target(ODD).encode(), [(b"X-MBX-APIKEY", DEFAULT_API_KEY.encode()), (b"A", b"b")]
    )
    exchange.handle("POST", b"/nowhere", [])
    ask(exchange, "unknown")
    first, second, third = exchange.requests
    assert (first.method, first.path, first.status, first.code) == (
        "GET",
        BALANCE_PATH,
        200,
        None,
    )
    assert (first.operation, first.at_ms) == ("balance", T0)
    assert first.query[:2] == (("recvWindow", "5000"), ("timestamp", str(T0)))
    assert first.query[2][0] == "signature"
    assert first.raw_query == target(ODD).encode().partition(b"?")[2]
    assert first.headers == ((b"X-MBX-APIKEY", DEFAULT_API_KEY.encode()), (b"A", b"b"))
    assert (second.method, second.status, second.code, second.operation) == (
        "POST",
        404,
        -5000,
        None,
    )
    assert (third.status, third.code, third.operation) == (401, -2015, "balance")


def test_no_repr_shows_a_key_a_secret_or_a_signature(exchange: Exchange) -> None:
    account = exchange.add_account("second-key", "second-secret")
    ask(exchange)
    exchange.handle(
        "GET", target().replace("/fapi", "/wrong").encode(), [(b"X-MBX-APIKEY", b"second-key")]
    )
    parts = (exchange, exchange.requests, account, exchange.transport, exchange.asgi)
    shown = " ".join([str(exchange), *map(repr, parts)])
    signature = target().rpartition("=")[2]
    for secret in (DEFAULT_API_KEY, DEFAULT_API_SECRET, "second-key", "second-secret", signature):
        assert secret not in shown
    assert BALANCE_PATH in shown


def test_the_log_is_bounded() -> None:
    exchange = Exchange(clock=ManualClock(T0), log_size=3)
    for _ in range(5):
        ask(exchange)
    assert len(exchange.requests) == 3


def test_threads_share_an_exchange_one_request_at_a_time() -> None:
    inside: list[int] = []

    def clock() -> int:
        inside.append(1)
        time.sleep(0.0005)  # lets other threads in, if anything lets them in
        most.append(len(inside))
        inside.pop()
        return T0

    most: list[int] = []
    exchange = Exchange(clock=clock)
    exchange.fail("unavailable", times=10)
    with ThreadPoolExecutor(8) as pool:
        statuses = [reply.status for reply in pool.map(lambda _: ask(exchange), range(40))]
    assert (statuses.count(503), statuses.count(200)) == (10, 30)
    assert (exchange.used_weight, len(exchange.requests)) == (30 * BALANCE_WEIGHT, 40)
    assert set(most) == {1}


def test_the_default_clock_is_the_systems() -> None:
    before = time.time_ns() // 1_000_000
    now = json.loads(Exchange().handle("GET", TIME_PATH.encode(), []).body)["serverTime"]
    assert before <= now <= time.time_ns() // 1_000_000


# -- httpx and ASGI


def test_it_is_a_transport_for_a_sync_client(exchange: Exchange) -> None:
    with httpx.Client(transport=exchange.transport, base_url="https://mock.invalid") as client:
        reply = client.get(target(ODD), headers=HEADERS)
        assert (reply.status_code, reply.json()[0]["asset"]) == (200, "USDT")
        assert reply.headers["content-type"] == "application/json"
        assert client.get(target(), headers={"X-MBX-APIKEY": "unknown"}).json()["code"] == -2015
        assert (
            client.request("GET", target(), headers=HEADERS, content=b"x").json()["code"] == -1022
        )
    assert exchange.requests[0].raw_query.startswith(b"recvWindow=%35000&")


def test_it_is_a_transport_for_an_async_client(exchange: Exchange) -> None:
    async def call() -> list[int]:
        async with httpx.AsyncClient(
            transport=exchange.transport, base_url="https://mock.invalid"
        ) as client:
            replies = await asyncio.gather(
                *(client.get(target(ODD), headers=HEADERS) for _ in range(5))
            )
            return [reply.status_code for reply in replies]

    assert asyncio.run(call()) == [200] * 5


def test_it_can_be_handed_to_a_mock_transport(exchange: Exchange) -> None:
    with httpx.Client(transport=httpx.MockTransport(exchange)) as client:
        assert client.get(f"https://mock.invalid{TIME_PATH}").json() == {"serverTime": T0}


def test_asgi_hands_over_the_exact_path_query_and_body(exchange: Exchange) -> None:
    async def call() -> list[httpx.Response]:
        transport = httpx.ASGITransport(exchange.asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://mock.invalid") as client:
            return [
                await client.get(target(ODD), headers=HEADERS),
                await client.request("GET", target(ODD), headers=HEADERS, content=b"x"),
                await client.get("/fapi/v3%2Fbalance"),
            ]

    replies = asyncio.run(call())
    assert [reply.status_code for reply in replies] == [200, 400, 404]
    assert replies[1].json()["code"] == -1022, "a body is signed as well"
    assert replies[0].headers["x-mbx-used-weight-1m"] == str(BALANCE_WEIGHT)
    assert exchange.requests[0].raw_query == target(ODD).encode().partition(b"?")[2]
    assert exchange.requests[2].path == "/fapi/v3%2Fbalance"


def test_asgi_sends_a_reply_of_ones_own_with_its_own_headers(exchange: Exchange) -> None:
    exchange.fail(
        Reply(
            200, ((b"content-length", b"2"), (b"Retry-After", b"1"), (b"Retry-After", b"2")), b"[]"
        )
    )

    async def call() -> httpx.Response:
        transport = httpx.ASGITransport(exchange.asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://mock.invalid") as client:
            return await client.get("/")

    sent = asyncio.run(call()).headers
    assert (sent.get_list("content-length"), sent.get_list("retry-after")) == (["2"], ["1", "2"])


def test_asgi_scopes(exchange: Exchange) -> None:
    """The application handles http and lifespan, and rejects other scopes."""
    received = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    sent: list[str] = []

    async def receive() -> Any:
        return next(received)

    async def send(message: Any) -> None:
        sent.append(message["type"])

    asyncio.run(_await(exchange.asgi({"type": "lifespan"}, receive, send)))
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    with pytest.raises(ValueError, match="websocket"):
        asyncio.run(_await(exchange.asgi({"type": "websocket"}, receive, send)))


async def _await(awaitable: Any) -> None:
    await awaitable


# -- socket


def test_it_runs_on_a_socket_and_says_nothing_about_it(
    exchange: Exchange, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("uvicorn")
    threads_before = {*threading.enumerate()}
    with running(exchange) as url:
        caplog.set_level(logging.DEBUG, logger="uvicorn.access")
        assert url.startswith("http://127.0.0.1:")
        with httpx.Client(base_url=url) as client:
            reply = client.get(target(ODD), headers=HEADERS)
            missing = client.get("/nowhere")
            exchange.fail("truncated")
            cut = client.get(target(), headers=HEADERS)
    assert (reply.status_code, missing.status_code, cut.status_code) == (200, 404, 200)
    assert int(cut.headers["content-length"]) == len(cut.content)
    assert "server" not in reply.headers
    assert len(reply.headers.get_list("date")) == 1
    assert exchange.requests[0].raw_query == target(ODD).encode().partition(b"?")[2]
    assert [record for record in caplog.records if record.name.startswith("uvicorn")] == []
    assert logging.getLogger("uvicorn").handlers == []
    assert capfd.readouterr() == ("", "")
    new_threads = {*threading.enumerate()} - threads_before
    assert "mock-exchange" not in {thread.name for thread in new_threads}
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}{TIME_PATH}")


def test_two_exchanges_run_side_by_side() -> None:
    pytest.importorskip("uvicorn")
    one, two = Exchange(clock=ManualClock(1)), Exchange(clock=ManualClock(2))
    with running(one) as first, running(two) as second:
        assert httpx.get(f"{first}{TIME_PATH}").json() == {"serverTime": 1}
        assert httpx.get(f"{second}{TIME_PATH}").json() == {"serverTime": 2}


def test_without_uvicorn_a_server_says_what_to_install(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(ImportError, match=r"^serving .* pip install uvicorn$") as caught:
        serve(exchange)
    assert caught.value.__suppress_context__
    with pytest.raises(ImportError, match="mock"), running(exchange):
        pass


# -- pytest


def test_the_fixture_is_an_exchange_on_the_clock_of_the_system(usdm_exchange: Exchange) -> None:
    assert (usdm_exchange.api_key, usdm_exchange.api_secret) == (
        DEFAULT_API_KEY,
        DEFAULT_API_SECRET,
    )
    assert ask(usdm_exchange).code == -1021, "the time in this test is long past"


def test_mock_imports_no_client() -> None:
    """The mock imports no client, no server and no httpx, apart from what the package imports."""
    root = Path(door.__file__).parents[1]
    program = (
        "import sys, types\n"
        "package = types.ModuleType('binance_usdm')\n"
        f"package.__path__ = [{str(root)!r}]\n"
        "sys.modules['binance_usdm'] = package\n"
        "import binance_usdm.mock\n"
        "loaded = {name.split('.')[0] for name in sys.modules}\n"
        "print(sorted(loaded & {'httpx', 'uvicorn', 'binance_usdm_wire'}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_the_mock_works_in_a_zip(tmp_path: Path) -> None:
    """From a zip file, as in a zipapp, the mock responds, and so do its pages."""
    root = Path(door.__file__).parents[2]
    archive = tmp_path / "app.pyz"
    with zipfile.ZipFile(archive, "w") as packed:
        for folder in (root / "binance_usdm", root / "generated_client" / "binance_usdm_wire"):
            for file in folder.rglob("*"):
                if file.suffix in (".py", ".json", ".html", ".css", ".js"):
                    packed.write(file, file.relative_to(folder.parent))
    program = """if True:
        import sys
        from binance_usdm.mock import Exchange, row
        from binance_usdm.mock.admin.routes import AdminApi
        assert "app.pyz" in sys.modules["binance_usdm"].__file__
        exchange = Exchange()
        exchange.seed("balance", [row("USDT", balance="5")])
        for path in "/__admin/", "/__admin/http", "/__admin/http/zh":
            page = AdminApi(exchange._engine).handle(
                "GET", path, b"", [(b"Host", b"localhost")], b"", "127.0.0.1"
            )
            assert page.status == 200, page
        assert exchange.handle("GET", b"/fapi/v1/time", ()).status == 200
    """
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(archive)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
