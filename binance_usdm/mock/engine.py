"""State and behavior of the mock exchange, guarded by one lock."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any, Final

from binance_usdm.mock.core.clock import SkewedClock, system_time_ms
from binance_usdm.mock.core.response import Reply, dump_json
from binance_usdm.mock.core.switches import Switches
from binance_usdm.mock.faults.queue import FaultQueue, QueuedFault
from binance_usdm.mock.pipeline import Pipeline
from binance_usdm.mock.spec.api_spec import ApiSpec
from binance_usdm.mock.state.accounts import Account, Secret, account_alias, normalize_ip
from binance_usdm.mock.state.redaction import Redact, make_redactor
from binance_usdm.mock.state.request_log import STUB_PREFIX, CountKey, Headers, Logged, RequestLog
from binance_usdm.mock.state.state import State
from binance_usdm.mock.state.stubs import BUILT_IN_STUBS, make_stub, parse_stub_request
from binance_usdm.mock.state.verdict import Verdict

DEFAULT_CLIENT_ADDRESS: Final = "127.0.0.1"
"""IP address of a request that did not come through a socket."""


class Engine:
    """The mock exchange behind its transports and APIs.

    `lock` guards `state` and `fault_queue`. Every method takes it. It is re-entrant, so a caller
    that needs several steps at once can hold it. `Exchange` describes the arguments of this class
    and of the methods with the same name. `on_reset` is called at the end of every reset.

    Attributes:
        verdict: Outcomes of all requests, also of those before a reset.
        on_request: Function that is called with every logged request, while the lock is held.

    Raises:
        ValueError: The key or the secret cannot be used.
    """

    def __init__(
        self,
        spec: ApiSpec,
        *,
        api_key: str,
        api_secret: Secret,
        clock: Callable[[], int],
        switches: Switches,
        log_size: int,
        random_seed: int,
        on_reset: Callable[[], object],
    ) -> None:
        self.lock: threading.RLock = threading.RLock()
        self.spec = spec
        self.clock: SkewedClock = SkewedClock(clock)
        self._has_own_clock = clock is not system_time_ms
        self.verdict: Verdict = Verdict()
        self.on_request: Callable[[Logged], object] | None = None
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
        self.clock.reset()
        switches, log_size, random_seed = self._initial_settings
        # Repeatable on purpose, and not for a secret.
        rng = Random(random_seed)  # noqa: S311
        self.state: State = State(switches, self.clock, rng, RequestLog(log_size))
        self.fault_queue: FaultQueue = FaultQueue(rng)
        self._pipeline = Pipeline(self.spec, self.state, self.fault_queue)
        self.add_key(self.state.account, *self._credentials)
        for request, body in BUILT_IN_STUBS.items():
            if self.spec.find_operation(*parse_stub_request(request)) is None:
                self.stub(request, body)

    def handle(
        self, method: str, target: bytes, headers: Headers, body: bytes, address: str
    ) -> Reply:
        """Respond to a request.

        Raises:
            ValueError: `address` is not an IP address.
        """
        with self.lock:
            address = normalize_ip(address)
            reply = self._pipeline.handle_request(method, target, headers, body, address)
            self._count(self.state.request_log.requests[-1])
            return reply

    def _count(self, logged: Logged) -> None:
        """Add a request to the verdict."""
        scripted_until = self.state.counter_for(logged.address).scripted_until
        is_clock_set = self._has_own_clock or self.clock.is_changed
        self.verdict.add(logged, scripted_until, is_clock_set, self.redactor)
        if self.on_request is not None:
            self.on_request(logged)

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

    def seed(self, operation_id: str, value: Any, api_key: str | None) -> None:
        """Set the 200 body of an operation.

        Raises:
            ValueError: The operation or the key is unknown, or the schema forbids the value.
        """
        body = self._encode_body(operation_id, value, api_key)
        with self.lock:
            account = self.state.account_of(api_key)
            account.response_bodies[operation_id] = body

    def stub(self, request: str, value: Any) -> None:
        """Set the 200 body of a path that the spec does not describe.

        Raises:
            ValueError: `request` is not a method and path, or is an operation of the spec.
        """
        body = bytes(value) if isinstance(value, (bytes, bytearray)) else dump_json(value)
        stub = make_stub(self.spec, request, body)
        with self.lock:
            self.state.stubs[stub.open.method, stub.open.path] = stub

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

    def requests(self) -> list[Logged]:
        """Return a copy of the request log, oldest first."""
        with self.lock:
            return [*self.state.request_log.requests]

    def counts(self) -> Counter[CountKey]:
        """Return the number of requests since the last reset by (operation, HTTP status, code)."""
        with self.lock:
            return Counter(self.state.request_log.counts)

    def signed_requests(self, operation: str | None, api_key: str | None) -> list[Logged]:
        """Return the logged requests to operations that need a signature, oldest first.

        Args:
            operation: Id of an operation. Use `None` for all.
            api_key: API key. Use `None` for all.

        Raises:
            ValueError: The operation is unknown.
        """
        if operation is not None and not operation.startswith(STUB_PREFIX):
            self.spec.require_operation(operation)
        with self.lock:
            matching = [*self.state.request_log.filter(operation, api_key)]
        return [logged for logged in matching if logged.signature]

    def redactor(self) -> Redact:
        """Return a function that redacts the keys, secrets and signatures of this exchange."""
        parameters = [known.signature for known in self.spec.operations if known.signature]
        with self.lock:
            return make_redactor([*self.state.keys.values()], parameters)
