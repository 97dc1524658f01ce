"""Calls that a signal handler interrupts or repeats, that are cancelled, or meet failing code."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import faulthandler
import logging
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any

import httpx
import pytest

from binance_usdm import (
    AsyncClient,
    Client,
    ConfigurationError,
    IPBannedError,
    RetryPolicy,
    WeightLimiter,
)
from binance_usdm._http.async_transport import AsyncTransport
from binance_usdm._http.connections.parser import ResponseParser
from binance_usdm._http.sync_transport import SyncTransport
from tests.support.clients import (
    BODY,
    KEY,
    SECRET,
    BlockingFacade,
    RecordingHandler,
    error_response,
)
from tests.support.paths import ROOT
from tests.support.raw_server import (
    READ,
    STAY_SILENT,
    RawServer,
    full_queue,
    repeat,
    response_bytes,
)
from tests.support.spec_facts import TIME_PATH

ClientOf = Callable[..., BlockingFacade]
SIGNALS = pytest.mark.skipif(
    not (hasattr(signal, "SIGALRM") and hasattr(signal, "setitimer")),
    reason="this system has no interval timers",
)
TIME_BODY = b'{"serverTime": 1591702613943}'
OPTIONS: dict[str, Any] = {"api_key": KEY, "api_secret": SECRET, "limiter": None, "timeout": 5}
CONNECTIONS = 3
CALLS = 400
MOST_THREADS = 32
"""Twice the bound of threads that look up names.

An interrupt may leave one uncounted until it ends.
"""


class Interrupted(Exception):  # noqa: N818 - no error: a signal handler raises it
    """What a signal handler of a test raises."""


class Stopped(BaseException):
    """What a signal handler of a test raises, as KeyboardInterrupt is raised."""


def answer(head: bytes) -> bytes:
    """Answer a call of either operation."""
    return response_bytes(TIME_BODY if (b" " + TIME_PATH.encode()) in head else BODY)


@contextlib.contextmanager
def handle_alarm(
    handler: Callable[[int, FrameType | None], None], first: float, interval: float = 0.0
) -> Iterator[None]:
    """Meanwhile, a timer calls the handler in the main thread."""
    former = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, first, interval)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


def raise_on_signal(error: BaseException) -> Callable[[int, FrameType | None], None]:
    """Make a signal handler that raises."""

    def handle(_: int, __: FrameType | None) -> None:
        raise error

    return handle


class Turnstile:
    """A handler that responds at once.

    Once there is a barrier, it returns balances only when as many requests are under way as there
    are connections.
    """

    def __init__(self) -> None:
        self.barrier: threading.Barrier | None = None

    def __call__(self, head: bytes) -> bytes:
        if self.barrier is not None and (b" " + TIME_PATH.encode()) not in head:
            try:
                self.barrier.wait(3)
            except threading.BrokenBarrierError:
                return b"too few requests are under way"
        return answer(head)


def count_threads() -> int:
    return sum(thread.name == "binance-usdm" for thread in threading.enumerate())


def assert_slots_are_free(transport: SyncTransport | AsyncTransport) -> None:
    for pool in transport._origin_pools.values():
        assert not pool.slots.holders
        assert not pool.slots.waiters


# Re-entry


def reenter_by_timer() -> None:
    """Print how many calls a signal handler made within other calls. Runs in a new process."""
    faulthandler.dump_traceback_later(8, exit=True)
    within = nested = 0

    def handle(_: int, __: FrameType | None) -> None:
        nonlocal nested
        if within == 1 and not handling:
            handling.append(True)
            try:
                assert client.server_time().server_time == 1591702613943
                nested += 1
            finally:
                handling.clear()

    handling: list[bool] = []
    with (
        RawServer(repeat(READ, answer)) as server,
        SyncTransport(max_connections=2) as transport,
        Client(**OPTIONS, base_url=server.url, transport=transport) as client,
        handle_alarm(handle, 0.003, 0.003),
    ):
        end = time.monotonic() + 1.2
        while time.monotonic() < end:
            within = 1
            assert client.balance()[0].asset == "USDT"
            within = 0
    print(nested)


def reenter_at_every_line() -> None:
    """Print at how many lines of a call another call was made. Runs in a new process."""
    faulthandler.dump_traceback_later(8, exit=True)
    line = at = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal line
        if "binance_usdm" not in frame.f_code.co_filename or "_wire" in frame.f_code.co_filename:
            return None
        if event == "line":
            line += 1
            if line == at:
                assert client.server_time().server_time == 1591702613943
        return trace

    limiter = WeightLimiter(limit=1_000_000)
    with (
        RawServer(repeat(READ, answer)) as server,
        SyncTransport(max_connections=2) as transport,
        Client(
            **{**OPTIONS, "limiter": limiter}, base_url=server.url, transport=transport
        ) as client,
    ):
        client.balance()
        while line >= at:
            at, line = at + 1, 0
            sys.settrace(trace)
            try:
                rows = client.balance()
            finally:
                sys.settrace(None)
            assert rows[0].asset == "USDT"
    print(at)


@SIGNALS
@pytest.mark.promise("R14")
@pytest.mark.parametrize("function", [reenter_by_timer, reenter_at_every_line])
def test_a_signal_handler_may_make_calls_within_a_call(function: Callable[[], None]) -> None:
    program = f"from tests.client.test_interrupts import {function.__name__}; {function.__name__}()"
    child = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=20, cwd=ROOT
    )
    assert child.returncode == 0, child.stderr
    assert int(child.stdout) > 20


# Handlers that raise


@SIGNALS
@pytest.mark.promise("R14", "R16")
@pytest.mark.parametrize(
    "error",
    [TimeoutError("mine"), ValueError("mine"), OSError("mine"), KeyboardInterrupt()],
    ids=repr,
)
def test_what_a_handler_raises_while_a_call_reads_is_the_callers(error: BaseException) -> None:
    with (
        RawServer([READ, STAY_SILENT], repeat(READ, answer)) as server,
        SyncTransport(max_connections=1) as transport,
        Client(**OPTIONS, base_url=server.url, transport=transport) as client,
    ):
        with handle_alarm(raise_on_signal(error), 0.1), pytest.raises(type(error)) as caught:
            client.balance()
        assert caught.value is error
        assert len(server.requests) == 1
        assert client.balance()[0].asset == "USDT"
        assert len(server.requests) == 2


@SIGNALS
@pytest.mark.promise("R14", "R16")
@pytest.mark.parametrize(
    "error",
    [TimeoutError("mine"), ValueError("mine"), OSError("mine"), KeyboardInterrupt()],
    ids=repr,
)
@pytest.mark.parametrize("step", ["name", "connection"])
def test_what_a_handler_raises_while_a_call_connects_is_the_callers(
    step: str, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    release, interrupted = threading.Event(), False

    def look_up(*_: object, **__: object) -> list[Any]:
        if not interrupted and step == "name":
            release.wait(5)
        place = ("127.0.0.1", server.port) if interrupted else dead
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", place)]

    with (
        full_queue() as dead,
        RawServer(repeat(READ, answer)) as server,
        SyncTransport(max_connections=1) as transport,
        Client(
            **OPTIONS, base_url=f"http://localhost:{server.port}", transport=transport
        ) as client,
    ):
        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        with handle_alarm(raise_on_signal(error), 0.1), pytest.raises(type(error)) as caught:
            client.balance()
        interrupted = True
        release.set()
        assert caught.value is error
        assert not server.requests
        wait_for_resolvers()
        assert client.balance()[0].asset == "USDT"
        assert len(server.requests) == 1


def wait_for_resolvers() -> None:
    """Wait until no look-up is under way: a later call would share its result."""
    from binance_usdm._http import addresses

    end = time.monotonic() + 2
    while addresses._in_flight and time.monotonic() < end:
        time.sleep(0.005)


@SIGNALS
@pytest.mark.promise("R14", "R16")
@pytest.mark.parametrize(
    "error", [ValueError("mine"), TimeoutError("mine"), KeyboardInterrupt()], ids=repr
)
@pytest.mark.parametrize(
    "callback",
    ["on_message_begin", "on_header", "on_headers_complete", "on_body", "on_message_complete"],
)
def test_what_a_handler_raises_while_a_response_is_parsed_is_the_callers(
    callback: str, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, done = getattr(ResponseParser, callback), False

    def interrupted(parser: ResponseParser, *arguments: Any) -> None:
        nonlocal done
        usual(parser, *arguments)
        if not done:
            done = True
            signal.raise_signal(signal.SIGALRM)

    monkeypatch.setattr(ResponseParser, callback, interrupted)
    with (
        RawServer(repeat(READ, answer)) as server,
        SyncTransport(max_connections=1) as transport,
        Client(**OPTIONS, base_url=server.url, transport=transport) as client,
    ):
        with handle_alarm(raise_on_signal(error), 0), pytest.raises(type(error)) as caught:
            client.balance()
        assert caught.value is error
        assert [len(server.requests), client.balance()[0].asset, len(server.requests)] == [
            1,
            "USDT",
            2,
        ]


@SIGNALS
@pytest.mark.promise("R14", "R16")
@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
@pytest.mark.parametrize("error_class", [Interrupted, Stopped])
def test_interrupts_at_random_moments_come_out_and_take_no_slot(
    error_class: type[BaseException],
) -> None:
    def handle(_: int, __: FrameType | None) -> None:
        raise error_class

    delays, turnstile = random.Random(14), Turnstile()
    interrupts = 0
    before = count_threads()
    former = signal.signal(signal.SIGALRM, handle)
    try:
        with (
            RawServer([READ, turnstile]) as server,
            SyncTransport(max_connections=CONNECTIONS) as transport,
            Client(
                base_url=f"http://localhost:{server.port}",
                limiter=None,
                timeout=5,
                transport=transport,
            ) as client,
        ):
            for _ in range(CALLS):
                try:
                    try:
                        signal.setitimer(signal.ITIMER_REAL, delays.uniform(0.00005, 0.003))
                        assert client.server_time().server_time == 1591702613943
                    finally:
                        signal.setitimer(signal.ITIMER_REAL, 0)
                except error_class:
                    interrupts += 1
            assert interrupts > CALLS / 20
            turnstile.barrier = threading.Barrier(CONNECTIONS)
            with (
                Client(
                    **OPTIONS, base_url=f"http://localhost:{server.port}", transport=transport
                ) as client,
                ThreadPoolExecutor(CONNECTIONS) as pool,
            ):
                calls = [pool.submit(client.balance) for _ in range(CONNECTIONS)]
                assert [call.result(10)[0].asset for call in calls] == ["USDT"] * CONNECTIONS
            assert_slots_are_free(transport)
            assert count_threads() - before <= MOST_THREADS
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


@pytest.mark.promise("R14")
def test_cancellations_at_random_moments_take_no_slot() -> None:
    delays, turnstile = random.Random(14), Turnstile()

    async def scenario(server: RawServer) -> int:
        cancelled = 0
        async with (
            AsyncTransport(max_connections=CONNECTIONS) as transport,
            AsyncClient(
                **OPTIONS, base_url=f"http://localhost:{server.port}", transport=transport
            ) as client,
        ):
            for _ in range(CALLS // 5):
                tasks = [asyncio.ensure_future(client.server_time()) for _ in range(5)]
                for task in tasks:
                    await asyncio.sleep(delays.uniform(0, 0.002))
                    task.cancel()
                for outcome in await asyncio.gather(*tasks, return_exceptions=True):
                    if isinstance(outcome, asyncio.CancelledError):
                        cancelled += 1
                    else:
                        assert not isinstance(outcome, BaseException)
                        assert outcome.server_time == 1591702613943
            turnstile.barrier = threading.Barrier(CONNECTIONS)
            rows = await asyncio.gather(*[client.balance() for _ in range(CONNECTIONS)])
            assert [row[0].asset for row in rows] == ["USDT"] * CONNECTIONS
            assert_slots_are_free(transport)
        return cancelled

    before = count_threads()
    with RawServer([READ, turnstile]) as server:
        assert asyncio.run(scenario(server)) > CALLS / 20
    assert count_threads() - before <= MOST_THREADS


# Code of the user


class BrokenLimiter(WeightLimiter):
    """A limiter that grants all weight, and fails in every other method."""

    def __init__(self, *, blocking: bool) -> None:
        super().__init__()
        self.blocking = blocking

    def observe(self, used_weight: int) -> None:
        raise RuntimeError("text of the limiter")

    def start_cooldown(self, seconds: float, *, banned: bool) -> None:
        raise RuntimeError("text of the limiter")


@pytest.mark.promise("R16", "R18")
@pytest.mark.parametrize("blocking", [False, True], ids=["plain", "blocking"])
def test_a_limiter_that_fails_costs_no_response(
    make_client: ClientOf, blocking: bool, caplog: pytest.LogCaptureFixture
) -> None:
    used = {"X-MBX-USED-WEIGHT-1M": "7"}
    good = httpx.Response(200, content=BODY, headers=used)
    ban = error_response(
        418, -1003, "Way too many requests", Retry_After="300", X_MBX_USED_WEIGHT_1M="7"
    )
    client = make_client(RecordingHandler(good, ban), limiter=BrokenLimiter(blocking=blocking))
    with caplog.at_level(logging.DEBUG):
        assert client.balance()[0].asset == "USDT"
        with pytest.raises(IPBannedError) as caught:
            client.balance()
    assert caught.value.retry_after is not None
    records = [record for record in caplog.records if "limiter failed" in record.getMessage()]
    assert len(records) >= 2
    assert all(
        "RuntimeError" in record.getMessage() and record.exc_info is None for record in records
    )
    assert "text of the limiter" not in caplog.text


CALLER: contextvars.ContextVar[str] = contextvars.ContextVar("CALLER", default="none")


class NotingLimiter(WeightLimiter):
    """A blocking limiter that notes who calls."""

    blocking = True

    def __init__(self, callers: list[str]) -> None:
        super().__init__()
        self._callers = callers

    def acquire(self, weight: int) -> float:
        self._callers.append(CALLER.get())
        return super().acquire(weight)


class NotingTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport of the user's that notes who calls."""

    def __init__(self, callers: list[str]) -> None:
        self._callers = callers

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._callers.append(CALLER.get())
        return httpx.Response(200, content=BODY)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


@pytest.mark.parametrize("is_mock", [True, False], ids=["mock transport", "own transport"])
@pytest.mark.parametrize("client_class", [Client, AsyncClient], ids=["sync", "async"])
def test_code_of_the_user_runs_in_the_callers_context(
    client_class: type[Client | AsyncClient], is_mock: bool
) -> None:
    callers: list[str] = []
    own: Any = NotingTransport(callers)
    transport = httpx.MockTransport(own.handle_request) if is_mock else own

    async def call_async() -> None:
        async with AsyncClient(**options) as client:
            CALLER.set("caller")
            await client.balance()

    def call() -> None:
        with Client(**options) as client:
            CALLER.set("caller")
            client.balance()

    options: dict[str, Any] = {**OPTIONS, "transport": transport, "limiter": NotingLimiter(callers)}
    if client_class is Client:
        contextvars.copy_context().run(call)
    else:
        asyncio.run(call_async())
    assert callers == ["caller", "caller"]


def test_an_asyncio_client_without_asyncio_names_it() -> None:
    client = AsyncClient(KEY, SECRET, retry=RetryPolicy.off())
    call = client.balance()
    try:
        with pytest.raises(ConfigurationError, match="asyncio"):
            call.send(None)
    finally:
        call.close()
