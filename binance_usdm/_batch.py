"""Accounts that are read together, and what came of each."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Generic, TypeAlias, TypeVar

from attrs import field, frozen

from binance_usdm_wire import AccountBalance, Response

from ._client import AsyncClient, Client
from ._errors import ConfigurationError, IPBannedError, RateLimitError, UsdmError
from ._secrets import describe_value

MAX_BUDGET_WAIT_SECONDS: Final = 130.0
"""Longest wait for the weight budget: until the minute after the next one begins."""

BalanceResponse: TypeAlias = Response[list[AccountBalance]]
OnProgress: TypeAlias = Callable[[str, int, int], None]
_ClientT = TypeVar("_ClientT", Client, AsyncClient)


@frozen(kw_only=True)
class BalanceResults:
    """What was read from many accounts. Each account is in one of the two mappings."""

    responses: Mapping[str, BalanceResponse] = field(repr=False)
    """Responses by the client's label, in the order of the clients."""
    failures: Mapping[str, UsdmError]
    """What the call of an account raised, by the client's label, in the order of the clients.

    An exception of another class, such as one of a custom signer, is the `__cause__` of an error.
    """

    @property
    def rows(self) -> dict[str, list[AccountBalance]]:
        """Rows by the client's label."""
        return {label: response.parsed for label, response in self.responses.items()}


class Work(Generic[_ClientT]):
    """Clients whose accounts are still to be read, in order, and what came of the others."""

    def __init__(self, clients: Iterable[_ClientT], on_progress: OnProgress | None) -> None:
        self.clients: dict[str, _ClientT] = _by_label(clients)
        self._waiting = deque[str](self.clients)
        self.stopped = threading.Event()
        self._outcomes: dict[str, BalanceResponse | UsdmError] = {}
        self._on_progress = on_progress
        # Re-entrant: a callback may be interrupted by a signal handler that reads accounts.
        self._lock = threading.RLock()

    def stop(self) -> None:
        """Begin no further call."""
        self._waiting.clear()
        self.stopped.set()

    def take(self) -> str | None:
        """Return the label of the next client, None when there is none."""
        try:
            return self._waiting.popleft()
        except IndexError:
            return None

    def finish(self, label: str, outcome: BalanceResponse | Exception) -> None:
        """Keep a response or an error, and report the progress."""
        if isinstance(outcome, Exception) and not isinstance(outcome, UsdmError):
            outcome = _wrap_exception(label, outcome)
        with self._lock:
            self._outcomes[label] = outcome
            if self._on_progress is not None:
                self._on_progress(label, len(self._outcomes), len(self.clients))

    def results(self) -> BalanceResults:
        """Return what was read, in the order of the clients."""
        responses: dict[str, BalanceResponse] = {}
        failures: dict[str, UsdmError] = {}
        for label in self.clients:
            outcome = self._outcomes[label]
            if isinstance(outcome, UsdmError):
                failures[label] = outcome
            else:
                responses[label] = outcome
        return BalanceResults(responses=responses, failures=failures)


def budget_wait(error: RateLimitError) -> float | None:
    """Return the seconds after which the budget allows the call, None when it should fail."""
    if error.status or isinstance(error, IPBannedError) or error.retry_after is None:
        return None
    return error.retry_after if error.retry_after <= MAX_BUDGET_WAIT_SECONDS else None


def _wrap_exception(label: str, cause: Exception) -> UsdmError:
    """Return the error for an exception that is not one of the package.

    Its text is not repeated, for it may hold a secret.
    """
    error = UsdmError(
        f"the call raised {type(cause).__name__}, most likely from a custom signer, clock, "
        "limiter or retry function; see __cause__"
    )
    error.__cause__ = cause
    error.label = label
    return error


def _by_label(clients: Iterable[_ClientT]) -> dict[str, _ClientT]:
    client_by_label: dict[str, _ClientT] = {}
    for client in clients:
        label = client._label
        if label is None:
            raise ConfigurationError("clients need a label each, such as label='desk-07'")
        if label in client_by_label:
            raise ConfigurationError(f"clients must have different labels; two have {label!r}")
        client_by_label[label] = client
    return client_by_label


def validate_concurrency(concurrency: Any) -> int:
    if type(concurrency) is not int or concurrency < 1:
        raise ConfigurationError(
            f"concurrency must be an integer, at least 1, not {describe_value(concurrency)}"
        )
    return concurrency
