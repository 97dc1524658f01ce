"""Run blocking functions in daemon threads."""

from __future__ import annotations

import contextvars
import math
import os
import threading
import time
from collections.abc import Callable
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, Final, Generic, TypeVar, cast
from weakref import WeakSet

from .gates import Gate, TaskGate, ThreadGate, run_to_end
from .interrupts import raise_if_from_handler

TIMEOUT_MESSAGE = "no complete response before the call's deadline (`timeout=`)"
_IDLE_SECONDS: Final = 30.0
_T = TypeVar("_T")


class Job(Generic[_T]):
    """A function that runs in another thread, and its outcome.

    Waiting takes no lock: an interrupt that comes while one is taken or given back would come out
    as an error of the lock.
    """

    def __init__(self) -> None:
        self.is_done = False
        self._error: BaseException | None = None
        self._gates = set[Gate]()
        self._result: _T | None = None

    def finish(self, result: _T | None = None, error: BaseException | None = None) -> None:
        """Set the outcome and wake all callers who wait for it. A later one changes nothing."""
        if self.is_done:
            return
        self._result = result
        self._error = error
        self.is_done = True
        for gate in list(self._gates):
            gate.open()

    async def wait(self, gate: Gate, deadline: float) -> bool:
        """Wait until the function has ended.

        Args:
            gate: A new gate of the waiting thread or task.
            deadline: Instant of `time.monotonic()`.

        Returns:
            Whether it ended before the deadline. A cancelled or interrupted caller leaves nothing
            behind; the function runs on.
        """
        self._gates.add(gate)
        try:
            while not self.is_done and (left := deadline - time.monotonic()) > 0:
                await gate.wait(left)
        finally:
            self._gates.discard(gate)
        return self.is_done

    def wait_blocking(self, deadline: float) -> bool:
        """Block until the function has ended, and return whether it did before the deadline."""
        return run_to_end(self.wait(ThreadGate(), deadline))

    def result(self) -> _T:
        """Return what the function returned, or raise what it raised."""
        if self._error is not None:
            raise self._error
        return cast(_T, self._result)


class _Crew:
    """The threads of one process, and the functions that they are to run.

    Only these threads change the list of threads and take functions out. The threads of callers,
    which signals interrupt, only put functions in.
    """

    def __init__(self) -> None:
        self.jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self.unfinished: WeakSet[Job[Any]] = WeakSet()
        self._lock = threading.RLock()
        self._threads: set[threading.Thread] = set()

    def start_threads(self, limit: int | None) -> None:
        """Start threads until there is one for each unfinished function, at most `limit`.

        Raises:
            RuntimeError: No thread can be started.
        """
        with self._lock:
            self._threads = {thread for thread in self._threads if thread.is_alive()}
            wanted = len(self.unfinished)
            if limit is not None:
                wanted = min(wanted, limit)
            while len(self._threads) < wanted:
                thread = threading.Thread(target=self._run_jobs, name="binance-usdm", daemon=True)
                self._threads.add(thread)
                thread.start()

    def _run_jobs(self) -> None:
        while True:
            try:
                job = self.jobs.get(timeout=_IDLE_SECONDS)
            except Empty:
                if self._leave():
                    return
                continue
            job()
            del job

    def _leave(self) -> bool:
        """Take the current thread off the list, unless there is a function to run.

        Returns:
            Whether the thread may end.
        """
        with self._lock:
            if not self.jobs.empty():
                return False
            self._threads.discard(threading.current_thread())
            return True


def _run_job(crew: _Crew, job: Job[_T], work: Callable[[], _T]) -> None:
    if job.is_done:
        return
    result: _T | None = None
    error: BaseException | None = None
    try:
        result = work()
    # Every exception is raised where the result is asked for.
    except BaseException as caught:  # noqa: BLE001
        error = caught
    # This comes first, so that the caller's next function finds this thread free.
    crew.unfinished.discard(job)
    job.finish(result, error)


class WorkerPool:
    """Daemon threads that are reused.

    The interpreter does not wait for one that hangs when it ends.

    Args:
        max_threads: Bound of threads. Further functions wait for one, in order of arrival. `None`
            sets no bound.
    """

    def __init__(self, max_threads: int | None = None) -> None:
        self._max_threads = max_threads
        self._crews: dict[int, _Crew] = {}

    def submit(self, work: Callable[[], _T]) -> Job[_T]:
        """Begin `work` in a thread, in the caller's context variables.

        Returns:
            The job. Its outcome is an OSError when no thread can be started.
        """
        process = os.getpid()
        crew = self._crews.get(process)
        if crew is None:
            crew = self._crews.setdefault(process, _Crew())
        job: Job[_T] = Job()
        crew.unfinished.add(job)
        crew.jobs.put(partial(_run_job, crew, job, partial(contextvars.copy_context().run, work)))
        try:
            crew.start_threads(self._max_threads)
        except RuntimeError as error:
            raise_if_from_handler(error)
            # The system has no more threads, or the interpreter ends.
            crew.unfinished.discard(job)
            job.finish(error=OSError(f"no thread can be started: {error}"))
        return job


_user_code: Final = WorkerPool()
RESOLVERS: Final = WorkerPool(16)
"""Threads for name look-ups, which take no time limit."""


async def run_blocking(
    work: Callable[[], _T], deadline: float, max_seconds: float = math.inf
) -> _T:
    """Run a custom function that may block, and block until it ends. Never suspends.

    It runs in a daemon thread, which an interrupted caller leaves running.

    Args:
        work: The function, such as a limiter's or a transport's.
        deadline: Instant of `time.monotonic()`. Then the function is left running in its thread.
        max_seconds: Time after which the function ends by itself. If that is before the deadline,
            it runs in the caller's thread.

    Raises:
        TimeoutError: The deadline came first.
        OSError: No thread can be started.
    """
    if max_seconds <= deadline - time.monotonic():
        # A call with RedisLimiter takes 160 us of CPU so, and 240 us with a thread.
        return work()
    return await _run(work, ThreadGate(), deadline)


async def run_awaited(work: Callable[[], _T], deadline: float, max_seconds: float = math.inf) -> _T:
    """Run a custom function that may block in a thread, and await its end.

    A cancelled caller leaves the function running in its thread.

    Args:
        work: The function, such as a limiter's or a transport's.
        deadline: Instant of `time.monotonic()`. Then the function is left running in its thread.
        max_seconds: Unused, since the event loop must not block for any time.

    Raises:
        TimeoutError: The deadline came first.
        OSError: No thread can be started.
    """
    return await _run(work, TaskGate(), deadline)


async def _run(work: Callable[[], _T], gate: Gate, deadline: float) -> _T:
    job = _user_code.submit(work)
    if not await job.wait(gate, deadline):
        raise TimeoutError
    return job.result()
