"""Which request meets which fault. Knows names, counts and chance; makes no answer itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random

from binance_usdm.mock.core.response import Reply

from .catalogue import FAULTS, Fault, FaultContext, Option


@dataclass(slots=True, eq=False)
class QueuedFault:
    """A fault that waits for its requests: the ``nth`` that fits and those after it, ``times`` of them, None for all."""

    name: str
    fault: Fault
    options: Mapping[str, Option] = field(default_factory=dict)
    times: int | None = 1
    operation: str | None = None
    path: str | None = None
    api_key: str | None = field(default=None, repr=False)
    nth: int = 1
    probability: float = 1.0

    def __post_init__(self) -> None:
        if self.times is not None and (type(self.times) is not int or self.times < 1):
            raise ValueError("times must be 1 or more, or None for ever")
        if type(self.nth) is not int or self.nth < 1:
            raise ValueError("nth must be 1 or more: 1 is the next request that fits")
        if not isinstance(self.probability, int | float) or not 0 < self.probability <= 1:
            raise ValueError("probability must be above 0 and at most 1")

    def respond(self, scene: FaultContext) -> Reply:
        """The answer of this fault."""
        return self.fault.make_response(scene, **self.options)


class FaultQueue:
    """Faults in the order they were asked for; ``chance`` decides about those with a probability."""

    def __init__(self, chance: Random) -> None:
        self._rng = chance
        self._queue: list[QueuedFault] = []

    def __iter__(self) -> Iterator[QueuedFault]:
        return iter(tuple(self._queue))

    def add(self, scripted: QueuedFault) -> None:
        """Queue a fault."""
        self._queue.append(scripted)

    def match(self, operation: str | None, path: str, api_key: str) -> QueuedFault | None:
        """The first fault that this request runs into; all others that it fits count it."""
        taken = None
        for queued in tuple(self._queue):
            wanted = (queued.operation, queued.path, queued.api_key)
            if not all(
                want in (None, has)
                for want, has in zip(wanted, (operation, path, api_key), strict=True)
            ):
                continue
            if queued.nth > 1:
                queued.nth -= 1
            elif taken is None and (
                queued.probability == 1.0 or self._rng.random() < queued.probability
            ):
                taken = queued
        if taken is not None and taken.times is not None:
            taken.times -= 1
            if not taken.times:
                self._queue.remove(taken)
        return taken

    def clear(self) -> None:
        """Forget them all."""
        self._queue.clear()


def resolve_fault(
    fault: str | Reply, options: Mapping[str, Option]
) -> tuple[str, Fault, Mapping[str, Option]]:
    """A fault of ``FAULTS`` with its options, or a reply as it is; ValueError for what is none."""
    if isinstance(fault, Reply):
        if options:
            raise ValueError("a reply of your own has no options")
        return "reply", Fault("a reply as it is", _constant_response(fault), costs_weight=False), {}
    if fault not in FAULTS:
        raise ValueError(f"no fault {fault}; there are {', '.join(FAULTS)}")
    return fault, FAULTS[fault], FAULTS[fault].resolve_options(options)


def _constant_response(reply: Reply) -> Callable[[FaultContext], Reply]:
    return lambda scene: reply
