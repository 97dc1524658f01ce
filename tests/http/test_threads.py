"""Functions that may hang run in daemon threads, and idle sockets are polled without waiting."""

from __future__ import annotations

import select
import socket
import threading
import time
from typing import NoReturn, TypeVar

import pytest

from binance_usdm._concurrency.threads import Job, WorkerPool
from binance_usdm._http.connections.readiness import SocketWaiter

T = TypeVar("T")
pytestmark = pytest.mark.promise("R1")


def outcome_of(job: Job[T], seconds: float = 1.0) -> T:
    """Wait for a job and return its result. Raises TimeoutError when it takes too long."""
    if not job.wait_blocking(time.monotonic() + seconds):
        raise TimeoutError
    return job.result()


def test_a_job_runs_in_a_daemon_thread() -> None:
    """The result of a job is returned; its thread keeps no program from ending."""
    thread = outcome_of(WorkerPool().submit(threading.current_thread))
    assert (thread.daemon, thread.name) == (True, "binance-usdm")


@pytest.mark.parametrize("error", [OSError("down"), KeyError("x"), SystemExit(3)])
def test_a_failed_job_raises(error: BaseException) -> None:
    """Whatever a job raises is raised where its result is asked for, each time."""

    def fail() -> NoReturn:
        raise error

    job = WorkerPool().submit(fail)
    for _ in range(2):
        with pytest.raises(type(error)) as caught:
            outcome_of(job)
        assert caught.value is error


def test_a_job_is_waited_for_until_a_deadline() -> None:
    """A wait ends at its deadline; the job runs on and can be waited for again."""
    release = threading.Event()
    job = WorkerPool().submit(release.wait)
    with pytest.raises(TimeoutError):
        outcome_of(job, 0.01)
    release.set()
    assert outcome_of(job) is True


def test_many_wait_for_one_job() -> None:
    """All threads that wait for a job are woken when it ends."""
    release, outcomes = threading.Event(), list[bool]()
    job = WorkerPool().submit(release.wait)
    threads = [
        threading.Thread(target=lambda: outcomes.append(outcome_of(job, 5.0))) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    release.set()
    for thread in threads:
        thread.join(5)
    assert outcomes == [True] * 20


def test_a_machine_without_threads_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """When no thread can be started, the outcome is an OSError that says so."""

    def full(thread: threading.Thread) -> NoReturn:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", full)
    with pytest.raises(OSError, match="can't start new thread"):
        outcome_of(WorkerPool().submit(int))


@pytest.mark.parametrize("poll", [True, False])
def test_an_idle_socket_shows_what_came_and_its_end(
    monkeypatch: pytest.MonkeyPatch, poll: bool
) -> None:
    # Windows has no poll, and select accepts no large descriptors.
    monkeypatch.delattr(select, "select" if poll else "poll")
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
