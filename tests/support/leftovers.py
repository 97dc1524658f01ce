"""Count what calls hold: slots, places in queues, gates, locks, descriptors, threads."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from binance_usdm._concurrency.gates import GateSet
from binance_usdm._http import addresses
from binance_usdm._http.connections.origin_pool import OriginPool, Slots
from binance_usdm._policy.clock import ExchangeClock
from binance_usdm._policy.wait_queue import WaitQueue

WORKER_THREAD_NAME = "binance-usdm"
LOCK_PATIENCE_SECONDS = 2.0


def count_held() -> Counter[str]:
    """Return what is held in this process, by its kind. Call it when no call is under way."""
    gc.collect()
    held: Counter[str] = Counter()
    for thing in gc.get_objects():
        if isinstance(thing, Slots):
            held["slots"] += len(thing.holders)
            held["waiters for a slot"] += len(thing.waiters)
        elif isinstance(thing, WaitQueue):
            held["places in a queue"] += len(thing.tickets)
        elif isinstance(thing, GateSet):
            held["gates"] += len(thing._gates)
        elif isinstance(thing, ExchangeClock):
            held["waiters for the clock"] += len(thing._waiters)
    held["locks"] = count_held_locks()
    return held


def count_held_locks() -> int:
    """Return how many locks of the package another thread cannot take."""
    locked: list[object] = []

    def take_each() -> None:
        for lock in _locks():
            if lock.acquire(timeout=LOCK_PATIENCE_SECONDS):
                lock.release()
            else:
                locked.append(lock)

    thread = threading.Thread(target=take_each)
    thread.start()
    thread.join()
    return len(locked)


def _locks() -> Iterator[Any]:
    """Yield the locks that guard state of the package; a gate's lock is held while it is shut."""
    names = [name for name in sys.modules if name.startswith("binance_usdm.")]
    holders: list[object] = [sys.modules[name] for name in names if ".mock" not in name]
    holders += [
        thing
        for thing in gc.get_objects()
        # The module of a class can be anything; of a class of a C library it is a descriptor.
        if str(type(thing).__module__).startswith("binance_usdm._")
    ]
    for holder in holders:
        lock = getattr(holder, "_lock", None)
        if lock is not None and type(holder).__name__ != "ThreadGate":
            yield lock


def count_idle() -> int:
    """Return how many idle connections the pools of this process hold."""
    return sum(len(thing) for thing in gc.get_objects() if isinstance(thing, OriginPool))


def count_descriptors() -> int:
    """Return how many descriptors this process has open."""
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


def let_threads_end_early(idle_seconds: float) -> None:
    """Let worker threads that have nothing to do end sooner than after half a minute."""
    resolvers = vars(addresses)["RESOLVERS"]
    vars(sys.modules[type(resolvers).__module__])["_IDLE_SECONDS"] = idle_seconds


def count_worker_threads(patience_seconds: float = 0.0) -> int:
    """Return how many threads of the package run, once those that may end had time for it."""
    ends_at = time.monotonic() + patience_seconds
    while True:
        count = sum(thread.name == WORKER_THREAD_NAME for thread in threading.enumerate())
        if not count or time.monotonic() >= ends_at:
            return count
        time.sleep(0.05)


def count_other_threads() -> int:
    """Return how many threads run that are none of the package."""
    return threading.active_count() - count_worker_threads()
