"""Run blocking functions in daemon threads."""

from __future__ import annotations

import contextvars
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, TypeVar

TIMEOUT_MESSAGE = "no complete response before the call's deadline (`timeout=`)"
_IDLE_SECONDS: Final = 30.0
_T = TypeVar("_T")


class _Worker:
    """A thread that runs one function after another, and ends when it had none for a while."""

    def __init__(self, pool: WorkerPool) -> None:
        self._pool = pool
        self._wake = threading.Semaphore(0)
        self.job: Callable[[], None] | None = None

    def start(self, job: Callable[[], None]) -> None:
        self.job = job
        threading.Thread(target=self._run, name="binance-usdm", daemon=True).start()

    def give(self, job: Callable[[], None]) -> None:
        self.job = job
        self._wake.release()

    def _run(self) -> None:
        while True:
            job, self.job = self.job, None
            if job is not None:
                job()
            del job
            if not self._wake.acquire(timeout=_IDLE_SECONDS) and self._pool.retire(self):
                return


class WorkerPool:
    """Daemon threads that are reused, so that nobody waits for one that hangs, not even the interpreter at its end.

    Args:
        max_threads: Bound of threads at work; further functions wait for one. `None` sets no bound.
    """

    def __init__(self, max_threads: int | None = None) -> None:
        self._max_threads = max_threads
        self._lock = threading.RLock()
        self._forget()

    def _forget(self) -> None:
        self._process = os.getpid()
        self._idle: list[_Worker] = []
        self._queue: deque[Callable[[], None]] = deque()
        self._busy_count = 0

    def submit(self, work: Callable[[], _T]) -> Future[_T]:
        """Begin `work` in a thread, in the caller's context variables. Its result or exception is the future's.

        The future's exception is an OSError that says so when no thread can be started.
        """
        future: Future[_T] = Future()
        future.set_running_or_notify_cancel()
        context = contextvars.copy_context()
        worker: _Worker | None = None

        def run() -> None:
            try:
                result = context.run(work)
            except BaseException as error:  # Every exception is raised where the result is asked for.  # noqa: BLE001
                self._release(worker)
                future.set_exception(error)
            else:
                self._release(worker)  # First: the caller's next function finds this thread idle.
                future.set_result(result)

        with self._lock:
            if self._process != os.getpid():  # Threads do not survive a fork.
                self._forget()
            if self._max_threads is not None and self._busy_count >= self._max_threads:
                self._queue.append(run)
                return future
            self._busy_count += 1
            is_new = not self._idle
            worker = _Worker(self) if is_new else self._idle.pop()
        try:
            worker.start(run) if is_new else worker.give(run)
        except RuntimeError as error:  # No more threads, or the interpreter ends.
            with self._lock:
                self._busy_count -= 1
            future.set_exception(OSError(f"no thread could be started: {error}"))
        return future

    def _release(self, worker: _Worker | None) -> None:
        with self._lock:
            if self._process != os.getpid():
                return
            if self._queue and worker is not None:
                worker.give(self._queue.popleft())
                return
            self._busy_count -= 1
            if worker is not None:
                self._idle.append(worker)

    def retire(self, worker: _Worker) -> bool:
        """Return whether an idle worker may end; False when it was just given a function."""
        with self._lock:
            if worker in self._idle:
                self._idle.remove(worker)
                return True
            return worker.job is None


_user_code: Final = WorkerPool()
RESOLVERS: Final = WorkerPool(16)
"""Threads for name look-ups, which take no time limit."""


def run_in_thread(work: Callable[[], _T]) -> Future[_T]:
    """Begin a function of the caller's that may block, such as a limiter or a transport."""
    return _user_code.submit(work)


async def run_blocking(work: Callable[[], _T], deadline: float) -> _T:
    """Run a function that may block in a thread, and block until it ends. Never suspends.

    Raises TimeoutError at the deadline, an instant of `time.monotonic()`, and OSError when no thread can be started.
    The thread is left behind then.
    """
    return run_in_thread(work).result(deadline - time.monotonic())


async def run_awaited(work: Callable[[], _T], deadline: float) -> _T:
    """Run a function that may block in a thread, and await its end, as `run_blocking` does."""
    import asyncio

    async with asyncio.timeout(deadline - time.monotonic()):
        return await asyncio.wrap_future(run_in_thread(work))
