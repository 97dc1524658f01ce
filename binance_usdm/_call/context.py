"""What the calls of one client share: settings, reasons to stop, limiter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from binance_usdm._concurrency.gates import GateSet
from binance_usdm._concurrency.interrupts import raise_if_from_handler
from binance_usdm._errors import (
    ConfigurationError,
    IPBannedError,
    RateLimitError,
    TransportError,
    UnexpectedResponse,
    UsdmError,
)
from binance_usdm._http.messages import HttpFailure, HttpResponse, Origin
from binance_usdm._policy.budget import Budget
from binance_usdm._policy.clock import Clock
from binance_usdm._policy.cooldown import cooldown_seconds
from binance_usdm._policy.retry import Retry, RetryQuota
from binance_usdm._policy.shared import SharedState
from binance_usdm._policy.wait_queue import Ticket

from .error_mapping import error_from_failure, map_thread_error
from .events import Attempt, EventEmitter
from .request import RequestBuilder
from .response import ParsedValue, exchange_time_ms, find_account_mismatch


class ErrorLabel:
    """Context that writes a client's label into an error that leaves it."""

    __slots__ = ("_label",)

    def __init__(self, label: str | None) -> None:
        self._label = label

    def __enter__(self) -> None:
        pass

    def __exit__(self, error_class: object, error: object, traceback: object) -> None:
        if isinstance(error, UsdmError):
            error.label = self._label


class CallContext(EventEmitter):
    """The settings of one client, which its constructor sets, and what its calls report."""

    __slots__ = (
        "_account_by_attribute",
        "_clock",
        "_clock_mode",
        "_error_label",
        "_gates",
        "_max_reply_bytes",
        "_request_builder",
        "_retry",
        "_retry_quota",
        "_shared",
        "_timeout",
        "_transport",
    )
    _account_by_attribute: dict[str, str]
    """The account that this client's responses named, by the attribute of the rows."""
    _clock: Clock
    """Returns timestamps. It is the shared clock or a custom one."""
    _clock_mode: str | None
    """When the clock is synced.

    "auto" is after -1021, "exchange" also before the first timestamp, and `None` never.
    """
    _error_label: ErrorLabel
    _gates: GateSet
    """The waits of this client's calls. They are closed with the client."""
    _max_reply_bytes: int
    _request_builder: RequestBuilder
    _retry: Retry
    _retry_quota: RetryQuota
    _shared: SharedState
    _timeout: float
    _transport: Any

    def _lease(self, deadline: float, origin: Origin, *, needs_new_connection: bool = False) -> Any:
        """Return a lease of the client's transport. It takes nothing yet."""
        builder = self._request_builder
        return self._transport.lease(
            origin,
            builder.partition,
            deadline=deadline,
            max_response_bytes=self._max_reply_bytes,
            needs_new_connection=needs_new_connection,
        )

    async def _wait_for_weight(self, ticket: Ticket, wait: float, attempt: Attempt) -> None:
        """Wait in line until the weight budget may allow the call, in order of arrival."""
        await self._limiter_queue.wait_for_room(
            ticket,
            wait,
            attempt.deadline,
            gates=self._gates,
            check=self._raise_if_stopped,
            on_wait=lambda seconds: self._emit("budget_wait", attempt, seconds=seconds),
        )

    async def _ask_limiter(self, ticket: Ticket, attempt: Attempt) -> float:
        """Take weight from a blocking limiter.

        Returns:
            0.0 when the weight was taken, else seconds to wait.
        """
        try:
            return await self._limiter_queue.acquire_blocking(ticket.weight, attempt.deadline)
        except (OSError, UsdmError) as caught:
            raise_if_from_handler(caught)
            error = map_thread_error(caught)
        raise error

    def _error_from_failure(
        self, failure: HttpFailure, lease: Any, secrets: tuple[str, ...] = ()
    ) -> UsdmError:
        _, host, _ = lease.origin
        return error_from_failure(failure, host, secrets, self._max_reply_bytes, lease.deadline)

    def _check_account(
        self, outcome: ParsedValue, lease: Any, attempt: Attempt
    ) -> ParsedValue | UnexpectedResponse:
        """Return the outcome, or an error instead when it holds rows of another account."""
        accounts = self._account_by_attribute
        mismatch = find_account_mismatch(attempt.operation, outcome.parsed, accounts)
        if mismatch is None:
            return outcome
        lease.discard_connection()
        self._emit("account_mismatch", attempt, error=mismatch)
        return mismatch

    def _raise_if_closed(self) -> None:
        if self._gates.is_closed:
            error = TransportError("client is closed; create a new client")
            error.retryable = False
            raise error

    def _raise_if_stopped(self) -> None:
        """Raise when the client is closed, or the address is banned (by any client's response)."""
        self._raise_if_closed()
        self._shared.limiter.cooldown_left()

    def _read_budget(self) -> Budget:
        """Return the state of the limiter, with a ban that another limiter's client met."""
        limiter = self._limiter_queue.limiter
        read: Callable[[], Budget] | None = getattr(limiter, "budget", None)
        with self._error_label:
            if read is None:
                kind = type(limiter).__name__
                raise ConfigurationError(f"limiter has no method budget; add one to {kind}")
            return read().with_hold_of(self._shared.limiter.budget())

    async def _start_cooldown(
        self, error: RateLimitError, response: HttpResponse, attempt: Attempt
    ) -> None:
        """Stop all sending after a 429 or 418, for as long as the exchange says."""
        now_ms = exchange_time_ms(response.headers, self._now_ms())
        error.retry_after = cooldown_seconds(error, now_ms)
        banned = isinstance(error, IPBannedError)
        if banned and self._shared.limiter is not self._limiter_queue.limiter:
            self._shared.limiter.start_cooldown(error.retry_after, banned=True)
        await self._limiter_queue.start_cooldown(
            error.retry_after, banned=banned, deadline=attempt.deadline
        )
        self._emit("cooldown", attempt, seconds=error.retry_after, error=error)

    def _raise_without_event_loop(self) -> None:
        # Blocking calls never load asyncio. It would take a tenth of the time until the first one.
        import asyncio

        if asyncio._get_running_loop() is None:
            with self._error_label:
                raise ConfigurationError(
                    "no asyncio event loop is running; AsyncClient needs one, use Client without"
                )

    def _retry_delay(self, error: UsdmError, failed_attempts: int) -> float | None:
        """Return the seconds before the next attempt, or None when there is none."""
        delay = self._retry(error, failed_attempts)
        if delay is None:
            return None
        return max(delay, getattr(error, "retry_after", None) or 0.0)

    def _now_ms(self) -> int:
        """Return the time of this client's timestamps, or of the shared clock when that fails."""
        try:
            now_ms = self._clock()
        # The next signed call raises what a custom clock raises. A ban must not be lost by it.
        except Exception as error:  # noqa: BLE001
            raise_if_from_handler(error)
            return self._shared.clock()
        return now_ms if type(now_ms) is int else self._shared.clock()
