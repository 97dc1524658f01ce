"""Checks of what a response leaves behind in its client, and what it does not."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Final

from binance_usdm import (
    RateLimitError,
    Response,
    RetryPolicy,
    TransportError,
    UsdmError,
    WeightLimiter,
)
from binance_usdm.contract._cases import expectations as expected
from binance_usdm.contract._cases import response_tables as tables
from binance_usdm.contract._cases.raw_requests import T0
from binance_usdm.contract._cases.sample_values import encode
from binance_usdm.contract._client_layers.response_cases import JSON, Header, ResponseCase
from binance_usdm.contract._client_layers.servers.network import Network, Reply
from binance_usdm.contract._client_layers.value_differences import EPOCH
from binance_usdm.mock import ManualClock

POLICY: Final = RetryPolicy(attempts=3, random=lambda: 0.0)
OUTAGE_CALLS: Final = 30
# The quota is 35 retries of a client, and nobody needs to know its exact size.
OUTAGE_RETRIES: Final = range(20, 41)
# Enough for one retry, whatever its exact cost.
RECOVERY_CALLS: Final = 100
# What a browser would send back, or follow.
REMEMBERED: Final[tuple[Header, ...]] = (
    (b"Set-Cookie", b"session=1; Path=/"),
    (b"ETag", b'"1"'),
    (b"Last-Modified", tables.DATE),
    (b"Location", b"https://gateway.invalid/"),
    (b"Content-Location", b"/other"),
    (b"Alt-Svc", b'h2="gateway.invalid:443"'),
    (b"Cache-Control", b"max-age=60"),
    (b"Connection", b"close"),
)


def responses_change_no_request(case: ResponseCase) -> None:
    """A client sends the same again, and nothing that a response told it to remember."""
    body = encode(case.operation.richest_example)
    network = Network(case, (200, body, (JSON, *REMEMBERED)), (200, body, (JSON,)))
    client = network.connect()
    for _ in range(2):
        received, count = network.call(client)
        assert (type(received), count) == (Response, 1), f"{count} requests, {received!r}"
    first, second = ((str(each.url), sorted(each.headers.raw)) for each in network.sent)
    assert first == second, "the second request differs from the first one"


def clients_go_on_after_errors(case: ResponseCase) -> None:
    """An error that is no limit changes nothing for the next call."""
    body = encode(case.operation.richest_example)
    fine: Reply = (200, body, (JSON,))
    for status, content in (*tables.RETRIED, *tables.NOT_RETRIED):
        outcome = expected.expected_outcome(case.response, status, content)
        if issubclass(outcome[0], (RateLimitError, Response)):
            continue
        network = Network(case, (status, content, (JSON, tables.NO_WAIT)), fine)
        client = network.connect()
        network.call(client)
        received, count = network.call(client)
        place = f"after {status} {content!r}: {count} requests, {received!r}"
        assert (type(received), count) == (Response, 1), place


def closed_clients_send_nothing(case: ResponseCase) -> None:
    """A call of a closed client is an error that is not retryable."""
    network = Network(case, (200, encode(case.operation.richest_example), (JSON,)))
    client = network.connect(retry=POLICY)
    case.close(client)
    error, count = network.call(client)
    found = (type(error), getattr(error, "retryable", None), count)
    assert found == (TransportError, False, 0), f"{found}, {error!r}"


def retries_end_in_an_outage(case: ResponseCase) -> None:
    """A client whose calls all fail stops to retry, so that it does not add to the load."""
    if case.number:
        return
    network = Network(case, (500, b'{"code": -1000, "msg": "no"}', (JSON,)))
    client = network.connect(retry=POLICY, limiter=None)
    counts = [network.call(client)[1] for _ in range(OUTAGE_CALLS)]
    retries = sum(counts) - OUTAGE_CALLS
    assert (counts[0], counts[-1]) == (POLICY.attempts, 1), f"requests of the calls: {counts}"
    assert retries in OUTAGE_RETRIES, f"{retries} retries of {OUTAGE_CALLS} calls"


def retries_return_after_an_outage(case: ResponseCase) -> None:
    """Calls that succeed give retries back: at once their own, and in time those of an outage."""
    if case.number:
        return
    failed: Reply = (500, b'{"code": -1000, "msg": "no"}', (JSON,))
    fine: Reply = (200, encode(case.operation.richest_example), (JSON,))
    network = Network(case, *[failed, fine] * OUTAGE_RETRIES.stop)
    client = network.connect(retry=POLICY, limiter=None)
    for number in range(OUTAGE_RETRIES.stop):
        received, count = network.call(client)
        place = f"call {number}: {count} requests, {received!r}"
        assert (type(received), count) == (Response, 2), place
    network.replies = (failed,)
    for _ in range(OUTAGE_CALLS):
        network.call(client)
    network.replies = (fine,)
    for _ in range(RECOVERY_CALLS):
        network.call(client)
    network.replies = (failed,)
    error, count = network.call(client)
    assert count > 1, f"no retry {RECOVERY_CALLS} calls after an outage, {error!r}"


def budget_is_known(case: ResponseCase) -> None:
    """`budget()` says what the response counted, and until when a limit or ban holds."""
    body = encode(case.operation.richest_example)
    # More than the call itself.
    weight = case.operation.weight_of(case.operation.required_query) + 17
    used = (b"X-MBX-USED-WEIGHT-1M", b"%d" % weight)
    for status, code, is_ban in ((200, 0, False), (429, -1003, False), (418, -1003, True)):
        content = body if status == 200 else encode({"code": code, "msg": "no"})
        limiter = WeightLimiter(2400, 1.0, now=ManualClock(T0), monotonic=partial(float, 0))
        wait = () if status == 200 else ((b"Retry-After", b"100"),)
        network = Network(case, (status, content, (JSON, used, *wait)))
        client = network.connect(limiter=limiter)
        network.call(client)
        budget = case.run(client.budget())
        place = f"{status} {code}: {budget}, {budget.left} left"
        assert (budget.limit, budget.used, budget.is_banned) == (2400, weight, is_ban), place
        assert budget.left == (2400 - weight if status == 200 else 0), place
        # A ban also holds clients whose limiter has another clock.
        if not is_ban:
            wanted = None if status == 200 else EPOCH + timedelta(milliseconds=T0 + 100_000)
            assert budget.held_until == wanted, place


def delays_grow(case: ResponseCase) -> None:
    """Delays double from 0.2 s, or 1 s in an overload or at a limit, to 5 s; a part is random."""
    if case.number:
        return
    policy = RetryPolicy(attempts=9, random=lambda: 0.5)
    for status, body in tables.RETRIED:
        if expected.expected_outcome(case.response, status, body)[0] is Response:
            continue
        error = case.receive(body, JSON, status=status)
        assert isinstance(error, UsdmError), f"{error!r} for {status} {body!r}"
        base = 1.0 if status in tables.THROTTLING_STATUSES else 0.2
        delays = [policy(error, attempt) for attempt in range(1, 10)]
        wanted = [0.5 * min(base * 2**exponent, 5.0) for exponent in range(8)]
        assert delays == [*wanted, None], f"{error!r}: {delays}, not {wanted}"


CHECKS: Final = (
    responses_change_no_request,
    clients_go_on_after_errors,
    closed_clients_send_nothing,
    delays_grow,
    retries_end_in_an_outage,
    retries_return_after_an_outage,
    budget_is_known,
)
