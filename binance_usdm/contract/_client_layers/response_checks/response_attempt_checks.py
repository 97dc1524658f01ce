"""Checks of what follows from a response: more attempts, none, or a wait of all clients.

They use retries and the client's own limiter. What a client must wait for comes after its deadline,
or takes no time, but for one short limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from binance_usdm import (
    IPBannedError,
    RateLimitError,
    Response,
    RetryPolicy,
    UsdmError,
    WeightLimiter,
)
from binance_usdm.contract._cases import expectations as expected
from binance_usdm.contract._cases import response_tables as tables
from binance_usdm.contract._cases.raw_requests import T0
from binance_usdm.contract._cases.sample_values import encode
from binance_usdm.contract._client_layers.response_cases import (
    JSON,
    Header,
    ResponseCase,
    outcome_of,
)
from binance_usdm.contract._client_layers.servers.network import Network, Reply
from binance_usdm.mock import ManualClock

ATTEMPTS: Final = 3
POLICY: Final = RetryPolicy(attempts=ATTEMPTS, random=lambda: 0.0)
# The only wait of these checks.
SHORT_LIMIT: Final[Header] = (b"Retry-After", b"0.2")
ELSEWHERE: Final = "https://gateway.invalid:8443"
USED_WEIGHT: Final = b"X-MBX-USED-WEIGHT-1M"


class RecordingLimiter:
    """A limiter that allows everything and notes what it is told."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, float]] = []

    def acquire(self, weight: int) -> float:
        return 0.0

    def observe(self, used_weight: int) -> None:
        self.heard.append(("used", used_weight))

    def start_cooldown(self, seconds: float, *, banned: bool) -> None:
        self.heard.append(("ban" if banned else "limit", seconds))


def attempts_are_made_and_counted(case: ResponseCase) -> None:
    """An error is retried as often as the policy allows, or not at all.

    The response is that of the last attempt, and says how many requests were sent.
    """
    fine: Reply = (200, encode(case.operation.richest_example), (JSON, (USED_WEIGHT, b"9")))
    for replies, is_retried in ((tables.RETRIED, True), (tables.NOT_RETRIED, False)):
        for status, body in replies:
            outcome = expected.expected_outcome(case.response, status, body)
            if outcome[0] is Response:
                continue
            failed: Reply = (status, body, (JSON, tables.NO_WAIT, (USED_WEIGHT, b"8")))
            for failures in range(ATTEMPTS + 1):
                place = f"{status} {body.decode()}, {failures} times"
                _check_attempts(case, [*[failed] * failures, fine], is_retried, outcome, place)


def waits_beyond_the_deadline_end_the_call(case: ResponseCase) -> None:
    """An error whose retry would come after `timeout` is raised at once, with the time left."""
    cases: tuple[tuple[float, tuple[Header, ...]], ...] = (
        (4.0, (JSON,)),
        (0.0, (JSON, (b"Retry-After", b"4"))),
    )
    for delay, headers in cases:
        network = Network(case, (503, b'{"code": -1008, "msg": "no"}', headers))
        client = network.connect(retry=_first_delay(delay), timeout=3.0)
        error, count = network.call(client)
        place = f"{count} requests, {error!r}"
        assert (count, outcome_of(error)[1:]) == (1, (503, -1008)), place
        left = -1.0 if error.time_left is None else error.time_left
        assert 0 <= left < 3.0, f"{place}: {error.time_left} s left"


def limits_hold_every_client(case: ResponseCase) -> None:
    """After a limit or ban no client of the same address sends; one of another host does."""
    for status, code, seconds, is_ban in tables.HOLDS:
        wait = (b"Retry-After", b"%d" % seconds)
        reply: Reply = (status, _error_body(code), (JSON, wait))
        if not is_ban:
            _check_hold(case, reply, seconds, RateLimitError, ["shared"])
            continue
        # A ban holds clients with any limiter or none, whichever of them met it.
        for first in range(3):
            limiters = ["shared", WeightLimiter(), None]
            limiters.insert(0, limiters.pop(first))
            _check_hold(case, reply, seconds, IPBannedError, limiters)


def _check_hold(
    case: ResponseCase,
    reply: Reply,
    seconds: int,
    error_class: type[RateLimitError],
    limiters: list[object],
) -> None:
    """Let a client with the first limiter receive a reply, then call clients with each."""
    network = Network(case, reply, (200, encode(case.operation.richest_example), (JSON,)))
    first, *others = [network.connect(limiter=limiter) for limiter in limiters]
    elsewhere = network.connect(base_url=ELSEWHERE)
    place = f"{reply[0]} {reply[1].decode()}, limiters {limiters}"
    error, count = network.call(first)
    assert (type(error), count) == (error_class, 1), f"{place}: {count} requests, {error!r}"
    held_status = 418 if error_class is IPBannedError else 0
    for client in (first, network.connect("another-key"), *others):
        error, count = network.call(client)
        found = f"{place}, then {count} requests, {error!r}"
        assert (type(error), error.status, count) == (error_class, held_status, 0), found
        assert 0.9 * seconds < error.retry_after <= seconds, f"{found}: {error.retry_after}"
    received, count = network.call(elsewhere)
    assert (type(received), count) == (Response, 1), f"{place}, elsewhere: {received!r}"


def calls_wait_for_a_short_limit(case: ResponseCase) -> None:
    """A limit that ends before the deadline delays a call, and does not fail it."""
    if case.number:
        return
    fine: Reply = (200, encode(case.operation.richest_example), (JSON,))
    network = Network(case, (429, _error_body(-1003), (JSON, SHORT_LIMIT)), fine)
    network.call(network.connect())
    received, count = network.call(network.connect(timeout=10.0))
    assert (type(received), count) == (Response, 1), f"{count} requests, {received!r}"


def limiter_is_told(case: ResponseCase) -> None:
    """A limiter hears the used weight of every response, and every limit and ban."""
    body = encode(case.operation.richest_example)
    used, wait = (USED_WEIGHT, b"17"), (b"Retry-After", b"100")
    replies: Iterable[tuple[int, bytes, tuple[Header, ...], list[tuple[str, float]]]] = (
        (200, body, (), []),
        (200, body, (used,), [("used", 17)]),
        (400, b'{"code": -1102, "msg": "no"}', (used,), [("used", 17)]),
        (503, b"<html>", (used, wait), [("used", 17)]),
        *(
            (
                status,
                _error_body(code),
                (used, (b"Retry-After", b"%d" % seconds)),
                [("ban" if is_ban else "limit", float(seconds)), ("used", 17)],
            )
            for status, code, seconds, is_ban in tables.HOLDS
        ),
    )
    for status, content, headers, wanted in replies:
        limiter = RecordingLimiter()
        network = Network(case, (status, content, (JSON, *headers)))
        received, _ = network.call(network.connect(limiter=limiter))
        heard = sorted(limiter.heard)
        assert heard == sorted(wanted), f"{status} {content[:60]!r}: {heard}, {received!r}"


def budget_of_the_minute_is_kept(case: ResponseCase) -> None:
    """A call beyond the weight that was used, here or by the response, fails at once.

    It is sent in the next minute.
    """
    weight = case.operation.weight_of(case.operation.required_query)
    if not weight:
        return
    for calls, header in ((2, b"0"), (1, b"%d" % (2 * weight))):
        clock = ManualClock(T0)
        limiter = WeightLimiter(2 * weight, 1.0, now=clock, monotonic=partial(_seconds, clock))
        body = encode(case.operation.richest_example)
        network = Network(case, (200, body, (JSON, (USED_WEIGHT, header))))
        client = network.connect(limiter=limiter)
        for _ in range(calls):
            received, count = network.call(client)
            assert (type(received), count) == (Response, 1), f"{count} requests, {received!r}"
        error, count = network.call(client)
        place = f"{count} requests beyond the budget, {error!r}"
        assert (type(error), error.status, count) == (RateLimitError, 0, 0), place
        clock.advance(60_000)
        received, count = network.call(client)
        assert (type(received), count) == (Response, 1), f"{count} in the next minute, {received!r}"


CHECKS: Final = (
    attempts_are_made_and_counted,
    waits_beyond_the_deadline_end_the_call,
    limits_hold_every_client,
    calls_wait_for_a_short_limit,
    limiter_is_told,
    budget_of_the_minute_is_kept,
)


def _check_attempts(
    case: ResponseCase,
    replies: list[Reply],
    is_retried: bool,
    outcome: expected.Outcome,
    place: str,
) -> None:
    asked: list[tuple[type, int]] = []

    def retry(error: UsdmError, attempt: int) -> float | None:
        asked.append((type(error), attempt))
        return POLICY(error, attempt)

    network = Network(case, *replies)
    received, count = network.call(network.connect(retry=retry))
    failures = len(replies) - 1
    attempts = min(failures, ATTEMPTS - 1 if is_retried else 0) + 1
    assert count == attempts, f"{place}: {count} requests, not {attempts}, {received!r}"
    failed = min(failures, attempts)
    wanted = [(outcome[0], number) for number in range(1, failed + 1)]
    assert asked == wanted, f"{place}: the policy was asked {asked}, not {wanted}"
    if failures < attempts:
        assert isinstance(received, Response), f"{place}: {received!r}"
        found = (received.attempts, received.used_weight)
        assert found == (attempts, 9), f"{place}: attempts and weight {found}"
    else:
        assert outcome_of(received) == outcome, f"{place}: {received!r}"


def _error_body(code: int | None) -> bytes:
    return encode({"msg": "no"} if code is None else {"code": code, "msg": "no"})


def _seconds(clock: ManualClock) -> float:
    return clock() / 1000


def _first_delay(seconds: float) -> Callable[[UsdmError, int], float | None]:
    """Return a policy of two attempts with a delay between them."""
    return lambda error, attempt: seconds if attempt == 1 else None
