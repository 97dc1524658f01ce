"""Name of a weight budget that processes share: one for each base URL."""

from __future__ import annotations

import threading
from typing import Any, Final

from binance_usdm._errors import ConfigurationError
from binance_usdm._secrets import describe_value

EXCHANGE_NAME: Final = "fapi.binance.com"
"""Name of the exchange's budget, and of one that no client uses yet."""
_MAX_LENGTH: Final = 100


class BudgetName:
    """Name of the budget of one limiter, which the first client's base URL decides.

    The name is the base URL's host, port and path prefix, unless one was chosen. A chosen name of
    a local or test exchange begins with its base URL, so it is never that of the exchange.

    Args:
        chosen: Name that the user chose, or `None`.

    Raises:
        ConfigurationError: The chosen name cannot be used.
    """

    __slots__ = ("_chosen", "_lock", "base_url", "text")

    def __init__(self, chosen: Any) -> None:
        self._chosen = _validate_name(chosen)
        # Re-entrant: a signal handler may make a client.
        self._lock = threading.RLock()
        self.base_url = ""
        self.text = self._chosen or EXCHANGE_NAME

    def bind(self, base_url: str, *, is_test: bool) -> None:
        """Set the base URL that the budget is for.

        Args:
            base_url: Base URL of a client that uses the limiter.
            is_test: Whether it is this machine or a test host.

        Raises:
            ConfigurationError: The limiter has another base URL, or the name is the exchange's.
        """
        with self._lock:
            if self.base_url == base_url:
                return
            if self.base_url:
                raise ConfigurationError(
                    f"limiter counts for {self.base_url}; make another RedisLimiter for {base_url}"
                )
            host = base_url.removeprefix("https://")
            if self._chosen == EXCHANGE_NAME != host:
                raise ConfigurationError(
                    f"name {EXCHANGE_NAME!r} of RedisLimiter is that of the exchange, not of "
                    f"{base_url}; omit it, and the name follows the base URL"
                )
            self.text = self._chosen or host
            if is_test and self._chosen is not None:
                self.text = f"{host} {self._chosen}"
            self.base_url = base_url

    def foreign_budget_error(self) -> ConfigurationError:
        """Return the error for a budget that another process uses for another base URL."""
        return ConfigurationError(
            f"name {self.text!r} of RedisLimiter is in use for another base URL than "
            f"{self.base_url}; omit it, or choose one name for each base URL and IP address"
        )


def _validate_name(name: Any) -> str | None:
    if name is None:
        return None
    is_text = isinstance(name, str) and 0 < len(name) <= _MAX_LENGTH and name.isprintable()
    # A Redis cluster takes what is in braces for the place of a key.
    if not is_text or "{" in name or "}" in name:
        raise ConfigurationError(
            f"name must be 1 to {_MAX_LENGTH} printable characters without braces, "
            f"not {describe_value(name)}"
        )
    return str(name)
