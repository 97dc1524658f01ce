"""Bodies that take over later: from a response or a time on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .accounts import Account

Target = tuple[Account | None, str]
"""Account and operation id of a body. The account of a stub's body is `None`."""


@dataclass(slots=True, eq=False)
class ScheduledBody:
    """Body that waits for a response or a time. One of `nth` and `due_at_ms` is set.

    Attributes:
        body: The body.
        nth: Which of the next responses is the first that has it. 1 is the next one.
        due_at_ms: Time of the exchange's clock from which on responses have it.
    """

    body: bytes
    nth: int | None = None
    due_at_ms: int | None = None


class BodySchedule:
    """Bodies that wait.

    Attributes:
        by_target: Bodies of each target, in the order in which they were added.
    """

    def __init__(self) -> None:
        self.by_target: dict[Target, list[ScheduledBody]] = {}

    def add(self, target: Target, scheduled: ScheduledBody) -> None:
        """Add a body."""
        self.by_target.setdefault(target, []).append(scheduled)

    def waiting(self, target: Target) -> Iterator[ScheduledBody]:
        """Return the bodies of a target that wait."""
        return iter(tuple(self.by_target.get(target, ())))

    def take_due(self, target: Target, now: int, *, is_response: bool) -> bytes | None:
        """Remove the bodies of a target that are due, and return the one that was due last.

        Args:
            target: Account and operation.
            now: Time of the exchange's clock in ms.
            is_response: Whether a response with the body follows, which counts for `nth`.

        Returns:
            Body from now on, or `None` if it stays unchanged.
        """
        waiting = self.by_target.get(target)
        if waiting is None:
            return None
        due = [scheduled for scheduled in waiting if _is_due(scheduled, now, is_response)]
        kept = [scheduled for scheduled in waiting if scheduled not in due]
        if is_response:
            for scheduled in kept:
                if scheduled.nth is not None:
                    scheduled.nth -= 1
        if kept:
            self.by_target[target] = kept
        else:
            del self.by_target[target]
        due.sort(key=lambda scheduled: _moment(scheduled, now))
        return due[-1].body if due else None


def _is_due(scheduled: ScheduledBody, now: int, is_response: bool) -> bool:
    if scheduled.due_at_ms is not None:
        return scheduled.due_at_ms <= now
    return is_response and scheduled.nth == 1


def _moment(scheduled: ScheduledBody, now: int) -> int:
    # A body that waited for this response is later than one that waited for a time.
    return now + 1 if scheduled.due_at_ms is None else scheduled.due_at_ms


def make_scheduled_body(
    body: bytes, nth: int | None, after_ms: int | None, now: int
) -> ScheduledBody:
    """Return a body that waits for a response or a time.

    Args:
        body: The body.
        nth: Which of the next responses is the first that has it.
        after_ms: Milliseconds from now.
        now: Time of the exchange's clock in ms.

    Raises:
        ValueError: A number is not valid, or both or none are set.
    """
    if (nth is None) == (after_ms is None):
        raise ValueError("pass either nth or after_ms")
    if nth is not None and (type(nth) is not int or nth < 1):
        raise ValueError("nth must be an integer of 1 or more (1 is the next response)")
    if after_ms is not None and (type(after_ms) is not int or after_ms < 0):
        raise ValueError("after_ms must be an integer of 0 or more")
    return ScheduledBody(body, nth, None if after_ms is None else now + after_ms)
