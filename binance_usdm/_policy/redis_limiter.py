"""One weight budget for many processes and hosts, kept by a Redis server.

Knows the scripts, and what to do when the server gives no answer.

The rules are those of `WeightLimiter`, run by the server in one step and by its clock, so that all hosts agree on the
minute. One hash holds everything: the weight used, by minute, and the ends of a 429's wait and of a ban, in ms since 1970.
"""

from __future__ import annotations

import time
from typing import Any, ClassVar, Final

from binance_usdm._errors import ConfigurationError, TransportError
from binance_usdm._events import logger
from binance_usdm._secrets import SecretHolder

from .clock import utc_minute
from .limiter import (
    CLOCK_TOLERANCE_MS,
    DEFAULT_SHARE,
    DEFAULT_WEIGHT_LIMIT,
    LATE_RESPONSE_MS,
    MAX_COOLDOWN_SECONDS,
    MINUTE_MS,
    Limiter,
    WeightLimiter,
    weight_budget,
    weight_too_large_error,
)

RETRY_SERVER_AFTER_SECONDS: Final = 1.0
"""s: how long a server that failed is left alone while calls go on without it, so that not each of them waits for it."""

_NOW = "redis.call('TIME')"
_COMMON = f"""
local t = {{NOW}}
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local function minute(ms) return math.floor(ms / {MINUTE_MS}) end
local first, last, before = minute(now - {CLOCK_TOLERANCE_MS}), minute(now + {CLOCK_TOLERANCE_MS}), minute(now - {LATE_RESPONSE_MS})
local function get(field) return tonumber(redis.call('HGET', KEYS[1], field) or 0) end
local function keep(ms) if redis.call('PTTL', KEYS[1]) < ms then redis.call('PEXPIRE', KEYS[1], ms) end end
local function put(field, value)
  redis.call('HSET', KEYS[1], field, value)
  keep({3 * MINUTE_MS})
end
"""
_ACQUIRE = f"""
local weight, budget = tonumber(ARGV[1]), tonumber(ARGV[2])
local ban, hold = get('ban') - now, get('hold') - now
if ban > 0 then return {{-ban, 0}} end
if hold > 0 then return {{hold, 0}} end
for m = last, first, -1 do
  if get(m) + weight > budget then return {{(m + 1) * {MINUTE_MS} + {CLOCK_TOLERANCE_MS} - now, 0}} end
end
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  local m = tonumber(field)
  if m and (m < before or m > last) then redis.call('HDEL', KEYS[1], field) end
end
for m = first, last do put(m, get(m) + weight) end
return {{0, get(last)}}
"""
_OBSERVE = """
local used, m = tonumber(ARGV[1]), last
local known = get(before)
if known > 0 and 2 * used >= known then m = before end
if used > get(m) then put(m, used) end
return {0, 0}
"""
_START_COOLDOWN = """
local ms, field = tonumber(ARGV[1]), ARGV[2]
if now + ms > get(field) then put(field, now + ms) end
keep(ms)
return {0, 0}
"""


class RedisLimiter(SecretHolder, Limiter):
    """One weight budget for many processes and hosts: `share` of `limit` per UTC minute, counted by a Redis server (5 or later).

    `url` is redis://, rediss:// or unix://, and may hold a password; `name` tells budgets apart: one for each exchange and IP address.
    The server's clock is taken for the exchange's: NTP must keep it within 0.9 s. It must not evict (`maxmemory-policy noeviction`).
    No answer of the server is waited for longer than `timeout` seconds, without retries. Safe for threads and forks.
    Without an answer `acquire` raises TransportError; with `fail_open=True` each process goes on with the whole budget for itself and
    logs one warning for each outage. Bans and waits that this process met hold in both cases.
    Raises ConfigurationError for what cannot be used, also when the package redis is missing.
    """

    __slots__ = (
        "_acquire_script",
        "_budget",
        "_cooldown_script",
        "_errors",
        "_fail_open",
        "_is_down",
        "_key",
        "_known_used",
        "_local_limiter",
        "_observe_script",
        "_retry_at",
    )  # fmt: skip
    blocking: ClassVar[bool] = True

    def __init__(
        self,
        url: str,
        *,
        limit: int = DEFAULT_WEIGHT_LIMIT,
        share: float = DEFAULT_SHARE,
        name: str = "fapi.binance.com",
        fail_open: bool = False,
        timeout: float = 0.5,
    ) -> None:
        scripts = _register_scripts(url, timeout)
        del url  # it may hold a password, and a traceback may be printed with its local variables
        if isinstance(scripts, str):
            raise ConfigurationError(scripts)
        from redis import RedisError

        self._acquire_script, self._observe_script, self._cooldown_script = scripts
        self._errors = (RedisError, OSError, ValueError)
        self._budget = weight_budget(limit, share)
        self._local_limiter = WeightLimiter(limit, share)
        self._key = f"binance-usdm:{{{name}}}"  # a cluster keeps what is in braces in one place
        self._fail_open = fail_open
        self._is_down = False
        self._known_used = (0, 0)
        self._retry_at = float("-inf")

    def acquire(self, weight: int) -> float:
        if not 0 <= weight <= self._budget:
            raise weight_too_large_error(weight, self._budget)
        if (left := self._local_limiter.cooldown_left()) > 0:
            return left
        answer = self._run_script(self._acquire_script, weight, self._budget)
        if isinstance(answer, str):
            if self._fail_open:
                return self._local_limiter.acquire(weight)
            raise _unreachable_error(answer)
        wait, used = answer
        self._known_used = (utc_minute(), used)
        if wait < 0:
            self._local_limiter.start_cooldown(-wait / 1000, banned=True)
            return max(
                self._local_limiter.cooldown_left(), 0.001
            )  # should the ban end right here, nothing was taken all the same
        return wait / 1000

    def observe(self, used_weight: int) -> None:
        self._local_limiter.observe(used_weight)
        minute, known_used = self._known_used
        if (
            minute != utc_minute() or used_weight > known_used
        ):  # Else the server knows it: a second trip would say nothing.
            self._run_script(self._observe_script, used_weight)

    def start_cooldown(self, seconds: float, *, banned: bool) -> None:
        self._local_limiter.start_cooldown(seconds, banned=banned)
        self._run_script(
            self._cooldown_script,
            round(min(max(0.0, seconds), MAX_COOLDOWN_SECONDS) * 1000),
            "ban" if banned else "hold",
        )

    def close(self) -> None:
        """Close all connections; a later call opens new ones."""
        self._acquire_script.registered_client.connection_pool.disconnect()

    def _run_script(self, script: Any, *arguments: int | str) -> list[int] | str:
        """Return the server's two numbers: ms to wait (below 0: a ban) and weight used, or the name of the failure."""
        if self._fail_open and time.monotonic() < self._retry_at:
            return "it failed a moment ago"
        try:
            answer = script(keys=[self._key], args=arguments)
        except (
            self._errors
        ) as error:  # it drags connections along, and they the password: only its kind goes on
            answer = type(error).__name__
            # The server may be a replica now, or about to go: the next call connects to whoever has its name by then.
            self._acquire_script.registered_client.connection_pool.disconnect(
                inuse_connections=False
            )
        failed = not (
            isinstance(answer, list)
            and len(answer) == 2
            and all(type(number) is int for number in answer)
        )
        if failed:
            self._retry_at = time.monotonic() + RETRY_SERVER_AFTER_SECONDS
            if self._fail_open and not self._is_down:
                logger.warning(
                    "the shared weight budget cannot be reached (%s); this process counts for itself",
                    answer,
                )
        self._is_down = failed
        return str(answer) if failed else answer


def _unreachable_error(reason: str) -> TransportError:
    """Return the error for a server that gave no number; it is final when the server refused the login."""
    is_refused = reason in ("AuthenticationError", "NoPermissionError")
    hint = ": check user and password in the url of RedisLimiter" if is_refused else ""
    error = TransportError(
        f"the shared weight budget cannot be reached ({reason}); nothing was sent{hint}"
    )
    error.retryable = not is_refused
    return error


def _register_scripts(url: str, timeout: float) -> list[Any] | str:
    """The scripts, on connections bounded in time and without retries of their own; or a complaint that does not repeat the url."""
    try:
        from redis import ConnectionPool, Redis, RedisError
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError:
        return "RedisLimiter needs the package redis: pip install 'binance-usdm[redis]'"
    if not isinstance(timeout, int | float) or not 0 < timeout <= 60:
        return "timeout must be seconds, above 0 and at most 60"
    pool_options: dict[str, Any] = {
        "socket_timeout": timeout, "socket_connect_timeout": timeout, "retry": Retry(NoBackoff(), 0), "retry_on_timeout": False,
        "retry_on_error": [], "health_check_interval": 0, "protocol": 2, "decode_responses": False,
    }  # fmt: skip
    try:
        pool = ConnectionPool.from_url(url, max_connections=2**31, **pool_options)
        pool.make_connection()  # connects to nothing: an option that does not exist is found here
    except (RedisError, ValueError, TypeError, AttributeError):
        return "url must be a Redis URL: redis://, rediss:// or unix://"
    for option, value in pool_options.items():  # an option in the url wins over ours
        if pool.connection_kwargs[option] is not value:
            return f"url must not set {option}"
    client, common = Redis(connection_pool=pool), _COMMON.replace("{NOW}", _NOW)
    return [
        client.register_script(common + script) for script in (_ACQUIRE, _OBSERVE, _START_COOLDOWN)
    ]
