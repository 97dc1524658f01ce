"""The clients that are compared: how each is made, and what shows that it is installed. Nothing is imported before its turn.

Each is used as its documentation shows it, pointed at another server, without a limit of its own on calls a second. httpx, aiohttp
and this project may open as many connections as there are calls at once; the others keep their own bound, which is 100.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.cpu_time import AsyncCall, Call

from .target import Target

if TYPE_CHECKING:
    import ssl


def ours(target: Target) -> Call:
    import binance_usdm

    client = binance_usdm.Client(target.key, target.secret, base_url=target.url, limiter=None)
    return lambda: client.balance(recv_window=5000)


def http_client(target: Target) -> Call:

    from benchmarks import baseline

    return baseline.http_client(target)


def httpx_client(target: Target) -> Call:
    import httpx

    from benchmarks.baseline import parse_amounts, sign_target

    client = httpx.Client(
        headers={"X-MBX-APIKEY": target.key},
        timeout=10,
        verify=_context(target),
        base_url=target.url,
    )
    secret = target.secret.encode()
    return lambda: parse_amounts(client.get(sign_target(secret)).raise_for_status().json())


def official(target: Target) -> Call:
    from binance_common.configuration import ConfigurationRestAPI  # type: ignore[import-not-found]  # has its own venv
    from binance_sdk_derivatives_trading_usds_futures.derivatives_trading_usds_futures import (  # type: ignore[import-not-found]
        DerivativesTradingUsdsFutures,
    )

    made = ConfigurationRestAPI(
        api_key=target.key, api_secret=target.secret, base_path=target.url, timeout=10_000
    )
    api = DerivativesTradingUsdsFutures(config_rest_api=made).rest_api
    return lambda: api.futures_account_balance_v3(recv_window=5000).data()


def python_binance(target: Target) -> Call:
    from binance.client import Client  # type: ignore[import-not-found]  # has its own venv

    client = Client(target.key, target.secret, ping=False)
    client.FUTURES_URL = target.url + "/fapi"
    return lambda: client.futures_account_balance(recvWindow=5000)


def futures_connector(target: Target) -> Call:
    from binance.um_futures import UMFutures  # type: ignore[import-not-found]  # has its own venv

    client = UMFutures(key=target.key, secret=target.secret, base_url=target.url, timeout=10)
    return lambda: client.balance(recvWindow=5000)


def ccxt(target: Target) -> Call:
    import ccxt  # type: ignore[import-not-found]  # has its own venv

    return _ccxt_balance(ccxt, target)


async def ours_async(target: Target) -> AsyncCall:
    import binance_usdm

    bounded = getattr(binance_usdm, "AsyncTransport", None)
    transport = bounded and bounded(max_connections=target.connections)
    client = binance_usdm.AsyncClient(
        target.key,
        target.secret,
        base_url=target.url,
        limiter=None,
        timeout=60,
        transport=transport,
    )
    return lambda: client.balance(recv_window=5000)


async def streams(target: Target) -> AsyncCall:

    from benchmarks import baseline

    return await baseline.streams(target)


async def aiohttp(target: Target) -> AsyncCall:
    import aiohttp  # type: ignore[import-not-found]  # comes with `make bench`
    import yarl  # type: ignore[import-not-found]

    from benchmarks.baseline import parse_amounts, sign_target

    connector = aiohttp.TCPConnector(limit=target.connections)
    session = aiohttp.ClientSession(connector=connector, headers={"X-MBX-APIKEY": target.key})
    secret = target.secret.encode()

    async def call() -> Any:
        async with session.get(yarl.URL(target.url + sign_target(secret), encoded=True)) as reply:
            reply.raise_for_status()
            return parse_amounts(await reply.json())

    return call


async def httpx_async(target: Target) -> AsyncCall:
    import httpx

    from benchmarks.baseline import parse_amounts, sign_target

    limits = httpx.Limits(
        max_connections=target.connections, max_keepalive_connections=target.connections
    )
    client = httpx.AsyncClient(
        headers={"X-MBX-APIKEY": target.key},
        timeout=60,
        limits=limits,
        verify=_context(target),
        base_url=target.url,
    )
    secret = target.secret.encode()

    async def call() -> Any:
        return parse_amounts((await client.get(sign_target(secret))).raise_for_status().json())

    return call


async def python_binance_async(target: Target) -> AsyncCall:
    from binance import AsyncClient  # type: ignore[import-not-found]  # has its own venv

    client = AsyncClient(target.key, target.secret)
    client.FUTURES_URL = target.url + "/fapi"
    return lambda: client.futures_account_balance(recvWindow=5000)


async def ccxt_async(target: Target) -> AsyncCall:
    import ccxt.async_support  # type: ignore[import-not-found]  # has its own venv

    return _ccxt_balance(ccxt.async_support, target)


def _ccxt_balance(package: Any, target: Target) -> Callable[[], Any]:
    exchange = package.binance(
        {"apiKey": target.key, "secret": target.secret, "enableRateLimit": False}
    )
    exchange.urls["api"]["fapiPrivateV3"] = target.url + "/fapi/v3"
    exchange.options["recvWindow"] = 5000
    exchange.validateServerSsl = os.environ.get(
        "REQUESTS_CA_BUNDLE", True
    )  # it asks no environment by itself
    return lambda: (
        exchange.fapiPrivateV3GetBalance()
    )  # the endpoint itself: fetch_balance reads /fapi/v3/account


def _context(target: Target) -> ssl.SSLContext | bool:
    """httpx trusts a list of its own unless it is given what the machine trusts."""
    import ssl

    return ssl.create_default_context() if target.url.startswith("https:") else True


class Client(NamedTuple):
    """`module` can be imported where the client is installed; `package` has the version."""

    make: Callable[[Target], Call | Awaitable[AsyncCall]]
    module: str
    package: str | None
    kind: str
    """ours, floor (no client, only a way to send) or peer."""
    gives: str = "exact amounts"


OURS, FLOOR, ASYNC_FLOOR = "binance-usdm", "http.client", "aiohttp"
TEXTS = "texts"
_OFFICIAL = "binance-sdk-derivatives-trading-usds-futures"

SYNC = {
    OURS: Client(ours, "binance_usdm", "binance-usdm", "ours"),
    FLOOR: Client(http_client, "http.client", None, "floor"),
    "httpx": Client(httpx_client, "httpx", "httpx", "floor"),
    "official SDK": Client(
        official, "binance_sdk_derivatives_trading_usds_futures", _OFFICIAL, "peer", TEXTS
    ),
    "python-binance": Client(python_binance, "binance.client", "python-binance", "peer", TEXTS),
    "futures connector": Client(
        futures_connector, "binance.um_futures", "binance-futures-connector", "peer", TEXTS
    ),
    "ccxt": Client(ccxt, "ccxt", "ccxt", "peer", TEXTS),
}
ASYNC = {
    OURS: Client(ours_async, "binance_usdm", "binance-usdm", "ours"),
    "asyncio streams": Client(streams, "asyncio", None, "floor"),
    ASYNC_FLOOR: Client(aiohttp, "aiohttp", "aiohttp", "floor"),
    "httpx": Client(httpx_async, "httpx", "httpx", "floor"),
    "python-binance": Client(
        python_binance_async, "binance.client", "python-binance", "peer", TEXTS
    ),
    "ccxt": Client(ccxt_async, "ccxt", "ccxt", "peer", TEXTS),
}
CLIENTS = {"sync": SYNC, "async": ASYNC}
