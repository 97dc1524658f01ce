"""The clients that are compared: how each is made, and which module shows that it is installed.

Each is used as its documentation shows it, with another server and without a limit on calls per
second. httpx, aiohttp and this project may open as many connections as there are concurrent calls;
the others keep their default, which is 100. A client is imported only when it is measured.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.cpu_time import AsyncCall, Call

from .target import Target

if TYPE_CHECKING:
    import ssl


def ours(target: Target, limiter: Any = None) -> Call:
    import binance_usdm

    client = binance_usdm.Client(target.key, target.secret, base_url=target.url, limiter=limiter)
    return lambda: client.balance(recv_window=5000)


def ours_with_weight_limiter(target: Target) -> Call:
    import binance_usdm

    return ours(target, binance_usdm.WeightLimiter(limit=NO_LIMIT))


def ours_with_redis_limiter(target: Target) -> Call:
    import binance_usdm

    return ours(target, binance_usdm.RedisLimiter(target.redis_url, limit=NO_LIMIT))


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
    # Both packages are in a separate venv.
    from binance_common.configuration import (  # type: ignore[import-not-found]
        ConfigurationRestAPI,
    )
    from binance_sdk_derivatives_trading_usds_futures import (  # type: ignore[import-not-found]
        derivatives_trading_usds_futures as sdk,
    )

    configuration = ConfigurationRestAPI(
        api_key=target.key, api_secret=target.secret, base_path=target.url, timeout=10_000
    )
    api = sdk.DerivativesTradingUsdsFutures(config_rest_api=configuration).rest_api
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


async def ours_async(target: Target, limiter: Any = None) -> AsyncCall:
    import binance_usdm

    transport = binance_usdm.AsyncTransport(max_connections=target.connections)
    client = binance_usdm.AsyncClient(
        target.key,
        target.secret,
        base_url=target.url,
        limiter=limiter,
        timeout=60,
        transport=transport,
    )
    return lambda: client.balance(recv_window=5000)


async def ours_async_with_weight_limiter(target: Target) -> AsyncCall:
    import binance_usdm

    return await ours_async(target, binance_usdm.WeightLimiter(limit=NO_LIMIT))


async def ours_async_with_redis_limiter(target: Target) -> AsyncCall:
    import binance_usdm

    limiter = binance_usdm.RedisLimiter(target.redis_url, limit=NO_LIMIT)
    return await ours_async(target, limiter)


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
        async with session.get(
            yarl.URL(target.url + sign_target(secret), encoded=True)
        ) as response:
            response.raise_for_status()
            return parse_amounts(await response.json())

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
    # ccxt does not read this variable.
    exchange.validateServerSsl = os.environ.get("REQUESTS_CA_BUNDLE", True)
    # fetch_balance would read /fapi/v3/account.
    return lambda: exchange.fapiPrivateV3GetBalance()


def _context(target: Target) -> ssl.SSLContext | bool:
    """Return what httpx should trust. Its default is another list than the machine's."""
    import ssl

    return ssl.create_default_context() if target.url.startswith("https:") else True


class Client(NamedTuple):
    """A client that can be measured.

    Attributes:
        make: Returns a call, or an awaitable of one.
        module: Module that can be imported where the client is installed.
        package: Package with the version, None for the standard library.
        kind: "ours", "floor" (not a client, only a way to send) or "peer".
        gives: What the amounts are.
    """

    make: Callable[[Target], Call | Awaitable[AsyncCall]]
    module: str
    package: str | None
    kind: str
    gives: str = "exact amounts"


OURS, FLOOR, ASYNC_FLOOR = "binance-usdm", "http.client", "aiohttp"
NO_LIMIT = 1_000_000_000
"""Weight a minute that no measurement uses up."""
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
WITHOUT_LIMITER = "limiter=None"
CLIENTS = {
    "sync": SYNC,
    "async": ASYNC,
    "limiter": {
        WITHOUT_LIMITER: SYNC[OURS],
        "WeightLimiter": Client(ours_with_weight_limiter, "binance_usdm", None, "ours"),
        "RedisLimiter": Client(ours_with_redis_limiter, "redis", None, "ours"),
    },
    "limiter, async": {
        WITHOUT_LIMITER: ASYNC[OURS],
        "WeightLimiter": Client(ours_async_with_weight_limiter, "binance_usdm", None, "ours"),
        "RedisLimiter": Client(ours_async_with_redis_limiter, "redis", None, "ours"),
    },
}
