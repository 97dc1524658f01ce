"""Checks of options and results that would give something away, or that cannot be sent."""

from __future__ import annotations

import asyncio
import inspect
import ssl
from decimal import Decimal
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

OTHER_PATH: Final = "/fapi/v1/otherPath"
PARAMETERS: Final[dict[str, Any]] = {
    "symbol": "BTC USDT&a=+%é",
    "limit": 2**63,
    "amount": Decimal("1E-10"),
    "isIsolated": True,
    "dual": False,
    "absent": None,
    "after": 0,
}
WRITTEN: Final = (
    "symbol=BTC%20USDT%26a%3D%2B%25%C3%A9&limit=9223372036854775808&amount=0.0000000001"
    "&isIsolated=true&dual=false&after=0"
)
UNWRITABLE: Final[tuple[tuple[str, Any], ...]] = (
    ("amount", 0.1),
    ("amount", Decimal("NaN")),
    ("ids", [1, 2]),
    ("symbol", ""),
    ("timestamp", 1),
    ("signature", "00"),
    ("a&b", "1"),
)


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
        ("http to a private address", {"base_url": "http://10.0.0.1"}),
        ("http to a name like this machine's", {"base_url": "http://localhost.test.invalid"}),
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

    _get(client, operation.path, None, weight, is_signed=is_signed)
    other, expected = sdk.connect(respond_in_turn(operation))
    call_each(other, operation, {})
    found = [(lasting_parts(operation, each), each.query) for each in transport.sent]
    wanted = [(lasting_parts(operation, each), each.query) for each in expected.sent]
    assert found == wanted, f"{found}, not {wanted}"


def get_writes_every_value(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """`get` sends parameters in their order, each as the exchange reads it, and nothing for `None`.

    It rejects what has no exact text, and the names that the client adds.
    """
    client, _ = sdk.connect(respond_in_turn(operation))
    asyncio.run(close(client))
    if not hasattr(client, "get") or operation.method != "GET":
        return
    for is_signed in (True, False):
        client, transport = sdk.connect(respond_in_turn(operation))
        _get(client, OTHER_PATH, PARAMETERS, 1, is_signed=is_signed)
        (sent,) = transport.sent
        query = sent.query.partition("&timestamp=")[0]
        assert (sent.target.partition(b"?")[0], query) == (OTHER_PATH.encode(), WRITTEN), query
    for name, value in UNWRITABLE:
        client, transport = sdk.connect(respond_in_turn(operation))
        try:
            _get(client, OTHER_PATH, {name: value}, 1, is_signed=True)
        except ConfigurationError:
            continue
        raise AssertionError(f"{name}={value!r}: {[each.query for each in transport.sent]}")


CHECKS: Final = (
    unsafe_options_are_rejected,
    what_cannot_be_sent_is_an_error,
    get_sends_what_methods_do,
    get_writes_every_value,
)


def _get(client: Any, path: str, params: Any, weight: int, *, is_signed: bool) -> None:
    """Call `get` of a client, and close the client."""

    async def get() -> None:
        try:
            result = client.get(path, params, weight=weight, signed=is_signed)
            if inspect.isawaitable(result):
                await result
        finally:
            await close(client)

    asyncio.run(get())
