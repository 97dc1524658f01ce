"""One deadline for a call: waiting, connecting, every attempt and the last byte.

Each test runs on both clients, over the default transports and over those of httpx.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest

from binance_usdm import (
    AsyncClient,
    AsyncTransport,
    Client,
    DeadlineExceeded,
    RateLimitError,
    RetryPolicy,
    SyncTransport,
    TransportError,
    UsdmError,
)
from tests.support.clients import (
    BODY,
    KEY,
    SECRET,
    BlockingFacade,
    RecordingHandler,
    error_response,
)
from tests.support.raw_server import READ, STAY_SILENT, RawServer, Script, repeat, response_bytes
from tests.support.timing import best_duration

pytestmark = pytest.mark.promise("R1")

ClientOf = Callable[..., BlockingFacade]
TIMEOUT = 0.15
AT_MOST = TIMEOUT + 0.1  # the promise
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n"


def drip(start: bytes, drop: bytes) -> Script:
    """A request is read and answered for two seconds, a drop each 20 ms."""
    return lambda: (READ, start, *(0.02, drop) * 100)


def expect_deadline(call: Callable[[], object]) -> None:
    with pytest.raises(DeadlineExceeded):
        call()


SLOW: dict[str, Script] = {
    "silence": [STAY_SILENT],
    "a head letter by letter": drip(b"HTTP/1.1 200 OK\r\nX: ", b"x"),
    "heads without an end": drip(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "a body letter by letter": drip(HEAD, b" "),
    "a body that stops": [READ, HEAD + b"[", STAY_SILENT],
}


@pytest.mark.parametrize("script", SLOW.values(), ids=SLOW)
def test_no_slow_reply_outlasts_the_deadline(make_client: ClientOf, script: Script) -> None:
    with RawServer(script) as server:
        client = make_client(base_url=server.url, timeout=TIMEOUT)
        assert TIMEOUT <= best_duration(lambda: expect_deadline(client.balance), AT_MOST) <= AT_MOST


class Drops(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body of blanks, one each 20 ms for two seconds; notes whether it was closed."""

    closed = 0

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(100):
            time.sleep(0.02)
            yield b" "

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(100):
            await asyncio.sleep(0.02)
            yield b" "

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.closed += 1


def test_a_foreign_transport_that_drips_is_cut_off_and_its_stream_closed(
    make_client: ClientOf,
) -> None:
    body = Drops()
    client = make_client(lambda _: httpx.Response(200, stream=body), timeout=TIMEOUT)
    assert TIMEOUT <= best_duration(lambda: expect_deadline(client.balance), AT_MOST) <= AT_MOST
    assert body.closed > 0


def test_a_foreign_transport_is_told_how_long_it_may_take(make_client: ClientOf) -> None:
    exchange = RecordingHandler(httpx.ConnectTimeout("early"))
    before = time.monotonic()
    with pytest.raises(TransportError):
        make_client(exchange, timeout=7).balance()
    extensions = exchange.requests[0].extensions
    assert set(extensions["timeout"]) == {"connect", "read", "write", "pool"}
    assert all(6.5 < limit <= 7 for limit in extensions["timeout"].values())
    assert before + 7 <= extensions["deadline"] <= time.monotonic() + 7


def test_a_sync_subclass_that_waits_is_left_behind() -> None:
    """A call over a subclass of SyncTransport that waits ends at the deadline."""

    class Slow(SyncTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            time.sleep(1)
            return super().handle_request(request)

    began = time.monotonic()
    with (
        Client(KEY, SECRET, transport=Slow(), timeout=0.05) as client,
        pytest.raises(DeadlineExceeded),
    ):
        client.balance()
    assert time.monotonic() - began < 0.9


def test_an_async_subclass_that_waits_is_cancelled() -> None:
    """A call over a subclass of AsyncTransport that waits is cancelled at the deadline."""

    class Slow(AsyncTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.sleep(60)
            return await super().handle_async_request(request)

    async def call() -> None:
        async with AsyncClient(KEY, SECRET, transport=Slow(), timeout=0.05) as client:
            await client.balance()

    began = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        asyncio.run(call())
    assert time.monotonic() - began < 2


def test_a_sleeping_foreign_transport_is_cancelled() -> None:
    class Sleeper(httpx.AsyncBaseTransport):
        woken = 0

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            try:
                await asyncio.sleep(5)
            finally:
                self.woken += 1
            raise AssertionError("slept through the deadline")

    async def call() -> None:
        async with AsyncClient(transport=sleeper, timeout=TIMEOUT) as client:
            await client.server_time()

    sleeper = Sleeper()
    assert (
        TIMEOUT
        <= best_duration(lambda: expect_deadline(lambda: asyncio.run(call())), AT_MOST)
        <= AT_MOST
    )
    assert sleeper.woken > 0


def test_attempts_and_waits_share_one_deadline(make_client: ClientOf) -> None:
    exchange = RecordingHandler(error_response(500))
    client = make_client(
        exchange, timeout=TIMEOUT, retry=lambda error, attempt: 0.03 if attempt < 40 else None
    )

    def call() -> None:
        with pytest.raises(UsdmError):
            client.balance()

    assert best_duration(call, AT_MOST) <= AT_MOST
    assert 2 <= len(exchange.requests) <= 15


def test_a_wait_beyond_the_deadline_is_not_begun_and_the_refusal_is_told(
    make_client: ClientOf,
) -> None:
    exchange = RecordingHandler(error_response(429, -1003, Retry_After="2"))
    client = make_client(
        exchange, timeout=1, retry=lambda error, attempt: getattr(error, "retry_after", None)
    )

    def call() -> None:
        with pytest.raises(RateLimitError) as caught:
            client.balance()
        assert caught.value.retry_after == 2

    assert best_duration(call, 0.1) <= 0.1
    assert {len(exchange.requests)} <= {1, 2, 3}  # one for each time it was measured


def test_nothing_is_sent_after_the_deadline_however_long_signing_took(
    make_client: ClientOf,
) -> None:
    class Slow:
        pause = 0.0

        def sign(self, payload: bytes) -> bytes:
            time.sleep(self.pause)
            return b"00"

    signer = Slow()
    with RawServer(repeat(READ, response_bytes(BODY))) as server:
        client = make_client(
            base_url=server.url,
            api_secret=None,
            signer=signer,
            timeout=0.3,
            retry=RetryPolicy.off(),
        )
        client.balance()
        signer.pause = 0.4
        with pytest.raises(DeadlineExceeded):
            client.balance()
        signer.pause = 0.0
        client.balance()
        # A connection whose call gave up is not reused.
        assert (len(server.requests), server.connections) == (2, 2)


def test_a_cancelled_call_is_cancelled_and_no_deadline() -> None:
    async def call() -> None:
        with RawServer([STAY_SILENT]) as server:
            async with AsyncClient(base_url=server.url, timeout=5) as client:
                task = asyncio.create_task(client.server_time())
                await asyncio.to_thread(server.wait, lambda: server.connections == 1)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await client.server_time()
                assert await asyncio.to_thread(server.wait, lambda: server.hangups == 2)

    asyncio.run(call())


def test_a_refused_connection_is_told_at_once(make_client: ClientOf) -> None:
    with RawServer([]) as server:
        port = server.port
    client = make_client(base_url=f"http://127.0.0.1:{port}", timeout=5)

    def call() -> None:
        with pytest.raises(TransportError, match="ConnectError") as caught:
            client.balance()
        assert not isinstance(caught.value, DeadlineExceeded)

    assert best_duration(call, 0.5) <= 0.5


def test_a_reply_within_the_deadline_is_a_reply(make_client: ClientOf) -> None:
    with RawServer(repeat(READ, 0.05, response_bytes(BODY))) as server:
        response = make_client(base_url=server.url, timeout=5).balance_detailed()
    assert response.elapsed >= 0.05
