"""Everything that `reset()` clears."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Final

from binance_usdm.mock.core.clock import SkewedClock
from binance_usdm.mock.core.switches import PERMISSIONS, Switches
from binance_usdm.mock.spec.operation import Operation

from .accounts import Account, ApiKey, Secret, make_api_key
from .request_log import RequestLog
from .schedule import BodySchedule
from .stubs import Stub
from .weight import WeightCounter

_MAX_REMEMBERED: Final = 10_000
_HEX: Final = re.compile("[0-9a-fA-F]+").fullmatch


# Without a repr, which would show keys.
@dataclass(slots=True, repr=False)
class State:
    """Accounts, keys, weight by IP address, log, clock and switches.

    `account` is the first account. `signatures` has digests of those that were received, oldest
    first. `stubs` are those of methods and paths. `schedule` has the bodies that take over later.
    """

    switches: Switches
    clock: SkewedClock
    rng: Random
    request_log: RequestLog
    account: Account = field(default_factory=Account)
    keys: dict[str, ApiKey] = field(default_factory=dict)
    counters: dict[str, WeightCounter] = field(default_factory=dict)
    signatures: dict[bytes, None] = field(default_factory=dict)
    stubs: dict[tuple[str, str], Stub] = field(default_factory=dict)
    schedule: BodySchedule = field(default_factory=BodySchedule)

    def add_key(
        self,
        account: Account,
        api_key: str,
        api_secret: Secret,
        *,
        addresses: Iterable[str] = (),
        permissions: Iterable[str] = PERMISSIONS,
        source: Mapping[str, Any] | None = None,
    ) -> None:
        """Add a key to an account. The arguments are those of `make_api_key`.

        Raises:
            ImportError: A public key needs the package `cryptography`.
            ValueError: The key, the secret or an option is not valid.
        """
        key_format = self.switches.key_format
        key = make_api_key(
            account,
            api_key,
            api_secret,
            addresses,
            permissions,
            key_format=key_format,
            source=source,
        )
        if api_key in self.keys:
            raise ValueError("api_key belongs to an account already")
        self.keys[api_key] = key

    def account_of(self, api_key: str | None) -> Account:
        """Return the account of a key, the first account for `None`.

        Raises:
            ValueError: No account has the key.
        """
        if api_key is None:
            return self.account
        if api_key not in self.keys:
            raise ValueError("no account has this API key")
        return self.keys[api_key].account

    def apply_schedule(
        self, operation: Operation, account: Account, now: int, *, is_response: bool
    ) -> None:
        """Set the scheduled body of an operation that is due, if there is one.

        Args:
            operation: Operation of the spec, or of a stub.
            account: Account whose body it is.
            now: Time of the exchange's clock in ms.
            is_response: Whether a response with the body follows.
        """
        route = (operation.method, operation.path)
        is_stub = route in self.stubs
        target = (None if is_stub else account, operation.id)
        body = self.schedule.take_due(target, now, is_response=is_response)
        if body is not None and is_stub:
            self.stubs[route] = replace(self.stubs[route], body=body)
        elif body is not None:
            account.response_bodies[operation.id] = body

    def counter_for(self, address: str) -> WeightCounter:
        """Return the weight counter of an IP address, a new one for an unknown address.

        Above 10,000 addresses the oldest one that was never banned is forgotten.
        """
        counter = self.counters.get(address)
        if counter is None:
            if len(self.counters) >= _MAX_REMEMBERED:
                self._forget_counter()
            counter = self.counters[address] = WeightCounter()
        return counter

    def _forget_counter(self) -> None:
        never_banned = (address for address, seen in self.counters.items() if not seen.ban_count)
        oldest = next(iter(self.counters))
        del self.counters[next(never_banned, oldest)]

    def remember_signature(self, signature: str | None) -> bool:
        """Remember a signature, and return whether it was remembered before.

        Hex digits are compared in either case, as the exchange does.
        """
        if signature is None:
            return False
        text = signature.lower() if _HEX(signature) else signature
        # A signature can be as long as a client likes.
        known_form = hashlib.sha256(text.encode(errors="surrogatepass")).digest()
        is_known = known_form in self.signatures
        if len(self.signatures) >= _MAX_REMEMBERED:
            del self.signatures[next(iter(self.signatures))]
        self.signatures[known_form] = None
        return is_known
