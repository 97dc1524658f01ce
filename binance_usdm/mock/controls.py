"""What a test can set on the mock exchange: accounts, bodies, faults, weight, bans."""

from __future__ import annotations

import json
import threading
from decimal import Decimal
from typing import Any

from binance_usdm.mock.core.clock import SkewedClock
from binance_usdm.mock.core.response import dump_json
from binance_usdm.mock.faults.queue import FaultQueue, QueuedFault
from binance_usdm.mock.spec.api_spec import ApiSpec
from binance_usdm.mock.state.accounts import Account, Secret, account_alias, normalize_ip
from binance_usdm.mock.state.schedule import Target, make_scheduled_body
from binance_usdm.mock.state.state import State
from binance_usdm.mock.state.stubs import make_stub


class Controls:
    """Methods that set the state of an exchange. `Exchange` describes their arguments.

    `lock` guards `state` and `fault_queue`. Every method takes it. It is re-entrant, so a caller
    that needs several steps at once can hold it.

    Args:
        spec: Operations of the exchange.
        clock: Clock of the exchange.
    """

    state: State
    fault_queue: FaultQueue

    def __init__(self, spec: ApiSpec, clock: SkewedClock) -> None:
        self.lock: threading.RLock = threading.RLock()
        self.spec = spec
        self.clock: SkewedClock = clock

    def add_account(
        self, api_key: str, api_secret: Secret, opened: bool, **options: Any
    ) -> Account:
        """Add an account with its first key.

        Raises:
            ValueError: The key, the secret, an option or a body is not valid.
        """
        names = {"addresses", "permissions"} & options.keys()
        key_options = {name: options.pop(name) for name in names}
        bodies = {name: self._encode_body(name, value, api_key) for name, value in options.items()}
        with self.lock:
            account_count = len({key.account for key in self.state.keys.values()})
            account = Account(bodies, opened, account_alias(account_count))
            self.add_key(account, api_key, api_secret, **key_options)
        return account

    def add_key(self, account: Account, api_key: str, api_secret: Secret, **options: Any) -> None:
        """Add a key to an account.

        Raises:
            ValueError: The key, the secret or an option is not valid.
        """
        with self.lock:
            self.state.add_key(account, api_key, api_secret, **options)

    def seed(
        self,
        operation_id: str,
        value: Any,
        api_key: str | None,
        *,
        nth: int | None = None,
        after_ms: int | None = None,
    ) -> None:
        """Set the 200 body of an operation, now or later.

        Raises:
            ValueError: The operation or the key is unknown, the schema forbids the value, or a
                number is not valid.
        """
        body = self._encode_body(operation_id, value, api_key)
        with self.lock:
            account = self.state.account_of(api_key)
            if nth is None and after_ms is None:
                account.response_bodies[operation_id] = body
            else:
                self._schedule((account, operation_id), body, nth, after_ms)

    def stub(
        self, request: str, value: Any, *, nth: int | None = None, after_ms: int | None = None
    ) -> None:
        """Set the 200 body of a path that the spec does not describe, now or later.

        Raises:
            ValueError: `request` is not a method and path, is an operation of the spec, or has no
                body yet that a later one could replace; or a number is not valid.
        """
        body = bytes(value) if isinstance(value, (bytes, bytearray)) else dump_json(value)
        stub = make_stub(self.spec, request, body)
        with self.lock:
            route = (stub.open.method, stub.open.path)
            if nth is None and after_ms is None:
                self.state.stubs[route] = stub
            elif route in self.state.stubs:
                self._schedule((None, stub.open.id), body, nth, after_ms)
            else:
                raise ValueError(f"{request} needs a first body, without nth and after_ms")

    def _schedule(self, target: Target, body: bytes, nth: int | None, after_ms: int | None) -> None:
        scheduled = make_scheduled_body(body, nth, after_ms, self.clock())
        self.state.schedule.add(target, scheduled)

    def _encode_body(self, operation_id: str, value: Any, api_key: str | None) -> bytes:
        operation = self.spec.require_operation(operation_id)
        if operation.key_header is None and api_key is not None:
            raise ValueError(f"{operation_id} needs no API key, so it has one body; omit api_key")
        if isinstance(value, (bytes, bytearray)):
            return bytes(value)
        body = dump_json(value)
        # Validate what a client will read: tuples become lists.
        self.spec.validate_body(operation, json.loads(body, parse_float=Decimal))
        return body

    def fail(self, queued: QueuedFault) -> None:
        """Queue a fault.

        Raises:
            ValueError: The operation of the fault is unknown.
        """
        if queued.operation is not None:
            self.spec.require_operation(queued.operation)
        with self.lock:
            self.fault_queue.add(queued)

    def ban(self, seconds: int, address: str) -> None:
        """Ban an IP address for `seconds` of the mock's clock.

        Raises:
            ValueError: `seconds` is not an integer of 1 or more, or `address` no IP address.
        """
        if type(seconds) is not int or seconds < 1:
            raise ValueError("seconds must be an integer, 1 or more")
        with self.lock:
            counter = self.state.counter_for(normalize_ip(address))
            counter.ban(1000 * seconds, self.clock(), is_scripted=True)

    def recover(self) -> None:
        """Forget queued faults, bans and used weight."""
        with self.lock:
            self.fault_queue.clear()
            self.state.counters.clear()

    def spend(self, weight: int, address: str) -> None:
        """Add weight that another program on an IP address used.

        Raises:
            ValueError: `weight` is not an integer of 0 or more, or `address` no IP address.
        """
        if type(weight) is not int or weight < 0:
            raise ValueError("weight must be an integer, 0 or more")
        with self.lock:
            self.state.counter_for(normalize_ip(address)).add_scripted(weight, self.clock())
