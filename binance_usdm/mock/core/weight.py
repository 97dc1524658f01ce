"""The weight budget of one IP address, from 429 to a ban. Knows numbers only: no clock, no route, no key."""

from __future__ import annotations

from dataclasses import dataclass

from .response import Reply, error_response
from .switches import Switches

MINUTE = 60_000
LONGEST_BAN = 3 * 24 * 60 * MINUTE
"""Three days, in ms: General Info."""


@dataclass(slots=True)
class WeightCounter:
    """Weight used in the current UTC clock minute, calls refused in it, and the ban, if one lasts.

    The minute is the clock's, not a sliding one: measured on the real exchange. Refused calls cost their weight too.
    """

    minute: int = 0
    used: int = 0
    rejected_calls: int = 0
    ban_count: int = 0
    banned_until: int = 0

    def add(self, weight: int, now: int) -> None:
        """Count weight at ``now`` (ms)."""
        if self.minute != now // MINUTE:
            self.minute, self.used, self.rejected_calls = now // MINUTE, 0, 0
        self.used += weight

    def charge(self, weight: int, now: int, switches: Switches) -> Reply | None:
        """Count a call at ``now``; the 429 or 418 that it gets, None while it may pass."""
        self.add(weight, now)
        if (reply := self.ban_response(now, switches)) is not None:
            return reply
        if self.used <= switches.weight_limit:
            return None
        self.rejected_calls += 1
        if self.rejected_calls <= switches.ban_after:
            return rate_limited_response(now, switches)
        self.ban(min(switches.ban_seconds * 1000 * 2 ** min(self.ban_count, 20), LONGEST_BAN), now)
        return banned_response(self.banned_until, now, switches)

    def ban(self, milliseconds: int, now: int) -> None:
        """Begin a ban at ``now``; a later one takes its place."""
        self.banned_until = now + milliseconds
        self.ban_count += 1

    def ban_response(self, now: int, switches: Switches) -> Reply | None:
        """The 418 of a ban that lasts, None without one."""
        return (
            banned_response(self.banned_until, now, switches) if now < self.banned_until else None
        )


def rate_limited_response(now: int, switches: Switches) -> Reply:
    """429 until the next UTC minute."""
    text = (
        f"Too many requests; current limit is {switches.weight_limit} requests per minute. "
        "Please use the websocket for live updates to avoid polling the API."
    )
    return _with_retry_after(
        error_response(429, -1003, text), (now // MINUTE + 1) * MINUTE - now, switches
    )


def banned_response(until: int, now: int, switches: Switches) -> Reply:
    """418 until ``until``, ms."""
    address = f"({switches.caller_ip})" if switches.caller_ip else ""
    text = (
        f"Way too many requests; IP{address} banned until {until}. "
        "Please use the websocket for live updates to avoid bans."
    )
    return _with_retry_after(error_response(418, -1003, text), until - now, switches)


def _with_retry_after(reply: Reply, milliseconds: int, switches: Switches) -> Reply:
    seconds = -(-milliseconds // 1000)  # rounded up: whoever waits that long is let in
    return (
        reply.with_header(b"Retry-After", str(seconds).encode()) if switches.retry_after else reply
    )
