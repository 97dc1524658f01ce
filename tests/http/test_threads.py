"""What may hang happens in a thread that nobody must wait for, and idle sockets are looked at without waiting."""

from __future__ import annotations

import select
import socket
import threading
import time
from typing import NoReturn

import pytest

from binance_usdm._http.readiness import SocketWaiter
from binance_usdm._http.threads import WorkerPool, run_in_thread

pytestmark = pytest.mark.promise("R1")


def test_its_result_comes_and_its_thread_keeps_no_program_from_ending() -> None:
    thread = run_in_thread(threading.current_thread).result(1)
    assert (thread.daemon, thread.name) == (True, "binance-usdm")


@pytest.mark.parametrize("error", [OSError("down"), KeyError("x"), SystemExit(3)])
def test_every_failure_is_that_of_whoever_asks(error: BaseException) -> None:
    def fail() -> NoReturn:
        raise error

    with pytest.raises(type(error)) as caught:
        run_in_thread(fail).result(1)
    assert caught.value is error


def test_nobody_waits_for_it_longer_than_he_wants() -> None:
    release = threading.Event()
    answer = run_in_thread(release.wait)
    with pytest.raises(TimeoutError):
        answer.result(0.01)
    release.set()
    assert answer.result(1) is True


def test_a_machine_without_threads_to_spare_is_an_error_of_the_system(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(thread: threading.Thread) -> NoReturn:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", full)
    with pytest.raises(OSError, match="can't start new thread"):
        WorkerPool().submit(int).result(1)


@pytest.mark.parametrize("poll", [True, False])
def test_an_idle_socket_shows_what_came_and_its_end(
    monkeypatch: pytest.MonkeyPatch, poll: bool
) -> None:
    monkeypatch.delattr(
        select, "select" if poll else "poll"
    )  # Windows has no poll; select knows no large descriptors
    began = time.monotonic()
    here, there = socket.socketpair()
    with here, there:
        assert SocketWaiter(here.fileno()).wait(0) is False
        there.send(b"x")
        assert SocketWaiter(here.fileno()).wait(0) is True
        assert here.recv(1) == b"x"
        assert SocketWaiter(here.fileno()).wait(0) is False
        there.close()
        assert SocketWaiter(here.fileno()).wait(0) is True
    assert time.monotonic() - began < 0.5  # it looks and does not wait
