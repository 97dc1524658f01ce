"""Log of received requests."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from binance_usdm.mock.core.query import Pairs, Query

LOG_BYTES_LIMIT: Final = 32 * 1024 * 1024
"""Bytes of requests that a log keeps, whatever their number. The latest request is always kept."""
BODY_LIMIT: Final = 64 * 1024
"""Bytes that are kept of a response's body, and of the body of a request to an unknown path."""

STUB_PREFIX: Final = "stub "
"""Begin of the operation id of a stub: what follows is its method and path."""

_REASON_BY_LIMIT_STATUS: Final = {
    418: "the address is banned",
    429: "too much weight was used in this minute",
}

Headers = tuple[tuple[bytes, bytes], ...]
CountKey = tuple[str | None, int, int | None]
"""(operation, HTTP status, code)."""


# Not frozen: one is made for every request, and a frozen one takes four times as long to make.
@dataclass(slots=True)
class Logged:
    """A request and its response.

    Query, headers and key hold credentials as they were sent, so the repr leaves them out.

    Attributes:
        number: Position since the last reset, starting at 1.
        at_ms: Time by the exchange's clock, in ms.
        status: HTTP status of the response.
        code: The exchange's own code in the response, or `None`.
        operation: Id of the operation, "stub GET /path" for a stub, or `None` for an unknown path or
            method.
        fault: Name of the injected fault that responded, or `None`.
        refusal: Why the request was rejected, or would have been if no fault or limit had
            responded. Empty for a request that passes all checks, and for an unknown path that a
            fault answered.
        signature: Name of the parameter that holds the signature, or `None`.
        response_body: Body of the response, before compression, or its first 64 KiB.
        refusal_code: The exchange's own code for `refusal`, or `None`.
    """

    number: int
    at_ms: int
    address: str
    method: str
    path: str
    status: int
    code: int | None
    operation: str | None
    fault: str | None
    refusal: str
    api_key: str = field(repr=False)
    raw_query: bytes = field(repr=False)
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)
    signature: str | None = field(repr=False)
    response_body: bytes = field(repr=False, default=b"")
    refusal_code: int | None = None

    @property
    def size_bytes(self) -> int:
        """Number of bytes of request and response."""
        size = len(self.method) + len(self.path) + len(self.raw_query) + len(self.body)
        size += len(self.response_body)
        for name, value in self.headers:
            size += len(name) + len(value)
        return size

    @property
    def rejection_reason(self) -> str:
        """Why a check, a limit or a ban rejected the request, or a check would have."""
        if self.refusal or self.fault is not None:
            return self.refusal
        return _REASON_BY_LIMIT_STATUS.get(self.status, "")

    @property
    def query(self) -> Pairs:
        """Percent-decoded names and values, in the order in which they were sent."""
        return Query.parse(self.raw_query).pairs

    @property
    def signed_payload(self) -> bytes | None:
        """Bytes that had to be signed. `None` if no signature was needed or sent."""
        if not self.signature:
            return None
        covered = Query.parse(self.raw_query).split_signature(self.signature, last=False)
        return None if covered is None else covered[0] + self.body


class RequestLog:
    """The latest requests, and the number of requests by outcome since the last reset.

    Args:
        size: Number of requests to keep, or less if they have more than `LOG_BYTES_LIMIT` bytes.
            All are counted.
    """

    def __init__(self, size: int) -> None:
        self.requests: deque[Logged] = deque()
        self.counts: dict[CountKey, int] = {}
        self.total: int = 0
        self._size = size
        # Kept, since computing each size twice costs 3 % of a request.
        self._bytes_by_position: deque[int] = deque()
        self._bytes = 0

    def add(self, logged: Logged) -> None:
        """Add a request, and drop the oldest ones if the log is full."""
        self.total += 1
        size_bytes = logged.size_bytes
        self.requests.append(logged)
        self._bytes_by_position.append(size_bytes)
        self._bytes += size_bytes
        while self._is_over_limit():
            self.requests.popleft()
            self._bytes -= self._bytes_by_position.popleft()
        count_key = logged.operation, logged.status, logged.code
        self.counts[count_key] = self.counts.get(count_key, 0) + 1

    def _is_over_limit(self) -> bool:
        count = len(self.requests)
        return count > self._size or (self._bytes > LOG_BYTES_LIMIT and count > 1)

    def filter(self, operation: str | None, api_key: str | None) -> Iterator[Logged]:
        """Return the kept requests to an operation and with a key, oldest first.

        Args:
            operation: Id of the operation. Use `None` for all.
            api_key: API key. Use `None` for all.
        """
        for logged in self.requests:
            if operation in (None, logged.operation) and api_key in (None, logged.api_key):
                yield logged
