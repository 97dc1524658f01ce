"""What the mock exchange remembers of requests: what came, how it ended and why. Judges nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from .query import Pairs, Query

Headers = tuple[tuple[bytes, bytes], ...]
CountKey = tuple[str | None, int, int | None]
"""(operation, HTTP status, code)."""


@dataclass(
    slots=True
)  # not frozen: one is made for every request, and that would take four times as long
class Logged:
    """One request and how it ended. Query, headers and key hold credentials as they came, so the repr leaves them out.

    ``refusal`` says why the request was refused, or would have been when a fault or a limit answered it; it is empty for a good
    one; ``fault`` names the scripted fault that answered, ``signature`` the parameter that holds one.
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

    @property
    def query(self) -> Pairs:
        """The decoded names and values, in the order of the wire."""
        return Query.parse(self.raw_query).pairs

    @property
    def signed_payload(self) -> bytes | None:
        """The bytes that the signature had to be made of; None where none was due or sent."""
        covered = (
            Query.parse(self.raw_query).split_signature(self.signature, last=False)
            if self.signature
            else None
        )
        return covered[0] + self.body if covered else None


class RequestLog:
    """The latest requests, and how many there were of each kind since the beginning."""

    def __init__(self, size: int) -> None:
        self.requests: deque[Logged] = deque(maxlen=size)
        self.counts: dict[CountKey, int] = {}
        self.total = 0

    def add(self, logged: Logged) -> None:
        """Remember one more."""
        self.total += 1
        self.requests.append(logged)
        kind = logged.operation, logged.status, logged.code
        self.counts[kind] = self.counts.get(kind, 0) + 1

    def filter(self, operation: str | None, api_key: str | None) -> Iterator[Logged]:
        """The requests to an operation, with a key; all where None."""
        for logged in self.requests:
            if operation in (None, logged.operation) and api_key in (None, logged.api_key):
                yield logged
