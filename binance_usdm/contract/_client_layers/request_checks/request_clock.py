"""Checks of the clock: when the client reads the exchange's time, and that it then uses it."""

from __future__ import annotations

import itertools
import time
from typing import Any, Final

import httpx

from binance_usdm import TimestampError
from binance_usdm.contract._cases.raw_requests import MakeExchange
from binance_usdm.contract._client_layers.request_checks.request_attempts import RecordingLimiter
from binance_usdm.contract._client_layers.request_checks.request_parts import (
    ONE_ATTEMPT,
    RETRY,
    respond_in_turn,
    send_calls,
)
from binance_usdm.contract._client_layers.sdk import Respond, Sdk, SentRequest
from binance_usdm.contract._spec.operations import Operation, operations

HOUR_MS: Final = 3_600_000
# How far a timestamp may be from the exchange's clock, on a machine that has much to do.
TOLERANCE_MS: Final = 60_000
# An estimate may take the best of some samples.
MAX_SAMPLES: Final = 3
# How long a slow response takes.
SLOW_SECONDS: Final = 0.02
LATE: Final = b'{"code":-1021,"msg":"x"}'


def now_ms() -> int:
    """Return the time of this machine in ms, which a client uses first."""
    return time.time_ns() // 1_000_000


def late_clock_is_corrected(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """After -1021 the client reads the exchange's time, and the next timestamps have it."""
    for skew in (HOUR_MS, -HOUR_MS) if _time_operation(operation) else ():
        kinds = _send_with_skew(operation, sdk, make, skew, "auto")
        samples = kinds[1:-2]
        place = f"the exchange is {skew} ms ahead: {kinds}"
        assert kinds == ["local", *samples, "exchange", "exchange"], place
        assert {*samples} == {"time"}, place
        assert len(samples) <= MAX_SAMPLES, place


def exchange_clock_is_read_first(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """With the clock "exchange" the time is read before the first timestamp, and then kept."""
    for skew in (HOUR_MS, -HOUR_MS) if _time_operation(operation) else ():
        kinds = _send_with_skew(operation, sdk, make, skew, "exchange")
        samples = kinds[:-2]
        place = f"the exchange is {skew} ms ahead: {kinds}"
        assert kinds == [*samples, "exchange", "exchange"], place
        assert {*samples} == {"time"}, place
        assert len(samples) <= MAX_SAMPLES, place


def time_of_the_round_trip_is_added(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """A timestamp after a slow reading of the time is not before the time that was read."""
    if (server_time := _time_operation(operation)) is None:
        return
    exchange = make(clock=lambda: now_ms() + HOUR_MS)
    accept = respond_in_turn(operation)
    read: list[int] = []

    def respond(request: httpx.Request) -> httpx.Response:
        if not server_time.matches(request.url.path):
            return accept(request)
        read.append(now_ms() + HOUR_MS)
        response = exchange(request)
        time.sleep(SLOW_SECONDS)
        return response

    _, sent = send_calls(sdk, respond, operation, {}, clock="exchange", retry=ONE_ATTEMPT)
    (timestamp,) = sent[-1].values_of(operation.timestamp) or ["0"]
    # Of more samples, which a busy machine needs, the best is used.
    assert len(read) > 1 or int(timestamp) >= read[0], f"{read[0] - int(timestamp)} ms before"


def good_clock_is_left_alone(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """No time is read for timestamps that are accepted, nor for a clock of the caller."""
    if _time_operation(operation) is None:
        return
    kinds = _send_with_skew(operation, sdk, make, 0, "auto")
    assert kinds == ["local", "local"], f"{kinds}"
    calls, sent = send_calls(sdk, _late_exchange(operation, make), operation, {}, retry=RETRY)
    error = calls[0].error
    assert (len(sent), type(error)) == (1, TimestampError), f"{len(sent)} requests, {error!r}"


def clock_is_corrected_once(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """A second -1021 is raised: the call was sent twice. Each request takes its weight."""
    if (server_time := _time_operation(operation)) is None:
        return
    limiter = RecordingLimiter()
    options: dict[str, Any] = {"clock": "auto", "retry": RETRY, "limiter": limiter}
    calls, sent = send_calls(sdk, _late_exchange(operation, make), operation, {}, **options)
    error = calls[0].error
    to_time = [_is_to(server_time, each) for each in sent]
    assert isinstance(error, TimestampError), f"{error!r}"
    assert to_time.count(False) == 2, f"{to_time.count(False)} requests, {error!r}"
    weight = operation.weight_of(operation.required_query)
    expected = [server_time.weight_of("") if is_time else weight for is_time in to_time]
    found = [taken for taken, _ in limiter.taken]
    assert found == expected, f"weights {found}, not {expected}"


CHECKS: Final = (
    late_clock_is_corrected,
    exchange_clock_is_read_first,
    time_of_the_round_trip_is_added,
    good_clock_is_left_alone,
    clock_is_corrected_once,
)


def _time_operation(operation: Operation) -> Operation | None:
    """Return the operation whose response has the clock that the timestamp is linked to, if any."""
    if operation.timestamp is None:
        return None
    known = operations(operation.document)
    return next((o for o in known if o.clock_fields and operation.timestamp in o.links), None)


def _is_to(operation: Operation, sent: SentRequest) -> bool:
    return operation.matches(sent.target.partition(b"?")[0].decode())


def _late_exchange(
    operation: Operation, make: MakeExchange, skew: int = 0, times: int | None = None
) -> Respond:
    """Return a function that responds with the time, and to others first, or always, with -1021."""
    exchange = make(clock=lambda: now_ms() + skew)
    accept = respond_in_turn(operation)
    late = itertools.repeat(LATE) if times is None else itertools.repeat(LATE, times)
    server_time = _time_operation(operation)

    def respond(request: httpx.Request) -> httpx.Response:
        if server_time is not None and server_time.matches(request.url.path):
            return exchange(request)
        body = next(late, b"")
        return httpx.Response(400, content=body) if body else accept(request)

    return respond


def _send_with_skew(
    operation: Operation, sdk: Sdk, make: MakeExchange, skew: int, clock: str
) -> list[str]:
    """Call twice, with an exchange whose clock is ahead, and return the kinds of all requests.

    "time" is the request for the time, without key and arguments. Others are named by the clock
    that their timestamp is near to.
    """
    times = 1 if skew and clock == "auto" else 0
    respond = _late_exchange(operation, make, skew, times)
    # A clock is corrected without retries, too.
    _, sent = send_calls(sdk, respond, operation, {}, {}, clock=clock, retry=ONE_ATTEMPT)
    return [_kind(operation, each, skew) for each in sent]


def _kind(operation: Operation, sent: SentRequest, skew: int) -> str:
    server_time = _time_operation(operation)
    assert server_time is not None
    if _is_to(server_time, sent):
        has_more = sent.query or sent.header_values(operation.key_header)
        return "time, with key or arguments" if has_more else "time"
    (timestamp,) = sent.values_of(operation.timestamp) or [""]
    difference = int(timestamp or 0) - now_ms()
    by_clock = {"local": 0, "exchange": skew}
    near = [name for name, ms in by_clock.items() if abs(difference - ms) < TOLERANCE_MS]
    return near[0] if near else f"{difference} ms ahead of this machine"
