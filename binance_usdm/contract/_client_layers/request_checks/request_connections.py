"""Checks of connections: which requests share one, what follows when it ends, and proxies."""

from __future__ import annotations

from base64 import b64encode
from typing import Any, Final

from binance_usdm import TransportError
from binance_usdm.contract._cases.raw_requests import KEY, SECRET, T0, MakeExchange
from binance_usdm.contract._client_layers.calls import call_each, call_in_turn
from binance_usdm.contract._client_layers.request_checks.request_parts import (
    ONE_ATTEMPT,
    STEP_MS,
    respond_in_turn,
    ticking_clock,
)
from binance_usdm.contract._client_layers.sdk import Sdk
from binance_usdm.contract._client_layers.servers.recording_server import (
    HOST,
    ArrivedRequest,
    LoopbackServer,
)
from binance_usdm.contract._spec.operations import Operation

LOGIN: Final = ("us%65r:p%40ss", b"user:p@ss")
"""Login of a proxy as its URL has it, and as it is meant."""
HOSTS: Final = ("one.invalid", "two.invalid")


def ended_connection_is_replaced(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """A kept connection that ends costs one more request, on a new connection and built anew.

    When that one is lost too, the call ends.
    """
    for lost in ([(0, 1)], [(0, 1), (1, 0)]):
        with LoopbackServer(respond_in_turn(operation), lost=lost) as server:
            options = {"retry": ONE_ATTEMPT, "clock": ticking_clock()}
            client = sdk.client(KEY, SECRET, base_url=server.url, limiter=None, **options)
            first, second = call_each(client, operation, {}, {})
        connections = [each.connection for each in server.requests]
        place = f"connections {connections}, errors {first.error!r}, {second.error!r}"
        assert first.error is None, place
        is_expected = isinstance(second.error, TransportError) if lost[1:] else not second.error
        assert is_expected, place
        assert connections == [0, 0, 1], place
        if operation.timestamp:
            found = [each.values_of(operation.timestamp) for each in server.requests]
            times = [[str(T0 + STEP_MS * number)] for number in range(3)]
            assert found == times, f"timestamps {found}, not {times}"
            signatures = {str(each.values_of(operation.signature)) for each in server.requests}
            assert len(signatures) == 3, f"{len(signatures)} signatures of 3 requests"
        names = {_without_values(each) for each in server.requests}
        assert len(names) == 1, f"requests differ: {sorted(names)}"


def connections_are_kept_apart(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """Clients that share a transport share no connection to another host or port, or of a key."""
    clients = [
        (KEY, SECRET, f"http://{HOSTS[0]}:8001"),
        (KEY, SECRET, f"http://{HOSTS[0]}:8002"),
        (KEY, SECRET, f"http://{HOSTS[1]}:8001"),
        ("another-key", "another-secret", f"http://{HOSTS[0]}:8001"),
    ]
    with LoopbackServer(respond_in_turn(operation)) as proxy:
        transport = sdk.own_transport(proxy=f"http://{HOST}:{proxy.port}")
        options = {"transport": transport, "allow_http_hosts": HOSTS, "limiter": None}
        made = [
            sdk.client(key, secret, base_url=url, clock=lambda: T0, **options)
            for key, secret, url in clients
        ]
        calls = call_in_turn(made, operation, {}, {}, transport=transport)
    errors = [call.error for call in calls]
    assert errors == [None] * len(calls), f"{errors}"
    found = [each.target.decode() for each in proxy.tunnels]
    expected = [url.removeprefix("http://") for _, _, url in clients]
    assert found == expected, f"connections to {found}, not to {expected}"
    counts = [sum(each.connection == n for each in proxy.served) for n in range(len(clients))]
    assert counts == [2] * len(clients), f"requests of each connection: {counts}"


def proxy_is_used(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """Every connection goes through the proxy, which gets host, port and login, and no more."""
    login, plain_login = LOGIN
    host = f"{HOSTS[0]}:8001"
    with LoopbackServer(respond_in_turn(operation)) as proxy:
        options: dict[str, Any] = {"proxy": f"http://{login}@{HOST}:{proxy.port}", "limiter": None}
        options |= {"base_url": f"http://{host}", "allow_http_hosts": HOSTS}
        client = sdk.client(KEY, SECRET, clock=lambda: T0, **options)
        calls = call_each(client, operation, {}, {})
    errors = [call.error for call in calls]
    assert errors == [None, None], f"{errors}"
    _check_tunnels(proxy.tunnels, host, plain_login)
    for request in proxy.served:
        names = {name.lower() for name, _ in request.headers}
        assert b"proxy-authorization" not in names, "the exchange gets the proxy's login"


def refused_tunnel_is_an_error(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """A proxy that opens no tunnel is told the port of https, and nothing else is sent."""
    with LoopbackServer(respond_in_turn(operation), connect_status=403) as proxy:
        options = {"proxy": f"http://{HOST}:{proxy.port}", "limiter": None, "retry": ONE_ATTEMPT}
        client = sdk.client(KEY, SECRET, base_url=f"https://{HOSTS[0]}", **options)
        (call,) = call_each(client, operation, {})
    assert isinstance(call.error, TransportError), f"{call.error!r}"
    _check_tunnels(proxy.tunnels, f"{HOSTS[0]}:443", b"")
    assert not proxy.served, f"{proxy.served}"


CHECKS: Final = (
    ended_connection_is_replaced,
    connections_are_kept_apart,
    proxy_is_used,
    refused_tunnel_is_an_error,
)


def _check_tunnels(tunnels: list[ArrivedRequest], host: str, login: bytes) -> None:
    assert [each.target for each in tunnels] == [host.encode()], (
        f"CONNECT to {tunnels}, not to {host}"
    )
    (tunnel,) = tunnels
    headers = {(name.lower(), value) for name, value in tunnel.headers}
    expected = {(b"host", host.encode())}
    if login:
        expected.add((b"proxy-authorization", b"Basic " + b64encode(login)))
    assert headers == expected, f"CONNECT with the headers {sorted(name for name, _ in headers)}"


def _without_values(request: ArrivedRequest) -> str:
    """Return the target without values, and the headers."""
    path = request.target.partition(b"?")[0]
    names = [pair.partition("=")[0] for pair in request.query.split("&")]
    return f"{request.method} {path!r} {names} {sorted(request.headers)}"
