"""Checks of attempts: what is sent again, after which waits, and what each request weighs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from binance_usdm import TransportError
from binance_usdm.contract._cases.raw_requests import T0, MakeExchange
from binance_usdm.contract._client_layers.calls import (
    argument_name,
    call_each,
    optional_arguments,
    typed_value,
)
from binance_usdm.contract._client_layers.request_checks.request_parts import (
    RETRY,
    is_signed_with,
    lasting_parts,
    respond_in_turn,
    send_calls,
    ticking_clock,
)
from binance_usdm.contract._client_layers.sdk import Sdk, SentRequest
from binance_usdm.contract._spec.operations import Operation
from binance_usdm.mock import ManualClock, Reply

ATTEMPTS: Final = 3
WAIT_SECONDS: Final = 0.001
WAIT_MS: Final = 900
# Longer than a call may last, so that no attempt follows and nothing has to wait.
LONG: Final = b"30"
LONG_SECONDS: Final = 30.0
TIMEOUT_SECONDS: Final = 10.0
JSON: Final = (b"Content-Type", b"application/json")
USED_WEIGHT: Final = (b"X-MBX-USED-WEIGHT-1M", b"17")


@dataclass
class RecordingLimiter:
    """A limiter that keeps what it is told.

    Attributes:
        sent: The requests so far.
        clock: Clock that goes on while the first caller waits, or `None` if nobody waits.
        taken: Each weight that was taken, with the number of requests before.
        observed: Each weight that the exchange reported.
    """

    sent: list[SentRequest] = field(default_factory=list)
    clock: ManualClock | None = None
    taken: list[tuple[int, int]] = field(default_factory=list)
    observed: list[int] = field(default_factory=list)

    def acquire(self, weight: int) -> float:
        if self.clock is not None:
            self.clock.advance(WAIT_MS)
            self.clock = None
            return WAIT_SECONDS
        self.taken.append((weight, len(self.sent)))
        return 0.0

    def start_cooldown(self, seconds: float, *, banned: bool) -> None: ...

    def observe(self, used_weight: int) -> None:
        self.observed.append(used_weight)


def attempts_send_the_same(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """A retry has all of the first attempt but its time, after an error and a lost response."""
    lost = httpx.ReadError("lost")
    for faults in ((500, 500), (lost, lost), (lost, lost, lost)):
        respond = respond_in_turn(operation, *faults)
        options = {"retry": RETRY, "clock": ticking_clock()}
        calls, sent = send_calls(sdk, respond, operation, optional_arguments(operation), **options)
        error = calls[0].error
        place = f"after {faults}: {len(sent)} requests, {error!r}"
        assert len(sent) == ATTEMPTS, place
        is_expected = isinstance(error, TransportError) if faults[2:] else error is None
        assert is_expected, place
        parts = [lasting_parts(operation, each) for each in sent]
        assert parts == [parts[0]] * ATTEMPTS, f"after {faults}: {parts}"
        signed = [is_signed_with(operation, each.query) for each in sent]
        # A client whose first signature is wrong is found by other checks.
        assert all(signed) or not signed[0], f"after {faults}: attempts with a signature: {signed}"


def each_request_takes_its_weight(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """Before each request the limiter is asked for its weight, and it hears of the used one."""
    for arguments, weight in _weights(operation):
        for failures in (0, ATTEMPTS - 1):
            limiter = RecordingLimiter()
            respond = respond_in_turn(operation, *[500] * failures)
            client, transport = sdk.connect(respond, limiter=limiter, retry=RETRY)
            limiter.sent = transport.sent
            calls = call_each(client, operation, arguments)
            if calls[0].error is None:
                expected = [(weight, number) for number in range(failures + 1)]
                assert limiter.taken == expected, f"{arguments}: {limiter.taken}, not {expected}"
    exchange = make()
    exchange.fail(Reply(200, (JSON, USED_WEIGHT), operation.example_bodies[0].encode()))
    limiter = RecordingLimiter()
    send_calls(sdk, exchange, operation, {}, limiter=limiter)
    assert limiter.observed == [17], f"observed {limiter.observed}, not [17]"


def requests_are_built_after_waits(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """A call that waited for its weight has the time when it is sent, and is sent once."""
    clock = ManualClock(T0)
    limiter = RecordingLimiter(clock=clock)
    respond = respond_in_turn(operation)
    _, sent = send_calls(sdk, respond, operation, {}, limiter=limiter, clock=clock)
    times = [each.values_of(operation.timestamp) for each in sent]
    assert times == [[str(T0 + WAIT_MS)] if operation.timestamp else None], f"{times}"


def retry_after_is_a_floor(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """No attempt follows before Retry-After, nor before the client's own delay if it is longer."""
    cases = (
        (503, None, 0.0, ATTEMPTS),
        (503, b"0", 0.0, ATTEMPTS),
        (503, LONG, 0.0, 1),
        (503, b"0", LONG_SECONDS, 1),
        (429, LONG, 0.0, 1),
        (429, b"0", LONG_SECONDS, 1),
    )
    for status, seconds, delay, count in cases:

        def retry(error: Exception, attempt: int, delay: float = delay) -> float | None:
            return delay if attempt < ATTEMPTS else None

        headers = () if seconds is None else ((b"Retry-After", seconds),)
        exchange = make()
        exchange.fail(Reply(status, headers, b""), times=None)
        options: dict[str, Any] = {"limiter": RecordingLimiter(), "timeout": TIMEOUT_SECONDS}
        _, sent = send_calls(sdk, exchange, operation, {}, retry=retry, **options)
        place = f"{status}, Retry-After {seconds!r}, own delay {delay}"
        assert len(sent) == count, f"{place}: {len(sent)} requests, not {count}"


CHECKS: Final = (
    attempts_send_the_same,
    each_request_takes_its_weight,
    requests_are_built_after_waits,
    retry_after_is_a_floor,
)


def _weights(operation: Operation) -> list[tuple[dict[str, Any], int]]:
    """Return arguments, and the weight of a request with them: at both sides of each step."""
    required = operation.required_query
    cases: list[tuple[dict[str, Any], int]] = [({}, operation.weight_of(required))]
    if isinstance(operation.weight, int):
        return cases
    name = operation.weight["parameter"]
    parameter = next(each for each in operation.parameters if each["name"] == name)
    if parameter["schema"].get("type") != "integer":
        return cases
    ends = [step["to"] for step in operation.weight["steps"] if "to" in step]
    for value in (value for end in ends for value in (end, end + 1)):
        arguments = {argument_name(parameter): typed_value(operation, parameter, str(value))}
        cases.append((arguments, operation.weight_of(f"{required}&{name}={value}".strip("&"))))
    return cases
