"""One weight budget for many processes and hosts, kept by a Redis server.

The rules are those of `WeightLimiter`. The server runs them in one step and by its clock, so that
all hosts agree on the minute. One hash holds everything: the weight used, by minute, the ends of a
429's cooldown and of a ban, in ms since 1970, and the base URL that it all is about.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from binance_usdm._errors import ConfigurationError
from binance_usdm._policy.budget import Budget, make_shared_budget
from binance_usdm._policy.clock import local_time_ms, utc_minute
from binance_usdm._policy.limiter import Limiter, WeightLimiter
from binance_usdm._policy.weight_budget import (
    DEFAULT_SHARE,
    DEFAULT_WEIGHT_LIMIT,
    MAX_COOLDOWN_SECONDS,
    weight_budget,
    weight_too_large_error,
)
from binance_usdm._secrets import clear_frames

from .runner import ScriptRunner, make_connections
from .scripts import unreachable_error

if TYPE_CHECKING:
    from .clients import RedisClient


class RedisLimiter(ScriptRunner, Limiter):
    """One weight budget for many processes and hosts, counted by a Redis server (5 or later).

    Its size is `share` of `limit` per UTC minute. The server's clock is taken for the exchange's:
    NTP must keep it within 0.9 s. The server must not evict (`maxmemory-policy noeviction`).
    Safe for threads and forks.

    Each operation (`acquire`, `observe`, `start_cooldown`) ends after `timeout` seconds in total,
    in which connecting, TLS and logging in are included, however the server spreads its answers.
    There are no retries. A connection without a complete answer is closed. A name look-up that
    hangs is left behind in a thread, at most 16 of them in a process, until the resolver ends it.

    A limiter counts for one base URL, that of the first client that uses it, and a client with another
    one is rejected. So the ban of a mock or of demo trading is not one of the exchange.

    Without an answer `acquire` raises TransportError, and the request is not sent. With
    `fail_open=True` each process goes on with the whole budget for itself, and logs one warning for
    each outage. Bans and cooldowns that this process met hold in both cases. An answer that comes
    too late may have been counted by the server: too much is counted then, never too little.

    Args:
        url: redis://, rediss:// or unix://. It may hold a password.
        client: Client of redis-py instead of a URL: `redis.Redis` (with a credential provider, for
            example), `Sentinel(...).master_for(name)` or `redis.RedisCluster`. It finds its server
            and logs in by its own options, and needs a `socket_timeout`. It stays open.
        limit: Weight per minute that the exchange allows.
        share: Part of `limit` that is used.
        name: Name of the budget. By default it is the base URL's host, port and path prefix, such as
            `fapi.binance.com`. Set it where hosts behind different IP addresses use one server.
        fail_open: Whether calls go on when the server gives no answer.
        timeout: Seconds for one operation, above 0 and at most 60.

    Raises:
        ConfigurationError: An argument is invalid, or the package redis is missing.
    """

    __slots__ = (
        "_budget",
        "_heard_limiter",
        "_known_used",
        "_local_limiter",
        "_timeout",
    )  # fmt: skip
    blocking: ClassVar[bool] = True

    def __init__(
        self,
        url: str | None = None,
        *,
        client: RedisClient | None = None,
        limit: int = DEFAULT_WEIGHT_LIMIT,
        share: float = DEFAULT_SHARE,
        name: str | None = None,
        fail_open: bool = False,
        timeout: float = 0.5,
    ) -> None:
        # Keep secrets out of tracebacks; see _secrets.py.
        try:
            connections = make_connections(url, client, timeout)
        except BaseException as error:
            clear_frames(error)
            raise
        finally:
            del url, client
        if isinstance(connections, str):
            raise ConfigurationError(connections)
        super().__init__(connections, name, fail_open)
        self._timeout = timeout
        self._budget = weight_budget(limit, share)
        self._local_limiter = WeightLimiter(limit, share)
        # A ban that another process met. It counts while the server gives no answer.
        self._heard_limiter = WeightLimiter(limit=None)
        self._known_used = (0, 0)

    def acquire(self, weight: int) -> float:
        if not 0 <= weight <= self._budget:
            raise weight_too_large_error(weight, self._budget)
        if (left := self._local_limiter.cooldown_left()) > 0:
            return left
        answer = self._run_script("acquire", weight, self._budget)
        if isinstance(answer, str):
            self._heard_limiter.cooldown_left()
            if self._fail_open:
                return self._local_limiter.acquire(weight)
            raise unreachable_error(answer)
        wait, used = answer
        self._known_used = (utc_minute(), used)
        # Somebody may have cleared the ban that was heard of before.
        self._heard_limiter.clear_cooldown()
        if wait < 0:
            self._heard_limiter.start_cooldown(-wait / 1000, banned=True)
            # Should the ban end right here, nothing was taken all the same.
            return max(self._heard_limiter.cooldown_left(), 0.001)
        return wait / 1000

    @property
    def base_url(self) -> str:
        """Base URL that the budget is for, "" before a client uses it."""
        return self._name.base_url

    def forget(self) -> None:
        """Forget what this process counted, met and heard of. The server keeps all. For tests."""
        for limiter in (self._local_limiter, self._heard_limiter):
            limiter.forget()

    def bind_base_url(self, base_url: str, *, is_test: bool) -> None:
        """Count for a base URL. A client calls this when it is made.

        Args:
            base_url: Base URL of the client.
            is_test: Whether it is this machine or a test host.

        Raises:
            ConfigurationError: The limiter counts for another base URL.
        """
        self._name.bind(base_url, is_test=is_test)

    def clear_cooldown(self) -> float:
        """Let all processes send again, after a cooldown or a ban that was not the exchange's.

        Requests during a ban of the exchange prolong it. A process that met the 429 or 418 itself
        keeps to it; start that one anew. Before a client uses the limiter, the budget is that of
        `name`, or of the exchange.

        Returns:
            Seconds that the cooldown or ban would have lasted, 0.0 if there was none.

        Raises:
            TransportError: The server gave no answer.
        """
        answer = self._run_script("clear_cooldown")
        if isinstance(answer, str):
            raise unreachable_error(answer)
        for limiter in (self._local_limiter, self._heard_limiter):
            limiter.clear_cooldown()
        return answer[0] / 1000

    def budget(self) -> Budget:
        """Ask the server what is used and left in the current minute.

        Raises:
            TransportError: The server gave no answer. With `fail_open=True` the result is what this
                process counted.
        """
        answer = self._run_script("budget")
        local_budget = self._local_limiter.budget()
        if not isinstance(answer, str):
            held_ms, used = answer
            return make_shared_budget(
                self._budget, held_ms, used, local_time_ms(), self._key, local_budget
            )
        if self._fail_open:
            return local_budget
        raise unreachable_error(answer)

    @property
    def max_seconds(self) -> float:
        """Time after which each method ends by itself. A subclass may do more in its methods."""
        return self._timeout if type(self) is RedisLimiter else math.inf

    def observe(self, used_weight: int) -> None:
        self._local_limiter.observe(used_weight)
        if not self._server_has(used_weight):
            self._run_script("observe", used_weight)

    def try_observe(self, used_weight: int) -> bool:
        """Do what `observe()` does and return `True`, unless that would ask the server."""
        if type(self) is not RedisLimiter or not self._server_has(used_weight):
            return False
        self._local_limiter.observe(used_weight)
        return True

    def _server_has(self, used_weight: int) -> bool:
        """Return whether the server counted as much in this minute: a trip changes nothing then."""
        minute, known_used = self._known_used
        return minute == utc_minute() and used_weight <= known_used

    def start_cooldown(self, seconds: float, *, banned: bool) -> None:
        self._local_limiter.start_cooldown(seconds, banned=banned)
        milliseconds = round(min(max(0.0, seconds), MAX_COOLDOWN_SECONDS) * 1000)
        self._run_script(
            "start_cooldown", milliseconds, "banned_until" if banned else "cooldown_until"
        )
