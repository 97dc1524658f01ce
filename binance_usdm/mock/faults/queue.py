"""Match queued faults to requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from binance_usdm.mock.core.response import Reply, validate_response
from binance_usdm.mock.core.shapes import quote_name, suggest_names

from .catalogue import FAULTS
from .fault import Fault, FaultContext, Option

RULE_OPTIONS: Final = ("times", "operation", "path", "api_key", "nth", "probability")
"""Fields of a queued fault that select the requests it responds to."""


@dataclass(slots=True, eq=False)
class QueuedFault:
    """Fault that waits for requests.

    Attributes:
        name: Name in `FAULTS`, or "reply" for a custom response.
        fault: The fault itself.
        options: All options of the fault.
        times: Number of requests that it still responds to. `None` for no limit.
        operation: Id of the operation that it waits for. `None` for any.
        path: Path that it waits for. `None` for any.
        api_key: Key that it waits for. `None` for any.
        nth: Which of the matching requests is the first that it responds to, counted from now.
        probability: Probability that it responds to a matching request, up to 1.
        reply: The custom response, or `None`.

    Raises:
        ValueError: A number is not valid.
    """

    name: str
    fault: Fault
    options: Mapping[str, Option] = field(default_factory=dict)
    times: int | None = 1
    operation: str | None = None
    path: str | None = None
    api_key: str | None = field(default=None, repr=False)
    nth: int = 1
    probability: float = 1.0
    reply: Reply | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.times is not None and (type(self.times) is not int or self.times < 1):
            raise ValueError("times must be an integer of 1 or more, or None for no limit")
        if type(self.nth) is not int or self.nth < 1:
            raise ValueError("nth must be at least 1 (1 is the next matching request)")
        if not isinstance(self.probability, int | float) or not 0 < self.probability <= 1:
            raise ValueError("probability must be above 0 and at most 1")

    def matches(self, operation: str | None, path: str, api_key: str) -> bool:
        """Return whether the fault waits for requests such as this one."""
        return (
            self.operation in (None, operation)
            and self.path in (None, path)
            and self.api_key in (None, api_key)
        )

    def respond(self, context: FaultContext) -> Reply:
        """Return the response of the fault."""
        return self.fault.make_response(context, **self.options)


class FaultQueue:
    """Queued faults, in the order in which they were added.

    Args:
        rng: Random numbers for faults with a probability.
    """

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._queue: list[QueuedFault] = []

    def __iter__(self) -> Iterator[QueuedFault]:
        return iter(tuple(self._queue))

    def add(self, queued: QueuedFault) -> None:
        """Add a fault at the end."""
        self._queue.append(queued)

    def match(self, operation: str | None, path: str, api_key: str) -> QueuedFault | None:
        """Return the fault that responds to a request, or `None`.

        It is the first that matches. Other matching faults count the request for their `nth`.

        Args:
            operation: Id of the operation, or `None` for an unknown path or method.
            path: Path of the request.
            api_key: Key of the request, empty without one.
        """
        responding = None
        for queued in tuple(self._queue):
            if not queued.matches(operation, path, api_key):
                continue
            if queued.nth > 1:
                queued.nth -= 1
            elif responding is None and self._is_drawn(queued.probability):
                responding = queued
        if responding is not None and responding.times is not None:
            responding.times -= 1
            if not responding.times:
                self._queue.remove(responding)
        return responding

    def _is_drawn(self, probability: float) -> bool:
        return probability == 1.0 or self._rng.random() < probability

    def clear(self) -> None:
        """Remove all faults."""
        self._queue.clear()


def make_queued_fault(
    fault: str | Reply, options: Mapping[str, Option], **rules: Any
) -> QueuedFault:
    """Return a fault with all its options, ready for the queue.

    Args:
        fault: Name in `FAULTS`, or a custom response.
        options: Options that differ from their defaults.
        rules: The attributes of `QueuedFault` that select requests.

    Raises:
        ValueError: The fault or an option is unknown, an option or a rule has an invalid value, or
            a server cannot send the response.
    """
    if isinstance(fault, Reply):
        if options:
            raise ValueError("a custom response has no options")
        validate_response(fault)
        custom = Fault("a custom response", _constant_response(fault), costs_weight=False)
        return QueuedFault("reply", custom, {}, **rules, reply=fault)
    if fault not in FAULTS:
        raise ValueError(
            f"unknown fault {quote_name(fault)}; expected one of: {', '.join(FAULTS)}"
            f"{suggest_names([fault], FAULTS)}"
        )
    catalog_entry = FAULTS[fault]
    return QueuedFault(fault, catalog_entry, catalog_entry.resolve_options(options), **rules)


def _constant_response(reply: Reply) -> Callable[[FaultContext], Reply]:
    return lambda context: reply
