"""Order of a call: connection, ban, weight, timestamp, bytes."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from binance_usdm import (
    AsyncClient,
    AsyncTransport,
    Client,
    Event,
    IPBannedError,
    RateLimitError,
    RetryPolicy,
    SyncTransport,
    TimestampError,
    TransportError,
    UsdmError,
    WeightLimiter,
)
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
from tests.support.raw_server import READ, RawServer, Step, repeat, response_bytes
from tests.support.spec_facts import BALANCE_WEIGHT

ClientOf = Callable[..., BlockingFacade]
AT_15 = NOW - NOW % 60_000 + 15_000
"""A quarter into a UTC minute, ms."""
PATIENCE = 5.0
"""Seconds within which anything that happens at once has happened, on a busy machine too."""
FAR_AWAY = 100.0
"""Timeout of a call that a test ends itself, seconds."""
OK = response_bytes(BODY)
REJECTION = b'{"code":-1003,"msg":"no"}'
BAN = response_bytes(REJECTION, b"Retry-After: 300", status="418 Teapot")
TOO_MANY = response_bytes(REJECTION, b"Retry-After: 60", status="429 Too Many")
YEAR_MS = 365 * 86_400_000


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def http_date(seconds_from_now: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds_from_now), usegmt=True)


class ConcurrentClient:
    """A client of either class, each of whose calls is a thread or a task."""

    def __init__(self, client: Client | AsyncClient, loop: asyncio.AbstractEventLoop) -> None:
        self.client = client
        self.transport: Any = client._transport
        self._loop = loop

    def start(self, method: str = "balance") -> Future[Any]:
        function: Callable[[], Any] = getattr(self.client, method)
        future: Future[Any] = Future()
        if isinstance(self.client, AsyncClient):
            return asyncio.run_coroutine_threadsafe(function(), self._loop)

        def run() -> None:
            try:
                future.set_result(function())
            except BaseException as error:  # noqa: BLE001 - the future raises it
                future.set_exception(error)

        threading.Thread(target=run, daemon=True).start()
        return future

    def call(self, method: str = "balance") -> Any:
        return self.start(method).result(PATIENCE)

    def close(self) -> None:
        self.call("close" if isinstance(self.client, Client) else "aclose")

    def close_transport(self) -> None:
        if isinstance(self.client, Client):
            self.transport.close()
        else:
            asyncio.run_coroutine_threadsafe(self.transport.aclose(), self._loop).result(PATIENCE)

    def wait_for_waiters(self, count: int) -> None:
        """Wait until `count` calls wait for a connection."""
        pools = self.transport._origin_pools
        wait_until(lambda: sum(len(pool.slots.waiters) for pool in list(pools.values())) == count)


def wait_until(is_true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not is_true():
        assert time.monotonic() < end
        time.sleep(0.002)


ConcurrentOf = Callable[..., ConcurrentClient]


@pytest.fixture(params=[Client, AsyncClient], ids=["sync", "async"])
def concurrent_client(request: pytest.FixtureRequest) -> Iterator[ConcurrentOf]:
    """Makes a client with fake credentials and without retries.

    With `max_connections=1` it gets a transport that has one connection.
    """
    clients: list[ConcurrentClient] = []
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)

    def concurrent_client(
        max_connections: int | None = None, share_connections: bool = False, **options: Any
    ) -> ConcurrentClient:
        if max_connections is not None:
            transport_class = SyncTransport if request.param is Client else AsyncTransport
            options["transport"] = transport_class(
                max_connections=max_connections, share_connections=share_connections
            )
        client = request.param(
            **{"api_key": KEY, "api_secret": SECRET, "retry": RetryPolicy.off(), **options}
        )
        clients.append(ConcurrentClient(client, loop))
        return clients[-1]

    async def cancel_calls() -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    thread.start()
    yield concurrent_client
    for client in clients:
        client.close()
        client.close_transport()
    asyncio.run_coroutine_threadsafe(cancel_calls(), loop).result(PATIENCE)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(PATIENCE)
    loop.close()


class GatedReply:
    """A server's first response, sent when the test opens it. Later requests get a good one."""

    def __init__(self, first: bytes) -> None:
        self._first, self._event, self._sent = first, threading.Event(), 0

    def __call__(self, _: bytes) -> bytes:
        self._sent += 1
        if self._sent > 1:
            return OK
        self._event.wait(PATIENCE)
        return self._first

    def send(self) -> None:
        self._event.set()


def full_limiter() -> WeightLimiter:
    """A limiter whose budget is used up, and whose minute does not end."""
    limiter = WeightLimiter(2400, 1.0, now=lambda: AT_15)
    assert limiter.acquire(2400) == 0.0
    return limiter


# Connection first, then the ban and the cooldown


@pytest.mark.parametrize(
    ("response", "error_class"),
    [
        pytest.param(BAN, IPBannedError, id="418", marks=pytest.mark.promise("R12", "R14")),
        pytest.param(TOO_MANY, RateLimitError, id="429", marks=pytest.mark.promise("R11", "R14")),
    ],
)
def test_a_rejection_stops_calls_that_wait(
    concurrent_client: ConcurrentOf, response: bytes, error_class: type[RateLimitError]
) -> None:
    """49 calls wait for the one connection, and send nothing after it brings a ban or cooldown."""
    reply = GatedReply(response)
    with RawServer(repeat(READ, reply)) as server:
        client = concurrent_client(max_connections=1, base_url=server.url, timeout=20)
        calls = [client.start() for _ in range(50)]
        client.wait_for_waiters(49)
        reply.send()
        errors = [call.exception(PATIENCE) for call in calls]
        assert {type(error) for error in errors} == {error_class}
        statuses = [error.status for error in errors if isinstance(error, RateLimitError)]
        answered = statuses.count(418 if error_class is IPBannedError else 429)
        assert answered == (50 if error_class is IPBannedError else 1)
        assert len(server.requests) == 1


@pytest.mark.promise("R12", "R14")
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("shared", "own"), ("shared", None), ("own", "shared"), ("own", "own"),
        ("own", None), (None, "shared"), (None, "own"), (None, None),
    ],
)  # fmt: skip
def test_a_ban_that_one_client_meets_stops_another_whatever_their_limiters(
    make_client: ClientOf, first: str | None, second: str | None
) -> None:
    handler = RecordingHandler(error_response(418, -1003, Retry_After="300"), BODY)
    transport = httpx.MockTransport(handler)

    def make(limiter: str | None) -> BlockingFacade:
        return make_client(
            None, transport=transport, limiter=WeightLimiter() if limiter == "own" else limiter
        )

    clients = [make(first), make(second)]
    for client in clients:
        with pytest.raises(IPBannedError):
            client.balance()
    assert len(handler.requests) == 1


@pytest.mark.promise("R12", "R14")
@pytest.mark.parametrize("limiter", ["own", None])
def test_a_ban_crosses_limiters(make_client: ClientOf, limiter: str | None) -> None:
    """A ban that a client with another limiter meets stops the exchange's default limiter.

    Each client has its own connections. What they share is the exchange's address.
    """
    with RawServer(repeat(READ, BAN)) as server:
        first = make_client(
            base_url=server.url, limiter=WeightLimiter() if limiter == "own" else limiter
        )
        second = make_client(base_url=server.url)
        for client in (first, second):
            with pytest.raises(IPBannedError):
                client.balance()
        assert len(server.requests) == 1


# Then the weight


@pytest.mark.promise("R10")
def test_calls_that_get_no_connection_take_no_weight(make_client: ClientOf) -> None:
    limiter = WeightLimiter(limit=100, share=1.0)
    with socket.socket() as refusing:
        refusing.bind(("127.0.0.1", 0))  # Nothing listens on this port.
        client = make_client(
            base_url=f"http://127.0.0.1:{refusing.getsockname()[1]}", limiter=limiter
        )
        for _ in range(12):
            with pytest.raises(TransportError):
                client.balance()
    assert limiter.acquire(100) == 0.0


@pytest.mark.promise("R10", "R14")
@pytest.mark.parametrize("cooldown", [0.0, 0.1], ids=["now", "in a moment"])
def test_a_call_does_not_queue_behind_those_of_another_limiter(
    concurrent_client: ConcurrentOf, cooldown: float
) -> None:
    waiting, limiter = threading.Event(), WeightLimiter()
    with RawServer(repeat(READ, OK)) as server:
        full = concurrent_client(
            base_url=server.url,
            limiter=full_limiter(),
            timeout=FAR_AWAY,
            on_event=lambda _: waiting.set(),
        )
        other = concurrent_client(base_url=server.url, limiter=limiter, timeout=PATIENCE)
        call = full.start()
        assert waiting.wait(PATIENCE)
        limiter.start_cooldown(cooldown, banned=False)
        assert other.call()
        assert not call.done()
        assert len(server.requests) == 1


class GatedLimiter:
    """A limiter without any budget until it is opened.

    Weight that waits would take a second for each twenty balances.
    """

    is_open = False

    def acquire(self, weight: int) -> float:
        return 0.0 if self.is_open else 0.05

    def forecast(self, weight: int) -> float:
        return 0.0 if self.is_open else weight / (20 * BALANCE_WEIGHT)

    def observe(self, used_weight: int) -> None:
        pass

    def start_cooldown(self, seconds: float, *, banned: bool) -> None:
        raise AssertionError("no cooldown began")


@pytest.mark.promise("R10", "R14")
def test_cancelled_calls_leave_the_queue_of_the_limiter() -> None:
    """400 calls would take 20 s; a call that begins after them has 5 s."""
    limiter, handler, events = GatedLimiter(), RecordingHandler(), Incidents()

    def on_event(event: Event) -> None:
        events.append(event)
        limiter.is_open = True

    async def calls() -> None:
        transport = httpx.MockTransport(handler)
        async with (
            AsyncClient(KEY, SECRET, transport=transport, limiter=limiter, timeout=3_600) as crowd,
            AsyncClient(
                KEY, SECRET, transport=transport, limiter=limiter, timeout=5, on_event=on_event
            ) as client,
        ):
            tasks = [asyncio.create_task(crowd.balance()) for _ in range(400)]
            await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert {type(result) for result in results} == {asyncio.CancelledError}
            assert await client.balance()

    asyncio.run(calls())
    assert [event.kind for event in events] == ["budget_wait"]
    assert events[0].seconds is not None
    assert events[0].seconds <= 0.05
    assert len(handler.requests) == 1


# Then the timestamp


@pytest.mark.promise("R5")
def test_a_timestamp_is_as_fresh_as_its_request(
    concurrent_client: ConcurrentOf,
) -> None:
    """However long a call waited, its timestamp is that of sending.

    Four calls share one connection, whose responses take 0.3 s each. The last one waits for 0.9 s.
    """
    arrivals: list[tuple[int, int]] = []

    def note_arrival(head: bytes) -> bytes:
        timestamp = re.search(rb"[?&]timestamp=(\d+)", head)
        assert timestamp is not None
        arrivals.append((now_ms(), int(timestamp[1])))
        return b""

    with RawServer(repeat(READ, note_arrival, 0.3, OK)) as server:
        client = concurrent_client(
            max_connections=1, base_url=server.url, recv_window=250, timeout=20
        )
        for call in [client.start() for _ in range(4)]:
            assert call.result(20)
    assert len(arrivals) == 4
    assert all(-1 <= arrived - timestamp <= 250 for arrived, timestamp in arrivals), arrivals


@pytest.mark.promise("R7", "R9")
@pytest.mark.parametrize(
    ("server_time", "message"),
    [
        pytest.param(
            lambda: now_ms() + YEAR_MS,
            "serverTime is 365 days ahead of this machine's clock",
            id="a year",
        ),
        pytest.param(
            lambda: now_ms() - YEAR_MS,
            "serverTime is 365 days behind this machine's clock",
            id="a year ago",
        ),
        pytest.param(
            lambda: 2**63 - 1, "serverTime is .* days ahead of this machine's clock", id="2**63-1"
        ),
    ],
)
@pytest.mark.parametrize("clock", ["exchange", "auto"])
def test_nothing_is_signed_for_an_implausible_time_of_the_exchange(
    make_client: ClientOf, server_time: Callable[[], int], message: str, clock: str
) -> None:
    paths: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.path.rpartition("/")[2])
        if paths[-1] == "time":
            return httpx.Response(200, content=b'{"serverTime": %d}' % server_time())
        return error_response(400, -1021)  # With "auto" the clock is synced after this error only.

    with pytest.raises(UsdmError) as caught:
        make_client(handle, clock=clock).balance()
    assert paths == (["time"] if clock == "exchange" else ["balance", "time"])
    assert re.search(message, str(caught.value))
    assert not caught.value.retryable
    assert not isinstance(caught.value, TimestampError)


# How long a ban or a cooldown takes


@pytest.mark.promise("R12")
@pytest.mark.parametrize(
    ("seconds", "date_offset"),
    [
        pytest.param(300, -10 * 365 * 86_400, id="ten years ago"),
        pytest.param(1_200, 86_400, id="a day ahead"),
    ],
)
def test_a_ban_is_not_measured_from_a_date_that_cannot_be_true(
    make_client: ClientOf, seconds: int, date_offset: int
) -> None:
    text = f"IP banned until {now_ms() + seconds * 1_000}."
    client = make_client(
        RecordingHandler(error_response(418, -1003, text, Date=http_date(date_offset)))
    )
    with pytest.raises(IPBannedError) as caught:
        client.balance()
    assert caught.value.retry_after == pytest.approx(seconds, abs=3)


@pytest.mark.promise("R12")
def test_the_end_of_a_ban_is_read_though_the_api_key_is_a_part_of_it(make_client: ClientOf) -> None:
    end = now_ms() + 300_000
    client = make_client(
        RecordingHandler(error_response(418, -1003, f"IP banned until {end}.")),
        api_key=str(end)[:2],
    )
    with pytest.raises(IPBannedError) as caught:
        client.balance()
    assert caught.value.retry_after == pytest.approx(300, abs=3)
    assert caught.value.banned_until is not None
    assert caught.value.banned_until.timestamp() == pytest.approx(end / 1000)


@pytest.mark.promise("R11")
def test_a_retry_after_date_uses_the_local_clock(
    make_client: ClientOf,
) -> None:
    """A Retry-After date without a Date header is measured from this machine's clock."""
    client = make_client(RecordingHandler(error_response(429, -1003, Retry_After=http_date(300))))
    with pytest.raises(RateLimitError) as caught:
        client.balance()
    assert caught.value.retry_after == pytest.approx(300, abs=3)


# Closing a client


def assert_client_is_closed(call: Future[Any]) -> None:
    error = call.exception(PATIENCE)
    assert isinstance(error, TransportError)
    assert "client is closed" in str(error)
    assert not error.retryable


@pytest.mark.promise("R14")
@pytest.mark.parametrize("owns_transport", [False, True])
def test_calls_that_wait_for_a_connection_end_when_the_client_is_closed(
    concurrent_client: ConcurrentOf, owns_transport: bool
) -> None:
    reply = GatedReply(OK)
    with RawServer(repeat(READ, reply)) as server:
        if owns_transport:
            client = concurrent_client(base_url=server.url, timeout=FAR_AWAY)
            client.transport._max_connections = 1
        else:
            client = concurrent_client(max_connections=1, base_url=server.url, timeout=FAR_AWAY)
        first = client.start()
        assert server.wait(lambda: len(server.requests) == 1)
        calls = [client.start() for _ in range(9)]
        client.wait_for_waiters(9)
        client.close()
        for call in calls:
            assert_client_is_closed(call)
        reply.send()
        assert first.result(PATIENCE)
        assert len(server.requests) == 1


@pytest.mark.promise("R14")
def test_a_call_that_waits_for_weight_ends_when_the_client_is_closed(
    concurrent_client: ConcurrentOf,
) -> None:
    waiting = threading.Event()
    with RawServer(repeat(READ, OK)) as server:
        client = concurrent_client(
            base_url=server.url,
            limiter=full_limiter(),
            timeout=FAR_AWAY,
            on_event=lambda _: waiting.set(),
        )
        call = client.start()
        assert waiting.wait(PATIENCE)
        client.close()
        assert_client_is_closed(call)
        assert not server.requests


@pytest.mark.promise("R14")
def test_a_call_that_pauses_before_a_retry_ends_when_the_client_is_closed(
    concurrent_client: ConcurrentOf,
) -> None:
    pausing = threading.Event()

    def on_event(event: Event) -> None:
        if event.kind == "retry":
            pausing.set()

    with RawServer(repeat(READ, response_bytes(b"{}", status="500 Down"))) as server:
        client = concurrent_client(
            base_url=server.url,
            retry=lambda _, __: 60.0,
            timeout=FAR_AWAY,
            on_event=on_event,
        )
        call = client.start()
        assert pausing.wait(PATIENCE)
        client.close()
        assert_client_is_closed(call)
        assert len(server.requests) == 1


def test_closing_a_client_spares_a_shared_transport(
    concurrent_client: ConcurrentOf,
) -> None:
    """Closing one client of a shared transport leaves the other one's connection open."""
    with RawServer(repeat(READ, OK)) as server:
        first = concurrent_client(max_connections=1, base_url=server.url)
        second = concurrent_client(base_url=server.url, transport=first.transport)
        assert first.call()
        first.close()
        assert_client_is_closed(first.start())
        assert second.call()
        assert (server.connections, server.hangups, len(server.requests)) == (1, 0, 2)


def test_a_client_closes_the_transport_that_it_created(concurrent_client: ConcurrentOf) -> None:
    with RawServer(repeat(READ, OK)) as server:
        client = concurrent_client(base_url=server.url)
        assert client.call()
        client.close()
        assert server.wait(lambda: server.hangups == 1, PATIENCE)
        assert_client_is_closed(client.start())


# Connections


def test_connect_opens_the_connection_that_the_first_call_uses(
    concurrent_client: ConcurrentOf,
) -> None:
    with RawServer(repeat(READ, OK)) as server:
        client = concurrent_client(base_url=server.url)
        client.call("connect")
        client.call("connect")
        assert server.wait(lambda: server.connections == 1)
        assert not server.requests
        assert client.call()
        assert (server.connections, len(server.requests)) == (1, 1)


@pytest.mark.promise("R4")
@pytest.mark.parametrize(
    ("status", "hint"),
    [
        ("407 Proxy Authentication Required", "check user and password"),
        ("403 Forbidden", "the proxy rejects connections to this host"),
    ],
)
def test_a_proxy_that_rejects_the_login_or_the_host_is_asked_once(
    make_client: ClientOf, status: str, hint: str
) -> None:
    script: list[Step] = [READ, response_bytes(b"", status=status)]
    with RawServer(script) as proxy:
        client = make_client(
            proxy=proxy.url.rstrip("/"),
            base_url="https://exchange.invalid",
            retry=RetryPolicy(random=lambda: 0.0),
        )
        with pytest.raises(TransportError, match=hint) as caught:
            client.balance()
        assert not caught.value.retryable
        assert (proxy.connections, len(proxy.requests)) == (1, 1)


@pytest.mark.promise("R10")
def test_weight_is_charged_to_the_minute_in_which_the_bytes_leave(
    concurrent_client: ConcurrentOf,
) -> None:
    """The second call comes in one minute, waits for the connection, and is sent in the next."""
    times = [AT_15]
    limiter = WeightLimiter(
        2 * BALANCE_WEIGHT, 1.0, now=lambda: times[-1], monotonic=lambda: times[-1] / 1000
    )
    reply = GatedReply(OK)
    with RawServer(repeat(READ, reply)) as server:
        client = concurrent_client(
            max_connections=1, base_url=server.url, timeout=20, limiter=limiter
        )
        calls = [client.start() for _ in range(2)]
        client.wait_for_waiters(1)
        # The first call is charged: it may have been connecting.
        wait_until(lambda: len(server.requests) == 1)
        times.append(AT_15 + 60_000)
        reply.send()
        assert all(call.result(PATIENCE) for call in calls)
    assert limiter.acquire(BALANCE_WEIGHT) == 0.0
    assert limiter.acquire(BALANCE_WEIGHT) > 0.0, "the second call's weight counts in this minute"


def fail() -> int:
    raise ValueError("no time")


@pytest.mark.promise("R12")
@pytest.mark.parametrize("clock", [fail, lambda: "soon"], ids=["raises", "returns a text"])
def test_a_ban_is_kept_though_the_clock_of_the_user_fails(
    make_client: ClientOf, clock: Any
) -> None:
    exchange = RecordingHandler(error_response(418, -1003, Retry_After="300"))
    client = make_client(exchange, clock=clock, retry=RetryPolicy.off())
    for _ in range(2):
        with pytest.raises(IPBannedError):
            client.server_time()
    assert len(exchange.requests) == 1


@pytest.mark.promise("R12", "R14")
def test_a_ban_crosses_limiters_while_calls_wait(
    concurrent_client: ConcurrentOf,
) -> None:
    """A ban that a client with another limiter meets also stops a call that waits for a slot."""
    reply = GatedReply(BAN)
    with RawServer(repeat(READ, reply)) as server:
        options: dict[str, Any] = {"base_url": server.url, "timeout": 20}
        banned = concurrent_client(max_connections=1, limiter=None, **options)
        other = concurrent_client(transport=banned.transport, limiter=WeightLimiter(), **options)
        first = banned.start()
        assert server.wait(lambda: len(server.requests) == 1)
        second = other.start()
        other.wait_for_waiters(1)
        reply.send()
        assert {type(call.exception(PATIENCE)) for call in (first, second)} == {IPBannedError}
        assert len(server.requests) == 1


@pytest.mark.promise("R14")
@pytest.mark.parametrize(
    ("keys", "shared", "connections"),
    [(("one", "other"), False, 2), (("one", "one"), False, 1), (("one", "other"), True, 1)],
    ids=["two keys", "one key", "two keys that share"],
)
def test_an_idle_connection_serves_the_key_that_opened_it(
    concurrent_client: ConcurrentOf, keys: tuple[str, str], shared: bool, connections: int
) -> None:
    with RawServer(*[repeat(READ, OK)] * 2) as server:
        first = concurrent_client(
            max_connections=5, share_connections=shared, api_key=keys[0], base_url=server.url
        )
        second = concurrent_client(transport=first.transport, api_key=keys[1], base_url=server.url)
        for _ in range(2):
            assert first.call()
            assert second.call()
        assert server.connections == connections
