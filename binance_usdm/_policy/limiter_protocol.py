"""What a client needs of a limiter."""

from __future__ import annotations

from typing import Protocol


class Limiter(Protocol):
    """Weight budget that a client asks before every attempt. Many clients may share one.

    A custom limiter has these three methods, which several threads may call at once. When they
    wait, as for a network, it has an attribute `blocking = True`. Then a client calls them in
    threads, each until the call's deadline.

    With a method `budget()` that returns a `Budget`, `client.budget()` returns it.
    """

    __slots__ = ()

    def acquire(self, weight: int) -> float:
        """Take weight out of the budget.

        Args:
            weight: Weight of the request that is about to be sent.

        Returns:
            0.0 when the weight was taken. Otherwise nothing was taken, and the result is the time
            in seconds after which the client calls again.

        Raises:
            IPBannedError: The exchange banned this IP address, and the ban lasts.
            ConfigurationError: The weight exceeds the budget of any minute.
        """
        ...

    def observe(self, used_weight: int) -> None:
        """Take the weight that the exchange counted for this IP address in the UTC minute."""
        ...

    def start_cooldown(self, seconds: float, *, banned: bool) -> None:
        """Stop all sending for a while after HTTP 429 or 418.

        A shorter cooldown never replaces a longer one.

        Args:
            seconds: Duration from now. At most three days count.
            banned: Whether the exchange banned this IP address (418). While a ban lasts,
                `acquire()` raises `IPBannedError` instead of returning a time to wait.
        """
        ...
