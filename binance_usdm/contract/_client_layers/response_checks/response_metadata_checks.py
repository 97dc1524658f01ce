"""Checks of what comes beside a value: headers, times, events and log records."""

from __future__ import annotations

import decimal
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from binance_usdm import RateLimitError, Response, RetryPolicy
from binance_usdm.contract._cases import expectations as expected
from binance_usdm.contract._cases import response_tables as tables
from binance_usdm.contract._cases.sample_values import encode
from binance_usdm.contract._client_layers.response_cases import JSON, Header, ResponseCase
from binance_usdm.contract._client_layers.servers.network import Network, Reply
from binance_usdm.contract._client_layers.value_differences import EPOCH

LABEL: Final = "desk-07"
POLICY: Final = RetryPolicy(attempts=3, random=lambda: 0.0)
USED: Final[Header] = (b"X-MBX-USED-WEIGHT-1M", b"17")
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
    """`elapsed` is the duration of the call, with its retries."""
    if case.number:
        return
    fine: Reply = (200, encode(case.operation.richest_example), (JSON,))
    network = Network(case, (503, b"<html>", ()), fine)
    received, _ = network.call(network.connect(retry=lambda error, attempt: RETRY_SECONDS))
    assert received.elapsed >= RETRY_SECONDS, f"{received.elapsed} s, with {RETRY_SECONDS} s waited"


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
        client = network.connect(retry=POLICY, on_event=observe, label=LABEL)
        received, _ = network.call(client)
        found = [(each.kind, each.attempt, each.status, each.code) for each in events]
        assert found == _events_of(replies), f"{received!r}: {found}"
        assert isinstance(received, Response) == (replies[-1] is fine), f"{received!r}"
        names = {(each.operation, each.label) for each in events}
        assert names == {(case.operation.id, LABEL)}, f"{names}"
        weights = {each.used_weight for each in events if each.kind == "answered"}
        assert weights == {17}, f"used weight {weights}"
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


CHECKS: Final = (
    headers_and_times_are_returned,
    waits_are_a_part_of_the_duration,
    values_do_not_depend_on_the_decimal_context,
    events_tell_what_happens,
    logs_show_no_secret,
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
