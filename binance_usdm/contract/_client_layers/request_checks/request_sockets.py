"""Checks of the client's own transport: the bytes that it sends, and how long connections last."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from binance_usdm.contract._cases.raw_requests import KEY, SECRET, T0, MakeExchange
from binance_usdm.contract._client_layers.calls import (
    RecordedCall,
    call_each,
    call_in_turn,
    call_method,
    close,
    sample_arguments,
)
from binance_usdm.contract._client_layers.request_checks.request_parts import respond_in_turn
from binance_usdm.contract._client_layers.sdk import Sdk
from binance_usdm.contract._client_layers.servers.recording_server import LoopbackServer
from binance_usdm.contract._spec.operations import Operation


def sockets_carry_the_same(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """A request over a socket is the one that another transport gets, in HTTP/1.1."""
    respond = respond_in_turn(operation)
    with LoopbackServer(respond) as server:
        client = _make_client(sdk, server.url)
        call_each(client, operation, {})
    client, transport = sdk.connect(respond, base_url=server.url)
    call_each(client, operation, {})
    found = [(each.method, each.target, each.version, each.headers) for each in server.requests]
    expected = [(each.method, each.target, "HTTP/1.1", each.headers) for each in transport.sent]
    names = [[name for name, _ in each.headers] for each in server.requests]
    assert found == expected, f"other requests arrive: {server.requests}, headers {names}"


def clients_close_what_is_theirs(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """A closed client ends its connections, but leaves a transport of its caller open."""
    with LoopbackServer(respond_in_turn(operation)) as server:
        client = _make_client(sdk, server.url)
        call_each(client, operation, {})
        has_ended = server.wait_for_end(0)
    assert has_ended, "the connection of a closed client stays open"
    with LoopbackServer(respond_in_turn(operation)) as server:
        transport = sdk.own_transport()
        clients = [_make_client(sdk, server.url, transport=transport) for _ in range(2)]
        errors = asyncio.run(_close_after_one_call(clients, transport, operation))
    assert errors == [None, None], f"after the first of two clients was closed: {errors}"


def transport_options_are_kept(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """Connections that keys may share carry requests of all; one that is too old carries none."""
    cases: tuple[tuple[dict[str, Any], list[int]], ...] = (
        ({"share_connections": True}, [0] * 4),
        ({"keepalive_expiry": 0}, [0, 1, 2, 3]),
        # One connection at a time is closed for the next key's.
        ({"max_connections": 1}, [0, 1, 2, 3]),
        ({"max_connections": 1, "share_connections": True}, [0] * 4),
    )
    for options, expected in cases:
        with LoopbackServer(respond_in_turn(operation)) as server:
            transport = sdk.own_transport(**options)
            clients = [_make_client(sdk, server.url, key, transport=transport) for key in "ab"]
            calls = call_in_turn(clients, operation, {}, {}, transport=transport)
        connections = [each.connection for each in server.requests]
        place = f"{options}: {connections}, {[call.error for call in calls]}"
        assert connections == expected, place


CHECKS: Final = (
    sockets_carry_the_same,
    clients_close_what_is_theirs,
    transport_options_are_kept,
)


def _make_client(sdk: Sdk, url: str, key: str = KEY, **options: Any) -> Any:
    return sdk.client(key, SECRET, base_url=url, clock=lambda: T0, limiter=None, **options)


async def _close_after_one_call(
    clients: list[Any], transport: Any, operation: Operation
) -> list[Exception | None]:
    """Close each client after its call, and the transport at the end; return the calls' errors."""
    calls = [RecordedCall(sample_arguments(operation)) for _ in clients]
    for client, call in zip(clients, calls, strict=True):
        await call_method(client, operation, call)
        await close(client)
    await close(transport)
    return [call.error for call in calls]
