"""All that the mock exchange holds and that a reset forgets. Knows no request; decides nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Final

from .account import Account, Key
from .clock import SkewedClock
from .limits import WeightMeter
from .record import Record
from .script import Script
from .switches import Switches

_REMEMBERED: Final = 10_000


@dataclass(slots=True)
class State:
    """Accounts, weight by IP address, faults, log, and what time it is. ``account`` is the first one."""

    switches: Switches
    clock: SkewedClock
    chance: Random
    record: Record
    script: Script = field(init=False)
    account: Account = field(default_factory=Account)
    keys: dict[str, Key] = field(default_factory=dict)
    meters: dict[str, WeightMeter] = field(default_factory=dict)
    signatures: dict[str, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.script = Script(self.chance)

    def meter(self, address: str) -> WeightMeter:
        """The weight of an IP address; the oldest address is forgotten when there are too many."""
        if address not in self.meters:
            _shrink(self.meters)
            self.meters[address] = WeightMeter()
        return self.meters[address]

    def replayed(self, signature: str | None) -> bool:
        """Whether a signature came before; remembers them while the switch is on."""
        if signature is None or not self.switches.refuse_replay:
            return False
        before = signature in self.signatures
        _shrink(self.signatures)
        self.signatures[signature] = None
        return before


def _shrink(known: dict[str, WeightMeter] | dict[str, None]) -> None:
    if len(known) >= _REMEMBERED:
        del known[next(iter(known))]
