"""Checks of what comes beside a value: headers, times, events and log records."""

from __future__ import annotations

import decimal
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from binance_usdm import RateLimitError, Response, RetryPolicy, WeightLimiter
from binance_usdm.contract._cases import expectations as expected
from binance_usdm.contract._cases import response_tables as tables
from binance_usdm.contract._cases.raw_requests import T0
from binance_usdm.contract._cases.sample_values import MISSING, encode
from binance_usdm.contract._client_layers.response_cases import JSON, Header, ResponseCase
from binance_usdm.contract._client_layers.servers.network import Network, Reply
from binance_usdm.contract._client_layers.value_differences import EPOCH

LABEL: Final = "desk-07"
LIMIT: Final = 2400
POLICY: Final = RetryPolicy(attempts=3, random=lambda: 0.0)
USED: Final[Header] = (b"X-MBX-USED-WEIGHT-1M", b"17")
LEVELS: Final = {"sent": "DEBUG", "answered": "DEBUG", "retry": "INFO", "cooldown": "WARNING"}
# They have the names of the event's.
RECORD_ATTRIBUTES: Final = (
    *("operation", "attempt", "seconds", "status", "code"),
    *("used_weight", "weight_left", "offset_ms", "error_ms"),
)
RETRY_SECONDS: Final = 0.02
# The two clocks of this machine may be set apart while a check runs.
CLOCK_SECONDS: Final = 60.0


def headers_and_times_are_returned(case: ResponseCase) -> None:
    """Headers by name in any case, and when the response was made and received."""
    body = encode(case.operation.richest_example)
    many, latin = ((b"X-Many", b"a"), (b"x-many", b"b")), (b"X-Latin", b"\xe9")
    dates = (
        (tables.DATE, datetime(2020, 6, 9, 11, 36, 53, tzinfo=UTC)),
        (b"soon", None),
        (b"", None),
    )
    for text, date in dates:
        wall, started_at = time.time(), time.monotonic()
        received = case.receive(body, JSON, *many, latin, (b"Date", text))
        passed = time.monotonic() - started_at
        headers = received.headers
        found = (headers["X-MANY"], headers["x-latin"], headers.get("X-None"), "X-Many" in headers)
        assert found == ("a, b", "\xe9", None, True), f"headers {found}"
        names = sorted(name.lower() for name in headers)
        assert names == ["content-type", "date", "x-latin", "x-many"], f"{names}"
        assert received.exchange_date == date, f"{text!r}: {received.exchange_date}"
        found_ms = received.received_at_ms
        is_now = abs(found_ms / 1000 - wall) <= passed + CLOCK_SECONDS
        assert (type(found_ms), is_now) == (int, True), f"received at {found_ms} ms"
        instant = EPOCH + timedelta(milliseconds=found_ms)
        assert received.received_at == instant, f"{received.received_at}, not {instant}"
        assert 0 <= received.elapsed <= passed, f"{received.elapsed} of {passed} s"


def waits_are_a_part_of_the_duration(case: ResponseCase) -> None:
    """A retry comes after the policy's delay or the exchange's, and `elapsed` has it, too."""
    if case.number:
        return
    fine: Reply = (200, encode(case.operation.richest_example), (JSON,))
    for text, seconds in ((b"", RETRY_SECONDS), (b"0.01", RETRY_SECONDS), (b"0.03", 0.03)):
        waits: list[float] = []

        def observe(event: Any, waits: list[float] = waits) -> None:
            if event.kind == "retry":
                waits.append(event.seconds)

        network = Network(case, (503, b"<html>", ((b"Retry-After", text),)), fine)
        client = network.connect(retry=lambda error, attempt: RETRY_SECONDS, on_event=observe)
        received, _ = network.call(client)
        place = f"Retry-After {text!r}: {received.elapsed} s, with waits of {waits} s"
        assert waits == [seconds], place
        assert received.elapsed >= seconds, place


def values_do_not_depend_on_the_decimal_context(case: ResponseCase) -> None:
    """A program may have set another precision, or traps for what is not exact."""
    body = encode(case.operation.richest_example)
    traps = [decimal.Inexact, decimal.Rounded, decimal.FloatOperation, decimal.Subnormal]
    with decimal.localcontext(decimal.Context(prec=1, Emax=1, Emin=-1, traps=traps)):
        received = case.receive(body, JSON)
    assert isinstance(received, Response), f"{received!r}"
    found, wanted = repr(received.parsed), repr(case.receive(body, JSON).parsed)
    assert found == wanted, f"{found[:200]}, not {wanted[:200]}"


def events_tell_what_happens(case: ResponseCase) -> None:
    """An observer learns of every request, response, retry and limit. What it raises is ignored."""
    body = encode(case.operation.richest_example)
    fine: Reply = (200, body, (JSON, USED))
    retried: Reply = (503, b'{"code": -1008, "msg": "no"}', (JSON, USED))
    rejected: Reply = (400, b'{"code": -1022, "msg": "no"}', (JSON, USED))
    limited: Reply = (429, b'{"code": -1003, "msg": "no"}', (JSON, USED, (b"Retry-After", b"100")))
    calls: list[list[Reply]] = [[fine], [retried, fine], [retried, retried, fine]]
    calls += [[rejected], [limited]]
    for replies in calls:
        events: list[Any] = []

        def observe(event: Any, events: list[Any] = events) -> None:
            events.append(event)
            raise ValueError("a mistake of the observer")

        network = Network(case, *replies)
        # Its clock stands, so that no minute begins.
        limiter = WeightLimiter(LIMIT, 1.0, now=lambda: T0, monotonic=float)
        client = network.connect(limiter=limiter, retry=POLICY, on_event=observe, label=LABEL)
        started_at = time.monotonic()
        received, _ = network.call(client)
        passed = time.monotonic() - started_at
        found = [(each.kind, each.attempt, each.status, each.code) for each in events]
        assert found == _events_of(replies), f"{received!r}: {found}"
        assert isinstance(received, Response) == (replies[-1] is fine), f"{received!r}"
        names = {(each.operation, each.label) for each in events}
        assert names == {(case.operation.id, LABEL)}, f"{names}"
        answered = [each for each in events if each.kind == "answered"]
        weights = {each.used_weight for each in answered}
        assert weights == {17}, f"used weight {weights}"
        left = 0 if replies[0] is limited else LIMIT - 17
        assert answered[0].weight_left == left, f"{answered[0].weight_left} left, not {left}"
        seconds = [each.seconds for each in answered]
        assert 0 <= sum(seconds) <= passed, f"{seconds} s of a call of {passed} s"
        labels = {each.error.label for each in events if each.error is not None}
        assert labels <= {LABEL}, f"labels of errors: {labels}"
        shown = f"{events!r} {[str(each.error) for each in events]}"
        assert not case.shows_secret(shown, network.sent), "an event shows a secret"


def logs_show_no_secret(case: ResponseCase) -> None:
    """No record of any logger, at any level, shows key, secret or signature."""
    fine: Reply = (200, encode(case.operation.richest_example), (JSON,))
    for status, body in (*tables.RETRIED, *tables.NOT_RETRIED):
        outcome = expected.expected_outcome(case.response, status, body)[0]
        network = Network(case, (status, body, (JSON, tables.NO_WAIT)), fine)
        with _captured_logs() as records:
            received, _ = network.call(network.connect(retry=POLICY, label=LABEL))
        shown = " ".join(f"{record.getMessage()} {vars(record)!r}" for record in records)
        assert not case.shows_secret(shown, network.sent), f"{received!r}: a record shows a secret"
        if issubclass(outcome, RateLimitError):
            assert LABEL in shown, f"{received!r}: no record names the client"


def log_records_have_the_events(case: ResponseCase) -> None:
    """Each event is also a record, with its values as attributes, at the level of its kind."""
    if case.number:
        return
    retried: Reply = (503, b'{"code": -1008, "msg": "no"}', (JSON, USED))
    limited: Reply = (429, b'{"code": -1003, "msg": "no"}', (JSON, USED, (b"Retry-After", b"100")))
    events: list[Any] = []
    network = Network(case, retried, limited)
    with _captured_logs() as records:
        network.call(network.connect(retry=POLICY, on_event=events.append, label=LABEL))
    records = [record for record in records if hasattr(record, "event")]
    for event, record in zip(events, records, strict=True):
        text = None if event.error is None else str(event.error)
        wanted = {name: getattr(event, name) for name in RECORD_ATTRIBUTES}
        wanted |= {"event": event.kind, "account": event.label, "error_text": text}
        wanted |= {"error": None if text is None else type(event.error).__name__}
        wanted |= {"name": "binance_usdm", "levelname": LEVELS[event.kind]}
        differences = {
            name: getattr(record, name, MISSING)
            for name, value in wanted.items()
            if getattr(record, name, MISSING) != value
        }
        assert not differences, f"{event!r}: a record with {differences}"
        assert record.getMessage().startswith(f"{LABEL}: "), f"{record.getMessage()}"


CHECKS: Final = (
    headers_and_times_are_returned,
    waits_are_a_part_of_the_duration,
    values_do_not_depend_on_the_decimal_context,
    events_tell_what_happens,
    logs_show_no_secret,
    log_records_have_the_events,
)


def _events_of(replies: list[Reply]) -> list[tuple[str, int, int | None, int | None]]:
    """Return kind, attempt, status and code of the events of a call."""
    events: list[tuple[str, int, int | None, int | None]] = []
    for number, (status, _, _) in enumerate(replies, 1):
        code = {503: -1008, 400: -1022, 429: -1003}.get(status)
        events.append(("sent", number, None, None))
        if status == 429:
            events.append(("cooldown", number, status, code))
        events.append(("answered", number, status, code))
        if number < len(replies):
            events.append(("retry", number, status, code))
    return events


class _Collector(logging.Handler):
    """A handler that keeps every record."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@contextmanager
def _captured_logs() -> Iterator[list[logging.LogRecord]]:
    """Collect the records of all loggers, at every level, and pass none on."""
    handler = _Collector(logging.DEBUG)
    root, own = logging.getLogger(), logging.getLogger("binance_usdm")
    handlers, levels = root.handlers, (root.level, own.level)
    root.handlers = [handler]
    root.setLevel(logging.DEBUG)
    own.setLevel(logging.DEBUG)
    try:
        yield handler.records
    finally:
        root.handlers = handlers
        root.setLevel(levels[0])
        own.setLevel(levels[1])
