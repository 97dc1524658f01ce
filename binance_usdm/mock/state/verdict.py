"""Count the requests of a whole run by outcome: accepted, rejected, answered by a fault."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from .redaction import Redact, escape_unprintable
from .request_log import Logged

_MAX_GROUPS: Final = 50
"""Groups of rejected requests that are kept. What a client sends would bound them otherwise."""
_OTHER: Final = "other requests"
_NUMBER: Final = re.compile(r"\d+")


@dataclass(slots=True)
class RejectedGroup:
    """Requests that were rejected for one reason.

    Attributes:
        target: Id of the operation, or method and path.
        status: HTTP status of the first one's response.
        code: The exchange's own code in it, or `None`.
        reason: Why the first one was rejected, redacted.
        is_expected: Whether the test asked for it: by `ban`, `spend` or a clock that was set.
        first_number: Position of the first one in the request log.
        count: Number of requests.
    """

    target: str
    status: int
    code: int | None
    reason: str
    is_expected: bool
    first_number: int
    count: int = 0

    def __str__(self) -> str:
        code = "" if self.code is None else f", code {self.code}"
        note = " (expected)" if self.is_expected else ""
        return f"{self.count} x {self.target}, HTTP {self.status}{code}: {self.reason}{note}"


class Verdict:
    """Outcomes of all requests since the exchange was made. A reset of the exchange keeps them.

    A request is rejected if a check of the exchange, a limit or a ban rejected it, or if a check
    would have, had no fault answered. Text that comes from requests is redacted.

    Attributes:
        request_count: Number of requests.
        fault_count: Number of valid requests that a fault answered.
        answered_by_target: Number of requests that were not rejected, by operation.
        groups: Rejected requests by reason.
    """

    def __init__(self) -> None:
        self.request_count: int = 0
        self.fault_count: int = 0
        self.answered_by_target: dict[str, int] = {}
        self._groups: dict[tuple[object, ...], RejectedGroup] = {}

    @property
    def groups(self) -> list[RejectedGroup]:
        """Rejected requests by reason, in the order of the first request of each."""
        return [*self._groups.values()]

    @property
    def rejected_count(self) -> int:
        """Number of rejected requests."""
        return sum(group.count for group in self._groups.values())

    @property
    def unexpected_count(self) -> int:
        """Number of requests that were rejected without the test's asking for it."""
        return sum(group.count for group in self._groups.values() if not group.is_expected)

    def add_answered(self, logged: Logged) -> None:
        """Count a request that was accepted, or that a fault answered though it was valid."""
        self.request_count += 1
        if logged.fault is not None:
            self.fault_count += 1
        target = logged.operation or _OTHER
        self.answered_by_target[target] = self.answered_by_target.get(target, 0) + 1

    def add_rejected(self, logged: Logged, redact: Redact, *, is_expected: bool) -> None:
        """Count a request that has a `rejection_reason`.

        Args:
            logged: The request.
            redact: Function of `make_redactor`.
            is_expected: Whether the rejection follows from what the test asked for.
        """
        self.request_count += 1
        reason = escape_unprintable(redact(logged.rejection_reason))
        path = escape_unprintable(redact(logged.path))
        target = logged.operation or f"{escape_unprintable(logged.method)} {path}"
        # The numbers in a reason, as "10012 ms ahead", differ in every request.
        pattern = _NUMBER.sub("0", reason)
        key: tuple[object, ...] = target, logged.status, logged.code, is_expected, pattern
        if key not in self._groups and len(self._groups) >= _MAX_GROUPS:
            key = (_OTHER, is_expected)
            target, reason = _OTHER, "other reasons"
        if key not in self._groups:
            self._groups[key] = RejectedGroup(
                target, logged.status, logged.code, reason, is_expected, logged.number
            )
        self._groups[key].count += 1

    def summary_lines(self) -> Iterator[str]:
        """Return the outcomes as lines of text."""
        if not self.request_count:
            yield "mock exchange: no requests"
            return
        accepted = self.request_count - self.rejected_count - self.fault_count
        plural = "" if self.request_count == 1 else "s"
        yield (
            f"mock exchange: {self.request_count} request{plural}: {accepted} accepted, "
            f"{self.rejected_count} rejected, {self.fault_count} answered by faults"
        )
        for group in self._groups.values():
            yield f"  {group} [request {group.first_number}]"

    def to_json(self) -> dict[str, Any]:
        """Return the outcomes as a JSON value."""
        names = ("target", "status", "code", "reason", "first_number", "count")
        return {
            "requests": self.request_count,
            "rejected": self.rejected_count,
            "unexpected": self.unexpected_count,
            "answered_by_faults": self.fault_count,
            "answered": dict(self.answered_by_target),
            "rejections": [
                {name: getattr(group, name) for name in names} | {"expected": group.is_expected}
                for group in self._groups.values()
            ],
        }
