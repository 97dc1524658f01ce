"""Scripts that a Redis server runs to count the weight, and what may be their answer."""

from __future__ import annotations

from hashlib import sha1
from typing import Final, TypeGuard

from binance_usdm._errors import TransportError
from binance_usdm._policy.weight_budget import CLOCK_TOLERANCE_MS, LATE_RESPONSE_MS, MINUTE_MS

FOREIGN_BUDGET: Final = -1
"""What a script returns for the weight used when the budget is that of another base URL."""
_NOW = "redis.call('TIME')"
_COMMON = f"""
local t = {{NOW}}
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local function minute(ms) return math.floor(ms / {MINUTE_MS}) end
local first, last = minute(now - {CLOCK_TOLERANCE_MS}), minute(now + {CLOCK_TOLERANCE_MS})
local before = minute(now - {LATE_RESPONSE_MS})
local base_url, known_url = ARGV[#ARGV], redis.call('HGET', KEYS[1], 'base_url')
if base_url ~= '' and known_url and base_url ~= known_url then
  return {{0, {FOREIGN_BUDGET}}}
end
local function get(field) return tonumber(redis.call('HGET', KEYS[1], field) or 0) end
local function keep(ms)
  if redis.call('PTTL', KEYS[1]) < ms then redis.call('PEXPIRE', KEYS[1], ms) end
end
local function put(field, value)
  redis.call('HSET', KEYS[1], field, value)
  if base_url ~= '' and not known_url then
    redis.call('HSET', KEYS[1], 'base_url', base_url)
  end
  keep({3 * MINUTE_MS})
end
"""
_ACQUIRE = f"""
local weight, budget = tonumber(ARGV[1]), tonumber(ARGV[2])
local ban, cooldown = get('banned_until') - now, get('cooldown_until') - now
if ban > 0 then return {{-ban, 0}} end
if cooldown > 0 then return {{cooldown, 0}} end
for m = last, first, -1 do
  if get(m) + weight > budget then
    return {{(m + 1) * {MINUTE_MS} + {CLOCK_TOLERANCE_MS} - now, 0}}
  end
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
_BUDGET = """
local ban, cooldown = get('banned_until') - now, get('cooldown_until') - now
if ban > 0 then return {-ban, get(last)} end
return {math.max(cooldown, 0), get(last)}
"""
_START_COOLDOWN = """
local ms, field = tonumber(ARGV[1]), ARGV[2]
if now + ms > get(field) then put(field, now + ms) end
keep(ms)
return {0, 0}
"""
_CLEAR_COOLDOWN = """
local left = math.max(get('banned_until'), get('cooldown_until')) - now
redis.call('HDEL', KEYS[1], 'banned_until', 'cooldown_until')
return {math.max(left, 0), 0}
"""


class Script:
    """A Lua script, and the name by which a server that has run it finds it again."""

    __slots__ = ("sha", "source")

    def __init__(self, source: str) -> None:
        self.source: str = source
        self.sha: str = sha1(source.encode(), usedforsecurity=False).hexdigest()


def make_scripts() -> dict[str, Script]:
    """Return the scripts by the names of the limiter's methods."""
    common = _COMMON.replace("{NOW}", _NOW)
    return {
        "acquire": Script(common + _ACQUIRE),
        "observe": Script(common + _OBSERVE),
        "budget": Script(common + _BUDGET),
        "start_cooldown": Script(common + _START_COOLDOWN),
        "clear_cooldown": Script(common + _CLEAR_COOLDOWN),
    }


def is_answer(answer: object) -> TypeGuard[list[int]]:
    """Return whether a script may have answered so: with two numbers."""
    return (
        isinstance(answer, list)
        and len(answer) == 2
        # A number that no float holds cannot be divided.
        and all(type(number) is int and abs(number) < 1 << 63 for number in answer)
    )


def unreachable_error(reason: str) -> TransportError:
    """Return the error for a server that gave no number.

    It is final when the server rejected the login.
    """
    is_rejected = reason in ("AuthenticationError", "NoPermissionError")
    hint = ": check user and password in the url of RedisLimiter" if is_rejected else ""
    error = TransportError(
        f"the shared weight budget cannot be reached ({reason}); nothing was sent{hint}"
    )
    error.retryable = not is_rejected
    return error
