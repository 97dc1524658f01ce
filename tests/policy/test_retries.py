"""Which failures are retried, how often and when, and what a long outage costs.

Requests are counted where they arrive.
"""

from __future__ import annotations

import asyncio
import copy
import hashlib
import hmac
import inspect
import itertools
import pickle
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs

import attrs
import httpx
import pytest

from binance_usdm import (
    APIError,
    AsyncClient,
    Client,
    ConfigurationError,
    Event,
    RateLimitError,
    RetryPolicy,
    ServerError,
    TransportError,
    UnexpectedResponse,
    UsdmError,
)
from binance_usdm._http.httpx_adapter import StaleConnection
from binance_usdm._policy.retry import RetryQuota
from binance_usdm.mock import Exchange
from tests.support.clients import (
    BODY,
    NOW,
    SECRET,
    BlockingFacade,
    RecordingHandler,
    error_response,
)
from tests.support.incidents import Incidents
from tests.support.raw_server import READ, RESET, RawServer, repeat, response_bytes
from tests.support.timing import best_duration

ClientOf = Callable[..., BlockingFacade]


def at_once(attempts: int = 3) -> RetryPolicy:
    return RetryPolicy(attempts, random=lambda: 0.0)


def event_summaries(events: list[Event]) -> list[tuple[str, int, Any]]:
    return [(event.kind, event.attempt, event.seconds) for event in events]


# R2: how long and how often

USUAL = [
    TransportError("reset"),
    ServerError(500, None, ""),
    ServerError(408, -1007, ""),
    ServerError(400, -1001, ""),
]
OVERLOAD = [ServerError(503, None, ""), ServerError(400, -1008, ""), RateLimitError(429, -1003, "")]
PAUSES = {0.2: [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0], 1.0: [1.0, 2.0, 4.0, 5.0, 5.0, 5.0, 5.0]}


@pytest.mark.promise("R2")
@pytest.mark.parametrize("part", [1.0, 0.5, 0.0])
@pytest.mark.parametrize(
    ("errors", "base"), [(USUAL, 0.2), (OVERLOAD, 1.0)], ids=["usual", "overload"]
)
def test_the_table_of_pauses(errors: list[UsdmError], base: float, part: float) -> None:
    policy = RetryPolicy(10**6, random=lambda: part)
    for error in errors:
        assert [policy(error, attempt) for attempt in range(1, 8)] == [
            part * longest for longest in PAUSES[base]
        ]
        assert policy(error, 999_999) == part * 5


@pytest.mark.promise("R2")
@pytest.mark.parametrize(
    ("error", "attempt", "longest"), [(USUAL[0], 1, 0.2), (OVERLOAD[0], 2, 2.0), (USUAL[1], 9, 5.0)]
)
def test_pauses_are_spread_evenly_from_nothing_to_the_longest(
    error: UsdmError, attempt: int, longest: float
) -> None:
    policy = RetryPolicy(10, random=random.Random(618).random)
    pauses = sorted(policy(error, attempt) or 0.0 for _ in range(10_000))
    # Kolmogorov and Smirnov: an even spread is farther off than this once in 10,000 seeds
    assert (
        max(abs(pause / longest - n / 10_000) for n, pause in enumerate(pauses))
        < 2.23 / 10_000**0.5
    )


@pytest.mark.promise("R2")
def test_both_clients_try_three_times_unless_told_otherwise(make_client: ClientOf) -> None:
    for kind in (Client, AsyncClient):
        default = inspect.signature(kind).parameters["retry"].default
        assert default == RetryPolicy()
        assert (default.attempts, default.random) == (3, random.random)
    exchange = RecordingHandler(httpx.ConnectError("down"))
    with pytest.raises(TransportError):
        make_client(exchange, retry=at_once()).balance()
    assert len(exchange.requests) == 3


@pytest.mark.promise("R2")
@pytest.mark.parametrize("attempts", [1, 2, 5])
def test_so_many_attempts_and_no_more(make_client: ClientOf, attempts: int) -> None:
    exchange = RecordingHandler(error_response(500))
    with pytest.raises(ServerError):
        make_client(exchange, retry=at_once(attempts)).balance()
    assert len(exchange.requests) == attempts


@pytest.mark.parametrize("attempts", [0, -1, 1.5, True, "3", None])
def test_a_policy_without_an_attempt_is_refused(attempts: Any) -> None:
    with pytest.raises(ConfigurationError, match="attempts must be an integer"):
        RetryPolicy(attempts)


@pytest.mark.promise("R2", "R18")
def test_the_pauses_are_made_and_told(make_client: ClientOf) -> None:
    events = Incidents()
    exchange = RecordingHandler(httpx.ReadError("reset"), error_response(500), BODY)
    client = make_client(exchange, retry=RetryPolicy(random=lambda: 0.1), on_event=events.append)
    response = client.balance_detailed()
    assert event_summaries(events) == [
        ("retry", 1, pytest.approx(0.02)),
        ("retry", 2, pytest.approx(0.04)),
    ]
    assert [type(event.error) for event in events] == [TransportError, ServerError]
    assert (response.attempts, len(exchange.requests)) == (3, 3)
    assert 0.06 <= response.elapsed < 1


@pytest.mark.promise("R2")
@pytest.mark.parametrize(
    ("asked", "pause"), [("0.05", 0.05), ("0.01", 0.02), ("0", 0.02), ("soon", 0.02)]
)
def test_what_the_exchange_asks_makes_a_pause_longer_and_never_shorter(
    make_client: ClientOf, asked: str, pause: float
) -> None:
    events = Incidents()
    exchange = RecordingHandler(error_response(500, Retry_After=asked), BODY)
    client = make_client(exchange, retry=RetryPolicy(random=lambda: 0.1), on_event=events.append)
    assert client.balance_detailed().elapsed >= pause
    assert event_summaries(events) == [("retry", 1, pytest.approx(pause))]


@pytest.mark.promise("R2")
@pytest.mark.parametrize(
    "failure",
    [error_response(503), error_response(500, Retry_After="60")],
    ids=["pause", "Retry-After"],
)
def test_a_pause_beyond_the_deadline_is_not_begun(
    make_client: ClientOf, failure: httpx.Response
) -> None:
    counts: list[int] = []

    def call() -> None:
        events = Incidents()
        exchange = RecordingHandler(failure)
        client = make_client(
            exchange, retry=RetryPolicy(random=lambda: 1.0), timeout=0.9, on_event=events.append
        )
        with pytest.raises(ServerError):
            client.balance()
        assert events == []
        counts.append(len(exchange.requests))

    assert best_duration(call, 0.1) < 0.1
    assert set(counts) == {1}


# R3: the quota


@pytest.mark.promise("R3")
def test_a_dead_server_gets_35_requests_more_and_then_none(make_client: ClientOf) -> None:
    arrived = 0

    def dead(_: httpx.Request) -> httpx.Response:
        nonlocal arrived
        arrived += 1
        raise httpx.ConnectError("down")

    def calls(number: int) -> None:
        for _ in range(number):
            with pytest.raises(TransportError):
                client.server_time()

    client = make_client(dead, retry=at_once(), limiter=None)
    calls(100)
    assert arrived == 100 + 500 // 14
    calls(1_400)
    assert arrived == 1_500 + 500 // 14


@pytest.mark.promise("R3")
def test_a_dead_server_gets_36_retries_at_most() -> None:
    """Thousands of tasks against a dead server send at most 36 more requests."""
    arrived = 0

    async def dead(_: httpx.Request) -> httpx.Response:
        nonlocal arrived
        arrived += 1
        await asyncio.sleep(0)
        raise httpx.ConnectError("down")

    async def calls() -> list[Any]:
        async with AsyncClient(
            transport=httpx.MockTransport(dead), retry=at_once(), limiter=None
        ) as client:
            return await asyncio.gather(
                *(client.server_time() for _ in range(3_000)), return_exceptions=True
            )

    assert {type(failed) for failed in asyncio.run(calls())} == {TransportError}
    assert 3_030 <= arrived <= 3_036


@pytest.mark.promise("R3")
def test_threads_against_a_dead_server_share_one_quota() -> None:
    arrived = itertools.count()

    def dead(_: httpx.Request) -> httpx.Response:
        next(arrived)
        raise httpx.ConnectError("down")

    def calls(_: int) -> None:
        for _ in range(50):
            with pytest.raises(TransportError):
                client.server_time()

    with (
        Client(transport=httpx.MockTransport(dead), retry=at_once(), limiter=None) as client,
        ThreadPoolExecutor(8) as pool,
    ):
        list(pool.map(calls, range(8)))
    assert next(arrived) == 400 + 500 // 14


@pytest.mark.promise("R3")
def test_an_overloaded_exchange_gets_100_requests_more(make_client: ClientOf) -> None:
    exchange = RecordingHandler(error_response(503))
    client = make_client(exchange, retry=at_once(), limiter=None)
    for _ in range(300):
        with pytest.raises(ServerError):
            client.server_time()
    assert len(exchange.requests) == 300 + 500 // 5


class Switched:
    """An exchange that is up or down; counts what arrives."""

    def __init__(self, *, flaky: bool = False) -> None:
        self.up, self.arrived, self._flaky = True, 0, flaky

    def __call__(self, _: httpx.Request) -> httpx.Response:
        self.arrived += 1
        if not self.up or (self._flaky and self.arrived % 2):
            raise httpx.ReadError("reset")
        return httpx.Response(200, content=b'{"serverTime": 1}')

    def outage(self, client: BlockingFacade, calls: int) -> int:
        """How many requests more than calls arrive while it is down."""
        self.up, before = False, self.arrived
        for _ in range(calls):
            with pytest.raises(TransportError):
                client.server_time()
        self.up = True
        return self.arrived - before - calls


@pytest.mark.promise("R3")
def test_a_call_that_succeeds_after_retries_gets_their_cost_back(make_client: ClientOf) -> None:
    exchange = Switched(flaky=True)
    client = make_client(exchange, retry=at_once(), limiter=None)
    for _ in range(200):
        assert client.server_time_detailed().attempts == 2
    assert exchange.outage(client, 50) == 35


@pytest.mark.promise("R3")
def test_good_calls_earn_retries_slowly_and_never_more_than_at_first(make_client: ClientOf) -> None:
    exchange = Switched()
    client = make_client(exchange, retry=at_once(), limiter=None)
    for _ in range(50):
        client.server_time()
    assert exchange.outage(client, 50) == 35  # 10 of 500 are left
    for _ in range(3):
        client.server_time()
    assert exchange.outage(client, 5) == 0
    client.server_time()
    assert exchange.outage(client, 5) == 1
    for _ in range(13):
        client.server_time()
    assert exchange.outage(client, 5) == 0


@pytest.mark.promise("R3")
def test_the_quota_stays_within_its_bounds_under_eight_threads() -> None:
    quota, seen = RetryQuota(), list[int]()

    def spend(seed: int) -> None:
        chance = random.Random(seed)
        paid: list[int] = []
        for _ in range(2_000):
            if chance.random() < 0.5:
                paid.append(quota.acquire(chance.choice([*USUAL, *OVERLOAD])))
            else:
                quota.release(paid.pop() if paid and chance.random() < 0.9 else 0)
            seen.append(quota.available)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(spend, range(8)))
    assert min(seen) >= 0
    assert max(seen) <= 500
    assert min(seen) < 14


# R4: which failures are retried

# From General Info and Error Code of the futures API, 2026-05.
BACKOFF = {-1000, -1001, -1006, -1007, -1008}
WAIT = {-1003}
NEVER = {-1002, -1011, -1015, -1016, -1021, -1022, -1099, -2008, -2014, -2015, -2017, -4056, -4057}
NO_WITH_4XX = {
    -1004, -1005, -1010, -1013, -1020, -1023, -1100, -1101, -1102, -1103, -1104, -1105, -1106,
    -1108, -1109, -1130, -1131, -4084, -4109,
    -4192, -4402, -4403, 0,
}  # fmt: skip
KNOWN = BACKOFF | WAIT | NEVER | NO_WITH_4XX
STATUSES = [200, 400, 401, 403, 404, 408, 418, 429, 451, 500, 503, 520]


def worth_a_retry(status: int, code: int | None) -> bool:
    """A ban never is; then the code decides, and the status where it does not."""
    if status == 418 or code in NEVER:
        return False
    return code in BACKOFF | WAIT or status in {408, 429} or status >= 500


def expect(
    make_client: ClientOf, answer: httpx.Response | Exception | bytes, again: bool
) -> UsdmError:
    exchange = RecordingHandler(answer)
    with pytest.raises(UsdmError) as caught:
        make_client(exchange, retry=at_once(2), clock=lambda: NOW).balance()
    context = (answer, getattr(answer, "content", None))
    assert (len(exchange.requests), caught.value.retryable) == (1 + again, again), context
    return caught.value


@pytest.mark.promise("R4")
@pytest.mark.parametrize("status", STATUSES)
def test_the_code_says_whether_a_refusal_is_tried_again(make_client: ClientOf, status: int) -> None:
    for code in sorted(KNOWN if status != 200 else KNOWN - WAIT):
        expect(
            make_client, error_response(status, code, Retry_After="0"), worth_a_retry(status, code)
        )
    if status != 200:
        expect(
            make_client, error_response(status, None, Retry_After="0"), worth_a_retry(status, None)
        )
        for page in (b"", b"<html>"):
            answer = httpx.Response(status, headers={"Retry-After": "0"}, content=page)
            expect(make_client, answer, worth_a_retry(status, None))


@pytest.mark.promise("R4", "R11")
def test_a_limit_with_status_200_is_waited_for(
    make_client: ClientOf,
) -> None:
    """A rate limit that is reported with status 200 is waited for as its header says."""
    events = Incidents()
    client = make_client(
        RecordingHandler(error_response(200, -1003, Retry_After="77")),
        timeout=0.5,
        on_event=events.append,
    )
    with pytest.raises(RateLimitError):
        client.balance()
    assert event_summaries(events) == [("cooldown", 1, 77.0)]


@pytest.mark.promise("R4")
def test_of_an_unknown_code_the_status_says_it(make_client: ClientOf) -> None:
    chance = random.Random(271828)
    unknown = set[int]()
    while len(unknown) < 200:
        unknown |= {
            chance.choice([-1, -1, -1, 1])
            * chance.choice([chance.randint(1, 9999), chance.getrandbits(70)])
        }
        unknown -= KNOWN
    for number, code in enumerate(sorted(unknown)):
        status = STATUSES[number % len(STATUSES)]
        expect(
            make_client, error_response(status, code, Retry_After="0"), worth_a_retry(status, None)
        )


FAILURES: dict[str, tuple[httpx.Response | Exception | bytes, bool, type[UsdmError]]] = {
    "no connection": (httpx.ConnectError("refused"), True, TransportError),
    "no name": (OSError("no such host"), True, TransportError),
    "reset while sending": (httpx.WriteError("reset"), True, TransportError),
    "reset while reading": (httpx.ReadError("reset"), True, TransportError),
    "protocol": (httpx.RemoteProtocolError("not HTTP"), True, TransportError),
    "a transport's own time is up": (httpx.ReadTimeout("late"), True, TransportError),
    "200 cut short": (BODY[:-9], True, UnexpectedResponse),
    "200 empty": (b"", True, UnexpectedResponse),
    "200 page": (b"<html>soon</html>", True, UnexpectedResponse),
    "200 other shape": (b'{"rows": []}', False, UnexpectedResponse),
    "200 other field": (BODY.replace(b'"12.50000000"', b"12.5"), False, UnexpectedResponse),
    "200 too large": (BODY.ljust((1 << 20) + 1), False, UnexpectedResponse),
    "redirect": (
        httpx.Response(302, headers={"Location": "https://elsewhere.invalid/"}),
        False,
        UnexpectedResponse,
    ),
    "204": (httpx.Response(204), False, UnexpectedResponse),
    "201": (httpx.Response(201, content=BODY), False, UnexpectedResponse),
    "600": (httpx.Response(600, content=BODY), False, UnexpectedResponse),
}


@pytest.mark.promise("R4")
@pytest.mark.parametrize("name", FAILURES)
def test_of_all_other_failures_those_that_may_pass_are_tried_again(
    make_client: ClientOf, name: str
) -> None:
    answer, again_, kind = FAILURES[name]
    assert type(expect(make_client, answer, again_)) is kind


@pytest.mark.promise("R4", "S10")
@pytest.mark.parametrize(
    ("fault", "attempts"),
    [
        ("timeout", 3), ("unknown", 3), ("unavailable", 3), ("throttled", 3), ("internal", 3),
        ("html-503", 3), ("gateway", 3),
        ("error-500", 3), ("truncated", 3), ("empty-200", 3), ("html-200", 3), ("error-in-200", 3),
        ("waf", 1), ("not-found", 1), ("banned", 1), ("rate-limited", 1), ("restricted", 1),
        ("wrong-environment", 1), ("redirect", 1),
    ],
)  # fmt: skip
def test_every_fault_of_the_mock_is_tried_as_often_as_it_is_worth(
    make_client: ClientOf, usdm_exchange: Exchange, fault: str, attempts: int
) -> None:
    usdm_exchange.fail(fault, times=None)
    # a second: shorter than any Retry-After of the mock
    client = make_client(usdm_exchange, **keys(usdm_exchange), retry=at_once(), timeout=0.5)
    with pytest.raises(UsdmError):
        client.balance()
    assert len(usdm_exchange.requests) == attempts


# R5: every attempt anew


def keys(exchange: Exchange) -> dict[str, str]:
    return {"api_key": exchange.api_key, "api_secret": exchange.api_secret}


def timestamp_of(query: str, secret: str = SECRET) -> int:
    """The timestamp of a query whose signature is right."""
    payload, _, signature = query.rpartition("&signature=")
    assert signature == hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
    return int(parse_qs(payload)["timestamp"][0])


@pytest.mark.promise("R5", "R19")
def test_every_attempt_is_stamped_anew_and_its_signature_is_right(
    make_client: ClientOf, usdm_exchange: Exchange
) -> None:
    for fault in ("error-500", "truncated", "throttled"):
        usdm_exchange.fail(fault)
    client = make_client(usdm_exchange, **keys(usdm_exchange), retry=lambda error, attempt: 0.003)
    assert client.balance_detailed(recv_window=7).attempts == len(usdm_exchange.requests) == 4
    queries = [logged.raw_query.decode() for logged in usdm_exchange.requests]
    stamps = [timestamp_of(query, usdm_exchange.api_secret) for query in queries]
    assert stamps == sorted(set(stamps))
    assert len({query.rpartition("=")[2] for query in queries}) == 4
    assert all(parse_qs(query)["recvWindow"] == ["7"] for query in queries)


# R15: a kept connection that died

GOOD = repeat(READ, response_bytes(BODY))
DEAD: dict[str, list[Any]] = {
    "closed when asked": [READ, response_bytes(BODY), READ],
    "reset when asked": [READ, response_bytes(BODY), READ, RESET],
}


def query_of(head: bytes) -> str:
    return head.split(b" ")[1].partition(b"?")[2].decode()


def counting() -> Iterator[int]:
    return itertools.count(NOW)


@pytest.mark.promise("R15", "R5", "R18", "R19")
@pytest.mark.parametrize("how", DEAD)
def test_a_dead_kept_connection_costs_one_attempt_even_with_retries_off(
    make_client: ClientOf, how: str
) -> None:
    events = Incidents()
    clock = counting()
    with RawServer(DEAD[how], GOOD) as server:
        client = make_client(base_url=server.url, clock=lambda: next(clock), on_event=events.append)
        client.balance()
        response = client.balance_detailed()
        assert client.balance_detailed().attempts == 1
    assert (response.attempts, server.connections) == (2, 2)
    assert event_summaries(events) == [("reconnect", 1, 0.0)]
    assert isinstance(events[0].error, TransportError)
    assert [timestamp_of(query_of(head)) for head in server.requests] == [
        NOW,
        NOW + 1,
        NOW + 2,
        NOW + 3,
    ]


@pytest.mark.promise("R15", "R19")
def test_a_new_connection_that_dies_too_is_an_error_and_no_loop(make_client: ClientOf) -> None:
    events = Incidents()
    with RawServer(DEAD["closed when asked"], [READ]) as server:
        client = make_client(base_url=server.url, on_event=events.append)
        client.balance()
        with pytest.raises(TransportError):
            client.balance()
        assert len(server.requests) == 3
    assert [event.kind for event in events] == ["reconnect"]


@pytest.mark.promise("R15", "R19")
def test_however_many_kept_connections_died_a_call_tries_one_of_them() -> None:
    gate: list[Any] = [READ, 0.05, response_bytes(b'{"serverTime": 1}'), READ]
    with (
        RawServer(
            gate, gate, gate, gate, repeat(READ, response_bytes(b'{"serverTime": 2}'))
        ) as server,
        Client(base_url=server.url, retry=RetryPolicy.off()) as client,
        ThreadPoolExecutor(4) as pool,
    ):
        assert {row.server_time for row in pool.map(lambda _: client.server_time(), range(4))} == {
            1
        }
        assert server.connections == 4
        response = client.server_time_detailed()
        assert (response.parsed.server_time, response.attempts, len(server.requests)) == (2, 2, 6)


@pytest.mark.promise("R15", "R19")
def test_a_stale_connection_is_replaced_once(
    make_client: ClientOf,
) -> None:
    """The second attempt needs a new connection, and there is no third one."""
    exchange = RecordingHandler(StaleConnection("closed"))
    with pytest.raises(TransportError):
        make_client(exchange).balance()
    assert [request.extensions.get("fresh", False) for request in exchange.requests] == [
        False,
        True,
    ]


@pytest.mark.promise("R15")
def test_a_first_connection_that_dies_is_not_taken_for_a_kept_one(make_client: ClientOf) -> None:
    with RawServer([READ], GOOD) as server, pytest.raises(TransportError):
        make_client(base_url=server.url).balance()
    assert server.connections == 1


@pytest.mark.promise("R15", "R9")
def test_a_dead_kept_connection_does_not_keep_the_time_from_being_read(
    make_client: ClientOf,
) -> None:
    """The sync after -1021 uses the connection of that response, which may be stale by then."""
    server_time = repeat(
        READ,
        lambda head: response_bytes(
            b'{"serverTime": %d}' % (time.time() * 1000) if b"/time" in head else BODY
        ),
    )
    late = response_bytes(b'{"code": -1021, "msg": "late"}', status="400 Bad Request")
    with RawServer([READ, late, READ], server_time) as server:
        assert make_client(base_url=server.url).balance_detailed().attempts == 2
    assert server.connections == 2


# R19: no hidden multiplication


@pytest.mark.promise("R19")
@pytest.mark.parametrize(
    ("attempts", "replies"),
    [
        (
            3,
            [
                response_bytes(b"", b"Connection: close", status="503 Unavailable"),
                b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[",
                response_bytes(BODY),
            ],
        ),
        (2, [b"nonsense\r\n\r\n", response_bytes(BODY)]),
        (1, [response_bytes(BODY)]),
    ],
)
def test_attempts_that_are_told_are_requests_on_the_socket(
    make_client: ClientOf, attempts: int, replies: list[bytes]
) -> None:
    scripts: list[list[Any]] = [[READ, answer] for answer in replies]
    with RawServer(*scripts) as server:
        response = make_client(base_url=server.url, retry=at_once()).balance_detailed()
    assert response.attempts == len(server.requests) == attempts


@pytest.mark.promise("R19", "R3")
def test_a_refused_connection_is_one_connection_for_each_attempt(make_client: ClientOf) -> None:
    with RawServer([RESET]) as server:
        for policy, connections in ((RetryPolicy.off(), 1), (at_once(), 4)):
            with pytest.raises(TransportError):
                make_client(base_url=server.url, retry=policy).server_time()
            assert server.wait(lambda: server.connections == connections)  # noqa: B023 - asked at once
            time.sleep(0.01)
            assert server.connections == connections


def test_a_custom_policy_sees_every_error(
    make_client: ClientOf,
) -> None:
    """A custom policy is asked about the exchange's errors that are not retryable, too."""
    exchange = RecordingHandler(error_response(400, -1102), BODY)
    asked: list[int | None] = []

    def retry(error: UsdmError, attempt: int) -> float:
        asked.append(error.code if isinstance(error, APIError) else None)
        return 0.0

    assert make_client(exchange, retry=retry).balance_detailed().attempts == 2
    assert asked == [-1102]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "policy",
    [RetryPolicy(), RetryPolicy(7), RetryPolicy(7, random=random.Random(618).random),
     RetryPolicy(7, random=lambda: 0.5), RetryPolicy.off()],
    ids=["default", "attempts", "seeded", "lambda", "off"],
)  # fmt: skip
def test_workers_do_not_jitter_alike(policy: RetryPolicy, protocol: int) -> None:
    """A pickled policy has the attempts, and draws from its own process's generator."""
    dumped = pickle.dumps(policy, protocol)
    assert len(dumped) < 250
    first, second = pickle.loads(dumped), pickle.loads(dumped)
    assert first == second
    assert first.attempts == policy.attempts
    if policy.attempts > 1:
        error = TransportError("down")
        assert [first(error, 1) for _ in range(9)] != [second(error, 1) for _ in range(9)]
    assert pickle.loads(pickle.dumps(RetryPolicy())) == RetryPolicy()


@pytest.mark.parametrize("take", [copy.copy, copy.deepcopy])
def test_copied_policy_keeps_its_random(take: Callable[[RetryPolicy], RetryPolicy]) -> None:
    """A copy within a process has the same function `random`, as attrs' evolve."""
    policy = RetryPolicy(2, random=lambda: 0.5)
    assert take(policy)(TransportError("down"), 1) == 0.1
    assert attrs.evolve(policy, attempts=1).random is policy.random


def test_pickled_subclass_of_policy_is_one() -> None:
    """A policy of a subclass is of this class again, with its further fields."""
    policy = pickle.loads(pickle.dumps(PatientPolicy(9, patience=2.5)))
    assert (type(policy), policy.attempts, policy.patience) == (PatientPolicy, 9, 2.5)


@attrs.frozen
class PatientPolicy(RetryPolicy):
    """A policy of a user."""

    patience: float = 1.0
