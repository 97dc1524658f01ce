"""Events of a call: `on_event` and the logger get the same, in order, and never a secret.

On both clients.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any, get_args

import attrs
import httpx
import pytest

from binance_usdm import (
    Event,
    IPBannedError,
    RateLimitError,
    RetryPolicy,
    ServerError,
    TransportError,
    UsdmError,
    WeightLimiter,
)
from binance_usdm._call import events as _call_events
from binance_usdm._events import _LOG_LEVEL_BY_KIND, EventKind, describe_event, emit, logger
from binance_usdm._http.httpx_adapter import StaleConnection
from binance_usdm.mock import Exchange, ManualClock
from tests.support import canaries
from tests.support.clients import BODY, BlockingFacade, RecordingHandler, error_response
from tests.support.incidents import EVERY_REQUEST, Incidents
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
    "sent": "DEBUG", "answered": "DEBUG", "retry": "INFO", "budget_wait": "INFO", "cooldown": "WARNING", "reconnect": "DEBUG",
    "clock_synced": "INFO",
    "clock_sync_failed": "WARNING", "account_mismatch": "ERROR",
}  # fmt: skip


def played(
    make_client: ClientOf, name: str, caplog: pytest.LogCaptureFixture, **options: Any
) -> RecordingHandler:
    """Play a scene; what was logged is in caplog, and nothing else."""
    replies, given, _ = SCENES[name]
    if name == "wait":
        given = {"limiter": Room()}
    exchange = RecordingHandler(*(made() if callable(made) else made for made in replies))
    client = make_client(exchange, **given, **options)
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
    """Level and message of each record, without those of every request."""
    return [
        (record.levelname, record.getMessage())
        for record in caplog.records
        if record.name == "binance_usdm" and getattr(record, "event", None) not in EVERY_REQUEST
    ]


@pytest.mark.parametrize("name", SCENES)
def test_what_happens_is_told_in_order_and_logged_at_its_level(
    make_client: ClientOf, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    events = Incidents()
    exchange = played(make_client, name, caplog, on_event=events.append)
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
    assert logged(caplog) == [(LEVELS[event.kind], describe_event(event)) for event in events]
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
    make_client: ClientOf, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    played(make_client, name, caplog)
    assert [level for level, _ in logged(caplog)] == [LEVELS[kind] for kind, *_ in SCENES[name][2]]


@pytest.mark.promise("R15")
def test_a_reconnection_is_told_quietly(
    make_client: ClientOf, caplog: pytest.LogCaptureFixture
) -> None:
    events = Incidents()
    with RawServer(
        [READ, response_bytes(BODY), READ], repeat(READ, response_bytes(BODY))
    ) as server:
        client = make_client(base_url=server.url, on_event=events.append)
        client.balance()
        assert (events, logged(caplog)) == ([], [])
        client.balance()
    assert [(event.kind, event.attempt, event.seconds) for event in events] == [
        ("reconnect", 1, 0.0)
    ]
    assert logged(caplog) == [("DEBUG", describe_event(events[0]))]


def test_a_connection_that_is_lost_twice_is_no_second_reconnection(make_client: ClientOf) -> None:
    events = Incidents()

    def lost(request: httpx.Request) -> httpx.Response:
        raise StaleConnection("a transport of the user's, which keeps connections that died")

    client = make_client(lost, on_event=events.append, retry=RetryPolicy.off())
    with pytest.raises(TransportError):
        client.balance()
    assert [event.kind for event in events] == ["reconnect"]


EXCHANGE_OF: dict[str, tuple[list[Any], dict[str, Any], list[tuple[Any, ...]]]] = {
    "balance": (
        [httpx.Response(200, content=BODY, headers={"X-MBX-USED-WEIGHT-1M": "7"})], {},
        [("sent", 1), ("answered", 1, 200, None, 7, None)],
    ),
    "a retry": (
        [error_response(503, -1008), BODY], {"retry": at_once()},
        [("sent", 1), ("answered", 1, 503, -1008, None, ServerError), ("retry", 1), ("sent", 2),
         ("answered", 2, 200, None, None, None)],
    ),
    "a limit": (
        [error_response(429, -1003, Retry_After="60")], {},
        [("sent", 1), ("cooldown", 1), ("answered", 1, 429, -1003, None, RateLimitError)],
    ),
    "no response": ([httpx.ReadError("reset")], {}, [("sent", 1)]),
    "not sent": ([BODY], {"limiter": Room(), "timeout": 0.005}, []),
}  # fmt: skip


@pytest.mark.parametrize("name", EXCHANGE_OF)
def test_every_request_and_response_is_an_event(make_client: ClientOf, name: str) -> None:
    """With attempt, status, code, seconds and weight; a ban stops others before it is reported."""
    replies, options, expected = EXCHANGE_OF[name]
    events: list[Event] = []
    client = make_client(RecordingHandler(*replies), on_event=events.append, label="a", **options)
    with contextlib.suppress(UsdmError):
        client.balance()
    answered = [event for event in events if event.kind == "answered"]
    assert [
        (event.kind, event.attempt)
        if event.kind != "answered"
        else (
            *(event.kind, event.attempt, event.status, event.code, event.used_weight),
            event.error and type(event.error),
        )
        for event in events
    ] == expected
    assert all(0 < event.seconds < 60 for event in answered)
    assert {(event.operation, event.label) for event in events} <= {("balance", "a")}


@pytest.mark.parametrize(
    ("make_limiter", "left"),
    [
        # In the middle of a minute: near its end a header may describe the other one.
        (lambda: WeightLimiter(share=0.5, now=lambda: 30_000, monotonic=lambda: 0.0), 1200 - 700),
        (lambda: WeightLimiter(None), None),
        (Room, None),
    ],
)
def test_an_answer_has_the_weight_that_is_left(
    make_client: ClientOf, make_limiter: Callable[[], Any], left: int | None
) -> None:
    """It is what the limiter has after the response, None where the limiter does not say."""
    events: list[Event] = []
    response = httpx.Response(200, content=BODY, headers={"X-MBX-USED-WEIGHT-1M": "700"})
    limiter = make_limiter()
    make_client(RecordingHandler(response), limiter=limiter, on_event=events.append).balance()
    assert (events[-1].used_weight, events[-1].weight_left) == (700, left)


def test_a_clock_sync_is_a_request_of_its_own(make_client: ClientOf) -> None:
    events: list[Event] = []
    make_client(RecordingHandler(now(), BODY), clock="exchange", on_event=events.append).balance()
    assert [(event.kind, event.operation) for event in events] == [
        ("sent", "server_time"), ("answered", "server_time"), ("clock_synced", "balance"),
        ("sent", "balance"), ("answered", "balance"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("level", "kinds"), [(logging.INFO, []), (logging.DEBUG, ["sent", "answered"])]
)
def test_without_a_listener_nothing_is_done_for_requests(
    make_client: ClientOf, monkeypatch: pytest.MonkeyPatch, level: int, kinds: list[str]
) -> None:
    """No event is made unless the logger is at DEBUG."""
    made: list[str] = []

    def count(**fields: Any) -> Event:
        made.append(fields["kind"])
        return Event(**fields)

    monkeypatch.setattr(_call_events, "Event", count)
    # The secret leak detector listens to every level of every logger.
    monkeypatch.setattr(logging.Logger, "isEnabledFor", lambda _, asked: asked >= level)
    make_client(RecordingHandler(BODY)).balance()
    assert made == kinds


def test_an_observer_may_close_the_client_before_the_request_leaves(make_client: ClientOf) -> None:
    handler = RecordingHandler(BODY)

    def observe(event: Event) -> None:
        client.client._gates.close()

    client = make_client(handler, on_event=observe)
    with pytest.raises(TransportError, match="client is closed"):
        client.balance()
    assert handler.requests == []


def test_a_ban_that_comes_while_an_observer_runs_stops_the_request(make_client: ClientOf) -> None:
    """What another client meets meanwhile counts: the request is signed after the observer."""
    handler = RecordingHandler(BODY)

    def observe(event: Event) -> None:
        client.client._shared.limiter.start_cooldown(60, banned=True)

    client = make_client(handler, on_event=observe)
    with pytest.raises(IPBannedError):
        client.balance()
    assert handler.requests == []


SENTENCES: dict[str, tuple[dict[str, Any], str]] = {
    "sent": ({}, "request sent"),
    "answered": (
        {"status": 200, "seconds": 0.0421, "used_weight": 5, "weight_left": 1915},
        "status 200, weight used 5, left 1915, after 0.042 s",
    ),
    "retry": (
        {"seconds": 0.5, "error": ServerError(503, -1008, "overloaded")},
        "next attempt in 0.500 s, after ServerError (503, -1008)",
    ),
    "budget_wait": ({"seconds": 12}, "the weight budget is exhausted, next look in 12.000 s"),
    "cooldown": (
        {"seconds": 60, "error": RateLimitError(429, None, "")},
        "nothing is sent for 60.000 s, after RateLimitError (429)",
    ),
    "reconnect": ({}, "the server had closed the idle connection, sent again on a new one"),
    "clock_synced": (
        {"offset_ms": -3600000.4, "error_ms": 12.0},
        "clock synced, the exchange is -3600000 ms ahead (± 12 ms)",
    ),
    "clock_sync_failed": (
        {"error": TransportError("cannot connect")},
        "clock sync failed with TransportError (cannot connect)",
    ),
    "account_mismatch": ({}, "the response has rows of another account and is not used"),
}


@pytest.mark.parametrize("kind", SENTENCES)
@pytest.mark.parametrize("label", [None, "desk-07"])
def test_a_record_is_a_sentence_with_fields(
    caplog: pytest.LogCaptureFixture, kind: EventKind, label: str | None
) -> None:
    """The message is one line, and each value of the event is an attribute of the record."""
    fields, sentence = SENTENCES[kind]
    error = fields.get("error")
    if error is not None:
        error.label = label
    emit(Event(kind=kind, operation="balance", attempt=2, label=label, **fields), None)
    record = caplog.records[-1]
    prefix = "" if label is None else f"{label}: "
    assert record.getMessage() == f"{prefix}balance, attempt 2: {sentence}"
    names = [field.name for field in attrs.fields(Event) if field.name not in ("kind", "label")]
    expected = {"event": kind, "account": label, "operation": "balance", "attempt": 2}
    expected |= dict.fromkeys(names[2:]) | {"seconds": 0.0} | fields
    expected["error"] = error and type(error).__name__
    expected["error_text"] = error and str(error)
    assert {name: vars(record)[name] for name in expected} == expected


def test_every_kind_of_event_has_a_level() -> None:
    assert set(_LOG_LEVEL_BY_KIND) == set(get_args(EventKind)) == set(LEVELS) == set(SENTENCES)


def test_numbers_of_a_clock_are_those_of_the_reading(make_client: ClientOf) -> None:
    hour_behind = time.time_ns() // 1_000_000 - 3_600_000
    exchange, events = Exchange(clock=ManualClock(hour_behind)), Incidents()
    keys = {"api_key": exchange.api_key, "api_secret": exchange.api_secret}
    make_client(exchange, **keys, on_event=events.append).balance()
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
    make_client: ClientOf, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    seen = Incidents()

    def observe(event: Event) -> None:
        seen.append(event)
        raise UnhappyError(canaries.PASSWORD)

    expected = len(played(make_client, name, caplog).requests)
    assert len(played(make_client, name, caplog, on_event=observe).requests) == expected
    assert [event.kind for event in seen] == [kind for kind, *_ in SCENES[name][2]]
    errors = [text for level, text in logged(caplog) if level == "ERROR"]
    assert len(errors) >= len(seen)
    assert {*errors} <= {"on_event failed with UnhappyError"}
    assert canaries.holds_no_canary(caplog.text)


@pytest.mark.parametrize(("kind", "sent"), [("sent", 0), ("answered", 1), ("retry", 1)])
def test_what_stops_a_program_stops_it_from_an_observer_too(
    make_client: ClientOf, kind: str, sent: int
) -> None:
    def observe(event: Event) -> None:
        if event.kind == kind:
            raise KeyboardInterrupt

    exchange = RecordingHandler(error_response(500), BODY)
    with pytest.raises(KeyboardInterrupt):
        make_client(exchange, retry=at_once(), on_event=observe).balance()
    assert len(exchange.requests) == sent


def test_an_observer_may_make_calls_of_its_own(make_client: ClientOf) -> None:
    """No lock is held while it runs: here it calls the clock and the limiter of its client."""
    exchange = RecordingHandler(
        error_response(400, -1021), now(), error_response(429, -1003, Retry_After="0"), BODY
    )
    asked: list[object] = []

    def observe(event: Event) -> None:
        caller = client.client
        asked.append((caller._shared.clock(), caller._shared.limiter.acquire(1), repr(caller)))

    client = make_client(exchange, retry=at_once(), on_event=observe)
    assert client.balance_detailed().attempts == 3
    # Two for each of four requests, clock_synced, cooldown and retry.
    assert len(asked) == 11


# no secret


def leaky(request: httpx.Request) -> str:
    """The worst text an exchange could send: all that it was sent."""
    return f"no {request.url} {canaries.KEY} {request.headers} request ip: 203.0.113.7"


@pytest.mark.promise("S3", "S4")
@pytest.mark.parametrize(
    "sent", [(500, -1000), (429, -1003), (400, -1021), (503, None), (418, -1003)]
)
def test_no_event_and_no_log_holds_a_secret(
    make_client: ClientOf, sent: tuple[int, int | None]
) -> None:
    """The secret leak detector looks into both, and here for the address of this machine too."""
    events = Incidents()

    def handle(request: httpx.Request) -> httpx.Response:
        status, code = sent
        return error_response(status, code, leaky(request), Retry_After="0")

    client = make_client(
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
    make_client: ClientOf, text: str
) -> None:
    """A transport of the user's own may put into its exceptions whatever it likes."""
    events = Incidents()

    def handle(request: httpx.Request) -> httpx.Response:
        canaries.remember_signature(request)
        secret = canaries.SIGNATURES[-1] if "signature" in text else canaries.KEY
        raise httpx.ConnectError("cannot send " + text % secret)

    client = make_client(
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
    make_client: ClientOf, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logger, "disabled", True)
    events = Incidents()
    played(make_client, "retries", caplog, on_event=events.append)
    assert len(events) == 2
    assert logged(caplog) == []
