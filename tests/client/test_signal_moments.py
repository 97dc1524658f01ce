"""Calls that a signal handler interrupts, at each moment at which Python could run one."""

from __future__ import annotations

import faulthandler
import gc
import signal
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from binance_usdm import Client, RetryPolicy, WeightLimiter
from binance_usdm._concurrency.gates import ThreadGate
from binance_usdm._concurrency.interrupts import raise_if_from_handler
from binance_usdm._policy.wait_queue import queue_for
from tests.client.test_interrupts import answer
from tests.support.clients import BODY, KEY, SECRET
from tests.support.paths import ROOT
from tests.support.raw_server import READ, RawServer, repeat, response_bytes
from tests.support.signal_moments import SignalMoments, trace_once
from tests.support.timing import freeze_objects

pytestmark = [
    pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="this system has no SIGALRM"),
    pytest.mark.filterwarnings(
        "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
    ),
]
OPTIONS: dict[str, Any] = {
    "api_key": KEY,
    "api_secret": SECRET,
    "timeout": 5,
    "retry": RetryPolicy.off(),
}
MAX_MOMENTS = 2_000
CALLS_WITHOUT_MOMENT = 10
"""Calls in a row that ended before their moment, after which there is none. Waits vary a little."""


def files_named(*names: str) -> Callable[[str, str], bool]:
    """Return what picks the frames of these files. A name that no file has is an error."""
    standard_library = sysconfig.get_path("stdlib")
    own_files = [
        str(file)
        for folder in ("binance_usdm", "generated_client")
        for file in (ROOT / folder).rglob("*.py")
    ]
    for name in names:
        is_own = any(file.endswith(name) for file in own_files)
        assert is_own or Path(standard_library, name.lstrip("/")).is_file(), f"no file is {name}"
    return lambda file, _: file.endswith(names)


def interrupt_each_moment(
    error_class: type[BaseException],
    is_traced: Callable[[str, str], bool],
    make_call: Callable[[], Callable[[], Any]],
) -> Iterator[str]:
    """Interrupt one call after another, each a moment later, and yield what was changed.

    Args:
        error_class: What the handler raises.
        is_traced: Which frames' moments count.
        make_call: Prepares one call.
    """
    # A call may be followed by a collection, which shall not walk through the whole suite.
    freeze_objects()
    trace_once(make_call(), is_traced)
    calls_without_moment = 0
    for at in range(1, MAX_MOMENTS):
        moments = SignalMoments(error_class("mine"), at, is_traced)
        outcome: object = None
        try:
            outcome = moments.run(make_call())
        # Which error comes out is the question.
        except BaseException as caught:  # noqa: BLE001
            outcome = caught
        if moments.count < at:
            assert at > 1, "no moment was traced"
            calls_without_moment += 1
            if calls_without_moment == CALLS_WITHOUT_MOMENT:
                return
            continue
        calls_without_moment = 0
        if outcome is not moments.error:
            yield f"at {moments.where}: {outcome!r:.100}"
    raise AssertionError("too many moments")


@pytest.mark.promise("R14")
def test_interrupts_leave_no_queue_place() -> None:
    """A call that waits for a cooldown leaves line and gates, whatever moment a signal comes at."""
    limiter = WeightLimiter(limit=None)
    queue = queue_for(limiter)
    problems: list[str] = []
    with (
        RawServer(repeat(READ, answer)) as server,
        Client(**OPTIONS, base_url=server.url, limiter=limiter) as client,
    ):

        def make_call() -> Callable[[], Any]:
            if queue.tickets or client._gates._gates:
                problems.append(f"{len(queue.tickets)} places, {len(client._gates._gates)} gates")
                queue.tickets.clear()
                client._gates._gates.clear()
            limiter.start_cooldown(0.03, banned=False)
            return client.server_time

        traced = files_named("_policy/limiter_queue.py", "_policy/wait_queue.py", "/gates.py")
        problems += interrupt_each_moment(KeyboardInterrupt, traced, make_call)
        assert not problems
        assert client.server_time()


@pytest.mark.promise("R14", "R16")
@pytest.mark.parametrize("error_class", [ValueError, OSError, TimeoutError, RuntimeError])
def test_interrupts_of_connecting_come_out(
    error_class: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of a handler is not taken for one of an address, a thread or an option."""
    with RawServer(repeat(READ, answer)) as server:
        address = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", server.port))
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [address, address])
        client = Client(**OPTIONS, base_url=f"http://localhost:{server.port}", limiter=None)

        def make_call() -> Callable[[], Any]:
            client._transport._origin_pools.clear()
            gc.collect()
            return client.connect

        traced = files_named(
            "_http/connections/connect.py", "_http/sync_transport.py", "_http/addresses.py", "threads.py",
            "/ipaddress.py",
        )  # fmt: skip
        assert not [*interrupt_each_moment(error_class, traced, make_call)]
        client.close()


def interrupt_look_ups() -> None:
    """Interrupt look-ups, and connect in another thread after each. Runs in a new process."""
    faulthandler.dump_traceback_later(15, exit=True)
    with RawServer(repeat(READ, answer)) as server, ThreadPoolExecutor(1) as pool:
        url = f"http://localhost:{server.port}"
        options = {**OPTIONS, "base_url": url, "timeout": 2, "limiter": None}

        def connect() -> None:
            with Client(**options) as client:
                client.connect()

        def make_call() -> Callable[[], Any]:
            pool.submit(connect).result()
            return connect

        traced = files_named(
            "/threading.py",
            "_concurrency/gates.py",
            "_concurrency/threads.py",
            "_http/addresses.py",
        )
        assert not [*interrupt_each_moment(KeyboardInterrupt, traced, make_call)]
        pool.submit(connect).result()


@pytest.mark.promise("R1", "R14")
def test_interrupts_leave_no_lock_held() -> None:
    """After an interrupt of a look-up, calls of other threads to the same host end in time."""
    program = (
        "from tests.client.test_signal_moments import interrupt_look_ups; interrupt_look_ups()"
    )
    child = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=40, cwd=ROOT
    )
    assert child.returncode == 0, child.stderr


@pytest.mark.promise("R14", "R16")
def test_interrupts_of_dates_come_out() -> None:
    """A handler's ValueError is not taken for one of a date that cannot be."""
    limited = response_bytes(
        b"{}", b"Retry-After: Sat, 31 Oct 2026 08:00:00 GMT", status="429 Limited"
    )
    with RawServer(repeat(READ, limited)) as server:

        def make_call() -> Callable[[], Any]:
            client = Client(**OPTIONS, base_url=server.url, limiter=WeightLimiter())
            return client.server_time

        traced = files_named("_call/response.py", "/http_dates.py")
        assert not [*interrupt_each_moment(ValueError, traced, make_call)]


@pytest.mark.promise("R14", "R16")
@pytest.mark.parametrize("new_field", [b"", b'"new": 1.5, '], ids=["usual", "unknown field"])
def test_interrupts_of_decoding_come_out(new_field: bytes) -> None:
    """A handler's ValueError is not taken for that of a body that is not valid."""
    body = BODY.replace(b"{", b"{" + new_field, 1)
    with RawServer(repeat(READ, response_bytes(body))) as server:

        def make_call() -> Callable[[], Any]:
            client = Client(**OPTIONS, base_url=server.url, limiter=WeightLimiter())
            return client.balance

        traced = files_named("/decoding.py", "/reading.py", "/rows.py", "/account_balance.py")
        assert not [*interrupt_each_moment(ValueError, traced, make_call)]


@pytest.mark.promise("R14", "R16")
def test_interrupts_of_gates_come_out() -> None:
    """A handler's RuntimeError is not taken for that of a gate that is open."""

    def make_call() -> Callable[[], Any]:
        return ThreadGate().open

    assert not [
        *interrupt_each_moment(RuntimeError, files_named("_concurrency/gates.py"), make_call)
    ]


@pytest.mark.promise("R14", "R16")
def test_interrupts_while_finding_handlers_come_out() -> None:
    """A second signal comes while an error is examined; its ValueError is not dropped."""

    def make_call() -> Callable[[], Any]:
        return lambda: raise_if_from_handler(OSError("of the network"))

    traced = files_named("_concurrency/interrupts.py", "/signal.py", "/enum.py")
    assert not [*interrupt_each_moment(ValueError, traced, make_call)]
