"""The weight budget of an IP address, as a client sees it. Knows weights and waits, no request and no reply."""

from __future__ import annotations

from typing import Protocol


class Limiter(Protocol):
    """Asked before every attempt; may be shared by many clients."""

    def acquire(self, weight: int) -> float:
        """Take `weight` from the budget; returns the seconds to wait first, 0 for none."""
        ...

    def observe(self, used_weight: int) -> None:
        """Learn what the exchange says is used in the current UTC minute."""
