"""Test the mock exchange on a real socket: delivery, client addresses, start and end."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from binance_usdm.mock import (
    DEFAULT_API_KEY,
    DEFAULT_API_SECRET,
    Delivery,
    Exchange,
    ManualClock,
    Reply,
    running,
    serve,
)
from binance_usdm.mock.admin.routes import AdminApi
from binance_usdm.mock.server import asgi, protocol
from binance_usdm.mock.state.accounts import normalize_ip
from tests.support.spec_facts import BALANCE_PATH, TIME_PATH

T0 = 1_700_000_000_000
TIME = f'{{"serverTime":{T0}}}'.encode()
FORK = pytest.mark.skipif(
    not Path("/proc/self/task").exists(), reason="looks for children in /proc"
)


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Exchange, str]]:
    exchange = Exchange(clock=ManualClock(T0))
    with running(exchange) as url:
        yield exchange, url


@pytest.fixture
def exchange(served: tuple[Exchange, str]) -> Exchange:
    served[0].reset()
    return served[0]


@pytest.fixture
def wire(served: tuple[Exchange, str], exchange: Exchange) -> Iterator[Wire]:
    with Wire(served[1]) as wire:
        yield wire


class Wire:
    """One connection, byte for byte."""

    def __init__(self, url: str, source: str | None = None) -> None:
        host, _, port = url.removeprefix("http://").rpartition(":")
        self.socket = socket.create_connection((host, int(port)), 5, source and (source, 0))
        self.kept, self.count = b"", 0

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, *targets: str, method: str = "GET", headers: str = "", body: str = "") -> None:
        self.socket.sendall(
            "".join(
                f"{method} {each} HTTP/1.1\r\nHost: x\r\n{headers}\r\n{body}" for each in targets
            ).encode()
        )

    def read_head(self) -> dict[str, str]:
        while b"\r\n\r\n" not in self.kept:
            if not (more := self.socket.recv(65536)):
                raise EOFError
            self.kept += more
        head, _, self.kept = self.kept.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        pairs = (line.partition(": ")[::2] for line in lines)
        return {"status": status.split()[1]} | {name.lower(): value for name, value in pairs}

    def read(self) -> tuple[dict[str, str], bytes]:
        head = self.read_head()
        while len(self.kept) < int(head["content-length"]):
            if not (more := self.socket.recv(65536)):
                raise EOFError
            self.kept += more
        length = int(head["content-length"])
        body = self.kept[:length]
        self.kept = self.kept[length:]
        return head, body

    def rest(self) -> bytes:
        """Everything up to the end of the connection."""
        found, self.kept = self.kept, b""
        self.count = len(found)
        while more := self.socket.recv(65536):
            found += more
            self.count = len(found)
        return found


def signed_target(now: int = T0) -> tuple[str, str]:
    query = f"timestamp={now}"
    made = hmac.new(DEFAULT_API_SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
    return f"{BALANCE_PATH}?{query}&signature={made}", f"x-Mbx-apiKEY: {DEFAULT_API_KEY}\r\n"


# -- delivery


def test_latency_is_waited_for_and_others_do_not_wait(
    served: Any, exchange: Exchange, wire: Wire
) -> None:
    exchange.fail("latency", seconds=0.5)
    began = time.monotonic()
    wire.send(TIME_PATH)
    with Wire(served[1]) as other:
        other.send(TIME_PATH)
        assert other.read()[1] == TIME
        assert time.monotonic() - began < 0.5
    assert wire.read()[1] == TIME
    assert time.monotonic() - began >= 0.5


def test_a_slow_body_comes_in_pieces(exchange: Exchange, wire: Wire) -> None:
    exchange.fail("slow", chunk=20, pause=0.15)
    wire.send(TIME_PATH)
    head = wire.read_head()
    began = time.monotonic()
    assert head["content-length"] == str(len(TIME))
    while len(wire.kept) < 20:
        wire.kept += wire.socket.recv(65536)
    assert wire.kept == TIME[:20]
    while len(wire.kept) < len(TIME):
        wire.kept += wire.socket.recv(65536)
    assert wire.kept == TIME
    assert time.monotonic() - began >= 0.1
    wire.kept = b""
    wire.send(TIME_PATH)
    assert wire.read()[1] == TIME, "the connection lives on"


def test_a_cut_ends_the_connection_before_what_was_announced(
    exchange: Exchange, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    exchange.fail("cut", after=7)
    wire.send(TIME_PATH)
    assert int(wire.read_head()["content-length"]) == len(TIME)
    assert wire.rest() == TIME[:7]
    assert logged_errors(caplog) == []


def test_a_reset_comes_before_any_byte(exchange: Exchange, wire: Wire) -> None:
    exchange.fail("reset")
    wire.send(TIME_PATH)
    with pytest.raises(ConnectionResetError):
        wire.read_head()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux reports what has arrived")
def test_a_reset_comes_after_so_many_bytes(exchange: Exchange, wire: Wire) -> None:
    body = b"x" * 3_000_000
    exchange.fail(Reply(200, (), body, delivery=Delivery(reset=True, cut=2_000_000)))
    wire.send("/")
    assert int(wire.read_head()["content-length"]) == len(body)
    with pytest.raises(ConnectionResetError):
        wire.rest()
    assert wire.count == 2_000_000


def test_custom_content_length_is_sent(exchange: Exchange, wire: Wire) -> None:
    """A custom response may announce less or more bytes than its body has."""
    exchange.fail(Reply(200, ((b"Content-Length", b"3"),), b"12345"))
    wire.send("/")
    assert wire.read()[1] == b"123"
    assert (wire.kept or wire.socket.recv(9)) == b"45", "more than was announced"
    wire.kept = b""
    exchange.fail(Reply(200, ((b"content-LENGTH", b"7"),), b"12345"))
    wire.send("/")
    assert wire.read_head()["content-length"] == "7"
    assert wire.rest() == b"12345"


def test_an_answer_to_head_has_no_body(exchange: Exchange, wire: Wire) -> None:
    exchange.fail("cut", times=2)
    for _ in range(2):
        wire.send(TIME_PATH, method="HEAD")
        assert int(wire.read_head()["content-length"]) > 1
        assert wire.kept == b""


@pytest.mark.parametrize(("fault", "status"), [("cut", 200), ("reset", None)])
def test_delivery_without_asyncio_transport(fault: str, status: int | None) -> None:
    """Without the connection's transport, a cut is never completed and a reset raises."""
    exchange, sent = Exchange(clock=ManualClock(T0)), list[Any]()
    exchange.fail(fault)

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": TIME_PATH,
        "query_string": b"",
        "headers": [],
    }
    if status is None:
        with pytest.raises(ConnectionResetError):
            asyncio.run(_await(exchange.asgi(scope, receive, send)))
        assert sent == []
    else:
        asyncio.run(_await(exchange.asgi(scope, receive, send)))
        assert [message.get("body") for message in sent] == [None, TIME[:1]]
        assert sent[-1]["more_body"]


@pytest.mark.parametrize(
    ("version", "announced", "asked"),
    [
        ("1.1", [], 0),
        ("1.0", [], 0),
        ("1.1", [(b"content-length", b"3")], 1),
        ("1.1", [(b"transfer-encoding", b"chunked")], 1),
        ("2", [], 1),
        (None, [], 1),
    ],
)
def test_a_body_is_waited_for_wherever_one_may_come(
    version: str | None, announced: Any, asked: int
) -> None:
    exchange, came = Exchange(clock=ManualClock(T0)), list[int]()

    async def receive() -> Any:
        came.append(1)
        return {"type": "http.request", "body": b"abc"}

    async def send(message: Any) -> None:
        pass

    scope = {
        "type": "http",
        "method": "GET",
        "path": TIME_PATH,
        "query_string": b"",
        "headers": announced,
    }
    if version is not None:
        scope["http_version"] = version
    asyncio.run(_await(exchange.asgi(scope, receive, send)))
    assert len(came) == asked
    assert exchange.requests[0].body == b"abc" * asked


def test_admin_stops_reading_endless_bodies() -> None:
    """The admin API stops reading a body above its limit."""
    came, sent = list[int](), list[Any]()

    async def receive() -> Any:
        came.append(1)
        return {"type": "http.request", "body": bytes(1024 * 1024), "more_body": len(came) < 9}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/__admin/reset",
        "query_string": b"",
        "client": ("127.0.0.1", 1),
    }
    scope["headers"] = [(b"host", b"localhost"), (b"content-type", b"application/json")]
    asyncio.run(_await(Exchange().asgi_app(admin=True)(scope, receive, send)))
    assert sent[0]["status"] == 413
    assert len(came) == 5


async def _await(awaitable: Any) -> None:
    await awaitable


def ask_mounted(exchange: Exchange, **scope: Any) -> tuple[int, str]:
    """Return status and path in the log of a request to a mounted application."""
    query = signed_target()[0].partition("?")[2]
    messages: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        messages.append(message)

    whole_scope = {
        "type": "http",
        "method": "GET",
        "http_version": "1.1",
        "headers": [(b"x-mbx-apikey", DEFAULT_API_KEY.encode())],
        "query_string": query.encode(),
        **scope,
    }
    asyncio.run(_await(exchange.asgi(whole_scope, receive, send)))
    return messages[0]["status"], exchange.requests[-1].path


BALANCE = BALANCE_PATH


@pytest.mark.parametrize(
    "scope",
    [
        # Starlette since 0.33, and uvicorn since 0.26 with --root-path
        {"path": f"/binance{BALANCE}", "raw_path": f"/binance{BALANCE}".encode()},
        {"path": f"/binance{BALANCE}"},
        # Starlette before 0.33
        {"path": BALANCE, "raw_path": f"/binance{BALANCE}".encode()},
        # a proxy that has taken the prefix off, and uvicorn before 0.26
        {"path": BALANCE, "raw_path": BALANCE.encode()},
        {"path": BALANCE, "raw_path": None},
        {"path": BALANCE, "root_path": ""},
        {"path": f"/binance{BALANCE}", "root_path": "/binance/"},
        {"path": f"/a/b{BALANCE}", "root_path": "/a/b"},
        {
            "path": f"/ä b{BALANCE}",
            "raw_path": f"/%C3%A4%20b{BALANCE}".encode(),
            "root_path": "/ä b",
        },
        {"path": f"/binance{BALANCE}", "raw_path": f"/b%69nance{BALANCE}".encode()},
    ],
)
def test_a_mounted_app_is_routed(exchange: Exchange, scope: dict[str, Any]) -> None:
    """A mounted application routes by the path behind the one at which it is mounted."""
    assert ask_mounted(exchange, **{"root_path": "/binance", **scope}) == (200, BALANCE)


@pytest.mark.parametrize(
    ("path", "in_app"),
    [
        ("/binance", "/"),
        ("/binance/", "/"),
        (f"/binancex{BALANCE_PATH}", f"/binancex{BALANCE_PATH}"),
        ("/binance/binance/fapi", "/binance/fapi"),
        ("/binance/%66api/v3/balance", "/%66api/v3/balance"),
        ("/other", "/other"),
    ],
)
def test_only_the_mounted_path_is_taken_off(exchange: Exchange, path: str, in_app: str) -> None:
    """What follows the mount's path stays byte for byte, and other paths stay whole."""
    raw = {"path": path.replace("%66", "f"), "raw_path": path.encode()}
    assert ask_mounted(exchange, root_path="/binance", **raw) == (404, in_app)


# -- errors


def test_a_body_above_a_mebibyte_is_refused_and_not_kept(exchange: Exchange, wire: Wire) -> None:
    limit = 1024 * 1024
    wire.send(TIME_PATH, headers=f"Content-Length: {limit}\r\n", body="x" * limit)
    wire.read()
    for size in (limit + 1, 5 * limit):
        wire.send(TIME_PATH, headers=f"Content-Length: {size}\r\n", body="x" * size)
        head, body = wire.read()
        assert (head["status"], head["content-type"]) == ("413", "text/html")
        assert body.startswith(b"<!DOCTYPE html>")
    assert [len(each.body) for each in exchange.requests] == [limit]
    wire.send(TIME_PATH)
    assert wire.read()[1] == TIME, "the rest of the body is read away"


def test_a_body_is_collected_in_linear_time() -> None:
    came = list[int]()

    async def receive() -> Any:
        came.append(1)
        return {"type": "http.request", "body": bytes(64), "more_body": len(came) < 16_000}

    sent = list[Any]()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": TIME_PATH,
        "query_string": b"",
        "headers": [],
    }
    began = time.process_time()
    asyncio.run(_await(Exchange().asgi(scope, receive, send)))
    assert sent[0]["status"] == 200
    assert time.process_time() - began < 0.3


def test_what_is_known_of_addresses_is_bounded() -> None:
    for number in range(3000):
        assert asgi._client_address({"client": (f"no address {number}", 1)}) == asgi.LOOPBACK
        assert (
            asgi._client_address({"client": (f"2001:db8::{number + 1:x}", 1)})
            == f"2001:db8::{number + 1:x}"
        )
    assert normalize_ip.cache_info().currsize <= 1024


def furious(payload: bytes, signature: str) -> bool:
    message = f"{payload!r} is not of {signature} but of {DEFAULT_API_SECRET}"
    try:
        raise KeyError(signature)
    except KeyError:
        # Without `from`, so that both exceptions are shown.
        raise ValueError(message)  # noqa: B904


def test_internal_errors_are_logged_redacted(caplog: pytest.LogCaptureFixture) -> None:
    """An exception of the mock is logged by type and place, without credentials."""
    exchange = Exchange(api_secret=furious, clock=ManualClock(T0))
    where, key = signed_target()
    with running(exchange, admin=True) as url, Wire(url) as wire:
        wire.send(where, headers=key)
        head, body = wire.read()
        assert (head["status"], head["content-type"]) == ("500", "text/html")
        wire.send(TIME_PATH)
        assert wire.read()[1] == TIME, "the connection lives on"
    (record,) = caplog.records
    output = record.getMessage()
    assert (record.name, record.levelname, record.exc_info) == ("binance_usdm.mock", "ERROR", None)
    line = furious.__code__.co_firstlineno + 6
    assert f'File "{__file__}", line {line}, in furious' in output
    assert "ValueError" in output
    assert "KeyError" in output
    for secret in (where.rpartition("=")[2][:9], DEFAULT_API_KEY, DEFAULT_API_SECRET, "is not of"):
        assert secret not in output + body.decode()


def test_an_admin_interface_that_fails_is_logged_too(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AdminApi, "handle", lambda *_: 1 // 0)
    with running(Exchange(), admin=True) as url, Wire(url) as wire:
        wire.send("/__admin/state")
        assert wire.read()[0]["status"] == "500"
    assert [record.name for record in caplog.records] == ["binance_usdm.mock"]
    assert "ZeroDivisionError" in caplog.text


def test_bytes_that_are_no_http_are_refused_and_not_logged(
    served: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with Wire(served[1]) as wire:
        wire.socket.sendall(b"\x16\x03\x01 a TLS hello, for instance\r\n\r\n")
        assert b" 400 " in wire.rest()
    with Wire(served[1]) as wire:
        wire.send(TIME_PATH, headers="Connection: Upgrade\r\nUpgrade: websocket\r\n")
        assert wire.read_head()["status"] == "200"
    assert caplog.records == []


# -- HTTP


def test_two_requests_in_one_segment_get_two_replies_in_order(
    exchange: Exchange, wire: Wire
) -> None:
    where, key = signed_target()
    exchange.fail("latency", seconds=0.05, path=BALANCE_PATH)
    wire.send(where, TIME_PATH, "/nowhere", headers=key)
    first, second, third = wire.read(), wire.read(), wire.read()
    assert [each[0]["status"] for each in (first, second, third)] == ["200", "200", "404"]
    assert (json.loads(first[1])[0]["asset"], second[1]) == ("USDT", TIME)
    assert [each.number for each in exchange.requests] == [1, 2, 3]


def test_health_is_outside_the_exchange(exchange: Exchange, wire: Wire) -> None:
    """The health path responds during a ban and a fault, costs nothing and is not logged."""
    exchange.ban()
    exchange.fail("waf", times=None)
    wire.send("/__health")
    head, body = wire.read()
    assert (head["status"], body) == ("200", b'{"status":"ok"}')
    wire.send("/__health", method="POST")
    assert wire.read()[0]["status"] == "403"
    assert [logged.method for logged in exchange.requests] == ["POST"]


@pytest.mark.parametrize(
    ("start", "repeated"),
    [
        (f"GET {TIME_PATH} HTTP/1.1\r\n", f"a: {'x' * 1000}\r\n"),
        (f"GET {TIME_PATH} HTTP/1.1\r\na: ", "x" * 1000),
        (f"GET {TIME_PATH}?", "x" * 1000),
        (
            f"POST {TIME_PATH} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
            f"a: {'x' * 1000}\r\n",
        ),
        ("POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;a=", "x" * 1000),
    ],
)
def test_endless_heads_are_rejected(
    exchange: Exchange, wire: Wire, start: str, repeated: str
) -> None:
    """A head, trailers or a chunk's extension without an end are rejected with 431."""
    wire.socket.sendall(start.encode())
    with suppress(ConnectionError):
        for _ in range(100_000):
            wire.socket.sendall(repeated.encode())
        pytest.fail("100 MB were taken")
    with suppress(ConnectionError):
        assert b" 431 " in wire.rest()
    assert exchange.requests == []


@pytest.mark.parametrize(("size", "status"), [(60_000, 200), (70_000, 431), (150_000, 431)])
def test_the_head_limit_is_exact(exchange: Exchange, wire: Wire, size: int, status: int) -> None:
    """A head above 64 KiB is rejected, however few pieces it arrives in."""
    wire.send(TIME_PATH, headers=f"a: {'x' * size}\r\n")
    assert wire.read_head()["status"] == str(status)
    assert len(exchange.requests) == (status == 200)


@pytest.mark.parametrize(
    "start",
    [
        "",
        f"GET {TIME_PATH} HTTP/1.1\r\n",
        f"POST {TIME_PATH} HTTP/1.1\r\nContent-Length: 9\r\n\r\nx",
    ],
)
def test_unfinished_requests_are_closed(
    exchange: Exchange, wire: Wire, monkeypatch: pytest.MonkeyPatch, start: str
) -> None:
    """A request that is not finished in time is closed and not logged; others are served."""
    monkeypatch.setattr(protocol, "REQUEST_TIMEOUT_SECONDS", 0.4)
    with running(exchange) as url, Wire(url) as unfinished:
        unfinished.socket.sendall(start.encode())
        assert unfinished.rest() == b""
        with Wire(url) as other:
            other.send(TIME_PATH)
            other.read()
            time.sleep(0.6)
            other.send(TIME_PATH)
            assert other.read()[1] == TIME
    assert [logged.method for logged in exchange.requests] == ["GET", "GET"]


def test_keep_alive_and_header_case(exchange: Exchange, wire: Wire) -> None:
    """A connection is reused, and header names may be in any case."""
    where, key = signed_target()
    for _ in range(3):
        wire.send(where, headers=f"{key}CONTENT-type: application/json\r\ncOnTeNt-LeNgTh: 0\r\n")
        assert wire.read()[0]["status"] == "200"


def test_a_reply_does_not_wait_for_an_acknowledgement(exchange: Exchange, wire: Wire) -> None:
    """Head and body are two writes, of which the second must not wait.

    Without TCP_NODELAY it waits for 40 ms after some responses on a connection.
    """
    began = time.monotonic()
    for _ in range(40):
        wire.send(TIME_PATH)
        wire.read()
    assert time.monotonic() - began < 40 * 0.03


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have one loopback address only")
def test_the_address_of_the_socket_is_the_exchanges(served: Any, exchange: Exchange) -> None:
    exchange.ban(60, "127.0.0.2")
    with Wire(served[1]) as here, Wire(served[1], "127.0.0.2") as there:
        here.send(TIME_PATH, headers="X-Forwarded-For: 127.0.0.2\r\n")
        there.send(TIME_PATH)
        assert (here.read()[0]["status"], there.read()[0]["status"]) == ("200", "418")
    assert [each.address for each in exchange.requests] == ["127.0.0.1", "127.0.0.2"]


# -- start and end


@pytest.mark.parametrize(("seconds", "whole"), [(0.2, True), (30, False)])
def test_it_ends_soon_and_quietly_while_replies_are_late(
    caplog: pytest.LogCaptureFixture, seconds: float, whole: bool
) -> None:
    exchange = Exchange(clock=ManualClock(T0))
    exchange.fail("latency", seconds=seconds, times=None)
    with running(exchange) as url:
        wire = Wire(url)
        wire.send(TIME_PATH)
        while not exchange.requests:
            time.sleep(0.005)
        began = time.monotonic()
    assert time.monotonic() - began < 1.5
    with wire:
        if whole:
            assert wire.read()[1] == TIME
        else:
            with pytest.raises((EOFError, ConnectionResetError)):
                wire.read_head()
    assert logged_errors(caplog) == []


def test_whoever_hangs_up_is_not_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    exchange = Exchange(clock=ManualClock(T0))
    exchange.fail("latency", seconds=30)
    exchange.fail("slow", chunk=1, pause=30)
    with running(exchange) as url:
        for before in range(2):
            with Wire(url) as wire:
                wire.send(TIME_PATH)
                while len(exchange.requests) == before:
                    time.sleep(0.005)
        began = time.monotonic()
    assert time.monotonic() - began < 0.5, "the grace of those that are late"
    assert logged_errors(caplog) == []


def logged_errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.startswith("uvicorn")]


PROGRAM = """
import sys
from binance_usdm.mock import Exchange
from binance_usdm.mock import serve
serve(Exchange(), port=0, ready=lambda url: print(url, flush=True), **eval(sys.argv[1]))
"""


FAILING = PROGRAM.replace(
    "Exchange()", "Exchange(api_secret=lambda payload, signature: {}[signature])"
)


@contextmanager
def process(
    options: str = "{}", program: str = PROGRAM
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    started = subprocess.Popen(
        [sys.executable, "-c", program, options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert started.stdout is not None
        yield started, started.stdout.readline().strip()
    finally:
        started.kill()
        started.communicate()


def children(parent: int) -> list[int]:
    return [
        int(each) for each in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    ]


def gone(pids: list[int]) -> bool:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if not any(
            Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes()
            for pid in pids
        ):
            return True
        time.sleep(0.01)
    return False


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal_ends_it(number: signal.Signals) -> None:
    with process() as (program, url):
        assert url.startswith("http://127.0.0.1:")
        assert not url.endswith(":0")
        with Wire(url) as wire:
            wire.send(TIME_PATH)
            assert b"serverTime" in wire.read()[1]
        program.send_signal(number)
        assert program.communicate(timeout=60) == ("", "")
        assert program.returncode == 0


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize(
    "more", ["", "import logging; logging.basicConfig(format='logged: %(message)s')\n"]
)
def test_internal_errors_are_printed_once(
    more: str,
) -> None:
    """An exception of the mock is printed on stderr once, although the client's logger is quiet."""
    where, key = signed_target(time.time_ns() // 1_000_000)
    with process(program=more + FAILING) as (program, url):
        with Wire(url) as wire:
            wire.send(where, headers=key)
            assert wire.read()[0]["status"] == "500"
        program.send_signal(signal.SIGTERM)
        output = program.communicate(timeout=60)[1]
    assert output.count("KeyError") == 1
    assert output.startswith("logged: ") == bool(more)
    assert where.rpartition("=")[2][:9] not in output


@FORK
@pytest.mark.parametrize(
    "end", [lambda pid: os.kill(pid, signal.SIGTERM), lambda pid: os.killpg(pid, signal.SIGINT)]
)
def test_workers_share_a_socket_and_end_together(end: Callable[[int], None]) -> None:
    with process("{'workers': 2}") as (program, url):
        workers = children(program.pid)
        assert len(workers) == 2
        for _ in range(4):
            with Wire(url) as wire:
                wire.send(TIME_PATH)
                assert b"serverTime" in wire.read()[1]
        end(program.pid)
        assert program.communicate(timeout=60) == ("", "")
        assert program.returncode == 0
        assert gone(workers)


ENDING_WORKER = """
import os, signal
from types import SimpleNamespace
from binance_usdm.mock.server.process import _run_worker
signal.signal(signal.SIGTERM, signal.default_int_handler)
_run_worker(SimpleNamespace(run=print, handle_exit=lambda number, frame: None), "served")
os.kill(os.getpid(), signal.SIGTERM)
"""


@FORK
def test_a_signal_does_not_interrupt_a_worker_that_ends() -> None:
    """After Ctrl-C a worker gets SIGTERM too, from the process that started it."""
    done = subprocess.run(
        [sys.executable, "-c", ENDING_WORKER], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "['served']\n", "")


@FORK
def test_a_worker_that_dies_ends_all() -> None:
    with process("{'workers': 2}") as (program, _):
        workers = children(program.pid)
        os.kill(workers[0], signal.SIGKILL)
        assert "a worker of the mock exchange ended" in program.communicate(timeout=60)[1]
        assert program.returncode == 1
        assert gone(workers)


@FORK
def test_workers_do_not_outlive_their_parent() -> None:
    with process("{'workers': 2}") as (program, _):
        workers = children(program.pid)
        program.kill()
        program.wait()
        assert gone(workers)


@pytest.mark.parametrize("options", [{"workers": 0}, {"workers": 2, "admin": True}])
def test_workers_that_cannot_be_are_refused(options: Any) -> None:
    with pytest.raises(ValueError, match="workers"):
        serve(Exchange(), port=0, **options)
