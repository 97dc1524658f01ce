"""Test deliveries without a socket, late, slow, cut and reset, on both kinds of httpx client."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from binance_usdm import AsyncClient, Client, DeadlineExceeded, RetryPolicy, TransportError
from binance_usdm.mock import DEFAULT_API_KEY, DEFAULT_API_SECRET, Delivery, Exchange, Reply
from tests.support.signed_requests import PATH, sign_query
from tests.support.spec_facts import TIME_PATH

Get = Callable[..., httpx.Response]
KEY = {"X-MBX-APIKEY": DEFAULT_API_KEY}


@pytest.fixture(params=["sync", "async", "handler"])
def get(request: pytest.FixtureRequest) -> Get:
    """Make a valid call with a sync or async httpx client, or with the exchange as a handler."""

    def asked(exchange: Exchange, **options: Any) -> httpx.Response:
        url = f"https://exchange.invalid{PATH}?{sign_query(f'timestamp={exchange.clock()}')}"
        if request.param != "async":
            transport = (
                exchange.transport if request.param == "sync" else httpx.MockTransport(exchange)
            )
            with httpx.Client(transport=transport, **options) as client:
                return client.get(url, headers=KEY)

        async def call() -> httpx.Response:
            async with httpx.AsyncClient(transport=exchange.transport, **options) as client:
                return await client.get(url, headers=KEY)

        return asyncio.run(call())

    return asked


def test_a_late_answer_is_late(get: Get) -> None:
    exchange = Exchange()
    exchange.fail("latency", seconds=0.1)
    begun = time.monotonic()
    assert get(exchange).status_code == 200
    assert 0.1 <= time.monotonic() - begun < 2


@pytest.mark.parametrize(
    "fault", [{"fault": "latency", "seconds": 30}, {"fault": "slow", "chunk": 200, "pause": 3}]
)
def test_read_timeout_ends_the_wait(get: Get, fault: Any) -> None:
    """A latency or a pause above the read timeout raises after that timeout."""
    exchange = Exchange()
    exchange.fail(**fault)
    begun = time.monotonic()
    try:
        get(exchange, timeout=0.1)
    except httpx.TransportError as raised:
        seen = type(raised)
    assert (seen, 0.1 <= time.monotonic() - begun < 2) == (httpx.ReadTimeout, True)


def test_a_slow_body_is_whole_in_the_end(get: Get) -> None:
    exchange = Exchange()
    exchange.seed("balance", b"[" + b" " * 98 + b"]")
    exchange.fail("slow", chunk=40, pause=0.05)
    begun = time.monotonic()
    assert get(exchange).content == b"[" + b" " * 98 + b"]"
    assert 0.1 <= time.monotonic() - begun < 2


@pytest.mark.parametrize(
    ("fault", "after", "error"),
    [
        ("cut", 0, httpx.RemoteProtocolError),
        ("cut", 10, httpx.RemoteProtocolError),
        ("reset", 0, httpx.ReadError),
        ("reset", 10, httpx.ReadError),
    ],
)
def test_an_answer_that_ends_early_is_no_answer(
    get: Get, fault: str, after: int, error: type[Exception]
) -> None:
    exchange = Exchange()
    exchange.fail(fault, after=after)
    # Without pytest.raises, since httpx attaches the request, with its key, to every error.
    try:
        get(exchange)
    except httpx.TransportError as raised:
        seen = (type(raised), "mock exchange" in str(raised))
    assert seen == (error, True)
    assert get(exchange).status_code == 200
    assert exchange.requests[0].fault == fault


@pytest.mark.parametrize("fault", ["cut", "reset"])
@pytest.mark.parametrize("behind", [0, 10**6])
def test_a_cut_or_a_reset_behind_the_end_is_a_good_answer(
    get: Get, fault: str, behind: int
) -> None:
    exchange = Exchange()
    whole = get(exchange).content
    exchange.fail(fault, after=len(whole) + behind)
    assert get(exchange).content == whole


def test_slow_bodies_announce_their_length(get: Get) -> None:
    """Slow and cut bodies have the Content-Length of the complete body."""
    exchange = Exchange()
    whole = get(exchange)
    for fault in ("slow", "cut"):
        exchange.fail(fault, after=10**6) if fault == "cut" else exchange.fail(
            fault, chunk=50, pause=0
        )
        assert get(exchange).headers.get_list("content-length") == [str(len(whole.content))]
    for delivery in (Delivery(), Delivery(chunk=2)):
        exchange.fail(Reply(200, ((b"content-LENGTH", b"3"),), b"12345", delivery=delivery))
        seen = get(exchange)
        assert (seen.headers.get_list("content-length"), seen.content) == (["3"], b"123")


@pytest.mark.parametrize("delivery", [Delivery(), Delivery(chunk=2)])
def test_a_body_shorter_than_it_announces_is_no_answer(get: Get, delivery: Delivery) -> None:
    exchange = Exchange()
    exchange.fail(Reply(200, ((b"Content-Length", b"7"),), b"12345", delivery=delivery))
    seen: object = None
    try:
        get(exchange)
    except httpx.TransportError as raised:
        seen = type(raised)
    assert seen == httpx.RemoteProtocolError


@pytest.mark.parametrize("fault", ["cut", "slow", "waf"])
def test_an_answer_to_head_announces_a_body_and_has_none(fault: str) -> None:
    exchange = Exchange()
    exchange.fail(fault)
    with httpx.Client(transport=exchange.transport) as client:
        seen = client.head(f"https://exchange.invalid{TIME_PATH}")
    assert (int(seen.headers["content-length"]) > 1, seen.content) == (True, b"")


@pytest.mark.parametrize(
    "fault", [{"fault": "latency", "seconds": 0.1}, {"fault": "slow", "chunk": 20, "pause": 0.1}]
)
def test_a_late_answer_is_late_on_trio_too(fault: Any) -> None:
    trio = pytest.importorskip("trio")
    exchange = Exchange()
    exchange.fail(**fault)

    async def call() -> httpx.Response:
        async with httpx.AsyncClient(transport=exchange.transport) as client:
            return await client.get(f"https://exchange.invalid{TIME_PATH}")

    begun = time.monotonic()
    assert trio.run(call).json()["serverTime"]
    assert 0.1 <= time.monotonic() - begun < 2


def test_a_transport_can_come_from_another_address() -> None:
    exchange = Exchange()
    exchange.ban(60, "203.0.113.1")
    for address, status in (("203.0.113.1", 418), ("203.0.113.2", 200)):
        with httpx.Client(transport=exchange.transport_from(address)) as client:
            assert client.get(f"https://exchange.invalid{TIME_PATH}").status_code == status


def test_both_clients_meet_a_late_and_a_broken_answer() -> None:
    exchange = Exchange()
    options: dict[str, Any] = {"retry": RetryPolicy.off(), "timeout": 0.2}

    async def call() -> object:
        async with AsyncClient(
            DEFAULT_API_KEY, DEFAULT_API_SECRET, transport=exchange.transport, **options
        ) as client:
            return await client.balance()

    def block() -> object:
        with Client(
            DEFAULT_API_KEY, DEFAULT_API_SECRET, transport=exchange.transport, **options
        ) as client:
            return client.balance()

    for ask in (block, lambda: asyncio.run(call())):
        exchange.fail("latency", seconds=30)
        exchange.fail("reset")
        exchange.fail("cut", after=5)
        begun = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            ask()
        assert time.monotonic() - begun < 2
        for _ in range(2):
            with pytest.raises(TransportError):
                ask()
        assert ask()
