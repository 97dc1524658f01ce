"""Clock and limiter shared by the clients of a process.

Weight and bans are counted per IP address, not per key. So clients with the same base URL whose requests leave by the
same address (the default transport, one proxy, one transport object of the user's) share them. No key is in here.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import NamedTuple
from weakref import WeakKeyDictionary

from .clock import ExchangeClock
from .limiter import WeightLimiter


class SharedState(NamedTuple):
    """What clients share. `limiter` also knows the address's ban, which holds for clients with other limiters too."""

    clock: ExchangeClock
    limiter: WeightLimiter


_lock = threading.RLock()
_by_origin: dict[
    Hashable, SharedState
] = {}  # Kept for good: a ban outlives the client that met it.
_by_transport: WeakKeyDictionary[object, dict[Hashable, SharedState]] = WeakKeyDictionary()


def get_shared_state(origin: Hashable, transport: object | None) -> SharedState:
    """Return the state of an origin (base URL and proxy), or of a transport of the user's, which may leave by another address."""
    with _lock:
        try:
            states = _by_origin if transport is None else _by_transport.setdefault(transport, {})
        except TypeError:  # It can be no key: then its clients share nothing.
            states = {}
        if origin not in states:
            clock = ExchangeClock()
            states[origin] = SharedState(clock, WeightLimiter(now=clock))
        return states[origin]
