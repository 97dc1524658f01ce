"""Run blocking functions in daemon threads."""

from __future__ import annotations

import contextlib
import contextvars
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeVar
from weakref import WeakSet

TIMEOUT_MESSAGE = "no complete response before the call's deadline (`timeout=`)"
_IDLE_SECONDS: Final = 30.0
_T = TypeVar("_T")


class _Crew:
    """The threads of one process, and what they have to do.

    Threads that are interrupted by signals only put functions in; all else is done by the crew's own threads.
    """

    def __init__(self) -> None:
        self.jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self.unfinished: WeakSet[Future[Any]] = WeakSet()
        self._lock = threading.RLock()
        self._threads: set[threading.Thread] = set()

    def start_threads(self, limit: int | None) -> None:
        """See that there is a thread for each unfinished function, within a limit. Raises RuntimeError when none can be started."""
        with self._lock:
            self._threads = {thread for thread in self._threads if thread.is_alive()}
            wanted = len(self.unfinished) if limit is None else min(len(self.unfinished), limit)
            while len(self._threads) < wanted:
                thread = threading.Thread(target=self._work, name="binance-usdm", daemon=True)
                self._threads.add(thread)
                thread.start()

    def _work(self) -> None:
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
        """Return whether the current thread, which had nothing to do for a while, may end."""
        with self._lock:
            if not self.jobs.empty():
                return False
            self._threads.discard(threading.current_thread())
            return True


class WorkerPool:
    """Daemon threads that are reused, so that nobody waits for one that hangs, not even the interpreter at its end.

    Args:
        max_threads: Bound of threads; further functions wait for one. `None` sets no bound.
    """

    def __init__(self, max_threads: int | None = None) -> None:
        self._max_threads = max_threads
        self._crews: dict[int, _Crew] = {}

    def submit(self, work: Callable[[], _T]) -> Future[_T]:
        """Begin `work` in a thread, in the caller's context variables. Its result or exception is the future's.

        The future's exception is an OSError that says so when no thread can be started.
        """
        crew = self._crews.get(process := os.getpid()) or self._crews.setdefault(process, _Crew())
        future: Future[_T] = Future()
        future.set_running_or_notify_cancel()
        context = contextvars.copy_context()

        def run() -> None:
            if future.done():
                return
            with contextlib.suppress(InvalidStateError):
                try:
                    result = context.run(work)
                # Every exception is raised where the result is asked for.
                except BaseException as error:  # noqa: BLE001
                    crew.unfinished.discard(future)
                    future.set_exception(error)
                else:
                    crew.unfinished.discard(
                        future
                    )  # First: the caller's next function finds this thread free.
                    future.set_result(result)

        crew.unfinished.add(future)
        crew.jobs.put(run)
        try:
            crew.start_threads(self._max_threads)
        except RuntimeError as error:  # No more threads, or the interpreter ends.
            crew.unfinished.discard(future)
            with contextlib.suppress(InvalidStateError):
                future.set_exception(OSError(f"no thread could be started: {error}"))
        return future


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
