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
from typing import Any, cast
from urllib.parse import parse_qsl

import httpx

from binance_usdm import APIError, AsyncClient, Client, ConfigurationError, UsdmError
from binance_usdm._gates import TaskGate, ThreadGate
from binance_usdm._http import messages
from binance_usdm._http.lease import EmptyLease
from binance_usdm._threads import run_awaited, run_blocking
from binance_usdm_wire import OPERATIONS

from .raw_requests import KEY, SECRET, T0
from .spec_facts import Json, OperationFact, operation_facts, typed

Answer = Callable[[httpx.Request], httpx.Response]
CASE_ID = b"x-schemathesis-testcaseid"


@dataclass(frozen=True)
class SentRequest:
    """One request as it left the client, and the body that came back."""

    method: str
    origin: str
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    reply: bytes


class RecordingTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport for either client: asks `answer`, remembers the request."""

    def __init__(self, answer: Answer) -> None:
        self.sent: list[SentRequest] = []
        self._answer = answer

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url, body = request.url, request.read()
        response = self._answer(
            httpx.Request(request.method, url, headers=request.headers, content=body)
        )
        origin = f"{url.scheme}://{url.netloc.decode()}"
        headers = tuple(request.headers.raw)
        self.sent.append(
            SentRequest(request.method, origin, url.raw_path, headers, body, response.content)
        )
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


class DefaultRecorder(RecordingTransport):
    """The same in the place of the client's default transport: remembers the bytes that it would send."""

    make_gate = ThreadGate
    run_in_thread = staticmethod(run_blocking)
    proxy_address = None

    def rejection(self, origin: messages.Origin) -> None:
        return None

    def lease(self, origin: messages.Origin, partition: object, **bounds: Any) -> EmptyLease:
        return EmptyLease(origin, None, **bounds)

    async def connect(self, lease: EmptyLease) -> None:
        return None

    async def send(self, lease: EmptyLease, call: messages.HttpRequest) -> messages.HttpResult:
        tls, host, port = call.template.origin
        first, *lines = call.encode().removesuffix(b"\r\n\r\n").split(b"\r\n")
        target = first.removeprefix(b"GET ").removesuffix(b" HTTP/1.1")
        url = httpx.URL(scheme="https" if tls else "http", host=host, port=port, raw_path=target)
        headers = [(name, value) for name, _, value in (line.partition(b": ") for line in lines)]
        request = httpx.Request(getattr(call, "method", "GET"), url, headers=headers)
        if body := getattr(call, "body", b""):  # method and body are those of a seeded fault
            request.stream = httpx.ByteStream(body)
            del request._content
        response = self.handle_request(request)
        body = b"".join(cast("httpx.SyncByteStream", response.stream))
        if len(body) > lease.max_response_bytes:
            return messages.HttpFailure(messages.TOO_LARGE, "")
        return messages.HttpResponse(
            response.status_code, messages.Headers(response.headers.raw), body
        )


class DefaultAsyncRecorder(DefaultRecorder):
    """Likewise."""

    make_gate = TaskGate  # type: ignore[assignment]
    run_in_thread = staticmethod(run_awaited)


def direct(kind: type[Client] | type[AsyncClient]) -> Callable[..., Any]:
    """Make a client whose own transport is replaced, not one that was given another."""

    def make(*credentials: str, transport: Any, **options: Any) -> Any:
        client: Any = kind(*credentials, transport=transport, **options)
        if isinstance(transport, DefaultRecorder):
            client._transport = transport
        return client

    return make


@dataclass(frozen=True)
class Sdk:
    """A client to judge: how it is made, what stands in for its network, and the arguments its methods say they take."""

    client: Callable[..., Any]
    recorder: Callable[[Answer], RecordingTransport]
    operations: Mapping[str, Any] = field(default_factory=lambda: OPERATIONS)

    def opened(self, answer: Answer) -> tuple[Any, RecordingTransport]:
        """A client whose clock stands at T0, and its network."""
        recorder = self.recorder(answer)
        return self.client(KEY, SECRET, transport=recorder, clock=lambda: T0), recorder


SDKS = {
    "sync": Sdk(Client, RecordingTransport),
    "async": Sdk(AsyncClient, RecordingTransport),
    "sync, default transport": Sdk(direct(Client), DefaultRecorder),
    "async, default transport": Sdk(direct(AsyncClient), DefaultAsyncRecorder),
}


@dataclass
class RecordedCall:
    """One call of the client: what was asked, what was sent for it, the value or error that came of it."""

    arguments: dict[str, Any]
    sent: list[SentRequest] = field(default_factory=list)
    parsed: Any = None
    error: Exception | None = None


async def call_method(client: Any, name: str, call: RecordedCall) -> Any:
    """Call a client's method, await it if need be, and note what became of it; the response, None for an error."""
    method = getattr(client, f"{name}_detailed")
    try:
        inspect.signature(method).bind(
            **call.arguments
        )  # an argument nobody knows; a TypeError from within is a crash
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


def arguments_of(fact: OperationFact, query: str) -> dict[str, Any]:
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

    def __init__(self, document: Json, client: Any, recorder: RecordingTransport) -> None:
        self.calls: dict[str, RecordedCall] = {}
        self._routes = {(fact.method, fact.path): fact for fact in operation_facts(document)}
        self._client, self._recorder = client, recorder

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return  # the end of a lifespan that nobody needs
        fact = self._routes.get((scope["method"], scope["path"]))
        status, headers, body = 404, [], {"code": -5000, "msg": "no such method"}
        if fact is not None:
            call = RecordedCall(arguments_of(fact, scope["query_string"].decode()))
            self.calls[dict(scope["headers"])[CASE_ID].decode()] = call
            self._recorder.sent = call.sent
            response = await call_method(self._client, python_name(fact.id), call)
            status, body = (
                _refusal(call.error) if call.error else (response.status_code, call.parsed)
            )
            headers = (
                []
                if call.error
                else [(b"x-mbx-used-weight-1m", str(response.used_weight).encode())]
            )
        headers = [*headers, (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(body).encode()})


def _refusal(error: Exception) -> tuple[int, dict[str, Any]]:
    if isinstance(error, ConfigurationError):
        return 400, {"code": -1100, "msg": str(error)}
    if isinstance(error, APIError):
        return error.status, {"code": error.code, "msg": error.message}
    return 500, {"msg": str(error)}
