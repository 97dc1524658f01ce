"""What a transport takes of the system: sockets, descriptors, threads and look-ups."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import math
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import time_machine

from binance_usdm import (
    AsyncClient,
    Client,
    ConfigurationError,
    RetryPolicy,
    SyncTransport,
    TransportError,
)
from binance_usdm._concurrency import threads as threads
from binance_usdm._http.async_transport import AsyncTransport
from binance_usdm._http.connections import pool as connection_pool
from tests.http.drivers import TIMEOUTS, AsyncDriver, Wire, Wires, idle, make_request, send
from tests.support.paths import ROOT
from tests.support.raw_server import READ, RawServer, repeat, response_bytes
from tests.support.timing import best_duration

FAMILY = (socket.AF_INET, socket.SOCK_STREAM, 0, "")
TIME_RESPONSE = response_bytes(b'{"serverTime": 1591702613943}')
NEEDS_PROC = pytest.mark.skipif(
    not os.path.isdir("/proc/self/fd"), reason="this system does not list descriptors"
)
RESOLVERS = 16
"""The bound of threads that look up names."""


def count_client_sockets(port: int) -> int:
    """Return how many sockets of this process are, or were, connected to the port."""
    count = 0
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if not os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):
                continue
            with socket.socket(fileno=os.dup(int(name))) as sock:
                is_server = sock.family != socket.AF_INET or sock.getsockname()[1] == port
                count += sock.type == socket.SOCK_STREAM and not is_server
    return count


@NEEDS_PROC
@pytest.mark.promise("R14", "R20")
@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
def test_event_loops_one_after_another_leave_no_socket_behind() -> None:
    async def calls() -> None:
        times = await asyncio.gather(*[client.server_time() for _ in range(5)])
        assert len(times) == 5

    with RawServer(repeat(READ, 0.02, TIME_RESPONSE)) as server:
        before = count_client_sockets(server.port)
        client = AsyncClient(base_url=server.url, limiter=None)
        gc.disable()
        try:
            for _ in range(4):
                asyncio.run(calls())
            asyncio.run(client.aclose())
            assert count_client_sockets(server.port) == before
            assert server.wait(lambda: server.ended == server.connections)
            gc.collect()  # Transports of closed loops warn here, though their sockets are closed.
        finally:
            gc.enable()
    assert server.connections == 20


# Idle connections


@pytest.mark.promise("R15", "R20")
def test_idle_connections_of_every_origin_end_at_their_age(
    wires: Wires, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_pool, "_EXPIRY_CHECK_SECONDS", 0.01)
    wire = wires(keepalive_expiry=0.3)
    with contextlib.ExitStack() as stack:
        servers = [
            stack.enter_context(RawServer(repeat(READ, response_bytes()))) for _ in range(20)
        ]
        for server in servers:
            wire.send(make_request(server.url))
        assert sum(map(len, idle(wire.transport))) > 1
        time.sleep(0.35)
        wire.send(make_request(servers[0].url))
        assert sum(map(len, idle(wire.transport))) == 1
        wire.send(make_request(servers[0].url))  # an event loop closes sockets while it runs
        assert all(server.wait(lambda server=server: server.hangups == 1) for server in servers)  # type: ignore[misc]


@pytest.mark.promise("R15")
def test_an_idle_connection_is_used_until_its_age_and_not_later(wires: Wires) -> None:
    wire = wires(keepalive_expiry=0.5)
    with RawServer(repeat(READ, response_bytes())) as server:
        for pause in (0.0, 0.0, 0.55):
            time.sleep(pause)
            wire.send(make_request(server.url))
        assert server.wait(lambda: server.hangups == 1) or isinstance(wire, AsyncDriver)
        assert server.connections == 2


@pytest.mark.promise("R15")
@pytest.mark.parametrize("seconds", [60.0, -60.0], ids=["ahead", "back"])
def test_an_idle_connection_is_not_used_after_the_wall_clock_jumped(
    wire: Wire, seconds: float
) -> None:
    with RawServer(repeat(READ, response_bytes())) as server:
        for _ in range(2):
            wire.send(make_request(server.url))
        assert server.connections == 1
        with time_machine.travel(time.time() + seconds, tick=True):
            for _ in range(2):
                assert wire.send(make_request(server.url)).content == b"[]"
        assert server.connections == 2


# Descriptors


def connect_without_descriptors(port: int) -> None:
    """Check calls while no descriptor is free, and after. Runs in a new process."""
    import resource

    options: dict[str, Any] = {"limiter": None, "retry": RetryPolicy.off(), "timeout": 5}
    numeric, name = f"http://127.0.0.1:{port}", f"http://localhost:{port}"
    clients = [Client(base_url=url, **options) for url in (numeric, name)]
    async_clients = [AsyncClient(base_url=url, **options) for url in (numeric, name)]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    start = threading.Barrier(12)

    def failure_of(client: Client) -> str:
        start.wait(5)
        return _text_of(client.server_time)

    async def async_failures(client: AsyncClient) -> list[str]:
        results = await asyncio.gather(
            *[client.server_time() for _ in range(12)], return_exceptions=True
        )
        return [
            str(result) if isinstance(result, TransportError) else repr(result)
            for result in results
        ]

    async def close() -> None:
        for client in async_clients:
            await client.aclose()

    with ThreadPoolExecutor(12) as workers, asyncio.Runner() as runner:
        list(workers.map(lambda _: start.wait(5), range(12)))  # All threads run now.
        runner.get_loop()
        highest = max(map(int, os.listdir("/proc/self/fd")))
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest, hard))
        taken = []
        with contextlib.suppress(OSError):
            while True:
                taken.append(os.dup(0))
        failures = [
            list(workers.map(failure_of, [clients[0]] * 12)),
            runner.run(async_failures(async_clients[0])),
            list(workers.map(failure_of, [clients[1]] * 12)),
            runner.run(async_failures(async_clients[1])),
        ]
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for descriptor in taken:
            os.close(descriptor)
        for client in clients:
            client.server_time()
            client.close()
        for async_client in async_clients:
            runner.run(async_client.server_time())
        runner.run(close())
    for numeric_failures in failures[0:2]:
        assert len(numeric_failures) == 12
        assert all("EMFILE" in text for text in numeric_failures), numeric_failures
    for named_failures in failures[2:4]:
        assert len(named_failures) == 12
        assert all(re.search("connecting failed", text) for text in named_failures), named_failures


def _text_of(call: Callable[[], object]) -> str:
    try:
        return repr(call())
    except TransportError as error:
        return str(error)


@NEEDS_PROC
@pytest.mark.promise("R16", "R20")
def test_without_a_free_descriptor_a_call_says_so_and_later_ones_work() -> None:
    assert errno.errorcode[errno.EMFILE] == "EMFILE"
    with RawServer(repeat(READ, TIME_RESPONSE)) as server:
        program = (
            f"from tests.http.test_resources import *; connect_without_descriptors({server.port})"
        )
        child = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, cwd=ROOT
        )
    assert child.returncode == 0, child.stderr


# Addresses


@contextlib.contextmanager
def full_queue_v6() -> Iterator[Any]:
    """The place of an IPv6 listener that answers no SYN: its queue is full."""
    with contextlib.ExitStack() as stack:
        try:
            listener = stack.enter_context(
                socket.create_server(("::1", 0), family=socket.AF_INET6, backlog=0)
            )
        except OSError:
            pytest.skip("no IPv6 loopback here")
        place = listener.getsockname()
        for _ in range(3):
            filler = stack.enter_context(socket.socket(socket.AF_INET6))
            filler.setblocking(False)
            filler.connect_ex(place)
        yield place


@pytest.mark.promise("R1")
def test_a_dead_first_address_costs_250_ms(
    wire: Wire, monkeypatch: pytest.MonkeyPatch, swallower: tuple[str, int]
) -> None:
    """A dead first address costs a quarter of a second, and not a share of the timeout."""
    with RawServer(repeat(READ, response_bytes())) as server:
        addresses = [(*FAMILY, swallower), (*FAMILY, ("127.0.0.1", server.port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: addresses)
        for _ in range(2):
            began = time.monotonic()
            assert wire.send(make_request("http://two.addresses/", fresh=True), 6).content == b"[]"
            assert time.monotonic() - began < 1.5


@pytest.mark.promise("R1")
def test_the_family_that_answered_comes_first_the_next_time(
    wire: Wire, monkeypatch: pytest.MonkeyPatch, swallower: tuple[str, int]
) -> None:
    with full_queue_v6() as dead, RawServer(repeat(READ, response_bytes())) as server:
        addresses = [
            (socket.AF_INET6, socket.SOCK_STREAM, 0, "", dead),
            (*FAMILY, ("127.0.0.1", server.port)),
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: addresses)
        url = f"http://{type(wire).__name__.lower()}.families/"
        wire.send(make_request(url, fresh=True), 2)
        assert best_duration(lambda: wire.send(make_request(url, fresh=True), 2), 0.2) < 0.2


# Look-ups and threads


class SlowResolver:
    """Stands for getaddrinfo: it answers when it is released, and counts."""

    def __init__(self, port: int = 0) -> None:
        self.release = threading.Event()
        self.begun = self.peak = 0
        self._port, self._under_way, self._lock = port, 0, threading.Lock()

    def __call__(self, *_: object, **__: object) -> list[Any]:
        with self._lock:
            self.begun += 1
            self._under_way += 1
            self.peak = max(self.peak, self._under_way)
        self.release.wait(8)
        with self._lock:
            self._under_way -= 1
        return [(*FAMILY, ("127.0.0.1", self._port))]


def count_threads() -> int:
    return sum(thread.name == "binance-usdm" for thread in threading.enumerate())


def send_at_once(
    wire: Wire, urls: list[str], seconds: float, meanwhile: Callable[[], None]
) -> list[Any]:
    """Send `count` requests at once, in threads or tasks. Return responses and exceptions."""

    async def send_in_tasks() -> list[Any]:
        assert isinstance(wire.transport, AsyncTransport)
        calls = [
            asyncio.ensure_future(send(wire.transport, make_request(url), seconds)) for url in urls
        ]
        await asyncio.to_thread(meanwhile)
        return await asyncio.gather(*calls, return_exceptions=True)

    def send_in_thread(url: str) -> Any:
        try:
            return wire.send(make_request(url), seconds)
        except httpx.TransportError as error:
            return error

    if isinstance(wire, AsyncDriver):
        return wire.runner.run(send_in_tasks())
    with ThreadPoolExecutor(len(urls)) as workers:
        calls = [workers.submit(send_in_thread, url) for url in urls]
        meanwhile()
        return [call.result(10) for call in calls]


@pytest.mark.promise("R20")
def test_calls_at_once_to_one_host_share_one_look_up(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile() -> None:
        time.sleep(0.2)
        resolver.release.set()

    with RawServer(repeat(READ, response_bytes())) as server:
        resolver = SlowResolver(server.port)
        monkeypatch.setattr(socket, "getaddrinfo", resolver)
        responses = send_at_once(wire, ["http://shared.example/"] * 20, 6, meanwhile)
    assert [response.content for response in responses] == [b"[]"] * 20
    assert resolver.peak == 1


@pytest.mark.promise("R1", "R20")
def test_look_ups_that_hang_take_few_threads_and_end_at_the_deadline(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, peak = count_threads(), 0

    def meanwhile() -> None:
        nonlocal peak
        time.sleep(0.3)
        peak = count_threads()

    with RawServer(repeat(READ, response_bytes())) as server:
        resolver = SlowResolver(server.port)
        monkeypatch.setattr(socket, "getaddrinfo", resolver)
        monkeypatch.setattr("binance_usdm._http.addresses.RESOLVERS", threads.WorkerPool(RESOLVERS))
        try:
            urls = [f"http://host-{number}.example/" for number in range(100)]
            outcomes = send_at_once(wire, urls, 0.5, meanwhile)
        finally:
            resolver.release.set()
        assert all(isinstance(outcome, TIMEOUTS) for outcome in outcomes)
        assert resolver.peak <= RESOLVERS
        assert peak - before <= RESOLVERS
        assert wire.send(make_request("http://later.example/")).content == b"[]"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_numeric_host_needs_no_thread(
    wire: Wire, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = threading.Thread.start

    def start_elsewhere(thread: threading.Thread) -> None:
        if threading.current_thread() is threading.main_thread():
            raise RuntimeError("can't start new thread")
        start(thread)  # The server's threads are started by threads.

    try:
        server = RawServer(repeat(READ, response_bytes()), host=host)
    except OSError:
        pytest.skip("no IPv6 loopback here")
    with server:
        monkeypatch.setattr(threading.Thread, "start", start_elsewhere)
        assert wire.send(make_request(server.url)).content == b"[]"


@pytest.mark.promise("S16")
@pytest.mark.parametrize("kind", [SyncTransport, AsyncTransport])
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("keepalive_expiry", -1), ("keepalive_expiry", math.nan), ("keepalive_expiry", "30"),
        ("keepalive_expiry", True),
        ("share_connections", "no"), ("share_connections", 0), ("share_connections", None),
    ],
)  # fmt: skip
def test_options_of_a_transport_that_cannot_be_are_refused(
    kind: Any, option: str, value: object
) -> None:
    with pytest.raises(ConfigurationError, match=f"{option} must be"):
        kind(**{option: value})
