"""Calls that a 429 or 418 stops, in this client and others. Counted where requests arrive."""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
import time_machine

from binance_usdm import (
    AsyncClient,
    Client,
    Event,
    IPBannedError,
    RateLimitError,
    RetryPolicy,
    TransportError,
    UsdmError,
    WeightLimiter,
)
from binance_usdm._policy.wait_queue import Ticket, WaitQueue
from tests.support.clients import (
    BODY,
    KEY,
    NOW,
    SECRET,
    BlockingFacade,
    RecordingHandler,
    error_response,
)
from tests.support.incidents import Incidents
from tests.support.raw_server import READ, RawServer, repeat, response_bytes
from tests.support.timing import best_duration

ClientOf = Callable[..., BlockingFacade]
AT_15 = NOW - NOW % 60_000 + 15_000
"""A quarter into a UTC minute, ms."""
DAYS_3 = 3 * 86400.0


@pytest.fixture
def quarter_past() -> Iterator[None]:
    """The wall clock stands at a quarter of a UTC minute; the monotonic one goes on."""
    with time_machine.travel(AT_15 / 1000, tick=False):
        yield


ONE_AFTER_ANOTHER = 0.0125  # s: six seconds for the whole limit of 2400, a balance weighs 5


def at_once() -> RetryPolicy:
    return RetryPolicy(random=lambda: 0.0)


def rate_limited(*retry_after: str) -> httpx.Response:
    headers = [("Date", date(AT_15)), *(("Retry-After", text) for text in retry_after)]
    return httpx.Response(429, headers=headers, json={"code": -1003, "msg": "Too many requests"})


def ban_response(
    text: str = "Way too many requests", retry_after: str | None = None, status: int = 418
) -> httpx.Response:
    return error_response(
        status, -1003, text, **({} if retry_after is None else {"Retry_After": retry_after})
    )


def until(seconds_: float) -> str:
    end_ms = AT_15 + round(seconds_ * 1000)
    return f"Way too many requests; IP banned until {end_ms}. Please use the websocket."


def at(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def date(ms: int) -> str:
    return format_datetime(at(ms), usegmt=True)


def gathered(events: list[Event]) -> list[tuple[str, int, Any]]:
    return [(event.kind, event.attempt, event.seconds) for event in events]


def assert_wait_is_stated(error: RateLimitError, wait: float) -> None:
    """The text has the seconds to wait and those that a timeout of 1 s had left."""
    match = re.search(r"; wait ([0-9.]+) s, and timeout= had ([0-9.]+) s left", str(error))
    assert match is not None, str(error)
    assert float(match[1]) == pytest.approx(wait, abs=1)
    assert 0 < float(match[2]) <= 1
    assert error.time_left == pytest.approx(float(match[2]), abs=0.1)


# R11: 429

HEADERS: dict[str, tuple[tuple[str, ...], float]] = {
    "whole": (("7",), 7),
    "fraction": (("2.5",), 2.5),
    "date": ((date(AT_15 + 30_000),), 30),
    "large": (("1000000000",), DAYS_3),
    "missing": ((), 45),
    "below zero": (("-1",), 45),
    "infinite": (("inf",), 45),
    "exponent": (("1e9",), 45),
    "twice": (("1", "2"), 45),
    "words": (("soon",), 45),
}


@pytest.mark.promise("R11", "R18")
@pytest.mark.parametrize("form", HEADERS)
@pytest.mark.usefixtures("quarter_past")
def test_a_wait_beyond_the_deadline_is_told_at_once(make_client: ClientOf, form: str) -> None:
    said, wait = HEADERS[form]
    exchange, events = RecordingHandler(rate_limited(*said)), Incidents()
    client = make_client(exchange, retry=at_once(), timeout=1, on_event=events.append)

    def call() -> RateLimitError:
        with pytest.raises(RateLimitError) as caught:
            client.balance()
        return caught.value

    error = call()
    assert type(error) is RateLimitError
    assert (error.status, error.retry_after) == (429, wait)
    assert gathered(events) == [("cooldown", 1, wait)]
    assert events[0].error is not None
    assert events[0].error.args == error.args
    assert_wait_is_stated(error, wait)
    assert best_duration(call, 0.1) < 0.1
    later = call()
    assert later.status == 0
    assert later.retry_after == pytest.approx(wait, abs=1)
    assert_wait_is_stated(later, wait)
    assert len(exchange.requests) == 1


@pytest.mark.promise("R11", "R18")
@pytest.mark.parametrize(
    ("said", "wait"),
    [(("0.05",), 0.05), (("0",), 0.0), ((date(AT_15),), 0.0), ((date(AT_15 - 60_000),), 0.0)],
    ids=["fraction", "nothing", "date of now", "date gone by"],
)
def test_a_wait_within_the_deadline_is_waited(
    make_client: ClientOf, said: tuple[str, ...], wait: float
) -> None:
    exchange, events = RecordingHandler(rate_limited(*said), BODY), Incidents()
    response = make_client(exchange, retry=at_once(), on_event=events.append).balance_detailed()
    assert (response.attempts, len(exchange.requests)) == (2, 2)
    assert wait <= response.elapsed < 1
    assert gathered(events) == [("cooldown", 1, wait), ("retry", 1, wait)]


@pytest.mark.promise("R11")
def test_without_a_header_the_next_utc_minute_is_waited_for(make_client: ClientOf) -> None:
    # The response has no date.
    exchange, events = (RecordingHandler(error_response(429, -1003), BODY), Incidents())
    client = make_client(exchange, retry=at_once(), on_event=events.append, limiter=None)
    with time_machine.travel(AT_15 / 1000 + 44.9, tick=True):
        assert client.balance_detailed().attempts == 2
        assert time.time() >= AT_15 / 1000 + 45
    assert [event.kind for event in events] == ["cooldown", "retry"]
    assert 0 < events[0].seconds <= 0.1


class Door:
    """A handler whose first response is a 429 or 418, and which notes when each request arrives.

    Threads may share it.
    """

    def __init__(self, first: httpx.Response, after: bytes = BODY) -> None:
        self._first, self._after, self.arrived = first, after, list[float]()

    def __call__(self, _: httpx.Request) -> httpx.Response:
        self.arrived.append(time.monotonic())
        if len(self.arrived) > 1:
            return httpx.Response(200, content=self._after)
        return self._first


@pytest.mark.promise("R11", "R14")
@pytest.mark.parametrize("limiter", ["shared", None])
def test_all_threads_wait_after_a_429(limiter: Any) -> None:
    door = Door(rate_limited("0.1"))
    with (
        Client(
            KEY,
            SECRET,
            transport=httpx.MockTransport(door),
            retry=RetryPolicy.off(),
            limiter=limiter,
        ) as client,
        ThreadPoolExecutor(8) as pool,
    ):
        with pytest.raises(RateLimitError):
            client.balance()
        assert all(pool.map(lambda _: client.balance(), range(8)))
    assert len(door.arrived) == 9
    assert all(0.1 <= at - door.arrived[0] < 1 for at in door.arrived[1:])


@pytest.mark.promise("R11", "R14", "R18")
def test_all_tasks_wait_after_a_429_those_of_another_client_too() -> None:
    door, events = Door(rate_limited("0.1")), Incidents()

    async def calls() -> None:
        transport = httpx.MockTransport(door)
        async with (
            AsyncClient(KEY, SECRET, transport=transport, retry=RetryPolicy.off()) as client,
            AsyncClient(KEY, SECRET, transport=transport, on_event=events.append) as other,
        ):
            with pytest.raises(RateLimitError):
                await client.balance()
            await asyncio.gather(*(caller.balance() for caller in [client, other] * 10))

    asyncio.run(calls())
    assert len(door.arrived) == 21
    assert all(0.1 <= at - door.arrived[0] < 1 for at in door.arrived[1:])
    assert {event.kind for event in events} == {"budget_wait"}
    assert all(0 < event.seconds <= 0.1 + 20 * ONE_AFTER_ANOTHER for event in events)
    assert len(events) == 10


@pytest.mark.promise("R11")
def test_calls_after_a_wait_go_on_in_order() -> None:
    """Calls that wait for the same instant go on one after another, in order of arrival."""
    door = Door(rate_limited("0.1"))

    async def calls() -> None:
        clients = [AsyncClient(f"key{number}", SECRET, transport=transport) for number in range(12)]
        with pytest.raises(RateLimitError):
            await AsyncClient(KEY, SECRET, transport=transport, retry=RetryPolicy.off()).balance()
        await asyncio.gather(*(client.balance() for client in clients))

    def handle(request: httpx.Request) -> httpx.Response:
        order.append(request.headers["x-mbx-apikey"])
        return door(request)

    transport = httpx.MockTransport(handle)
    order: list[str] = []
    asyncio.run(calls())
    assert order == [KEY, *(f"key{number}" for number in range(12))]
    apart = [later - earlier for earlier, later in itertools.pairwise(door.arrived)]
    assert apart[0] >= 0.1
    assert sum(apart[1:]) >= 10.5 * ONE_AFTER_ANOTHER


@pytest.mark.promise("R11")
def test_with_retries_off_a_429_is_told_at_once_and_holds_the_next_call(
    make_client: ClientOf,
) -> None:
    door = Door(rate_limited("0.05"))
    client = make_client(door)
    with pytest.raises(RateLimitError) as caught:
        client.balance()
    assert caught.value.retry_after == 0.05
    response = client.balance_detailed()
    assert (response.attempts, len(door.arrived)) == (1, 2)
    assert door.arrived[1] - door.arrived[0] >= 0.05


@pytest.mark.promise("R11")
def test_a_429_of_the_time_holds_signed_calls_too(make_client: ClientOf) -> None:
    exchange = RecordingHandler(rate_limited("30"), BODY)
    client = make_client(exchange, timeout=1)
    with pytest.raises(RateLimitError):
        client.server_time()
    with pytest.raises(RateLimitError, match=r"^not sent"):
        client.balance()
    assert len(exchange.requests) == 1


# R12: 418

BANS: dict[str, tuple[httpx.Response, float]] = {
    "header": (ban_response(retry_after="300"), 300),
    "text": (ban_response(until(200)), 200),
    "header later": (ban_response(until(200), "300"), 300),
    "text later": (ban_response(until(400), "300"), 400),
    "neither": (ban_response(), 120),
    "header wrong": (ban_response(retry_after="-1"), 120),
    "header zero": (ban_response(retry_after="0"), 120),
    "header far": (ban_response(retry_after="1000000000"), DAYS_3),
    "text far": (ban_response("IP banned until 9999999999999."), DAYS_3),
    "page": (httpx.Response(418, content=b"<html>teapot</html>"), 120),
    "text of a 429": (ban_response(until(200), status=429), 200),
}


@pytest.mark.promise("R12", "R18")
@pytest.mark.parametrize("form", BANS)
@pytest.mark.usefixtures("quarter_past")
def test_during_a_ban_nothing_is_sent_and_every_call_fails_at_once(
    make_client: ClientOf, form: str
) -> None:
    answer, lasts = BANS[form]
    exchange, events = RecordingHandler(answer, BODY), Incidents()
    client = make_client(exchange, retry=at_once(), on_event=events.append)
    with pytest.raises(IPBannedError) as first:
        client.balance()
    assert first.value.retry_after == pytest.approx(lasts)
    assert gathered(events) == [("cooldown", 1, pytest.approx(lasts))]
    assert (type(events[0].error), str(events[0].error)) == (IPBannedError, str(first.value))
    ends = at(AT_15 + round(lasts * 1000))
    assert first.value.banned_until in (None, ends) or form in {"header later", "text far"}
    left = lasts
    for call in (client.balance, client.server_time, client.balance):
        with pytest.raises(IPBannedError, match="nothing was sent") as caught:
            call()
        assert caught.value.banned_until is not None
        assert abs((caught.value.banned_until - ends).total_seconds()) < 0.01
        assert caught.value.retry_after is not None
        assert lasts - 5 < caught.value.retry_after < left
        # No timeout outlasts a ban, so it is not mentioned.
        assert re.search(r"; wait [0-9.]+ s; see", str(caught.value))
        left = caught.value.retry_after
    assert len(exchange.requests) == 1
    assert len(events) == 1


@pytest.mark.promise("R12")
def test_a_call_during_a_ban_takes_less_than_five_milliseconds(make_client: ClientOf) -> None:
    exchange = RecordingHandler(ban_response(retry_after="300"))
    client = make_client(exchange, retry=RetryPolicy())
    with pytest.raises(IPBannedError):
        client.balance()

    def call() -> None:
        with pytest.raises(IPBannedError):
            client.balance()

    assert best_duration(call, 0.005) < 0.005


@pytest.mark.promise("R12")
@pytest.mark.parametrize(
    "options", [{}, {"clock": "exchange"}, {"limiter": None}, {"retry": lambda error, n: 0.0}]
)
def test_a_ban_holds_whatever_the_client_is_made_of(
    make_client: ClientOf, options: dict[str, Any]
) -> None:
    exchange = RecordingHandler(ban_response(), BODY)
    client = make_client(exchange, timeout=1, **options)
    for _ in range(3):
        with pytest.raises(IPBannedError):
            client.balance()
    assert len(exchange.requests) == 1


@pytest.mark.promise("R12", "R14")
def test_a_ban_stops_every_client_of_the_process_with_that_exchange() -> None:
    ban = response_bytes(b'{"code":-1003,"msg":"no"}', b"Retry-After: 300", status="418 Teapot")

    async def call(url: str) -> None:
        async with AsyncClient("other-key", SECRET, base_url=url) as client:
            results = await asyncio.gather(
                *(client.balance() for _ in range(20)), return_exceptions=True
            )
        assert {type(result) for result in results} == {IPBannedError}

    with (
        RawServer(repeat(READ, ban)) as server,
        RawServer(repeat(READ, response_bytes(BODY))) as elsewhere,
    ):
        with Client(KEY, SECRET, base_url=server.url) as client, pytest.raises(IPBannedError):
            client.balance()
        # The first client is gone, the ban is not.
        with Client(base_url=server.url) as client, ThreadPoolExecutor(8) as pool:

            def ask(_: int) -> None:
                for _ in range(5):
                    with pytest.raises(IPBannedError):
                        client.server_time()

            list(pool.map(ask, range(8)))
        asyncio.run(call(server.url))
        with Client(KEY, SECRET, base_url=elsewhere.url) as client:
            assert client.balance()
        assert (server.connections, len(server.requests)) == (1, 1)


@pytest.mark.promise("R12")
def test_a_second_client_on_the_same_transport_is_banned_too(make_client: ClientOf) -> None:
    exchange = RecordingHandler(ban_response(), BODY)
    transport = httpx.MockTransport(exchange)
    for options in ({}, {"api_key": "another"}, {"clock": "exchange"}):
        with pytest.raises(IPBannedError):
            make_client(None, transport=transport, **options).balance()
    assert len(exchange.requests) == 1


@pytest.mark.promise("R12", "R14")
def test_a_ban_stops_calls_before_their_retry() -> None:
    """Calls that wait for a retry when the ban comes send nothing more."""
    exchange, asked = (
        RecordingHandler(*[error_response(500)] * 20, ban_response(), BODY),
        list[int](),
    )

    def retry(error: UsdmError, attempt: int) -> float:
        asked.append(attempt)
        return 0.05

    async def calls() -> list[Any]:
        async with AsyncClient(
            KEY, SECRET, transport=httpx.MockTransport(exchange), retry=retry
        ) as client:
            pausing = [asyncio.create_task(client.balance()) for _ in range(20)]
            # Each call has begun, and without a network it gets as far as its delay.
            await asyncio.sleep(0)
            assert asked == [1] * 20
            with pytest.raises(IPBannedError):
                await client.balance()
            return await asyncio.gather(*pausing, return_exceptions=True)

    assert {type(result) for result in asyncio.run(calls())} == {IPBannedError}
    assert len(exchange.requests) == 21


@pytest.mark.promise("R12")
def test_those_who_wait_for_a_429_when_the_ban_comes_send_nothing_more(
    make_client: ClientOf,
) -> None:
    exchange, limiter = RecordingHandler(), WeightLimiter()
    limiter.start_cooldown(5, banned=False)  # the ban ends the wait

    def meanwhile(event: Event) -> None:
        limiter.start_cooldown(60, banned=True)  # what another client met

    client = make_client(exchange, limiter=limiter, on_event=meanwhile)
    with pytest.raises(IPBannedError):
        client.balance()
    assert exchange.requests == []


@pytest.mark.promise("R12")
def test_after_the_end_of_a_ban_calls_go_again(make_client: ClientOf) -> None:
    ticks = [1_000.0]
    limiter = WeightLimiter(monotonic=lambda: ticks[0])
    exchange = RecordingHandler(ban_response(retry_after="300"), BODY)
    clients = [make_client(exchange, limiter=limiter) for _ in range(2)]
    # The clock of the ban is that of the limiter.
    for client in clients:
        client.client._shared = client.client._shared._replace(limiter=limiter)
    with pytest.raises(IPBannedError):
        clients[0].balance()
    ticks[0] += 299.9
    for client in clients:
        with pytest.raises(IPBannedError):
            client.balance()
    ticks[0] += 0.2
    for client in clients:
        assert client.balance()
    assert len(exchange.requests) == 3


@pytest.mark.promise("R12")
@pytest.mark.parametrize("header", [None, "0"])
def test_a_ban_whose_end_has_passed_stops_nobody(make_client: ClientOf, header: str | None) -> None:
    """Two minutes count only where neither text nor header says an end."""
    ended = time.time_ns() // 1_000_000 - 1_500
    client = make_client(RecordingHandler(ban_response(f"IP banned until {ended}.", header), BODY))
    with pytest.raises(IPBannedError):
        client.balance()
    assert client.balance()


@pytest.mark.promise("R12")
@pytest.mark.parametrize("hours", [5, -5])
def test_setting_the_wall_clock_neither_ends_nor_prolongs_a_ban(
    make_client: ClientOf, hours: int
) -> None:
    exchange = RecordingHandler(ban_response(retry_after="300"), BODY)
    client = make_client(exchange)
    with pytest.raises(IPBannedError):
        client.balance()
    with (
        time_machine.travel(time.time() + hours * 3600, tick=True),
        pytest.raises(IPBannedError) as caught,
    ):
        client.balance()
    assert caught.value.retry_after == pytest.approx(300, abs=5)
    assert len(exchange.requests) == 1


@pytest.mark.promise("R12")
def test_a_ban_is_measured_by_the_exchanges_clock_where_it_is_known(make_client: ClientOf) -> None:
    """This machine is an hour behind: by its own clock the ban would last an hour longer."""
    ends = time.time_ns() // 1_000_000 + 3_600_000 + 200_000
    exchange = RecordingHandler(
        httpx.Response(200, content=b'{"serverTime": %d}' % (ends - 200_000)),
        ban_response(f"IP banned until {ends}."),
    )
    with pytest.raises(IPBannedError) as caught:
        make_client(exchange, clock="exchange").balance()
    assert caught.value.retry_after == pytest.approx(200, abs=5)


@pytest.mark.promise("R12")
@pytest.mark.usefixtures("quarter_past")
def test_a_ban_in_words_lasts_on_a_wrong_clock(
    make_client: ClientOf,
) -> None:
    """A ban that only the message dates lasts as long on a machine that is an hour ahead.

    There is no Retry-After and no clock sample, but the response has a date, as every one has.
    """
    exchange_now = AT_15 - 3_600_000
    answer = error_response(
        418, -1003, f"IP banned until {exchange_now + 1_800_000}.", Date=date(exchange_now)
    )
    with pytest.raises(IPBannedError) as caught:
        make_client(RecordingHandler(answer)).balance()
    assert caught.value.retry_after == pytest.approx(1_800, abs=2)


@pytest.mark.promise("R14")
def test_a_client_that_is_closed_during_a_pause_sends_nothing_more(make_client: ClientOf) -> None:
    exchange, closing = RecordingHandler(error_response(500), BODY), list[object]()

    def retry(error: UsdmError, attempt: int) -> float:
        client = waiting.client
        if isinstance(client, Client):
            client.close()
        else:
            closing.append(asyncio.get_running_loop().create_task(client.aclose()))
        return 0.01

    waiting = make_client(exchange, retry=retry)
    with pytest.raises(TransportError, match="client is closed; create a new client"):
        waiting.balance()
    assert len(exchange.requests) == 1


# R10: order


class OpenLater:
    """A limiter without any budget until `open()` is called, then with enough for every call."""

    def __init__(self) -> None:
        self.is_open = False

    def acquire(self, weight: int) -> float:
        return 0.0 if self.is_open else 0.05

    def observe(self, used_weight: int) -> None:
        """Nothing is counted here."""

    def start_cooldown(self, seconds: float, *, banned: bool) -> None:
        raise AssertionError


async def becomes(is_true: Callable[[], bool]) -> None:
    """Wait until a statement is true, at most 30 seconds."""
    async with asyncio.timeout(30):
        while not is_true():  # noqa: ASYNC110 - a number, which no event announces
            await asyncio.sleep(0.01)


def windows(handler: RecordingHandler) -> list[int]:
    return [int(request.url.params["recvWindow"]) for request in handler.requests]


@pytest.mark.promise("R10", "R14")
def test_tasks_are_served_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls that wait for weight are sent in the order in which they began; cancelled ones leave."""
    monkeypatch.setattr("binance_usdm._policy.wait_queue.RELEASE_SPREAD_SECONDS", 0.0)
    handler, limiter, calls = RecordingHandler(), OpenLater(), range(1, 1_001)

    async def scenario() -> None:
        transport = httpx.MockTransport(handler)
        client = AsyncClient(KEY, SECRET, transport=transport, limiter=limiter, timeout=300)
        queue = client._limiter_queue.queue
        tasks = [asyncio.create_task(client.balance(recv_window=number)) for number in calls]
        await becomes(lambda: queue.waiting_count == 1_000)
        for task in tasks[300:400]:
            task.cancel()
        await becomes(lambda: queue.waiting_count == 900)
        assert not handler.requests
        limiter.is_open = True
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert sum(isinstance(outcome, list) for outcome in outcomes) == 900
        assert queue.waiting_count == 0

    asyncio.run(scenario())
    assert windows(handler) == [*range(1, 301), *range(401, 1_001)]


@pytest.mark.promise("R10", "R14")
def test_threads_are_served_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls of many threads leave the line in the order in which they began."""
    monkeypatch.setattr("binance_usdm._policy.wait_queue.RELEASE_SPREAD_SECONDS", 0.0)
    handler, limiter = RecordingHandler(), OpenLater()
    client = Client(
        KEY, SECRET, transport=httpx.MockTransport(handler), limiter=limiter, timeout=300
    )
    queue = client._limiter_queue.queue
    is_first = WaitQueue.is_first
    # The call that the line lets go is the first one in it. What a thread does afterwards, another
    # one may overtake on a busy machine.
    served: dict[int, None] = {}

    def record(queue: WaitQueue, ticket: Ticket) -> bool:
        if not is_first(queue, ticket):
            return False
        served.pop(ticket.number, None)
        served[ticket.number] = None
        return True

    monkeypatch.setattr(WaitQueue, "is_first", record)
    with ThreadPoolExecutor(100) as pool:
        calls = []
        for number in range(1, 101):
            calls.append(pool.submit(client.balance, recv_window=number))
            while queue.waiting_count < number:
                time.sleep(0.001)
        limiter.is_open = True
        assert all(call.result() for call in calls)
    # The numbers of tickets are those of calls, each of which began when the former was in line.
    assert len(served) == 100
    assert list(served) == sorted(served)
    assert sorted(windows(handler)) == [*range(1, 101)]
