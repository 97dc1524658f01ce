"""All that the mock exchange holds and that a reset forgets. Knows no request; decides nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from random import Random
from typing import Final

from .accounts import Account, Key
from .clock import SkewedClock
from .request_log import Record
from .switches import Switches
from .weight import WeightMeter

_REMEMBERED: Final = 10_000
_HEX: Final = re.compile("[0-9a-fA-F]+").fullmatch


@dataclass(slots=True, repr=False)  # no repr: it would show keys
class State:
    """Accounts, weight by IP address, log, clock and switches. ``account`` is the first account."""

    switches: Switches
    clock: SkewedClock
    chance: Random
    record: Record
    account: Account = field(default_factory=Account)
    keys: dict[str, Key] = field(default_factory=dict)
    meters: dict[str, WeightMeter] = field(default_factory=dict)
    signatures: dict[str, None] = field(default_factory=dict)

    def meter(self, address: str) -> WeightMeter:
        """The weight of an IP address; of too many the oldest is forgotten that never was banned."""
        meter = self.meters.get(address)
        if meter is None:
            if len(self.meters) >= _REMEMBERED:
                free = (known for known, each in self.meters.items() if not each.bans)
                del self.meters[next(free, next(iter(self.meters)))]
            meter = self.meters[address] = WeightMeter()
        return meter

    def replayed(self, signature: str | None) -> bool:
        """Whether a signature came before; it is remembered."""
        if signature is None:
            return False
        seen = signature.lower() if _HEX(signature) else signature  # the exchange takes hex in either case
        before = seen in self.signatures
        if len(self.signatures) >= _REMEMBERED:
            del self.signatures[next(iter(self.signatures))]
        self.signatures[seen] = None
        return before
