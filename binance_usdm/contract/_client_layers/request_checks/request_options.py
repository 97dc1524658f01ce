"""Checks of options and results that would give something away, or that cannot be sent."""

from __future__ import annotations

import asyncio
import inspect
import ssl
from typing import Any, Final

from binance_usdm import ConfigurationError
from binance_usdm.contract._cases.raw_requests import KEY, SECRET, T0, MakeExchange
from binance_usdm.contract._client_layers.calls import call_each, close
from binance_usdm.contract._client_layers.request_checks.request_parts import (
    lasting_parts,
    respond_in_turn,
)
from binance_usdm.contract._client_layers.sdk import Sdk
from binance_usdm.contract._spec.operations import Operation

PROXY: Final = "http://proxy.invalid:8080"
TEST_HOST: Final = {"base_url": "http://test.invalid", "allow_http_hosts": ("test.invalid",)}


class OwnSigner:
    """A signer that returns what it is made with."""

    def __init__(self, signature: Any) -> None:
        self._signature = signature

    def sign(self, payload: bytes) -> Any:
        return self._signature


def unsafe_options_are_rejected(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """No client is made that would send a key in the clear, to a stranger or into other headers."""
    exchange = operation.origins["production"]
    host = exchange.partition("//")[2]
    # One for a server, which checks neither certificates nor names.
    unchecked = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    cases: tuple[tuple[str, dict[str, Any]], ...] = (
        ("http to any host", {"base_url": "http://test.invalid"}),
        ("http to the exchange", {"base_url": f"http://{host}", "allow_http_hosts": (host,)}),
        ("http through a proxy elsewhere", {**TEST_HOST, "proxy": PROXY}),
        ("host of another API", {"base_url": "https://api.binance.com"}),
        ("certificates not checked", {"ssl_context": unchecked}),
        ("two ways to sign", {"signer": OwnSigner(b"00")}),
        ("a line in the key", {"api_key": f"{KEY}\r\nx: y"}),
        ("a space in the secret", {"api_secret": f"{SECRET} "}),
    )
    for name, options in cases:
        try:
            client = sdk.client(**{"api_key": KEY, "api_secret": SECRET, **options})
        except ConfigurationError:
            continue
        asyncio.run(close(client))
        raise AssertionError(f"{name}: a client is made")


def what_cannot_be_sent_is_an_error(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """A signature that a URL cannot have, or a time that is no integer, is an error."""
    if operation.signature is None:
        return
    cases: list[dict[str, Any]] = [
        {"signer": OwnSigner(signature)} for signature in (b"a+/=", b"a b", b"a&b", b"", "00")
    ]
    cases += [{"api_secret": SECRET, "clock": lambda time=time: time} for time in (T0 / 1, str(T0))]
    for options in cases:
        transport = sdk.transport(respond_in_turn(operation))
        client = sdk.client(KEY, transport=transport, **{"clock": lambda: T0, **options})
        (call,) = call_each(client, operation, {})
        place = f"{next(iter(options))}: {[each.query for each in transport.sent]}, {call.error!r}"
        assert isinstance(call.error, ConfigurationError), place
        assert not transport.sent, place


def get_sends_what_methods_do(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """`get` of a path of the document sends what the operation's method does."""
    client, transport = sdk.connect(respond_in_turn(operation))
    is_signed = operation.signature is not None
    is_alike = is_signed or operation.key_header is None
    if not hasattr(client, "get") or not is_alike or operation.method != "GET":
        return
    weight = operation.weight_of(operation.required_query)
    names = {each["name"] for each in operation.query_parameters if each.get("required")}
    if names or operation.path_parameters:
        return

    async def get() -> None:
        result = client.get(operation.path, weight=weight, signed=is_signed)
        if inspect.isawaitable(result):
            await result
        await close(client)

    asyncio.run(get())
    other, expected = sdk.connect(respond_in_turn(operation))
    call_each(other, operation, {})
    found = [(lasting_parts(operation, each), each.query) for each in transport.sent]
    wanted = [(lasting_parts(operation, each), each.query) for each in expected.sent]
    assert found == wanted, f"{found}, not {wanted}"


CHECKS: Final = (
    unsafe_options_are_rejected,
    what_cannot_be_sent_is_an_error,
    get_sends_what_methods_do,
)
