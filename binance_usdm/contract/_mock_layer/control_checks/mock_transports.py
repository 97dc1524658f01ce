"""Checks of the mock's transports and ASGI application: they keep requests and deliver responses."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import httpx

from binance_usdm.contract._cases.raw_requests import KEY, T0, MakeExchange, signed_target
from binance_usdm.contract._mock_layer.basics import needs_basics
from binance_usdm.contract._mock_layer.callers import FIRST, OTHER_ADDRESS
from binance_usdm.contract._spec.operations import Operation

DEFAULT_ADDRESS: Final = "127.0.0.1"
READ_TIMEOUT: Final = 0.001
# Faults of the delivery with their options, and how each ends for a client with that timeout. No
# clock decides: a wait is compared with the timeout.
ENDS: Final[tuple[tuple[str, dict[str, Any], type[httpx.TransportError]], ...]] = (
    ("latency", {"seconds": 0.05}, httpx.ReadTimeout),
    ("slow", {"chunk": 1, "pause": 0.05}, httpx.ReadTimeout),
    ("cut", {"after": 1}, httpx.RemoteProtocolError),
    ("reset", {}, httpx.ReadError),
    ("reset", {"after": 1}, httpx.ReadError),
)


def transports_keep_the_address(operation: Operation, make: MakeExchange) -> None:
    """A transport, sync and async, sends what `handle` would get, from its address."""
    exchange = make()
    expected = FIRST.send(exchange, operation).body
    for address in (OTHER_ADDRESS, DEFAULT_ADDRESS):
        transport = exchange.transport_from(address)
        if address == DEFAULT_ADDRESS:
            transport = exchange.transport
        for response in _send_both(transport, operation):
            logged = exchange.requests[-1]
            assert (response.status_code, response.content) == (200, expected), f"{response}"
            assert logged.address == address, f"{logged}"
    response = exchange(_request(operation))
    found = (response.status_code, response.content, exchange.requests[-1].address)
    assert found == (200, expected, DEFAULT_ADDRESS), "the exchange as a function"


def transports_deliver_faults(operation: Operation, make: MakeExchange) -> None:
    """A late, slow, cut or reset response ends as on a socket; one in pieces has all of them."""
    exchange = make()
    expected = FIRST.send(exchange, operation).body
    for fault, options, error in ENDS:
        exchange.fail(fault, 2, **options)
        responses = _send_both(exchange.transport, operation, error)
        assert not responses, f"{fault} {options} did not end with {error.__name__}"
    exchange.fail("slow", 2, chunk=7, pause=0.0)
    for response in _send_both(exchange.transport, operation):
        assert response.content == expected, f"in pieces: {response.content!r}"


def application_keeps_the_request(operation: Operation, make: MakeExchange) -> None:
    """The ASGI application passes on address, path, query and body, wherever it is mounted."""
    exchange = make()
    request = _request(operation, "noSuchParameter=a%2Bb%20c%26d")
    for address in (OTHER_ADDRESS, "2001:db8::1"):
        transport = httpx.ASGITransport(exchange.asgi, client=(address, 1))
        response = _run(_send_async(transport, request))
        logged = exchange.requests[-1]
        assert response.status_code == logged.status, f"{response}"
        found = (logged.address, logged.path, logged.raw_query)
        assert found == (address, operation.sample_path, request.url.query), f"{found}"
    target = request.url.raw_path.decode()
    mounted = httpx.Request("POST", f"https://exchange.invalid/mounted{target}", content=b"a=1&b=")
    _run(_send_async(httpx.ASGITransport(exchange.asgi, root_path="/mounted"), mounted))
    logged = exchange.requests[-1]
    passed_on = (logged.path, logged.raw_query, logged.body)
    assert passed_on == (operation.sample_path, request.url.query, b"a=1&b="), (
        f"mounted: {passed_on}"
    )
    exchange.ban(60, OTHER_ADDRESS)
    for address, status in ((OTHER_ADDRESS, 418), ("203.0.113.77", 200)):
        transport = httpx.ASGITransport(exchange.asgi, client=(address, 1))
        found_status = _run(_send_async(transport, _request(operation))).status_code
        assert found_status == status, f"{address}: {found_status}"


CHECKS: Final = tuple(
    needs_basics(check)
    for check in (
        transports_keep_the_address,
        transports_deliver_faults,
        application_keeps_the_request,
    )
)


def _request(operation: Operation, *pairs: str) -> httpx.Request:
    headers = {operation.key_header: KEY} if operation.key_header else {}
    url = f"https://exchange.invalid{signed_target(operation, T0, *pairs).decode()}"
    timeout = {"timeout": {"read": READ_TIMEOUT}}
    return httpx.Request(operation.method, url, headers=headers, extensions=timeout)


def _send_both(
    transport: httpx.MockTransport,
    operation: Operation,
    expected: type[Exception] | None = None,
) -> list[httpx.Response]:
    """Send a sync and an async request, and return the responses of those without an error."""
    responses = []
    for is_async in (False, True):
        try:
            if is_async:
                responses.append(_run(_send_async(transport, _request(operation))))
            else:
                response = transport.handle_request(_request(operation))
                response.read()
                responses.append(response)
        except httpx.TransportError as error:
            if type(error) is not expected:
                raise
    return responses


async def _send_async(
    transport: httpx.AsyncBaseTransport, request: httpx.Request
) -> httpx.Response:
    response = await transport.handle_async_request(request)
    await response.aread()
    return response


def _run(call: Coroutine[Any, Any, httpx.Response]) -> httpx.Response:
    """Run a call in a thread of its own, since this one may have a running loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, call).result()
