"""State and behavior of the mock exchange, guarded by one lock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Final

from binance_usdm.mock.controls import Controls
from binance_usdm.mock.core.clock import SkewedClock, system_time_ms
from binance_usdm.mock.core.response import Reply
from binance_usdm.mock.core.switches import Switches
from binance_usdm.mock.faults.queue import FaultQueue
from binance_usdm.mock.pipeline import Pipeline
from binance_usdm.mock.spec.api_spec import ApiSpec
from binance_usdm.mock.state.accounts import ApiKey, Secret, normalize_ip
from binance_usdm.mock.state.redaction import Redact, make_redactor
from binance_usdm.mock.state.request_log import STUB_PREFIX, CountKey, Headers, Logged, RequestLog
from binance_usdm.mock.state.state import State
from binance_usdm.mock.state.stubs import BUILT_IN_STUBS, parse_stub_request
from binance_usdm.mock.state.verdict import Verdict

DEFAULT_CLIENT_ADDRESS: Final = "127.0.0.1"
"""IP address of a request that did not come through a socket."""


class Engine(Controls):
    """The mock exchange behind its transports and APIs.

    `Exchange` describes the arguments of this class and of the methods with the same name.
    `on_reset` is called at the end of every reset.

    Attributes:
        held_secrets: Secrets by key that a saved scenario refers to. A reset keeps them.
        verdict: Outcomes of all requests, also of those before a reset.
        on_request: Function that is called with every logged request, while the lock is held.

    Raises:
        ValueError: The key or the secret cannot be used.
    """

    _pipeline: Pipeline

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
        super().__init__(spec, SkewedClock(clock))
        self.held_secrets: dict[str, Secret] = {}
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

    @contextmanager
    def replacing_state(self) -> Iterator[None]:
        """Start with a state that has no account, and go back to the present one if that fails.

        Whoever enters it adds the first key. Log and counts start again, too.
        """
        with self.lock:
            before = self.state, self.fault_queue, self._pipeline
            clock_before = self.clock.settings
            try:
                self._clear(has_account=False)
                yield
            except BaseException:
                self.state, self.fault_queue, self._pipeline = before
                self.clock.settings = clock_before
                raise

    @property
    def first_key(self) -> ApiKey:
        """First key of the first account."""
        with self.lock:
            account = self.state.account
            return next(key for key in self.state.keys.values() if key.account is account)

    def add_first_key(self) -> None:
        """Add the key of the arguments to the first account."""
        self.add_key(self.state.account, *self._credentials)

    def _clear(self, *, has_account: bool = True) -> None:
        self.clock.reset()
        switches, log_size, random_seed = self._initial_settings
        # Repeatable on purpose, and not for a secret.
        rng = Random(random_seed)  # noqa: S311
        self.state: State = State(switches, self.clock, rng, RequestLog(log_size))
        self.fault_queue: FaultQueue = FaultQueue(rng)
        self._pipeline = Pipeline(self.spec, self.state, self.fault_queue)
        if has_account:
            self.add_first_key()
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
        if logged.rejection_reason:
            is_expected = self._is_expected(logged)
            self.verdict.add_rejected(logged, self.redactor(), is_expected=is_expected)
        else:
            self.verdict.add_answered(logged)
        if self.on_request is not None:
            self.on_request(logged)

    def _is_expected(self, logged: Logged) -> bool:
        """Return whether a rejection follows from what the test asked for.

        A timestamp is rejected if the clock was set to another time, and a request is met by a
        limit or ban that `spend` or `ban` started.
        """
        if logged.refusal:
            is_clock_set = self._has_own_clock or self.clock.is_changed
            return is_clock_set and logged.refusal_code == -1021
        return logged.at_ms < self.state.counter_for(logged.address).scripted_until

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
