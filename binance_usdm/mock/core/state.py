"""All that the mock exchange holds and that a reset forgets. Knows no request; decides nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from random import Random
from typing import Final

from .accounts import Account, ApiKey
from .clock import SkewedClock
from .request_log import RequestLog
from .switches import Switches
from .weight import WeightCounter

_MAX_REMEMBERED: Final = 10_000
_HEX: Final = re.compile("[0-9a-fA-F]+").fullmatch


@dataclass(slots=True, repr=False)  # no repr: it would show keys
class State:
    """Accounts, weight by IP address, log, clock and switches. ``account`` is the first account."""

    switches: Switches
    clock: SkewedClock
    rng: Random
    request_log: RequestLog
    account: Account = field(default_factory=Account)
    keys: dict[str, ApiKey] = field(default_factory=dict)
    counters: dict[str, WeightCounter] = field(default_factory=dict)
    signatures: dict[str, None] = field(default_factory=dict)

    def counter_for(self, address: str) -> WeightCounter:
        """The weight of an IP address; of too many the oldest is forgotten that never was banned."""
        meter = self.counters.get(address)
        if meter is None:
            if len(self.counters) >= _MAX_REMEMBERED:
                free = (known for known, each in self.counters.items() if not each.ban_count)
                del self.counters[next(free, next(iter(self.counters)))]
            meter = self.counters[address] = WeightCounter()
        return meter

    def remember_signature(self, signature: str | None) -> bool:
        """Whether a signature came before; it is remembered."""
        if signature is None:
            return False
        seen = (
            signature.lower() if _HEX(signature) else signature
        )  # the exchange takes hex in either case
        before = seen in self.signatures
        if len(self.signatures) >= _MAX_REMEMBERED:
            del self.signatures[next(iter(self.signatures))]
        self.signatures[seen] = None
        return before
