"""A client as an ASGI application, so that schemathesis can call it, and its recorded requests."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, TypeAlias, cast
from urllib.parse import parse_qs, parse_qsl

import httpx

from binance_usdm import APIError, AsyncClient, Client, ConfigurationError, UsdmError
from binance_usdm_wire import OPERATIONS

from . import patch_points as points
from .raw_requests import KEY, SECRET, T0
from .spec_model import Json, Operation, operation_by_route, parse_value

Respond: TypeAlias = Callable[[httpx.Request], httpx.Response]


@dataclass(frozen=True)
class SentRequest:
    """A request as it left the client, and the body of its response."""

    method: str
    origin: str
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    response_body: bytes

    @property
    def query(self) -> str:
        return self.target.partition(b"?")[2].decode()

    def values_of(self, name: str | None) -> list[str] | None:
        """Return all values of a parameter, or `None` if it was not sent."""
        return parse_qs(self.query, keep_blank_values=True).get(name or "")


class RecordingTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport for both clients that keeps every request."""

    def __init__(self, respond: Respond) -> None:
        self.sent: list[SentRequest] = []
        self.respond = respond

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url, body, headers = request.url, request.read(), request.headers
        copy = httpx.Request(request.method, url, headers=headers, content=body)
        response = self.respond(copy)
        origin = f"{url.scheme}://{url.netloc.decode()}"
        parts = (request.method, origin, url.raw_path, tuple(headers.raw), body)
        self.sent.append(SentRequest(*parts, response.content))
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


class RecordingDefaultTransport(RecordingTransport):
    """The same instead of the client's default transport, from the bytes that it would send."""

    make_gate: Any = points.ThreadGate
    run_in_thread = staticmethod(points.run_blocking)
    proxy_address = None

    def rejection(self, origin: Any) -> None:
        return None

    def lease(self, origin: Any, partition: object, **bounds: Any) -> points.EmptyLease:
        return points.EmptyLease(origin, None, **bounds)

    async def connect(self, lease: points.EmptyLease) -> None:
        return None

    async def send(self, lease: points.EmptyLease, request: Any) -> Any:
        response = self.handle_request(_to_httpx(request))
        body = b"".join(cast("httpx.SyncByteStream", response.stream))
        if len(body) > lease.max_response_bytes:
            return points.HttpFailure(points.TOO_LARGE, "")
        headers = points.Headers(response.headers.raw)
        return points.HttpResponse(response.status_code, headers, body)


class RecordingAsyncDefaultTransport(RecordingDefaultTransport):
    """The same for the asyncio client."""

    make_gate = points.TaskGate
    run_in_thread = staticmethod(points.run_awaited)


def _to_httpx(request: Any) -> httpx.Request:
    tls, host, port = request.template.origin
    first, *lines = request.encode().removesuffix(b"\r\n\r\n").split(b"\r\n")
    target = first.removeprefix(b"GET ").removesuffix(b" HTTP/1.1")
    url = httpx.URL(scheme="https" if tls else "http", host=host, port=port, raw_path=target)
    headers = [(name, value) for name, _, value in (line.partition(b": ") for line in lines)]
    # Only the request of a seeded fault has a method or a body.
    body = httpx.ByteStream(getattr(request, "body", b""))
    return httpx.Request(getattr(request, "method", "GET"), url, headers=headers, stream=body)


def with_default_transport(client_class: Any) -> Callable[..., Any]:
    """Return a function that makes a client whose default transport is replaced."""

    def make_client(*credentials: str, transport: Any, **options: Any) -> Any:
        client = client_class(*credentials, transport=transport, **options)
        if isinstance(transport, RecordingDefaultTransport):
            points.replace_transport(client, transport)
        return client

    return make_client


@dataclass(frozen=True)
class Sdk:
    """A client to check.

    Attributes:
        client: Class, or function that makes a client.
        transport: Class of the transport that stands for the network.
        operations: Operations of the client with the arguments that they say they take.
    """

    client: Callable[..., Any]
    transport: Callable[[Respond], RecordingTransport]
    operations: Mapping[str, Any] = field(default_factory=lambda: OPERATIONS)

    def connect(self, respond: Respond, **options: Any) -> tuple[Any, RecordingTransport]:
        """Return a client whose clock is at T0, and its transport."""
        transport = self.transport(respond)
        options = {"clock": lambda: T0, **options}
        return self.client(KEY, SECRET, transport=transport, **options), transport


SDKS: Final = {
    "sync": Sdk(Client, RecordingTransport),
    "async": Sdk(AsyncClient, RecordingTransport),
    "sync, default transport": Sdk(with_default_transport(Client), RecordingDefaultTransport),
    "async, default transport": Sdk(
        with_default_transport(AsyncClient), RecordingAsyncDefaultTransport
    ),
}


@dataclass
class RecordedCall:
    """A call of the client, the requests that it sent, and its value or error."""

    arguments: dict[str, Any]
    sent: list[SentRequest] = field(default_factory=list)
    parsed: Any = None
    error: Exception | None = None


async def call_method(client: Any, operation: Operation, call: RecordedCall) -> Any:
    """Call the client and record the outcome; return the response, or `None` for an error."""
    method = getattr(client, f"{python_name(operation.id)}_detailed")
    try:
        # A TypeError from within the method is a crash.
        inspect.signature(method).bind(**call.arguments)
    except TypeError as error:
        call.error = ConfigurationError(str(error))
        return None
    try:
        result = method(**call.arguments)
        response = await result if inspect.isawaitable(result) else result
    except UsdmError as error:
        call.error = error
        return None
    parsed = response.parsed
    is_list = isinstance(parsed, list)
    call.parsed = [row.to_dict() for row in parsed] if is_list else parsed.to_dict()
    return response


def python_name(wire_name: str) -> str:
    """Return the Python name, by the rule of the generator: recvWindow -> recv_window."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", wire_name).lower()


def arguments_of(operation: Operation, query: str) -> dict[str, Any]:
    """Return a query as arguments of the client's method.

    A value that has not its type stays a string, and a repeated parameter is a list.
    """
    schemas = {each["name"]: each["schema"] for each in operation.parameters}
    arguments: dict[str, Any] = {}
    for name, text in parse_qsl(query, keep_blank_values=True):
        value = parse_value(schemas.get(name, {}), text)
        value = Decimal(text) if isinstance(value, float) else value
        key = python_name(name) if name in schemas else name
        arguments[key] = [arguments[key], value] if key in arguments else value
    return arguments


class Facade:
    """The ASGI application around a client; `calls` has every call by the id of its case."""

    def __init__(self, document: Json, client: Any, transport: RecordingTransport) -> None:
        self.calls: dict[str, RecordedCall] = {}
        self._routes = operation_by_route(document)
        self._client, self._transport = client, transport

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            # The end of a lifespan.
            return
        operation = self._routes.get((scope["method"], scope["path"]))
        status, body = 404, {"code": -5000, "msg": "no such method"}
        headers = [(b"content-type", b"application/json")]
        if operation is not None:
            call = RecordedCall(arguments_of(operation, scope["query_string"].decode()))
            self.calls[dict(scope["headers"])[b"x-schemathesis-testcaseid"].decode()] = call
            self._transport.sent = call.sent
            response = await call_method(self._client, operation, call)
            if response is None:
                status, body = _error_response(call.error)
            else:
                status, body = response.status_code, call.parsed
                headers.append((b"x-mbx-used-weight-1m", str(response.used_weight).encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(body).encode()})


def _error_response(error: Exception | None) -> tuple[int, dict[str, Any]]:
    if isinstance(error, ConfigurationError):
        return 400, {"code": -1100, "msg": str(error)}
    if isinstance(error, APIError):
        return error.status, {"code": error.code, "msg": error.message}
    return 500, {"msg": str(error)}
