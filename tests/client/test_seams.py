"""Custom signers, clocks, retry policies and limiters, and concurrent calls. On both clients."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from binance_usdm import (
    AsyncClient,
    BadRequestError,
    Client,
    ConfigurationError,
    RateLimitError,
    RetryPolicy,
    ServerError,
    TransportError,
    UnexpectedResponse,
    UsdmError,
)
from binance_usdm.mock import Exchange
from tests.support.clients import (
    BODY,
    KEY,
    NOW,
    ROW,
    SECRET,
    BlockingFacade,
    RecordingHandler,
    error_response,
)
from tests.support.raw_server import READ, RawServer, repeat, response_bytes
from tests.support.spec_facts import BALANCE_PATH, BALANCE_WEIGHT, TIME_PATH, TIME_WEIGHT

ClientOf = Callable[..., BlockingFacade]


class Shouting:
    """A signer of the user's own."""

    def __init__(self, made: Any = b"A%2Fb%3D") -> None:
        self.payloads: list[bytes] = []
        self._made = made

    def sign(self, payload: bytes) -> Any:
        self.payloads.append(payload)
        return self._made


def test_any_object_that_signs_is_a_signer(
    make_client: ClientOf,
) -> None:
    """Any object with `sign` is a signer, and its signature is sent as it is."""
    signer, exchange = Shouting(), RecordingHandler()
    make_client(
        exchange, api_secret=None, signer=signer, clock=lambda: NOW, recv_window=9
    ).balance()
    assert signer.payloads == [b"recvWindow=9&timestamp=%d" % NOW]
    assert exchange.targets == [
        (BALANCE_PATH.encode() + b"?%b&signature=A%%2Fb%%3D") % signer.payloads[0]
    ]


@pytest.mark.parametrize(
    "made",
    [
        b"",
        "text",
        None,
        7,
        b"a b",
        b"a\r\nX: 1",
        b"a&b=1",
        b"a/b",
        b"a+b",
        b"a=",
        b"a#",
        b"\xff",
        bytearray(b"a"),
    ],
)
def test_an_invalid_signature_is_not_sent(make_client: ClientOf, made: Any) -> None:
    """A signature that cannot be part of a URL is rejected, and nothing is sent."""
    exchange = RecordingHandler()
    with pytest.raises(ConfigurationError, match="the signer must return ASCII bytes"):
        make_client(exchange, api_secret=None, signer=Shouting(made)).balance()
    assert exchange.requests == []


@pytest.mark.parametrize(
    "error", [RuntimeError("no token"), TimeoutError("slow token"), OSError("no device")]
)
def test_what_a_signer_raises_is_the_callers_and_nothing_is_sent(
    make_client: ClientOf, error: Exception
) -> None:
    class Device:
        def sign(self, payload: bytes) -> bytes:
            raise error

    exchange = RecordingHandler()
    with pytest.raises(type(error), match=str(error)):
        make_client(exchange, api_secret=None, signer=Device()).balance()
    assert exchange.requests == []


@pytest.mark.promise("R5")
def test_every_attempt_is_stamped_and_signed_afresh(make_client: ClientOf) -> None:
    exchange = RecordingHandler(error_response(503), httpx.ReadError("reset"), b"<html>", BODY)
    seen: list[tuple[type[UsdmError], int]] = []

    def retry(error: UsdmError, attempt: int) -> float:
        seen.append((type(error), attempt))
        return 0.001

    clock = itertools.count(NOW)
    response = make_client(exchange, clock=lambda: next(clock), retry=retry).balance_detailed(
        recv_window=9
    )
    assert response.attempts == 4
    assert seen == [(ServerError, 1), (TransportError, 2), (UnexpectedResponse, 3)]
    for number, target in enumerate(exchange.targets):
        payload = b"recvWindow=9&timestamp=%d" % (NOW + number)
        proof = hmac.new(SECRET.encode(), payload, hashlib.sha256).hexdigest().encode()
        assert target == (BALANCE_PATH.encode() + b"?") + payload + b"&signature=" + proof
    assert next(clock) == NOW + 4  # the clock is asked once for an attempt


def test_unsigned_calls_do_not_ask_the_clock(make_client: ClientOf) -> None:
    def clock() -> int:
        raise AssertionError("asked")

    assert (
        make_client(RecordingHandler(b'{"serverTime": 1}'), clock=clock).server_time().server_time
        == 1
    )


def test_none_gives_up_and_the_last_error_is_raised(make_client: ClientOf) -> None:
    exchange = RecordingHandler(error_response(500), error_response(400, -1102))
    with pytest.raises(BadRequestError) as caught:
        make_client(exchange, retry=lambda error, attempt: None if attempt == 2 else 0).balance()
    assert (caught.value.code, len(exchange.requests)) == (-1102, 2)


def test_with_retries_off_nothing_is_asked_twice(make_client: ClientOf) -> None:
    exchange = RecordingHandler(error_response(503), BODY)
    with pytest.raises(ServerError):
        make_client(exchange, retry=RetryPolicy.off()).balance()
    assert len(exchange.requests) == 1


def test_the_policy_says_how_long_to_wait_and_less_than_nothing_is_nothing(
    make_client: ClientOf,
) -> None:
    pauses = iter([0.05, -1.0, 0])
    exchange = RecordingHandler(error_response(500), error_response(500), error_response(500), BODY)
    response = make_client(exchange, retry=lambda error, attempt: next(pauses)).balance_detailed()
    assert response.attempts == 4
    assert 0.05 <= response.elapsed < 1


def test_a_wrong_argument_is_no_failed_attempt(make_client: ClientOf) -> None:
    def retry(error: UsdmError, attempt: int) -> float:
        raise AssertionError("asked")

    with pytest.raises(ConfigurationError):
        make_client(RecordingHandler(), retry=retry).balance(recv_window=0)


class ScriptedLimiter:
    """A limiter that writes down what happens, the requests included."""

    def __init__(self, *waits: float) -> None:
        self.log: list[Any] = []
        self._waits = iter(waits)  # after the last one there is weight

    def acquire(self, weight: int) -> float:
        self.log.append(("acquire", weight))
        return next(self._waits, 0.0)

    def observe(self, used_weight: int) -> None:
        self.log.append(("observe", used_weight))

    def start_cooldown(self, seconds: float, *, banned: bool) -> None:
        self.log.append(("start_cooldown", seconds, banned))

    def handler(self, *replies: httpx.Response) -> Callable[[httpx.Request], httpx.Response]:
        exchange = RecordingHandler(*replies)

        def handle(request: httpx.Request) -> httpx.Response:
            self.log.append(request.url.path)
            return exchange(request)

        return handle


@pytest.mark.promise("R10")
def test_weight_is_taken_before_every_attempt_and_learned_from_every_reply(
    make_client: ClientOf,
) -> None:
    budget = ScriptedLimiter()
    good = httpx.Response(200, headers={"X-MBX-USED-WEIGHT-1M": "31"}, content=BODY)
    time_ = httpx.Response(200, content=b'{"serverTime": 1}')
    handler = budget.handler(
        error_response(400, -1021, X_MBX_USED_WEIGHT_1M="7"), error_response(403), good, time_
    )
    client = make_client(handler, limiter=budget, retry=lambda error, attempt: 0, clock=lambda: NOW)
    client.balance()
    client.server_time()
    asked = ("acquire", BALANCE_WEIGHT), BALANCE_PATH
    assert budget.log == [
        *asked,
        ("observe", 7),
        *asked,
        *asked,
        ("observe", 31),
        ("acquire", TIME_WEIGHT),
        TIME_PATH,
    ]


def test_a_closed_client_takes_no_weight_from_the_others(make_client: ClientOf) -> None:
    budget = ScriptedLimiter()
    client = make_client(budget.handler(), limiter=budget)
    client.close()
    with pytest.raises(TransportError, match="client is closed; create a new client"):
        client.balance()
    assert budget.log == []


@pytest.mark.parametrize("wait", [math.nan, -1.0])
def test_what_is_no_time_to_wait_is_none(make_client: ClientOf, wait: float) -> None:
    budget = ScriptedLimiter(wait)
    make_client(budget.handler(), limiter=budget).balance()
    assert budget.log == [("acquire", BALANCE_WEIGHT), BALANCE_PATH]


def test_a_client_closed_while_a_limiter_blocks_sends_nothing(make_client: ClientOf) -> None:
    class Slow(ScriptedLimiter):
        blocking = True

        def acquire(self, weight: int) -> float:
            client.client._gates.close()  # as close() does, by another thread
            return super().acquire(weight)

    budget = Slow()
    client = make_client(budget.handler(), limiter=budget)
    with pytest.raises(TransportError, match="client is closed; create a new client"):
        client.balance()
    assert budget.log == [("acquire", BALANCE_WEIGHT)]


def test_a_full_budget_is_waited_for_within_the_deadline(make_client: ClientOf) -> None:
    budget = ScriptedLimiter(0.05)
    response = make_client(budget.handler(), limiter=budget).balance_detailed()
    assert (budget.log, response.attempts) == (
        [("acquire", BALANCE_WEIGHT), ("acquire", BALANCE_WEIGHT), BALANCE_PATH],
        1,
    )
    assert response.elapsed >= 0.05


@pytest.mark.promise("R1")
def test_a_wait_for_weight_beyond_the_deadline_sends_nothing(make_client: ClientOf) -> None:
    budget = ScriptedLimiter(30.0)
    started = time.monotonic()
    with pytest.raises(
        RateLimitError, match=r"^not sent: the weight budget \(option `limiter`\) is exhausted"
    ) as caught:
        make_client(budget.handler(), limiter=budget, timeout=10).balance()
    assert (caught.value.status, caught.value.code, caught.value.retry_after) == (0, None, 30.0)
    assert budget.log == [("acquire", BALANCE_WEIGHT)]
    assert time.monotonic() - started < 1


# many calls at once


def echo(head: bytes) -> bytes:
    """A reply that only this request can get: the balance is its window."""
    query = parse_qs(head.split(b" ")[1].partition(b"?")[2].decode())
    return response_bytes(json.dumps([{**ROW, "balance": query["recvWindow"][0]}]).encode())


@pytest.mark.promise("R14")
def test_eight_threads_share_one_client_and_get_their_own_replies() -> None:
    with (
        RawServer(repeat(READ, echo)) as server,
        Client(KEY, SECRET, base_url=server.url, limiter=None) as client,
    ):

        def calls(thread: int) -> list[int]:
            return [
                int(client.balance(recv_window=thread * 1000 + call)[0].balance)
                for call in range(1, 51)
            ]

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(calls, range(8))) == [
                [t * 1000 + call for call in range(1, 51)] for t in range(8)
            ]
    assert len(server.requests) == 400
    assert server.connections <= 8


@pytest.mark.promise("R14")
def test_fifty_tasks_share_one_client_and_get_their_own_replies() -> None:
    async def calls(base_url: str) -> list[int]:
        async with AsyncClient(KEY, SECRET, base_url=base_url) as client:
            rows = await asyncio.gather(
                *(client.balance(recv_window=task) for task in range(1, 51))
            )
        return [int(row[0].balance) for row in rows]

    with RawServer(repeat(READ, echo)) as server:
        assert asyncio.run(calls(server.url)) == list(range(1, 51))
    assert len(server.requests) == 50


def test_an_iterator_that_runs_out_in_a_transport_is_no_value() -> None:
    """StopIteration is how a coroutine returns; one from elsewhere must not be taken for it."""
    empty: Iterator[httpx.Response] = iter(())
    with (
        pytest.raises(RuntimeError, match="raised StopIteration"),
        Client(KEY, SECRET, transport=httpx.MockTransport(lambda _: next(empty))) as client,
    ):
        client.balance_detailed()


@pytest.mark.promise("R7")
@pytest.mark.parametrize("seconds", [1_000_000_000, 1_900_000_000])
def test_client_and_mock_exchange_agree_while_a_test_freezes_time(
    make_client: Callable[..., BlockingFacade], monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    """As freezegun does it, functions of `time` are replaced after all imports."""
    with monkeypatch.context() as frozen:
        frozen.setattr(time, "time_ns", lambda: seconds * 10**9)
        frozen.setattr(time, "time", lambda: float(seconds))
        exchange = Exchange()
        client = make_client(
            api_key=exchange.api_key, api_secret=exchange.api_secret, transport=exchange.transport
        )
        assert client.balance()
        exchange.assert_signed()
        assert [request.status for request in exchange.requests] == [200]
