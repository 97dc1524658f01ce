"""What a call sends and returns: bytes, headers, and which hosts are contacted. On both clients."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

import binance_usdm
from binance_usdm import (
    AccountBalance,
    AsyncClient,
    Client,
    ConfigurationError,
    TransportError,
    UnexpectedResponse,
)
from binance_usdm.mock import Exchange, ManualClock, Switches
from tests.support.clients import BODY, KEY, NOW, ROW, SECRET, BlockingFacade, RecordingHandler
from tests.support.raw_server import READ, RawServer, repeat, response_bytes
from tests.support.spec_facts import BALANCE_PATH, TIME_PATH

ClientOf = Callable[..., BlockingFacade]
TUNNEL = b"HTTP/1.1 200 Connection established\r\n\r\n"
# The API secret in the examples of the exchange's documentation.
DOCUMENTED = "2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9"


def at_now() -> int:
    return NOW


def has_signature(payload: bytes) -> bytes:
    return (
        payload
        + b"&signature="
        + hmac.new(SECRET.encode(), payload, hashlib.sha256).hexdigest().encode()
    )


def test_a_balance_is_a_list_of_typed_rows(make_client: ClientOf) -> None:
    rows = make_client(RecordingHandler()).balance()
    assert [type(row) for row in rows] == [AccountBalance]
    assert (rows[0].asset, rows[0].balance, rows[0].cross_un_pnl) == (
        "USDT",
        Decimal("12.50000000"),
        Decimal("-0.25"),
    )
    assert [row.to_dict() for row in rows] == [ROW]


def test_a_response_has_its_time(make_client: ClientOf) -> None:
    """The time of a response is this machine's, and the exchange's after a clock sync."""
    offset_ms = 5_000_000
    exchange = Exchange(clock=lambda: time.time_ns() // 1_000_000 + offset_ms)
    client = make_client(
        api_key=exchange.api_key, api_secret=exchange.api_secret, transport=exchange.transport
    )
    before = client.server_time_detailed()
    assert abs(before.received_at_ms / 1000 - time.time()) < 60
    after = client.balance_detailed()
    assert abs((after.received_at_ms - offset_ms) / 1000 - time.time()) < 60
    assert after.received_at.tzinfo is UTC
    assert after.received_at.timestamp() == after.received_at_ms / 1000


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)),
        (" Thu, 29 Feb 2024 23:59:59 GMT ", datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)),
        *(
            (text, None)
            for text in (
                "", "now", "Thu, 29 Feb 2023 00:00:00 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
                "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT",
                "Sun, 06 Nov 1994 08:49:60 GMT", "Sun, 06 Now 1994 08:49:37 GMT",
                "Sun, 06 Nov 0000 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37",
                "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT, x",
            )
        ),
    ],
)  # fmt: skip
def test_a_response_has_the_exchanges_date(
    make_client: ClientOf, date: str, expected: datetime | None
) -> None:
    """The header Date as an aware datetime, None without one that is valid."""
    headers = {"Date": date} if date else {}
    response = make_client(
        RecordingHandler(httpx.Response(200, content=BODY, headers=headers))
    ).balance_detailed()
    assert response.exchange_date == expected


@pytest.mark.parametrize(("offset", "expected"), [(0, 1_700_000_000), (-60, 1_699_999_940)])
def test_the_date_is_that_of_the_mock(make_client: ClientOf, offset: int, expected: int) -> None:
    exchange = Exchange(clock=ManualClock(1_700_000_000_999), switches=Switches(date_offset=offset))
    client = make_client(transport=exchange.transport)
    found = client.server_time_detailed().exchange_date
    assert found == datetime.fromtimestamp(expected, UTC)
    exchange.switches = Switches(date_offset=None)
    assert client.server_time_detailed().exchange_date is None


def test_an_empty_list_is_an_empty_wallet(make_client: ClientOf) -> None:
    assert make_client(RecordingHandler(b"[]")).balance() == []


def test_server_time_needs_no_credentials(make_client: ClientOf) -> None:
    client = make_client(
        RecordingHandler(b'{"serverTime": 1499827319559}'), api_key=None, api_secret=None
    )
    assert client.server_time().server_time == 1499827319559


@pytest.mark.parametrize(
    ("header", "weight"),
    [("15", 15), ("0", 0), ("", None), ("-1", None), ("1e3", None), ("٣", None)],
)
def test_the_detailed_call_tells_what_came_along(
    make_client: ClientOf, header: str, weight: int | None
) -> None:
    headers = [(b"x-mbx-used-weight-1m", header.encode()), (b"X-Other", b"1")]
    response = make_client(
        lambda _: httpx.Response(200, headers=headers, content=BODY)
    ).balance_detailed()
    assert (response.status_code, response.used_weight, response.attempts) == (200, weight, 1)
    assert [row.to_dict() for row in response.parsed] == [ROW]
    assert response.headers["x-other"] == response.headers["X-OTHER"] == "1"
    assert 0 < response.elapsed < 5
    assert (
        make_client(lambda _: httpx.Response(200, content=BODY)).balance_detailed().used_weight
        is None
    )


@pytest.mark.parametrize(
    ("default", "argument", "sent"),
    [
        (None, None, b"timestamp=%d" % NOW),
        (3000, None, b"recvWindow=3000&timestamp=%d" % NOW),
        (None, 1, b"recvWindow=1&timestamp=%d" % NOW),
        (3000, 70000, b"recvWindow=70000&timestamp=%d" % NOW),
    ],
)
def test_the_query_is_the_window_if_any_then_the_time_then_the_signature(
    make_client: ClientOf, default: int | None, argument: int | None, sent: bytes
) -> None:
    exchange = RecordingHandler()
    make_client(exchange, clock=at_now, recv_window=default).balance(recv_window=argument)
    assert exchange.targets == [(BALANCE_PATH.encode() + b"?") + has_signature(sent)]


@pytest.mark.parametrize(
    ("window", "query"),
    [
        (
            None,
            b"timestamp=1591702613943&signature=84901bbeed96ffa9adf9995c40fcadcb0a9ddad37c2605ce82491f2c771077a6",
        ),
        (
            5000,
            b"recvWindow=5000&timestamp=1591702613943"
            b"&signature=5581570ecf76b9b74c6f1a66ef6520c2959a75c32641affb2634d655d6e64db8",
        ),
    ],
)
def test_the_default_transport_sends_exactly_these_bytes(
    make_client: ClientOf, window: int | None, query: bytes
) -> None:
    with RawServer(repeat(READ, response_bytes(BODY))) as server:
        base_url = f"{server.url}gateway/v1"
        make_client(api_secret=DOCUMENTED, base_url=base_url, clock=at_now).balance(
            recv_window=window
        )
    assert server.requests == [
        b"GET /gateway/v1%b?%b HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
        b"User-Agent: binance-usdm/%b\r\n"
        b"Accept: application/json\r\nAccept-Encoding: identity\r\nX-MBX-APIKEY: %b\r\n\r\n"
        % (
            BALANCE_PATH.encode(),
            query,
            server.port,
            binance_usdm.__version__.encode(),
            KEY.encode(),
        )
    ]


def test_another_transport_gets_the_same_request(make_client: ClientOf) -> None:
    exchange = RecordingHandler()
    make_client(exchange, clock=at_now, base_url="https://gateway.example:8443/v1/").balance()
    (request,) = exchange.requests
    assert (
        str(request.url)
        == f"https://gateway.example:8443/v1{BALANCE_PATH}?"
        + has_signature(b"timestamp=%d" % NOW).decode()
    )
    assert request.headers.raw == [
        (b"Host", b"gateway.example:8443"),
        (b"User-Agent", b"binance-usdm/" + binance_usdm.__version__.encode()),
        (b"Accept", b"application/json"),
        (b"Accept-Encoding", b"identity"),
        (b"X-MBX-APIKEY", KEY.encode()),
    ]
    assert (request.method, request.read()) == ("GET", b"")


def test_key_and_signature_go_only_where_the_operation_wants_them(make_client: ClientOf) -> None:
    exchange = RecordingHandler(BODY, b'{"serverTime": 1}', BODY)
    client = make_client(exchange)
    client.balance()
    client.server_time()
    client.balance()
    assert ["x-mbx-apikey" in request.headers for request in exchange.requests] == [
        True,
        False,
        True,
    ]
    assert exchange.targets[1] == TIME_PATH.encode()


@pytest.mark.promise("S10")
@pytest.mark.parametrize("status", [301, 308])
def test_a_redirect_is_an_error_and_nothing_is_sent_to_its_target(
    make_client: ClientOf, status: int
) -> None:
    with RawServer(repeat(READ, response_bytes(BODY))) as other:
        location = b"Location: %b%b" % (other.url.encode(), BALANCE_PATH.removeprefix("/").encode())
        moves = repeat(READ, response_bytes(b"", location, status=f"{status} Moved"))
        with (
            RawServer(moves) as server,
            pytest.raises(UnexpectedResponse, match="redirect") as caught,
        ):
            make_client(base_url=server.url).balance()
    assert (caught.value.status, caught.value.path) == (status, ())
    moved = RecordingHandler(httpx.Response(status, headers={"location": other.url}))
    with pytest.raises(UnexpectedResponse, match="redirect"):
        make_client(moved).balance()
    assert (other.connections, len(moved.requests)) == (0, 1)


@pytest.mark.promise("R19")
class Pieces(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body of another transport's, a byte at a time, behind many blanks."""

    def __iter__(self) -> Iterator[bytes]:
        yield from itertools.repeat(b" ", 100_000)
        yield BODY

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece


def test_a_body_in_very_many_pieces_is_read_in_time(make_client: ClientOf) -> None:
    client = make_client(lambda request: httpx.Response(200, stream=Pieces()), timeout=3)
    assert len(client.balance()) == 1


def test_a_failed_call_is_one_request(make_client: ClientOf) -> None:
    exchange = RecordingHandler(httpx.ConnectError("down"))
    with pytest.raises(TransportError):
        make_client(exchange).balance()
    with pytest.raises(TransportError):
        make_client(exchange).server_time()
    assert len(exchange.requests) == 2


@pytest.mark.promise("S12")
def test_proxies_of_the_environment_are_ignored(
    make_client: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        RawServer(repeat(READ, response_bytes(b"no"))) as trap,
        RawServer(repeat(READ, response_bytes(BODY))) as server,
    ):
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, trap.url)
            monkeypatch.setenv(name.lower(), trap.url)
        monkeypatch.setenv("NO_PROXY", "")
        make_client(base_url=server.url).balance()
    assert (trap.connections, len(server.requests)) == (0, 1)


def test_a_given_proxy_is_used(make_client: ClientOf) -> None:
    with RawServer([READ, TUNNEL, READ, response_bytes(BODY)]) as proxy:
        rows = make_client(base_url="http://localhost:1", proxy=proxy.url, clock=at_now).balance()
    assert [row.to_dict() for row in rows] == [ROW]
    targets = [
        b"CONNECT localhost:1",
        (b"GET " + BALANCE_PATH.encode() + b"?") + has_signature(b"timestamp=%d" % NOW),
    ]
    assert [head.partition(b" HTTP/1.1\r\n")[0] for head in proxy.requests] == targets


def test_nothing_is_sent_before_the_first_call(
    make_client: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(*arguments: Any, **options: Any) -> Any:
        raise AssertionError("the constructor went to the network")

    for name in ("socket", "getaddrinfo", "create_connection"):
        monkeypatch.setattr(socket, name, no_network)
    client = make_client()
    with pytest.raises(AssertionError):
        client.balance()


@pytest.mark.parametrize("transport", ["own", "foreign", "proxied"])
def test_a_closed_client_refuses_calls(make_client: ClientOf, transport: str) -> None:
    proxied = transport == "proxied"
    with RawServer(
        [READ, TUNNEL, READ, response_bytes(BODY)]
        if proxied
        else repeat(READ, response_bytes(BODY))
    ) as server:
        options: dict[str, Any] = {
            "base_url": server.url,
            **({"proxy": server.url} if proxied else {}),
        }
        client = make_client(RecordingHandler() if transport == "foreign" else None, **options)
        client.balance()
        client.close()
        client.close()
        for call in (client.balance, client.server_time):
            with pytest.raises(TransportError, match="closed"):
                call()


def test_a_block_closes_its_client() -> None:
    time = RecordingHandler(b'{"serverTime": 1}')
    with Client(transport=httpx.MockTransport(time)) as client:
        assert client.server_time().server_time == 1
    with pytest.raises(TransportError, match="closed"):
        client.server_time()

    async def block() -> None:
        async with AsyncClient(transport=httpx.MockTransport(time)) as client:
            assert (await client.server_time()).server_time == 1
        with pytest.raises(TransportError, match="closed"):
            await client.server_time()

    asyncio.run(block())
    assert len(time.requests) == 2


@pytest.mark.promise("S16")
def test_credentials_that_are_missing_are_named_before_anything_is_sent(
    make_client: ClientOf,
) -> None:
    exchange = RecordingHandler()
    with pytest.raises(binance_usdm.ConfigurationError, match="balance needs an API key"):
        make_client(exchange, api_key=None, api_secret=None).balance()
    with pytest.raises(binance_usdm.ConfigurationError, match="an API secret or a signer"):
        make_client(exchange, api_secret=None).balance()
    assert exchange.requests == []


@pytest.mark.parametrize("over_mock", [False, True], ids=["own transport", "mock"])
def test_trio_is_named_as_unsupported(over_mock: bool) -> None:
    """Under trio a call and `connect` raise an error that names asyncio; `aclose` works."""
    trio = pytest.importorskip("trio")
    exchange = Exchange()
    options: dict[str, Any] = {"transport": exchange.transport} if over_mock else {}
    client = AsyncClient(exchange.api_key, exchange.api_secret, **options)

    async def scenario() -> None:
        for call in (client.balance, client.connect):
            with pytest.raises(ConfigurationError, match="asyncio"):
                await call()
        await client.aclose()

    trio.run(scenario)
