"""Clients, calls and notes that interrupted threads and cancelled tasks share."""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any, Generic, TypeVar

from binance_usdm import AccountBalance, Event, ServerTime, TransportError, WeightLimiter
from binance_usdm._errors import UsdmError
from tests.hostile.exchange_process import ExchangeProcess
from tests.hostile.interrupt_report import Record
from tests.hostile.recording_exchange import api_key, api_secret

ClientT = TypeVar("ClientT")

ACCOUNTS = 8
CONNECTIONS = 3
CALM_CALLS = 4 * CONNECTIONS
TIMEOUT = 1.0
CALM_TIMEOUT = 10.0
SETTLE_SECONDS = 1.5
"""Until requests of ended calls have arrived, and a cooldown has ended."""
MAX_CLOCK_DIFFERENCE_MS = 60_000
FIRST_NONCE = 5_000
NONCES = 50_000

FAULTS: tuple[tuple[str, float, dict[str, Any]], ...] = (
    ("latency", 0.1, {"seconds": 0.01, "jitter": 0.1}),
    ("latency", 0.004, {"seconds": 3.0}),
    ("slow", 0.02, {"chunk": 64, "pause": 0.02}),
    ("cut", 0.02, {"after": 1}),
    ("cut", 0.02, {"after": 120}),
    ("reset", 0.03, {}),
    ("reset", 0.02, {"after": 60}),
    ("error-500", 0.02, {}),
    ("gateway", 0.02, {}),
    ("unavailable", 0.02, {}),
    ("truncated", 0.02, {}),
    ("odd-json", 0.02, {}),
    ("html-200", 0.02, {}),
    ("error", 0.02, {"code": -1021}),
)
"""Name, probability and options."""
RATE_LIMIT_PROBABILITY = 0.002


def cause_faults(exchange: ExchangeProcess) -> None:
    """Have the exchange respond with faults, by chance, from now on."""
    for name, probability, options in FAULTS:
        exchange.command("fail", fault=name, times=None, probability=probability, **options)
    exchange.command("cooldown", seconds=1, times=None, probability=RATE_LIMIT_PROBABILITY)


class CountingLimiter(WeightLimiter):
    """A limiter without a budget, which notes what calls take.

    Args:
        blocking: Whether calls run it in a thread.
    """

    def __init__(self, *, blocking: bool) -> None:
        super().__init__(limit=None)
        self.blocking = blocking
        self.taken: list[int] = []

    def acquire(self, weight: int) -> float:
        seconds = super().acquire(weight)
        if not seconds:
            self.taken.append(weight)
        return seconds


@dataclass(frozen=True, slots=True)
class Question:
    """A call and how its value is recognized.

    Args:
        account: Number of the account.
        nonce: recvWindow of the call, which comes back as a balance; `None` asks for the time.
    """

    account: int
    nonce: int | None

    def is_answered_by(self, value: object) -> bool:
        """Return whether a value belongs to this call."""
        if self.nonce is None:
            now_ms = time.time() * 1000
            if not isinstance(value, ServerTime):
                return False
            return abs(value.server_time - now_ms) < MAX_CLOCK_DIFFERENCE_MS
        if not isinstance(value, list):
            return False
        rows = [(row.asset, row.balance) for row in value if isinstance(row, AccountBalance)]
        return rows == [(f"A{self.account}", Decimal(self.nonce))]


class ClientSet(Generic[ClientT]):
    """The clients of all accounts, which are closed and replaced while others call.

    Args:
        url: The exchange's URL.
        client_class: `Client` or `AsyncClient`.
        transport_class: The class of the transport that most of them share.
        record: Where reconnections are counted.
        seed: Of the choice of clients.
    """

    def __init__(
        self, url: str, client_class: Any, transport_class: Any, record: Record, seed: int
    ) -> None:
        self._urls = (url, url.replace("127.0.0.1", "localhost"))
        self._client_class, self._transport_class = client_class, transport_class
        self._record, self._rng = record, Random(seed)
        self.limiters = [CountingLimiter(blocking=blocking) for blocking in (False, False, True)]
        self.transport = self.make_transport()
        self.clients: list[ClientT] = [self.make_client(number) for number in range(ACCOUNTS)]

    @property
    def weight_taken(self) -> int:
        return sum(sum(limiter.taken) for limiter in self.limiters)

    def make_transport(self) -> Any:
        """Return a transport whose connections all accounts use: a mixed-up response shows."""
        return self._transport_class(max_connections=CONNECTIONS, share_connections=True)

    def replace_transport(self) -> Any:
        """Have new clients share a new transport. Returns the former one, not closed."""
        former, self.transport = self.transport, self.make_transport()
        for account in range(ACCOUNTS):
            self.clients[account] = self.make_client(account)
        return former

    def make_client(self, account: int, **options: Any) -> ClientT:
        """Return a new client of an account. One of five does not share the transport."""
        has_own_transport = self._rng.random() < 0.2
        defaults: dict[str, Any] = {
            "base_url": self._rng.choice(self._urls),
            "timeout": TIMEOUT,
            "limiter": self._rng.choice(self.limiters),
            "transport": None if has_own_transport else self.transport,
            "on_event": self._note_event,
        }
        client: ClientT = self._client_class(
            api_key(account), api_secret(account), **{**defaults, **options}
        )
        return client

    def _note_event(self, event: Event) -> None:
        if event.kind == "reconnect":
            self._record.reconnections += 1

    def pick(self, rng: Random) -> tuple[ClientT, Question]:
        """Return a client and what to ask it: the balance, or the time."""
        account = rng.randrange(ACCOUNTS)
        nonce = FIRST_NONCE + rng.randrange(NONCES) if rng.random() < 0.7 else None
        return self.clients[account], Question(account, nonce)


def ask(client: Any, question: Question) -> Any:
    """Make the call: the value of a blocking client, the awaitable of the other."""
    if question.nonce is None:
        return client.server_time()
    return client.balance(recv_window=question.nonce)


def note_value(record: Record, question: Question, value: object) -> None:
    """Note that a call returned a value, and whether it is its own."""
    record.outcomes.append("value")
    if not question.is_answered_by(value):
        record.wrong_values.append(f"{question}: {value!r:.200}")


def note_error(record: Record, error: BaseException) -> None:
    """Note that a call raised an error that no handler raised."""
    if not isinstance(error, UsdmError):
        record.foreign_errors.append(f"{error!r:.300}")
    detail = f": {error}" if isinstance(error, TransportError) else ""
    record.outcomes.append(re.sub("[0-9]+", "#", f"{type(error).__name__}{detail}")[:90])


def note_end(record: Record, deadline: float) -> None:
    """Note by how much a call ended after its deadline, an instant of `time.monotonic()`."""
    overrun = time.monotonic() - deadline
    if overrun > 0:
        record.overruns.append(overrun)


def random_delay(rng: Random, shortest: float, longest: float) -> float:
    """Return seconds whose logarithm is uniform: as many below a millisecond as above."""
    return math.exp(rng.uniform(math.log(shortest), math.log(longest)))
