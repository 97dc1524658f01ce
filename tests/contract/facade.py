"""The client as an ASGI server, so that schemathesis can call it; and a transport that remembers what the client sent.

Arguments come in as a query, the client's method is called with them, its value or error goes out as the answer. Judges nothing.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import httpx

from binance_usdm import APIError, AsyncClient, Client, ConfigurationError, UsdmError
from binance_usdm._http1 import Route
from binance_usdm._transport import SyncTransport
from binance_usdm._transport_asyncio import AsyncTransport
from binance_usdm_wire import OPERATIONS

from .facts import Fact, Json, facts, typed
from .wire import KEY, SECRET, T0

Answer = Callable[[httpx.Request], httpx.Response]
CASE_ID = b"x-schemathesis-testcaseid"


@dataclass(frozen=True)
class Sent:
    """One request as it left the client, and the body that came back."""

    method: str
    origin: str
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    reply: bytes


class Recorder(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport for either client: asks `answer`, remembers the request. Its target is what a transport would send."""

    def __init__(self, answer: Answer) -> None:
        self.sent: list[Sent] = []
        self._answer = answer

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        route = request.extensions.get("route")  # what the default transports send in place of URL and headers
        assert route is None or route == Route.of(request.url, request.headers)
        target, body = request.extensions.get("target", request.url.raw_path), request.read()
        response = self._answer(
            httpx.Request(request.method, request.url.copy_with(raw_path=target), headers=request.headers, content=body)
        )
        origin = f"{request.url.scheme}://{request.url.netloc.decode()}"
        headers = tuple(request.headers.raw)
        self.sent.append(Sent(request.method, origin, target, headers, body, response.content))
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


class DefaultRecorder(Recorder, SyncTransport):
    """The same in the place of the client's default transport, which is given its target apart from the URL."""


class DefaultAsyncRecorder(Recorder, AsyncTransport):
    """Likewise."""


@dataclass(frozen=True)
class Sdk:
    """A client to judge: how it is made, what stands in for its network, and the arguments its methods say they take."""

    client: Callable[..., Any]
    recorder: Callable[[Answer], Recorder]
    operations: Mapping[str, Any] = field(default_factory=lambda: OPERATIONS)

    def opened(self, answer: Answer) -> tuple[Any, Recorder]:
        """A client whose clock stands at T0, and its network."""
        recorder = self.recorder(answer)
        return self.client(KEY, SECRET, transport=recorder, clock=lambda: T0), recorder


SDKS = {
    "sync": Sdk(Client, Recorder),
    "async": Sdk(AsyncClient, Recorder),
    "sync, default transport": Sdk(Client, DefaultRecorder),
    "async, default transport": Sdk(AsyncClient, DefaultAsyncRecorder),
}


@dataclass
class Call:
    """One call of the client: what was asked, what was sent for it, the value or error that came of it."""

    arguments: dict[str, Any]
    sent: list[Sent] = field(default_factory=list)
    parsed: Any = None
    error: Exception | None = None


async def called(client: Any, name: str, call: Call) -> Any:
    """Call a client's method, await it if need be, and note what became of it; the response, None for an error."""
    method = getattr(client, f"{name}_detailed")
    try:
        inspect.signature(method).bind(**call.arguments)  # an argument nobody knows; a TypeError from within is a crash
    except TypeError as error:
        call.error = ConfigurationError(str(error))
        return None
    try:
        made = method(**call.arguments)
        response = await made if inspect.isawaitable(made) else made
    except UsdmError as error:
        call.error = error
        return None
    call.parsed = to_json(response.parsed)
    return response


def to_json(parsed: Any) -> Any:
    return [row.to_dict() for row in parsed] if isinstance(parsed, list) else parsed.to_dict()


def python_name(wire_name: str) -> str:
    """recvWindow -> recv_window: the rule of the generator, written once more."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", wire_name).lower()


def arguments_of(fact: Fact, query: str) -> dict[str, Any]:
    """What a query says, as arguments of the client's method; what has no such value stays text, what comes twice a list."""
    kinds = {each["name"]: each["schema"] for each in fact.parameters}
    found: dict[str, Any] = {}
    for name, text in parse_qsl(query, keep_blank_values=True):
        value, key = typed(kinds.get(name, {}), text), python_name(name) if name in kinds else name
        value = Decimal(text) if isinstance(value, float) else value
        found[key] = [found[key], value] if key in found else value
    return found


class Facade:
    """The ASGI application around a client; `calls` has every call by the id of its case."""

    def __init__(self, document: Json, client: Any, recorder: Recorder) -> None:
        self.calls: dict[str, Call] = {}
        self._routes = {(fact.method, fact.path): fact for fact in facts(document)}
        self._client, self._recorder = client, recorder

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return  # the end of a lifespan that nobody needs
        fact = self._routes.get((scope["method"], scope["path"]))
        status, headers, body = 404, [], {"code": -5000, "msg": "no such method"}
        if fact is not None:
            call = Call(arguments_of(fact, scope["query_string"].decode()))
            self.calls[dict(scope["headers"])[CASE_ID].decode()] = call
            self._recorder.sent = call.sent
            response = await called(self._client, python_name(fact.id), call)
            status, body = _refusal(call.error) if call.error else (response.status_code, call.parsed)
            headers = [] if call.error else [(b"x-mbx-used-weight-1m", str(response.used_weight).encode())]
        headers = [*headers, (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(body).encode()})


def _refusal(error: Exception) -> tuple[int, dict[str, Any]]:
    if isinstance(error, ConfigurationError):
        return 400, {"code": -1100, "msg": str(error)}
    if isinstance(error, APIError):
        return error.status, {"code": error.code, "msg": error.message}
    return 500, {"msg": str(error)}
