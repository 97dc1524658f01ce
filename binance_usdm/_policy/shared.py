"""What this process knows of an exchange as seen through one way out: its time, and what is left of the weight budget.

Weight and bans are counted per IP address, not per key. So the clients of a process that have the same base URL and the same way out (the
default transport, one proxy, one transport object of the user's) share a venue. Nothing of a key is in here.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import NamedTuple
from weakref import WeakKeyDictionary

from .clock import ExchangeClock
from .limiter import WeightLimiter
from .wait_queue import WaitQueue


class SharedState(NamedTuple):
    clock: ExchangeClock
    limiter: WeightLimiter
    queue: WaitQueue


_lock = threading.Lock()
_by_origin: dict[Hashable, SharedState] = {}  # kept for ever: a ban outlives the client that met it
_by_transport: WeakKeyDictionary[object, dict[Hashable, SharedState]] = WeakKeyDictionary()


def get_shared_state(origin: Hashable, transport: object | None) -> SharedState:
    """The venue of an origin (base URL and proxy), or of a transport of the user's: that may leave from an address of its own."""
    with _lock:
        try:
            known = _by_origin if transport is None else _by_transport.setdefault(transport, {})
        except TypeError:  # it cannot be a key: then its clients share nothing
            known = {}
        if origin not in known:
            clock = ExchangeClock()
            known[origin] = SharedState(clock, WeightLimiter(now=clock), WaitQueue())
        return known[origin]
