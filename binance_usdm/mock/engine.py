"""State and behavior of the mock exchange, guarded by one lock."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from random import Random
from typing import Any, Final

from binance_usdm.mock.core.accounts import (
    Account,
    ApiKey,
    Verifier,
    load_public_key,
    normalize_ip,
    parse_networks,
)
from binance_usdm.mock.core.clock import SkewedClock
from binance_usdm.mock.core.redaction import make_redactor
from binance_usdm.mock.core.request_log import CountKey, Headers, Logged, RequestLog
from binance_usdm.mock.core.response import Reply, dump_json
from binance_usdm.mock.core.spec import ApiSpec, Operation
from binance_usdm.mock.core.state import State
from binance_usdm.mock.core.switches import PERMISSIONS, Switches
from binance_usdm.mock.faults.catalogue import Option
from binance_usdm.mock.faults.queue import FaultQueue, QueuedFault, resolve_fault
from binance_usdm.mock.pipeline import Pipeline

DEFAULT_CLIENT_ADDRESS: Final = "127.0.0.1"
"""IP address of a request that did not come through a socket."""


class Engine:
    """The mock exchange without its faces: accounts, bodies, faults, weight, clock and log.

    `lock` guards `state` and `fault_queue`; every method takes it, and a caller that needs several steps at once may
    hold it meanwhile: it is re-entrant. `on_reset` is called at the end of every reset.
    """

    def __init__(
        self,
        spec: ApiSpec,
        *,
        api_key: str,
        api_secret: str | Verifier | bytes,
        clock: Callable[[], int],
        switches: Switches,
        log_size: int,
        random_seed: int,
        on_reset: Callable[[], object],
    ) -> None:
        self.lock = threading.RLock()
        self.spec = spec
        self.clock = SkewedClock(clock)
        self._credentials = (api_key, api_secret)
        self._initial_settings = (switches, log_size, random_seed)
        self._on_reset = on_reset
        self._clear()

    def reset(self) -> None:
        """Forget everything since the start, then call `on_reset`."""
        with self.lock:
            self._clear()
            self._on_reset()

    def _clear(self) -> None:
        switches, log_size, random_seed = self._initial_settings
        self.clock.reset()
        rng = Random(random_seed)  # Repeatable on purpose.  # noqa: S311
        self.state = State(switches, self.clock, rng, RequestLog(log_size))
        self.fault_queue = FaultQueue(rng)
        self._pipeline = Pipeline(self.spec, self.state, self.fault_queue)
        self.add_key(self.state.account, *self._credentials)

    def handle(
        self, method: str, target: bytes, headers: Headers, body: bytes, address: str
    ) -> Reply:
        """Respond to one request: method, raw path with query, header pairs, body, client IP address."""
        with self.lock:
            return self._pipeline.handle_request(
                method, target, headers, body, normalize_ip(address)
            )

    # -- accounts and bodies

    def add_account(
        self, api_key: str, api_secret: str | Verifier | bytes, opened: bool, **options: Any
    ) -> Account:
        """Add an account with its first key; `options` are those of `add_key`, and 200 bodies by operation."""
        account = Account(futures_enabled=opened)
        key_options = {
            name: options.pop(name) for name in ("addresses", "permissions") if name in options
        }
        bodies = {name: self._encode_body(name, value, api_key) for name, value in options.items()}
        self.add_key(account, api_key, api_secret, **key_options)
        account.response_bodies.update(bodies)
        return account

    def add_key(
        self,
        account: Account,
        api_key: str,
        api_secret: str | Verifier | bytes,
        *,
        addresses: Iterable[str] = (),
        permissions: Iterable[str] = PERMISSIONS,
    ) -> None:
        """Add a key to an account. Raises ValueError when no request could use it."""
        if not api_key or not re.fullmatch(self.state.switches.key_format, api_key):
            raise ValueError(
                "api_key is empty or not of the switched key_format: no request could ever use it"
            )
        if not {*permissions} <= {*PERMISSIONS}:
            raise ValueError(f"permissions must be of {', '.join(PERMISSIONS)}")
        secret = load_public_key(api_secret) if isinstance(api_secret, bytes) else api_secret
        if not (callable(secret) or isinstance(secret, str)) or str(secret).lstrip().startswith(
            "-----BEGIN"
        ):
            raise ValueError(
                "api_secret must be an HMAC secret, the PEM of a public key as bytes, or a function"
            )
        with self.lock:
            if api_key in self.state.keys:
                raise ValueError("there is an account with this key already")
            self.state.keys[api_key] = ApiKey(
                api_key, secret, account, parse_networks(addresses), frozenset(permissions)
            )

    def account_of(self, api_key: str) -> Account:
        """Return the account of a key. Raises ValueError for an unknown key."""
        with self.lock:
            if api_key not in self.state.keys:
                raise ValueError("no account with this key")
            return self.state.keys[api_key].account

    def seed(self, operation_id: str, value: Any, api_key: str | None) -> None:
        """Set the 200 body of an operation. Raises ValueError for a value that does not fit its schema."""
        body = self._encode_body(operation_id, value, api_key)
        with self.lock:
            account = self.state.account if api_key is None else self.account_of(api_key)
            account.response_bodies[operation_id] = body

    def _encode_body(self, operation_id: str, value: Any, api_key: str | None) -> bytes:
        operation = self.require_operation(operation_id)
        if operation.key_header is None and api_key is not None:
            raise ValueError(f"{operation_id} asks for no key, so its answer belongs to no account")
        if isinstance(value, (bytes, bytearray)):
            return bytes(value)
        body = dump_json(value)
        # Validate what a client will read: tuples become lists.
        self.spec.validate_body(operation, json.loads(body, parse_float=Decimal))
        return body

    def require_operation(self, operation_id: str) -> Operation:
        """Return an operation of the spec. Raises ValueError that lists those there are."""
        if operation_id not in self.spec.by_id:
            raise ValueError(f"no operation {operation_id}; there are {', '.join(self.spec.by_id)}")
        return self.spec.by_id[operation_id]

    # -- faults, bans and weight

    def fail(
        self,
        fault: str | Reply,
        times: int | None,
        *,
        operation: str | None,
        path: str | None,
        api_key: str | None,
        nth: int,
        probability: float,
        options: Mapping[str, Option],
    ) -> None:
        """Queue a fault. Raises ValueError for an unknown fault, option or operation."""
        if operation is not None:
            self.require_operation(operation)
        name, found, filled = resolve_fault(fault, options)
        with self.lock:
            self.fault_queue.add(
                QueuedFault(name, found, filled, times, operation, path, api_key, nth, probability)
            )

    def ban(self, seconds: int, address: str) -> None:
        """Ban an IP address for a number of seconds of the mock's clock."""
        if type(seconds) is not int or seconds < 1:
            raise ValueError("seconds must be a whole number, 1 or more")
        with self.lock:
            self.state.counter_for(normalize_ip(address)).ban(1000 * seconds, self.clock())

    def recover(self) -> None:
        """Forget queued faults, bans and used weight."""
        with self.lock:
            self.fault_queue.clear()
            self.state.counters.clear()

    def spend(self, weight: int, address: str) -> None:
        """Add weight that another program on the same IP address used."""
        if type(weight) is not int or weight < 0:
            raise ValueError("weight must be a whole number, 0 or more")
        with self.lock:
            self.state.counter_for(normalize_ip(address)).add(weight, self.clock())

    # -- what happened

    def requests(self) -> list[Logged]:
        """Return a copy of the request log, oldest first."""
        with self.lock:
            return [*self.state.request_log.requests]

    def counts(self) -> Counter[CountKey]:
        """Return the number of requests since the last reset by (operation, HTTP status, code)."""
        with self.lock:
            return Counter(self.state.request_log.counts)

    def signed_requests(self, operation: str | None, api_key: str | None) -> list[Logged]:
        """Return the logged requests to operations that need a signature."""
        if operation is not None:
            self.require_operation(operation)
        signed = {known.id for known in self.spec.operations if known.signature}
        with self.lock:
            return [
                logged
                for logged in self.state.request_log.filter(operation, api_key)
                if logged.operation in signed
            ]

    def redactor(self) -> Callable[[bytes | str], str]:
        """Return a function that removes keys, secrets and signatures from text."""
        parameters = [known.signature for known in self.spec.operations if known.signature]
        with self.lock:
            return make_redactor([*self.state.keys.values()], parameters)
