"""What the calls of one client share: its settings, when they must stop, and what they tell limiters and observers."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

from binance_usdm_wire import Operation

from ._errors import (
    IPBannedError,
    RateLimitError,
    TransportError,
    UnexpectedResponse,
    UsdmError,
)
from ._events import Event, EventKind, Observer, emit
from ._gates import GateSet
from ._http.messages import HttpFailure, HttpResponse
from ._interrupts import raise_if_from_handler
from ._policy.clock import Clock
from ._policy.cooldown import cooldown_seconds
from ._policy.limiter_queue import LimiterQueue
from ._policy.retry import Retry, RetryQuota
from ._policy.shared import SharedState
from ._policy.wait_queue import Ticket
from ._request import RequestBuilder
from ._response import (
    ParsedValue,
    error_from_failure,
    exchange_time_ms,
    find_account_mismatch,
    map_thread_error,
)
from ._secrets import SecretHolder


class Attempt(NamedTuple):
    """What an attempt is made for. `number` counts from 1; `deadline` is an instant of `time.monotonic()`."""

    operation: Operation[Any]
    query: str
    number: int
    deadline: float


class AttemptResult(NamedTuple):
    """The outcome of one attempt. `sent_at` and `received_at` are instants of the clock's monotonic clock."""

    outcome: ParsedValue | UsdmError
    response: HttpResponse | None = None
    sent_at: float = 0.0
    received_at: float = 0.0
    request_count: int = 0
    used_weight: int | None = None


class CallContext(SecretHolder):
    """The settings of one client, as its constructor has set them, and what an attempt tells others."""

    __slots__ = (
        "_account_by_attribute",
        "_clock",
        "_clock_mode",
        "_gates",
        "_limiter_queue",
        "_max_reply_bytes",
        "_on_event",
        "_request_builder",
        "_retry",
        "_retry_quota",
        "_shared",
        "_timeout",
        "_transport",
    )
    _account_by_attribute: dict[str, str]
    """The account that this client's responses named, by the attribute of the rows that says it."""
    _clock: Clock
    """Makes timestamps; the shared clock or one of the user's."""
    _clock_mode: str | None
    """When the exchange's time is read: "auto" (after -1021), "exchange" (before the first timestamp as well), None (never)."""
    _gates: GateSet
    """The waits of this client's calls; closed with the client."""
    _limiter_queue: LimiterQueue
    _max_reply_bytes: int
    _on_event: Observer | None
    _request_builder: RequestBuilder
    _retry: Retry
    _retry_quota: RetryQuota
    _shared: SharedState
    _timeout: float
    _transport: Any

    async def _ask_limiter(self, ticket: Ticket, attempt: Attempt) -> float:
        try:
            return await self._limiter_queue.acquire_blocking(ticket.weight, attempt.deadline)
        except (OSError, UsdmError) as caught:
            raise_if_from_handler(caught)
            error = map_thread_error(caught)
        raise error

    def _failure_result(
        self, failure: HttpFailure, attempt: Attempt, secrets: tuple[str, ...] = (), sent_at: float = 0.0, received_at: float = 0.0
    ) -> AttemptResult:  # fmt: skip
        host = self._request_builder.origin[1]
        error = error_from_failure(failure, host, secrets, self._max_reply_bytes, attempt.deadline)
        return AttemptResult(error, None, sent_at, received_at, int(sent_at > 0))

    def _check_account(
        self, outcome: ParsedValue, lease: Any, attempt: Attempt
    ) -> ParsedValue | UnexpectedResponse:
        """Return the outcome, or an error instead when it holds rows of another account."""
        mismatch = find_account_mismatch(
            attempt.operation, outcome.parsed, self._account_by_attribute
        )
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
        """Raise when the client is closed, or the address is banned, whichever client heard of it."""
        self._raise_if_closed()
        self._shared.limiter.cooldown_left()

    async def _start_cooldown(
        self, error: RateLimitError, response: HttpResponse, attempt: Attempt
    ) -> None:
        """Stop all sending after a 429 or 418, as long as the exchange says."""
        error.retry_after = cooldown_seconds(
            error, exchange_time_ms(response.headers, self._now_ms())
        )
        banned = isinstance(error, IPBannedError)
        if banned and self._shared.limiter is not self._limiter_queue.limiter:
            self._shared.limiter.start_cooldown(error.retry_after, banned=True)
        await self._limiter_queue.start_cooldown(
            error.retry_after, banned=banned, deadline=attempt.deadline
        )
        self._emit("cooldown", attempt, seconds=error.retry_after, error=error)

    def _now_ms(self) -> int:
        """Return the time that this client's requests bear, or the shared clock's when the user's clock fails."""
        try:
            now_ms = self._clock()
        except Exception as error:  # noqa: BLE001 - the next signed call raises it; a ban must not be lost by it
            raise_if_from_handler(error)
            return self._shared.clock()
        return now_ms if type(now_ms) is int else self._shared.clock()

    def _emit(
        self, kind: EventKind, attempt: Attempt, error: UsdmError | None = None, **details: float
    ) -> None:
        error = copy.copy(
            error
        )  # An event that is kept keeps no traceback, and no frame of the caller.
        event = Event(
            kind=kind,
            operation=attempt.operation.id,
            attempt=attempt.number,
            error=error,
            **details,
        )
        emit(event, self._on_event)
