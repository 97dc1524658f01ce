"""Events of a call: `on_event` and the logger get the same, in order, and never a secret.

On both clients.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import Any, get_args

import attrs
import httpx
import pytest

from binance_usdm import Event, RateLimitError, RetryPolicy, ServerError, TransportError, UsdmError
from binance_usdm._events import _LOG_LEVEL_BY_KIND, EventKind, logger
from binance_usdm._http.httpx_adapter import StaleConnection
from binance_usdm.mock import Exchange, ManualClock
from tests.support import canaries
from tests.support.clients import BODY, BlockingFacade, RecordingHandler, error_response
from tests.support.raw_server import READ, RawServer, repeat, response_bytes

ClientOf = Callable[..., BlockingFacade]
pytestmark = pytest.mark.promise("R18")


@pytest.fixture(autouse=True)
def _everything_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.DEBUG):
        yield


def at_once(attempts: int = 3) -> RetryPolicy:
    return RetryPolicy(attempts, random=lambda: 0.0)


def now() -> bytes:
    return b'{"serverTime": %d}' % (time.time_ns() // 1_000_000)


class Room:
    """A limiter whose budget is exhausted at first."""

    def __init__(self) -> None:
        self._waits = iter([0.01, 0.02])

    def acquire(self, weight: int) -> float:
        return next(self._waits, 0.0)

    def observe(self, used_weight: int) -> None:
        pass

    def start_cooldown(self, seconds: float, *, banned: bool) -> None:
        pass


Told = list[tuple[str, int, float, type[UsdmError] | None]]
SCENES: dict[str, tuple[list[Any], dict[str, Any], Told]] = {
    "nothing": ([BODY], {}, []),
    "refused for good": ([error_response(400, -1102)], {"retry": at_once()}, []),
    "retries off": ([error_response(500)], {}, []),
    "retries": (
        [httpx.ReadError("reset"), error_response(500), BODY], {"retry": at_once()},
        [("retry", 1, 0.0, TransportError), ("retry", 2, 0.0, ServerError)],
    ),
    "retries in vain": (
        [error_response(500)], {"retry": at_once()},
        [("retry", 1, 0.0, ServerError), ("retry", 2, 0.0, ServerError)],
    ),
    "limit": (
        [error_response(429, -1003, Retry_After="0.01"), BODY], {"retry": at_once()},
        [("cooldown", 1, 0.01, RateLimitError), ("retry", 1, 0.01, RateLimitError)],
    ),
    "wait": ([BODY], {"limiter": Room()},
     [("budget_wait", 1, 0.01, None), ("budget_wait", 1, 0.02, None)]),
    "clock": ([error_response(400, -1021), now, BODY], {}, [("clock_synced", 1, 0.0, None)]),
    "clock twice wrong": ([error_response(400, -1021), now, error_response(400, -1021)], {},
     [("clock_synced", 1, 0.0, None)]),
    "no clock": ([error_response(500)], {"clock": "exchange"},
     [("clock_sync_failed", 1, 0.0, ServerError)]),
    "clock held": (
        [error_response(429, -1003, Retry_After="60")], {"clock": "exchange"},
        [("cooldown", 1, 60.0, RateLimitError), ("clock_sync_failed", 1, 0.0, RateLimitError)],
    ),
    "all in order": (
        [error_response(400, -1021), now, error_response(429, -1003, Retry_After="0"),
         error_response(503),
        httpx.ConnectError("down"), BODY],
        {"retry": at_once(6)},
        [
            ("clock_synced", 1, 0.0, None), ("cooldown", 2, 0.0, RateLimitError),
            ("retry", 2, 0.0, RateLimitError),
            ("retry", 3, 0.0, ServerError),
            ("retry", 4, 0.0, TransportError),
        ],
    ),
}  # fmt: skip
LEVELS = {
    "retry": "INFO", "budget_wait": "INFO", "cooldown": "WARNING", "reconnect": "DEBUG",
    "clock_synced": "INFO",
    "clock_sync_failed": "WARNING", "account_mismatch": "ERROR",
}  # fmt: skip


def played(
    client_of: ClientOf, name: str, caplog: pytest.LogCaptureFixture, **options: Any
) -> RecordingHandler:
    """Play a scene; what was logged is in caplog, and nothing else."""
    replies, given, _ = SCENES[name]
    if name == "wait":
        given = {"limiter": Room()}
    exchange = RecordingHandler(*(made() if callable(made) else made for made in replies))
    client = client_of(exchange, **given, **options)
    caplog.clear()
    try:
        client.balance()
    except UsdmError:
        assert name in {
            "refused for good", "retries off", "retries in vain", "clock twice wrong", "no clock",
            "clock held",
        }  # fmt: skip
    return exchange


def logged(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [
        (record.levelname, record.getMessage())
        for record in caplog.records
        if record.name == "binance_usdm"
    ]


@pytest.mark.parametrize("name", SCENES)
def test_what_happens_is_told_in_order_and_logged_at_its_level(
    client_of: ClientOf, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    events: list[Event] = []
    exchange = played(client_of, name, caplog, on_event=events.append)
    assert [
        (event.kind, event.attempt, event.seconds, event.error and type(event.error))
        for event in events
    ] == SCENES[name][2]
    # The operation whose request was answered with a 429.
    asked = "server_time" if name == "clock held" else "balance"
    assert {(event.kind, event.operation) for event in events} <= {
        ("cooldown", asked),
        *((kind, "balance") for kind in LEVELS),
    }
    assert logged(caplog) == [(LEVELS[event.kind], str(event)) for event in events]
    assert all(
        str(event).startswith(f"Event(kind='{event.kind}', operation='{event.operation}'")
        for event in events
    )
    signed = sum(b"timestamp=" in target for target in exchange.targets)
    attempts = 0 if name in {"no clock", "clock held"} else signed
    again_ = [event for event in events if event.kind in {"retry", "clock_synced"}]
    assert attempts in {0, len(again_) + 1}  # each further request has an event


@pytest.mark.parametrize("name", ["retries", "limit", "no clock"])
def test_the_logger_needs_no_observer(
    client_of: ClientOf, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    played(client_of, name, caplog)
    assert [level for level, _ in logged(caplog)] == [LEVELS[kind] for kind, *_ in SCENES[name][2]]


@pytest.mark.promise("R15")
def test_a_reconnection_is_told_quietly(
    client_of: ClientOf, caplog: pytest.LogCaptureFixture
) -> None:
    events: list[Event] = []
    with RawServer(
        [READ, response_bytes(BODY), READ], repeat(READ, response_bytes(BODY))
    ) as server:
        client = client_of(base_url=server.url, on_event=events.append)
        client.balance()
        assert (events, logged(caplog)) == ([], [])
        client.balance()
    assert [(event.kind, event.attempt, event.seconds) for event in events] == [
        ("reconnect", 1, 0.0)
    ]
    assert logged(caplog) == [("DEBUG", str(events[0]))]


def test_a_connection_that_is_lost_twice_is_no_second_reconnection(client_of: ClientOf) -> None:
    events: list[Event] = []

    def lost(request: httpx.Request) -> httpx.Response:
        raise StaleConnection("a transport of the user's, which keeps connections that died")

    client = client_of(lost, on_event=events.append, retry=RetryPolicy.off())
    with pytest.raises(TransportError):
        client.balance()
    assert [event.kind for event in events] == ["reconnect"]


def test_every_kind_of_event_has_a_level() -> None:
    assert set(_LOG_LEVEL_BY_KIND) == set(get_args(EventKind)) == set(LEVELS)


def test_numbers_of_a_clock_are_those_of_the_reading(client_of: ClientOf) -> None:
    hour_behind = time.time_ns() // 1_000_000 - 3_600_000
    exchange, events = Exchange(clock=ManualClock(hour_behind)), list[Event]()
    keys = {"api_key": exchange.api_key, "api_secret": exchange.api_secret}
    client_of(exchange, **keys, on_event=events.append).balance()
    (event,) = events
    assert event.offset_ms == pytest.approx(hour_behind - time.time() * 1000, abs=2_000)
    assert event.error_ms is not None
    assert 0 < event.error_ms < 1_000
    assert (event.error, event.seconds) == (None, 0.0)


def test_an_event_cannot_be_changed() -> None:
    event = Event(kind="budget_wait", operation="balance", attempt=1)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        event.seconds = 1.0  # type: ignore[misc]


# an observer that fails


class UnhappyError(Exception):
    """Its text is the observer's own, and may be a secret."""


@pytest.mark.parametrize("name", SCENES)
def test_an_observer_that_raises_changes_nothing(
    client_of: ClientOf, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    seen: list[Event] = []

    def observe(event: Event) -> None:
        seen.append(event)
        raise UnhappyError(canaries.PASSWORD)

    expected = len(played(client_of, name, caplog).requests)
    assert len(played(client_of, name, caplog, on_event=observe).requests) == expected
    assert [event.kind for event in seen] == [kind for kind, *_ in SCENES[name][2]]
    errors = [text for level, text in logged(caplog) if level == "ERROR"]
    assert errors == ["on_event failed with UnhappyError"] * len(seen)
    assert canaries.holds_no_canary(caplog.text)


def test_what_stops_a_program_stops_it_from_an_observer_too(client_of: ClientOf) -> None:
    def observe(event: Event) -> None:
        raise KeyboardInterrupt

    exchange = RecordingHandler(error_response(500), BODY)
    with pytest.raises(KeyboardInterrupt):
        client_of(exchange, retry=at_once(), on_event=observe).balance()
    assert len(exchange.requests) == 1


def test_an_observer_may_make_calls_of_its_own(client_of: ClientOf) -> None:
    """No lock is held while it runs: here it calls the clock and the limiter of its client."""
    exchange = RecordingHandler(
        error_response(400, -1021), now(), error_response(429, -1003, Retry_After="0"), BODY
    )
    asked: list[object] = []

    def observe(event: Event) -> None:
        caller = client.client
        asked.append((caller._shared.clock(), caller._shared.limiter.acquire(1), repr(caller)))

    client = client_of(exchange, retry=at_once(), on_event=observe)
    assert client.balance_detailed().attempts == 3
    assert len(asked) == 3


# no secret


def leaky(request: httpx.Request) -> str:
    """The worst text an exchange could send: all that it was sent."""
    return f"no {request.url} {canaries.KEY} {request.headers} request ip: 203.0.113.7"


@pytest.mark.promise("S3", "S4")
@pytest.mark.parametrize(
    "sent", [(500, -1000), (429, -1003), (400, -1021), (503, None), (418, -1003)]
)
def test_no_event_and_no_log_holds_a_secret(
    client_of: ClientOf, sent: tuple[int, int | None]
) -> None:
    """The secret leak detector looks into both, and here for the address of this machine too."""
    events: list[Event] = []

    def handle(request: httpx.Request) -> httpx.Response:
        status, code = sent
        return error_response(status, code, leaky(request), Retry_After="0")

    client = client_of(
        handle,
        api_key=canaries.KEY,
        api_secret=canaries.SECRET,
        retry=at_once(),
        on_event=events.append,
        timeout=0.5,
    )
    with pytest.raises(UsdmError):
        client.balance()
    assert events
    assert not [event for event in events if "203.0.113.7" in f"{event} {vars(event.error)}"]


@pytest.mark.promise("S3", "S4", "R9")
@pytest.mark.parametrize("text", ["signature=%s", "X-MBX-APIKEY: %s"], ids=["signature", "key"])
def test_what_a_transport_says_of_a_request_is_told_without_its_secret(
    client_of: ClientOf, text: str
) -> None:
    """A transport of the user's own may put into its exceptions whatever it likes."""
    events: list[Event] = []

    def handle(request: httpx.Request) -> httpx.Response:
        canaries.remember_signature(request)
        secret = canaries.SIGNATURES[-1] if "signature" in text else canaries.KEY
        raise httpx.ConnectError("cannot send " + text % secret)

    client = client_of(
        handle,
        api_key=canaries.KEY,
        api_secret=canaries.SECRET,
        retry=at_once(2),
        on_event=events.append,
    )
    with pytest.raises(TransportError):
        client.balance()
    assert [event.kind for event in events] == ["retry"]


def test_a_logger_that_is_switched_off_costs_no_text(
    client_of: ClientOf, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logger, "disabled", True)
    events: list[Event] = []
    played(client_of, "retries", caplog, on_event=events.append)
    assert len(events) == 2
    assert logged(caplog) == []
