"""Clock and limiter shared by the clients of a process.

The exchange counts weight and bans per IP address, not per key. So clients share them that have the
same base URL and whose requests leave by the same address: those of the default transport, of one
proxy, or of one custom transport object.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import TYPE_CHECKING, Final, NamedTuple
from weakref import WeakKeyDictionary

from binance_usdm._errors import ConfigurationError
from binance_usdm._secrets import clear_frames, describe_value

from .clock import ExchangeClock
from .limiter import WeightLimiter
from .weight_budget import DEFAULT_WEIGHT_LIMIT

if TYPE_CHECKING:
    from .redis.limiter import RedisLimiter

BUDGET_TIMEOUT_SECONDS: Final = 2.0
"""Time limit of an operation on Redis. Each process of the command connects anew."""
Target = tuple[str, Hashable, bool]
"""Base URL, proxy or None, and whether there is a weight budget."""


class SharedState(NamedTuple):
    """Clock and limiter of one target and address.

    The limiter also holds the address's ban, which applies to clients with other limiters, too.
    """

    clock: ExchangeClock
    limiter: WeightLimiter


_lock = threading.RLock()
# Only `reset_shared_state()` removes states: a ban outlasts the client that it was reported to.
_by_target: dict[Target, SharedState] = {}
_by_transport: WeakKeyDictionary[object, dict[Target, SharedState]] = WeakKeyDictionary()

_budgets: dict[tuple[int, str], RedisLimiter] = {}


def get_shared_state(target: Target, transport: object | None) -> SharedState:
    """Return the state of a target and address.

    Args:
        target: Base URL, proxy, and whether there is a weight budget.
        transport: A custom transport, whose requests may leave by another address, or `None`.
    """
    with _lock:
        try:
            states = _by_target if transport is None else _by_transport.setdefault(transport, {})
        except TypeError:
            # The transport cannot be hashed or referred to weakly, so its clients share nothing.
            states = {}
        if target not in states:
            clock = ExchangeClock()
            limit = DEFAULT_WEIGHT_LIMIT if target[2] else None
            states[target] = SharedState(clock, WeightLimiter(limit, now=clock))
        return states[target]


def get_shared_budget(url: str, base_url: str) -> RedisLimiter:
    """Return the limiter of a budget in Redis, which the clients of a process share.

    Args:
        url: URL of the Redis server. It may hold a password.
        base_url: Base URL of the clients, "" for the default.

    Raises:
        ConfigurationError: The URL is invalid, or the package redis is missing.
    """
    # Most programs do not wait for this import.
    from .redis.limiter import RedisLimiter

    # Keep secrets out of tracebacks; see _secrets.py.
    try:
        key = (hash(url), base_url)
        limiter = _budgets.get(key)
        if limiter is None:
            limiter = _budgets.setdefault(key, RedisLimiter(url, timeout=BUDGET_TIMEOUT_SECONDS))
        return limiter
    except BaseException as error:
        clear_frames(error)
        raise
    finally:
        del url


def reset_shared_state(base_url: str | None = None) -> None:
    """Forget the bans, cooldowns, weight and clock of the exchange, as in a new process.

    Clients that exist forget too. Clients that are made afterwards share with each other, and no
    longer with those. Call it between tests that use one base URL, and in a test after a ban that
    has ended. Do not call it in production: requests during a ban prolong it.

    Args:
        base_url: Base URL of which to forget, as in the repr of its clients. `None` for all.

    Raises:
        ConfigurationError: `base_url` is neither a string nor `None`.
    """
    if base_url is not None and not isinstance(base_url, str):
        raise ConfigurationError(
            f"base_url must be a string, or None for every base URL, not {describe_value(base_url)}"
        )
    known_form = base_url and base_url.rstrip("/")
    with _lock:
        for states in (_by_target, *_by_transport.values()):
            for target in [*states]:
                if known_form in (None, target[0]):
                    clock, limiter = states.pop(target)
                    clock.forget()
                    limiter.forget()
        for key, budget in [*_budgets.items()]:
            if known_form in (None, budget.base_url):
                del _budgets[key]
                budget.forget()
