"""Rows of another account are rejected: a client reads the rows of one account only."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import httpx
import pytest

from binance_usdm import (
    AsyncClient,
    AsyncTransport,
    Client,
    RetryPolicy,
    SyncTransport,
    UnexpectedResponse,
)
from tests.support.clients import ROW, SECRET, BlockingFacade, RecordingHandler
from tests.support.incidents import Incidents
from tests.support.raw_server import READ, RawServer, repeat, response_bytes

ClientOf = Callable[..., BlockingFacade]


def body_with_rows(*aliases: str) -> bytes:
    return json.dumps([{**ROW, "accountAlias": alias} for alias in aliases]).encode()


def alias_of(client: BlockingFacade) -> str:
    [alias] = {row.account_alias for row in client.balance()}
    return alias


@pytest.mark.promise("R21")
def test_rows_of_another_account_raise(make_client: ClientOf) -> None:
    """Rows of another account than before raise, are not retried, and the client goes on well."""
    events = Incidents()
    bodies = [body_with_rows("Aaaa"), body_with_rows("Bbbb", "Bbbb"), body_with_rows("Aaaa")]
    script = [step for body in bodies for step in (READ, response_bytes(body))]
    # The first connection could answer all three requests.
    with RawServer(script, script[4:]) as server:
        client = make_client(base_url=server.url, on_event=events.append)
        assert alias_of(client) == "Aaaa"
        with pytest.raises(UnexpectedResponse) as caught:
            client.balance()
        assert alias_of(client) == "Aaaa"
    error = caught.value
    assert (error.status, error.path, error.retryable) == (200, (0, "accountAlias"), False)
    assert "another account" in str(error)
    assert not any(alias in repr(error) + str(error) for alias in ("Aaaa", "Bbbb"))
    assert [(event.kind, type(event.error)) for event in events] == [
        ("account_mismatch", UnexpectedResponse)
    ]
    # Three requests; the connection that brought the wrong rows carried no further one.
    assert (len(server.requests), server.connections) == (3, 2)


@pytest.mark.promise("R21")
@pytest.mark.parametrize("known", [False, True])
def test_rows_of_two_accounts_raise(make_client: ClientOf, known: bool) -> None:
    """The rows of one response must agree. If they do not, the client learns no account."""
    bodies = [body_with_rows("Aaaa")] * known + [
        body_with_rows("Bbbb", "Bbbb", "Aaaa"),
        body_with_rows("Aaaa"),
    ]
    script = [step for body in bodies for step in (READ, response_bytes(body))]
    with RawServer(script[: 2 * known + 2], script[-2:]) as server:
        client = make_client(base_url=server.url)
        if known:
            client.balance()
        with pytest.raises(UnexpectedResponse) as caught:
            client.balance()
        assert caught.value.path == (2, "accountAlias")
        assert caught.value.expected == "the account of the first row"
        assert alias_of(client) == "Aaaa"


@pytest.mark.promise("R21")
def test_an_empty_list_names_no_account(make_client: ClientOf) -> None:
    """An empty list is accepted before and after the account is known."""
    bodies = [b"[]", body_with_rows("Aaaa"), b"[]", body_with_rows("Aaaa")]
    script = [step for body in bodies for step in (READ, response_bytes(body))]
    with RawServer(script) as server:
        client = make_client(base_url=server.url)
        assert [len(client.balance()) for _ in bodies] == [0, 1, 0, 1]


@pytest.mark.promise("R21")
def test_rows_of_another_account_over_httpx(make_client: ClientOf) -> None:
    """The same holds over an httpx transport."""
    handler = RecordingHandler(
        body_with_rows("Aaaa"), body_with_rows("Bbbb"), body_with_rows("Aaaa")
    )
    client = make_client(transport=httpx.MockTransport(handler))
    client.balance()
    with pytest.raises(UnexpectedResponse):
        client.balance()
    assert alias_of(client) == "Aaaa"
    assert len(handler.requests) == 3


@pytest.fixture(params=[Client, AsyncClient], ids=["sync", "async"])
def clients_of_one_transport(request: pytest.FixtureRequest) -> Iterator[ClientOf]:
    """Makes clients of several accounts over one transport, which shares its one connection."""
    transport_class = SyncTransport if request.param is Client else AsyncTransport
    with asyncio.Runner() as runner:
        transport = transport_class(max_connections=1, share_connections=True)
        clients: list[BlockingFacade] = []

        def make_client(key: str, **options: Any) -> BlockingFacade:
            client = request.param(
                key, SECRET, transport=transport, retry=RetryPolicy.off(), **options
            )
            clients.append(BlockingFacade(client, runner))
            return clients[-1]

        yield make_client
        for client in clients:
            client.close()


def misbehaving(kind: str, accounts: dict[bytes, str]) -> Callable[[bytes], bytes]:
    """Return a step that sends each account its rows, then at times those of another."""
    numbers = count(1)
    last = [body_with_rows("Aaaa")]

    def answer(head: bytes) -> bytes:
        own = next(body_with_rows(alias) for key, alias in accounts.items() if key in head)
        number = next(numbers)
        body = own
        if number > len(accounts) and number % 3 == 0:
            body = last[0]
        last[0] = own
        reply = response_bytes(body)
        return reply + reply if kind == "repeated" and number > len(accounts) else reply

    return answer


@pytest.mark.promise("R21")
@pytest.mark.parametrize("fault", ["swapped", "repeated"])
def test_shared_connections_mix_no_accounts(clients_of_one_transport: ClientOf, fault: str) -> None:
    """On shared connections with swapped, late or repeated responses B never has A's rows."""
    accounts = {b"key-a": "Aaaa", b"key-b": "Bbbb"}
    wrong = 0
    with RawServer(repeat(READ, misbehaving(fault, accounts))) as server:
        clients = {
            alias: clients_of_one_transport(key.decode(), base_url=server.url)
            for key, alias in accounts.items()
        }
        for _ in range(60):
            for alias, client in clients.items():
                try:
                    assert alias_of(client) == alias
                except UnexpectedResponse:
                    wrong += 1
    assert wrong > 10
