"""Fake credentials, good bodies, the spec, and one blocking interface for both clients."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from importlib.resources import files
from typing import Any, TypeVar

import httpx

from binance_usdm import AccountBalance, AsyncClient, Client, Response, ServerTime

T = TypeVar("T")
KEY = "fake-api-key"
SECRET = "fake-api-secret"
# The timestamp of the documentation's signing examples.
NOW = 1591702613943
ROW = {
    "accountAlias": "QmZt",
    "asset": "USDT",
    "balance": "12.50000000",
    "crossWalletBalance": "12.50000000",
    "crossUnPnl": "-0.25000000",
    "availableBalance": "12.25000000",
    "maxWithdrawAmount": "12.25000000",
    "marginAvailable": True,
    "updateTime": 1762412880142,
}
BODY = json.dumps([ROW]).encode()
SPEC: Any = json.loads(
    files("binance_usdm_wire").joinpath("openapi.json").read_text(encoding="utf-8")
)

Handler = Callable[[httpx.Request], httpx.Response]


class BlockingFacade:
    """Either client behind blocking calls, on one event loop for a whole test."""

    def __init__(self, client: Client | AsyncClient, runner: asyncio.Runner) -> None:
        self.client = client
        self._runner = runner

    def balance(self, **arguments: Any) -> list[AccountBalance]:
        return self._run(self.client.balance(**arguments))

    def balance_detailed(self, **arguments: Any) -> Response[list[AccountBalance]]:
        return self._run(self.client.balance_detailed(**arguments))

    def server_time(self) -> ServerTime:
        return self._run(self.client.server_time())

    def server_time_detailed(self) -> Response[ServerTime]:
        return self._run(self.client.server_time_detailed())

    def get(self, path: str, params: Any = None, **options: Any) -> Any:
        return self._run(self.client.get(path, params, **options))

    def get_detailed(self, path: str, params: Any = None, **options: Any) -> Response[Any]:
        return self._run(self.client.get_detailed(path, params, **options))

    def close(self) -> None:
        """Close the client and its transport."""
        transport: Any = self.client._transport
        if isinstance(self.client, Client):
            self.client.close()
            transport.close()
        else:
            self._runner.run(self.client.aclose())
            self._runner.run(transport.aclose())

    def _run(self, made: T | Coroutine[Any, Any, T]) -> T:
        return self._runner.run(made) if isinstance(made, Coroutine) else made


class RecordingHandler:
    """A handler that records requests and responds to each with the next response.

    The last response is repeated without limit.
    """

    def __init__(self, *replies: httpx.Response | Exception | bytes) -> None:
        self.requests: list[httpx.Request] = []
        self._replies = replies or (BODY,)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        reply = self._replies[min(len(self.requests), len(self._replies) - 1)]
        self.requests.append(request)
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, bytes):
            return httpx.Response(200, content=reply)
        return httpx.Response(reply.status_code, headers=reply.headers, content=reply.content)

    @property
    def targets(self) -> list[bytes]:
        return [request.url.raw_path for request in self.requests]


def body_handler(body: bytes, encoding: str | None = None, status: int = 200) -> Handler:
    """Return a handler that sends these bytes as they are, whatever their Content-Encoding."""
    headers = {} if encoding is None else {"Content-Encoding": encoding}
    return lambda _: httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))


def error_response(
    status: int, code: int | None = None, message: str = "no", **headers: str
) -> httpx.Response:
    """Return an error response in the exchange's form, or without a code."""
    payload = {"msg": message} if code is None else {"code": code, "msg": message}
    return httpx.Response(
        status,
        json=payload,
        headers={name.replace("_", "-"): text for name, text in headers.items()},
    )
