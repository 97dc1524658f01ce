"""Count weight per IP address; rate-limit and ban."""

from __future__ import annotations

from dataclasses import dataclass

from binance_usdm.mock.core.response import Reply, error_response
from binance_usdm.mock.core.switches import Switches

MINUTE = 60_000
LONGEST_BAN = 3 * 24 * 60 * MINUTE
"""Three days, in ms: General Info."""


@dataclass(slots=True)
class WeightCounter:
    """Weight of one IP address in the current UTC minute, and its ban.

    The minute is the clock's, not a sliding one, as measured on the real exchange. Rejected calls
    cost their weight too. How much weight a minute has, and when a ban begins, is in `Switches`.

    Attributes:
        minute: Number of the UTC minute since 1970 that `used` belongs to.
        used: Weight used in that minute.
        rejected_calls: Calls of that minute that were rejected with 429.
        ban_count: Number of bans so far.
        banned_until: End of the latest ban, in ms of the exchange's clock. 0 before the first.
        scripted_until: Until when rejections follow from `ban` or `spend` of a test, in ms.
    """

    minute: int = 0
    used: int = 0
    rejected_calls: int = 0
    ban_count: int = 0
    banned_until: int = 0
    scripted_until: int = 0

    def add(self, weight: int, now: int) -> None:
        """Add weight that is used at `now` (ms)."""
        minute = now // MINUTE
        if self.minute != minute:
            self.minute = minute
            self.used = 0
            self.rejected_calls = 0
        self.used += weight

    def charge(self, weight: int, now: int, switches: Switches) -> Reply | None:
        """Charge a call, and ban the address if too many calls were rejected.

        Args:
            weight: Weight of the call.
            now: Time of the call, in ms.
            switches: Limit, ban length and form of the responses.

        Returns:
            Response with 429 or 418, or `None` if the call is allowed.
        """
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

    def add_scripted(self, weight: int, now: int) -> None:
        """Add weight at `now` (ms) because a test asked for it."""
        self.add(weight, now)
        self.scripted_until = max(self.scripted_until, (self.minute + 1) * MINUTE)

    def ban(self, milliseconds: int, now: int, *, is_scripted: bool = False) -> None:
        """Start a ban at `now` (ms). It replaces an earlier one.

        Args:
            milliseconds: Length of the ban.
            now: Time of its begin, in ms.
            is_scripted: Whether a test asked for it.
        """
        is_scripted = is_scripted or now < self.scripted_until
        self.banned_until = now + milliseconds
        self.ban_count += 1
        if is_scripted:
            self.scripted_until = self.banned_until

    def ban_response(self, now: int, switches: Switches) -> Reply | None:
        """Return the 418 while a ban lasts, otherwise `None`."""
        if now >= self.banned_until:
            return None
        return banned_response(self.banned_until, now, switches)


def rate_limited_response(now: int, switches: Switches) -> Reply:
    """Return a 429 that lasts until the next UTC minute. `now` is in ms."""
    text = (
        f"Too many requests; current limit is {switches.weight_limit} requests per minute. "
        "Please use the websocket for live updates to avoid polling the API."
    )
    wait_ms = (now // MINUTE + 1) * MINUTE - now
    return _with_retry_after(error_response(429, -1003, text), wait_ms, switches)


def banned_response(until: int, now: int, switches: Switches) -> Reply:
    """Return the 418 of a ban that ends at `until`. Both times are in ms."""
    address = f"({switches.caller_ip})" if switches.caller_ip else ""
    text = (
        f"Way too many requests; IP{address} banned until {until}. "
        "Please use the websocket for live updates to avoid bans."
    )
    return _with_retry_after(error_response(418, -1003, text), until - now, switches)


def _with_retry_after(reply: Reply, milliseconds: int, switches: Switches) -> Reply:
    if not switches.retry_after:
        return reply
    # Rounded up, so that a client that waits this long is not rejected again.
    seconds = -(-milliseconds // 1000)
    return reply.with_header(b"Retry-After", str(seconds).encode())
