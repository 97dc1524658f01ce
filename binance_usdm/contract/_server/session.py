"""The HTTP session to a server: signed as it sends, not too fast, with the server's state."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias
from urllib.parse import quote_plus, urlsplit

import requests

from binance_usdm.contract._cases.signing import Signer
from binance_usdm.contract._spec.operations import Operation

from .account import Account

TIMEOUT_SECONDS: Final = 10.0
# Timestamps are ahead, where less than 1000 ms is allowed, so that a generated window of 1 ms
# outlasts the network.
AHEAD_MS: Final = 750
# What schemathesis prints instead of a secret.
FILTERED: Final = "[Filtered]"
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
LIMITED_STATUSES: Final = (418, 429)
MAX_FAILURES: Final = 5
# A request that took longer may be rejected for its age. What it shows is tried again.
SLOW_SECONDS: Final = 0.4
MAX_TRIES: Final = 3
Clock: TypeAlias = Callable[[], int]
"""Time in ms, of this machine or of the server that is checked."""


def now_ms() -> int:
    """Return the time of this machine in ms."""
    return time.time_ns() // 1_000_000


class UnusableServerError(Exception):
    """The server cannot be checked: it does not respond, or limits requests."""


class FreshClock:
    """A clock that tells each ms once.

    No two requests with its times are equal, for a server that rejects the second one.
    """

    def __init__(self, now: Clock) -> None:
        self._now = now
        self._told: set[int] = set()

    def __call__(self, offset_ms: int = 0) -> int:
        """Return the time and an offset in ms, or the next ms that was not told."""
        ms = self._now() + offset_ms
        while ms in self._told:
            ms += 1
        self._told.add(ms)
        return ms


class ServerSession(requests.Session):
    """A session that notices when the server limits requests or does not respond.

    Args:
        url: Base URL of the server. Proxies of the environment are used unless it is this machine.
        max_per_minute: How many requests may be sent in a minute, or `None`.

    Attributes:
        request_count: How many requests were sent.
        is_limited: Whether the server responded with HTTP 429 or 418.
        failure_count: How many requests in a row got no response.
    """

    def __init__(self, url: str, max_per_minute: int | None = None) -> None:
        super().__init__()
        self.trust_env = urlsplit(url).hostname not in LOOPBACK
        self._interval_seconds = 60 / max_per_minute if max_per_minute else 0.0
        self._next_at = 0.0
        self.reset_counts()

    def connect(self, url: str) -> None:
        """Send one request without credentials, which does not count.

        Raises:
            UnusableServerError: The server does not respond.
        """
        try:
            self.get(f"{url.rstrip('/')}/", timeout=TIMEOUT_SECONDS)
        except requests.RequestException as error:
            problem = f"no response from {url}: {type(error).__name__}"
            raise UnusableServerError(problem) from None
        self.reset_counts()

    def reset_counts(self) -> None:
        """Forget the requests so far."""
        self.request_count = 0
        self.is_limited = False
        self.failure_count = 0

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send a prepared request."""
        wait = self._next_at - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        self._next_at = time.monotonic() + self._interval_seconds
        self.request_count += 1
        kwargs["allow_redirects"] = False
        try:
            response = super().send(request, **kwargs)
        except requests.RequestException:
            self.failure_count += 1
            raise
        self.failure_count = 0
        self.is_limited = self.is_limited or response.status_code in LIMITED_STATUSES
        return response

    @property
    def is_useless(self) -> bool:
        """Whether more requests would show nothing about the server."""
        return self.is_limited or self.failure_count >= MAX_FAILURES


class TimedSigner(Signer):
    """Signs with an account, with the present time in valid timestamps.

    Attributes:
        signed_at: Instant of the monotonic clock when the latest request was signed.
        keeps_timestamps: Whether a timestamp is sent as it is, since an earlier response had it.
    """

    def __init__(
        self, operations: Iterable[Operation], account: Account, now: Clock = now_ms
    ) -> None:
        known = [*operations]
        super().__init__(known, account.api_key, account.api_secret)
        self._timestamps = {each.timestamp for each in known if each.timestamp}
        self._now = now if isinstance(now, FreshClock) else FreshClock(now)
        self.signed_at = 0.0
        self.keeps_timestamps = False

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if FILTERED in request.headers.values() or quote_plus(FILTERED) in (request.url or ""):
            # Schemathesis makes the request once more only to print it.
            return request
        address, mark, query = (request.url or "").partition("?")
        names = set[str]() if self.keeps_timestamps else self._timestamps
        pairs = set_timestamp(query.split("&"), names, self._now(AHEAD_MS))
        self.signed_at = time.monotonic()
        request.url = f"{address}{mark}{'&'.join(pairs)}"
        return super().__call__(request)


def set_timestamp(pairs: list[str], names: set[str], ms: int) -> list[str]:
    """Return pairs with another time where there is a valid one."""
    return [
        f"{name}={ms}" if name in names and _is_time(text) else pair
        for pair in pairs
        for name, _, text in [pair.partition("=")]
    ]


def _is_time(text: str) -> bool:
    return len(text) < 20 and text.isascii() and text.isdigit() and 1 <= int(text) < 2**63
