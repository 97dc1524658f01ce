"""An HTTP proxy opens a tunnel, sees nothing of an https request, and cannot stall a call."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gc
import os
import socket
import threading
import time
import traceback
import warnings
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from binance_usdm import (
    AsyncClient,
    Client,
    DeadlineExceeded,
    RetryPolicy,
    SyncTransport,
    TransportError,
)
from binance_usdm._http.async_transport import AsyncTransport
from binance_usdm._http.connections.proxy import Proxy
from binance_usdm._http.httpx_adapter import StaleConnection
from tests.http.drivers import TIMEOUTS, CertificateAuthority, Wires, idle, make_request, send
from tests.http.test_cancelled import becomes, descriptors, none_dead, reaches_two_pauses
from tests.support.canaries import KEY, SECRET
from tests.support.clients import BODY
from tests.support.raw_server import (
    CLOSE_WITHOUT_CLOSE_NOTIFY,
    READ,
    RESET,
    STAY_SILENT,
    RawServer,
    Script,
    Step,
    repeat,
    response_bytes,
)
from tests.support.secret_leaks import WATCH
from tests.support.timing import best_duration

# The secret leak detector looks for both in errors and logs.
PASSWORD = "Password@Canary:271828"
LOGIN = base64.b64encode(f"user:{PASSWORD}".encode())
WATCH.add_secrets(PASSWORD, LOGIN)
OPEN = b"HTTP/1.1 200 Connection established\r\n\r\n"
KINDS = pytest.mark.parametrize("kind", [Client, AsyncClient])


class Relay:
    """A proxy that takes one CONNECT per connection, forwards bytes and records those it saw."""

    def __init__(self, *, opening: bytes = OPEN) -> None:
        self.heads: list[bytes] = []
        self.seen = bytearray()
        self.open: list[socket.socket] = []
        self._opening, self._threads = opening, list[threading.Thread]()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Relay:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        for sock in (self._listener, *self.open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        for sock in (self._listener, *self.open):
            sock.close()

    def _start(self, target: Any, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                self.open.append(near)
                self._start(self._serve, near)

    def _serve(self, near: socket.socket) -> None:
        with contextlib.suppress(OSError):
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += near.recv(1)
            self.heads.append(head)
            host, _, port = head.split(b" ")[1].decode().rpartition(":")
            far = socket.create_connection((host.strip("[]"), int(port)))
            self.open.append(far)
            near.sendall(self._opening)
            self._start(self._pass, far, near)
            self._pass(near, far)

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self.seen += data
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def relay() -> Iterator[Relay]:
    with Relay() as relay:
        yield relay


def through(server: RawServer | Relay) -> Proxy:
    return Proxy("127.0.0.1", server.port, b"Proxy-Authorization: Basic %b\r\n" % LOGIN)


def called(kind: type[Client] | type[AsyncClient], times: int = 1, **options: Any) -> list[int]:
    """How many rows each of some calls of one client gets."""
    options = {
        "api_key": KEY,
        "api_secret": SECRET,
        "retry": RetryPolicy.off(),
        "clock": lambda: 1,
        **options,
    }

    async def balance() -> list[int]:
        async with AsyncClient(**options) as client:
            return [len(await client.balance()) for _ in range(times)]

    if kind is AsyncClient:
        return asyncio.run(balance())
    with Client(**options) as client:
        return [len(client.balance()) for _ in range(times)]


# the tunnel


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_calls_go_through_one_tunnel_and_keep_it(
    wires: Wires, authority: CertificateAuthority, relay: Relay, tls: bool
) -> None:
    with RawServer(
        repeat(READ, response_bytes()), tls=authority.server() if tls else None
    ) as server:
        wire = wires(proxy=Proxy("localhost", relay.port))
        for _ in range(3):
            with authority.trust_system_wide():
                assert wire.send(make_request(server.url)).content == b"[]"
    place = b"127.0.0.1:%d" % server.port
    assert relay.heads == [b"CONNECT %b HTTP/1.1\r\nHost: %b\r\n\r\n" % (place, place)]
    assert [head.split(b"\r\n")[0] for head in server.requests] == [b"GET / HTTP/1.1"] * 3


def test_an_ipv6_origin_stands_in_brackets() -> None:
    head = b"CONNECT [::1]:8443 HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n"
    assert Proxy("proxy.example", 80).connect_request((True, "::1", 8443)) == head


@pytest.mark.parametrize(
    "opening", [b"HTTP/1.0 200 OK\r\nVia: x\r\nContent-Length: 9\r\n\r\n", b"HTTP/1.1 204\r\n\r\n"]
)
def test_any_2xx_opens_the_tunnel(wires: Wires, opening: bytes) -> None:
    with Relay(opening=opening) as relay, RawServer(repeat(READ, response_bytes())) as server:
        assert wires(proxy=through(relay)).send(make_request(server.url)).content == b"[]"


def test_an_answer_in_pieces_opens_the_tunnel(wires: Wires) -> None:
    pieces = [step for index in range(len(OPEN)) for step in (OPEN[index : index + 1], 0.001)]
    with RawServer([READ, *pieces, READ, response_bytes(b"1")]) as proxy:
        assert (
            wires(proxy=through(proxy)).send(make_request("http://origin.invalid/")).content == b"1"
        )
    # The proxy resolves the name.
    assert proxy.requests[0].startswith(b"CONNECT origin.invalid:80 ")


@pytest.mark.promise("S12")
@KINDS
def test_the_environment_chooses_no_proxy_and_no_way_around_one(
    kind: type[Client] | type[AsyncClient], relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RawServer(repeat(READ, response_bytes(BODY))) as server, RawServer([]) as trap:
        for name in (
            "http_proxy",
            "https_proxy",
            "all_proxy",
            "HTTP_PROXY",
            "HTTPS_PROXY",
            "ALL_PROXY",
        ):
            monkeypatch.setenv(name, trap.url)
        monkeypatch.setenv("no_proxy", "*")
        assert called(kind, base_url=server.url, proxy=relay.url) == [1]
    assert (len(relay.heads), trap.connections) == (1, 0)


def test_a_client_serves_two_event_loops_one_after_the_other(relay: Relay) -> None:
    async def balance() -> int:
        return len(await client.balance())

    with RawServer(repeat(READ, response_bytes(BODY))) as server, warnings.catch_warnings():
        # The event loop is closed before its transports, which is the caller's fault.
        warnings.simplefilter("ignore", ResourceWarning)
        client = AsyncClient(KEY, SECRET, base_url=server.url, proxy=relay.url, clock=lambda: 1)
        assert [asyncio.run(balance()), asyncio.run(balance())] == [1, 1]
        asyncio.run(client.aclose())
        gc.collect()
    assert len(relay.heads) == 2


# what the proxy learns


@pytest.mark.promise("S4", "S9")
@KINDS
def test_of_an_https_call_the_proxy_sees_the_place_and_its_login_only(
    kind: type[Client] | type[AsyncClient], authority: CertificateAuthority, relay: Relay
) -> None:
    proxy = relay.url.replace("//", f"//user:{PASSWORD.replace('@', '%40')}@")
    with (
        RawServer(repeat(READ, response_bytes(BODY)), tls=authority.server()) as server,
        authority.trust_system_wide(),
    ):
        assert called(kind, 2, base_url=server.url, proxy=proxy) == [1, 1]
    place = b"127.0.0.1:%d" % server.port
    login = b"Proxy-Authorization: Basic " + LOGIN
    assert relay.heads == [b"CONNECT %b HTTP/1.1\r\nHost: %b\r\n%b\r\n\r\n" % (place, place, login)]
    assert len(relay.seen) > 1000
    assert not any(
        word in relay.seen for word in (KEY.encode(), b"fapi", b"signature", b"MBX", b"user", LOGIN)
    )
    # The exchange does not see the proxy's password, either.
    assert not any(b"roxy" in head for head in server.requests)


@pytest.mark.promise("S9")
def test_a_wrong_certificate_behind_the_proxy_is_refused(
    wires: Wires, authority: CertificateAuthority, relay: Relay
) -> None:
    with RawServer(repeat(READ, response_bytes()), tls=authority.server("other.example")) as server:
        with (
            authority.trust_system_wide(),
            pytest.raises(httpx.ConnectError, match=r"the proxy failed: .*not valid for"),
        ):
            wires(proxy=through(relay)).send(make_request(server.url))
        with pytest.raises(httpx.ConnectError, match="unable to get local issuer"):
            wires(proxy=through(relay)).send(make_request(server.url))
        assert server.requests == []


# a proxy that fails

ANSWERS: dict[str, tuple[list[Step], str]] = {
    "login required": (
        [READ, response_bytes(b"", b"X: y", status=f"407 {PASSWORD}")],
        "the proxy answered 407",
    ),
    "forbidden": (
        [READ, lambda head: b"HTTP/1.1 403 " + head.replace(b"\r\n", b" ") + b"\r\n\r\n"],
        "403",
    ),
    "a bad gateway, slowly": ([READ, b"HTTP/1.1 502 Bad", STAY_SILENT], "502 "),
    "an interim answer": ([READ, b"HTTP/1.1 100 Continue\r\n\r\n" + OPEN], "100 "),
    "a redirect": ([READ, b"HTTP/1.1 302 Found\r\nLocation: http://x/\r\n\r\n"], "302 "),
    "garbage": ([READ, b"SSH-2.0-x\r\n\r\n"], "answered nothing valid"),
    "an echo": ([READ, lambda head: head], "answered nothing valid"),
    "another protocol": ([READ, b"RTSP/1.0 200 OK\r\n\r\n"], "answered nothing valid"),
    "another version": ([READ, b"HTTP/2 200 OK\r\n\r\n"], "answered nothing valid"),
    "four digits": ([READ, b"HTTP/1.1 2000 OK\r\n\r\n"], "answered nothing valid"),
    "bytes after the head": ([READ, OPEN + b"H"], "answered nothing valid"),
    "an answer to the call after the head": (
        [READ, OPEN + response_bytes(BODY), READ],
        "answered nothing valid",
    ),
    "an end": ([READ], "answered nothing valid"),
    "an end before it heard": ([RESET], "ECONNRESET|EPIPE|nothing valid"),
    "half an answer": ([READ, b"HTTP/1.1 200 OK\r\nX: "], "answered nothing valid"),
    "a reset": ([READ, b"HTTP/1.1 2", 0.01, RESET], "through the proxy failed: ECONNRESET"),
    "a head without an end": (
        [READ, OPEN[:-2], *[b"X: " + b"y" * 4000 + b"\r\n"] * 9, STAY_SILENT],
        "answered nothing valid",
    ),
    "a head just too large": (
        [READ, OPEN[:-2] + b"X: " + b"y" * (1 << 14) + b"\r\n\r\n", STAY_SILENT],
        "nothing valid",
    ),
}
SLOW: dict[str, Script] = {
    "silence": [STAY_SILENT],
    "letter by letter": lambda: (READ, OPEN[:-2], b"X: ", *(b"x", 0.02) * 100),
    "lines": lambda: (READ, OPEN[:-2], *(b"X: y\r\n", 0.02) * 100),
    "a tunnel to nowhere": [READ, OPEN, STAY_SILENT],
    "a tunnel that drips": lambda: (
        READ,
        OPEN,
        READ,
        *(b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.02) * 100,
    ),
}


@pytest.mark.promise("S4")
@KINDS
@pytest.mark.parametrize("name", ANSWERS)
def test_a_proxy_that_refuses_is_told_by_its_status_alone(
    kind: type[Client] | type[AsyncClient], name: str, caplog: pytest.LogCaptureFixture
) -> None:
    steps, said = ANSWERS[name]
    proxy = f"//user:{PASSWORD.replace('@', '%40')}@"
    with (
        RawServer(steps) as server,
        caplog.at_level("DEBUG"),
        pytest.raises(TransportError, match=said) as caught,
    ):
        called(
            kind, base_url="https://127.0.0.1:1", proxy=server.url.replace("//", proxy), timeout=2
        )
    assert not isinstance(caught.value, DeadlineExceeded)
    assert (server.connections, caught.value.__cause__, caught.value.__context__) == (1, None, None)
    # Httpcore writes what it hears.
    assert "http" not in {record.name[:4] for record in caplog.records}


@pytest.mark.promise("R1")
@KINDS
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("name", SLOW)
def test_a_proxy_that_stalls_ends_at_the_deadline(
    kind: type[Client] | type[AsyncClient], name: str, scheme: str
) -> None:
    def late() -> None:
        with pytest.raises((DeadlineExceeded, TransportError) if secured else DeadlineExceeded):
            called(kind, base_url=f"{scheme}://127.0.0.1:1", proxy=server.url, timeout=0.15)

    secured = (name, scheme) == ("a tunnel that drips", "https")  # what drips there is no TLS
    with RawServer(SLOW[name]) as server:
        assert (0 if secured else 0.15) <= best_duration(late, 0.25) <= 0.25


@pytest.mark.promise("R1")
def test_a_stalling_address_of_the_proxy_leaves_time_for_the_next_one(
    wires: Wires, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RawServer([STAY_SILENT]) as stalled, RawServer(repeat(READ, response_bytes())) as server:
        family = (socket.AF_INET, socket.SOCK_STREAM, 0, "")
        addresses = [(*family, ("127.0.0.1", port)) for port in (stalled.port, relay.port)]
        with monkeypatch.context() as patched:
            resolve = socket.getaddrinfo
            patched.setattr(
                socket,
                "getaddrinfo",
                lambda host, *a, **o: addresses if host == "proxy" else resolve(host, *a, **o),
            )
            assert (
                wires(proxy=Proxy("proxy", 80)).send(make_request(server.url), 2).content == b"[]"
            )
        assert stalled.wait(lambda: stalled.hangups == 1)


def test_a_proxy_that_is_not_there_is_named_as_the_culprit(wires: Wires, closed_port: int) -> None:
    before = None
    wire = wires(proxy=Proxy("127.0.0.1", closed_port))
    for _ in range(2):
        with pytest.raises(httpx.ConnectError, match="through the proxy failed: ECONNREFUSED"):
            wire.send(make_request("http://127.0.0.1:1/"))
        before = before or sorted(os.listdir("/proc/self/fd"))
    assert sorted(os.listdir("/proc/self/fd")) == before


def test_a_proxy_whose_name_does_not_resolve_is_named_as_the_culprit(
    wires: Wires, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve(host: str, *_: object, **__: object) -> None:
        assert host == "nowhere.invalid"
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(
        httpx.ConnectError, match="through the proxy failed: the name cannot be resolved"
    ):
        wires(proxy=Proxy("nowhere.invalid", 3128)).send(make_request("http://localhost/"))


@pytest.mark.parametrize(
    "answer", [ANSWERS[name][0] for name in ("login required", "half an answer", "garbage")]
)
def test_a_refused_tunnel_leaves_no_socket_open(wires: Wires, answer: list[Step]) -> None:
    with RawServer(answer) as proxy:
        wire = wires(proxy=through(proxy))
        for _ in range(3):
            with pytest.raises(httpx.ProxyError):
                wire.send(make_request("https://origin.invalid/"))
        assert not any(idle(wire.transport))
        assert proxy.wait(lambda: proxy.ended == 3)


# reuse


@pytest.mark.promise("R15")
@pytest.mark.parametrize(
    "end", [[], [0.01, RESET], [CLOSE_WITHOUT_CLOSE_NOTIFY]], ids=["end", "reset", "no goodbye"]
)
def test_a_tunnel_that_died_is_stale_and_a_new_one_is_made(wires: Wires, end: list[Step]) -> None:
    with RawServer(
        [READ, OPEN, READ, response_bytes(), READ, *end], [READ, OPEN, READ, response_bytes(b"2")]
    ) as proxy:
        wire = wires(proxy=through(proxy))
        wire.send(make_request("http://origin.invalid/"))
        with pytest.raises(StaleConnection):
            wire.send(make_request("http://origin.invalid/"))
        assert wire.send(make_request("http://origin.invalid/", fresh=True)).content == b"2"


@pytest.mark.promise("R15")
@KINDS
def test_a_tunnel_that_died_costs_one_transparent_attempt(
    kind: type[Client] | type[AsyncClient],
) -> None:
    scripts: list[Script] = [
        [READ, OPEN, READ, response_bytes(BODY), READ],
        [READ, OPEN, READ, response_bytes(BODY)],
    ]
    with RawServer(*scripts) as proxy:
        assert called(kind, 2, base_url="http://127.0.0.1:1", proxy=proxy.url) == [1, 1]
    assert [head.split(b" ")[0] for head in proxy.requests] == [
        b"CONNECT",
        b"GET",
        b"GET",
        b"CONNECT",
        b"GET",
    ]


def test_a_new_tunnel_that_ends_without_a_reply_is_not_stale(wires: Wires) -> None:
    with RawServer([READ, OPEN, READ]) as proxy, pytest.raises(httpx.RemoteProtocolError) as caught:
        wires(proxy=through(proxy)).send(make_request("http://origin.invalid/"))
    assert not isinstance(caught.value, StaleConnection)


# cancelled

CUT: dict[str, tuple[str, Script]] = {
    "an opened tunnel": (
        "http",
        repeat(
            READ, lambda head: OPEN if head.startswith(b"C") else response_bytes(head.split()[1])
        ),
    ),
    "silence": ("http", [STAY_SILENT]),
    "half an answer": ("http", [READ, OPEN[:-2], STAY_SILENT]),
    "a tunnel and half a reply": (
        "http",
        [READ, OPEN, READ, b"HTTP/1.1 200 OK\r\nX: ", STAY_SILENT],
    ),
    "a tunnel and no handshake": ("https", [READ, OPEN, STAY_SILENT]),
}


@pytest.mark.promise("R14")
@pytest.mark.parametrize("late", [False, True], ids=["while waiting", "when it came"])
@pytest.mark.parametrize("name", CUT)
def test_a_call_cancelled_in_any_pause_of_the_tunnel_leaves_nothing_behind(
    name: str, late: bool
) -> None:
    scheme, script = CUT[name]
    answers = name == "an opened tunnel"

    async def scenario(proxy: RawServer) -> None:
        transport, before = AsyncTransport(proxy=through(proxy)), descriptors()
        url = f"{scheme}://origin.invalid/"
        assert await reaches_two_pauses(transport, url, late=late, answers=answers)
        if answers:
            assert none_dead(transport)
            assert (await send(transport, make_request(url + "last"))).content == b"/last"
        else:
            assert not any(idle(transport))
        await transport.aclose()
        # Those are the descriptors of the server.
        assert await becomes(lambda: descriptors() - before <= proxy.connections - proxy.ended)
        assert len(asyncio.all_tasks()) == 1

    with RawServer(script) as proxy:
        asyncio.run(scenario(proxy))


@pytest.mark.promise("S4", "R14")
@pytest.mark.parametrize(
    "script", [[STAY_SILENT], [READ, OPEN[:-2], LOGIN, STAY_SILENT]], ids=["silence", "an echo"]
)
def test_a_call_cancelled_within_the_tunnel_shows_no_secret(script: Script) -> None:
    async def cancelled() -> None:
        async with AsyncClient(
            KEY, SECRET, base_url="https://127.0.0.1:1", proxy=url, clock=lambda: 1
        ) as client:
            task = asyncio.create_task(client.balance())
            await asyncio.to_thread(proxy.wait, lambda: proxy.connections == 1)
            await asyncio.sleep(0.02)
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            frames = traceback.extract_tb(caught.value.__traceback__)
            assert any("sock_recv" in frame.name for frame in frames)

    with RawServer(script) as proxy:
        url = proxy.url.replace("//", f"//user:{PASSWORD.replace('@', '%40')}@")
        asyncio.run(cancelled())


# what a proxy's URL may be


def line(login: bytes) -> bytes:
    return b"Proxy-Authorization: Basic %b\r\n" % base64.b64encode(login)


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("http://proxy.example", ("proxy.example", 80, b"")),
        ("http://proxy_1:3128/", ("proxy_1", 3128, b"")),
        ("http://[::1]:8080", ("::1", 8080, b"")),
        ("http://me@10.0.0.1:1", ("10.0.0.1", 1, line(b"me:"))),
        ("http://me:p%40s%3As%C3%A9@proxy", ("proxy", 80, line("me:p@s:sé".encode()))),
        ("http://me:a:b@proxy", ("proxy", 80, line(b"me:a:b"))),
        ("http://:pass@proxy", ("proxy", 80, line(b":pass"))),
        ("http://mé:%00%0d%0a@proxy", ("proxy", 80, line("mé:\0\r\n".encode()))),
    ],
)
def test_a_proxys_url_says_where_it_is_and_who_asks(
    url: str, where: tuple[str, int, bytes]
) -> None:
    proxy = Proxy.from_url(url)
    assert isinstance(proxy, Proxy)
    assert (proxy.host, proxy.port, proxy.authorization) == where
    assert not any(part in repr(proxy) for part in ("Basic", "proxy.example", "pass"))


def test_proxies_are_of_one_transport_each(relay: Relay) -> None:
    """Clients share weight and bans per proxy, since the exchange counts by IP address."""
    clients = [
        Client(KEY, SECRET, proxy=url)
        for url in (relay.url, relay.url, relay.url.replace("//", "//a:b@"))
    ]
    clients += [Client(KEY, SECRET, transport=SyncTransport(relay.url)) for _ in range(2)]
    venues = {
        id(client._shared)
        for client in (
            *clients,
            Client(KEY, SECRET),
            Client(KEY, SECRET, transport=SyncTransport()),
        )
    }
    assert len(venues) == 2


def test_the_loop_that_waits_for_a_proxy_does_other_work(relay: Relay) -> None:
    async def scenario() -> float:
        began = time.monotonic()
        with RawServer([STAY_SILENT]) as proxy, pytest.raises(TIMEOUTS):
            await asyncio.gather(
                *(
                    send(
                        AsyncTransport(proxy=through(proxy)),
                        make_request("http://origin.invalid/"),
                        0.15,
                    )
                    for _ in range(5)
                )
            )
        return time.monotonic() - began

    assert asyncio.run(scenario()) < 0.5
