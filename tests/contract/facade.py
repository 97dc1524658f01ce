"""A client as an ASGI application, so that schemathesis can call it, and its recorded requests."""

from __future__ import annotations

import builtins
import inspect
import json
import keyword
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, TypeAlias, cast
from urllib.parse import parse_qs, parse_qsl, quote

import httpx

from binance_usdm import APIError, AsyncClient, Client, ConfigurationError, UsdmError
from binance_usdm_wire import OPERATIONS

from . import patch_points as points
from .json_of_values import to_json
from .raw_requests import KEY, SECRET, T0
from .spec_model import Json, Operation, operations, parse_value, resolve, sample_value

Respond: TypeAlias = Callable[[httpx.Request], httpx.Response]
RESERVED: Final = {*keyword.kwlist, *dir(builtins), "self", "datetime"} - {"id"}
"""Names that get an underscore, so that they do not hide one of Python."""


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
    call.parsed = to_json(operation.document, operation.result, response.parsed)
    return response


def python_name(wire_name: str) -> str:
    """Return the Python name, by the rule of the generator: recvWindow -> recv_window."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", wire_name).lower()
    return f"{name}_" if name in RESERVED else name


def arguments_of(operation: Operation, query: str) -> dict[str, Any]:
    """Return a query as arguments of the client's method.

    A value that has not its type stays a string, and a repeated parameter is a list.
    """
    parameters = {each["name"]: each for each in operation.parameters}
    arguments: dict[str, Any] = {}
    pairs = parse_qsl(query, keep_blank_values=True)
    for name, text in pairs:
        parameter = parameters.get(name, {"schema": {}})
        key = argument_name(parameter) if name in parameters else name
        value = typed_value(operation, parameter, text)
        arguments[key] = [arguments[key], value] if key in arguments else value
    return arguments


def sample_arguments(operation: Operation, *pairs: str) -> dict[str, Any]:
    """Return the arguments that a caller must give, with valid values, and those of pairs."""
    in_path = [f"{each['name']}={sample_value(each)}" for each in operation.path_parameters]
    return arguments_of(operation, "&".join([*in_path, operation.required_query, *pairs]))


def argument_name(parameter: Json) -> str:
    """Return the name of a method's argument."""
    return str(parameter.get("x-python-name", python_name(parameter["name"])))


def typed_value(operation: Operation, parameter: Json, text: str) -> Any:
    """Return a text as a caller passes it: an amount or a number as a `Decimal`, JSON as typed."""
    schema = parameter["schema"]
    if "content" in parameter:
        return _typed_json(operation, parameter, text)
    if schema.get("type") == "array":
        item = {"schema": resolve(operation.document, schema["items"])}
        return [typed_value(operation, item, part) for part in text.split(",")]
    is_number = schema.get("type") == "number" or schema.get("format") == "decimal"
    if is_number and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?", text):
        return Decimal(text)
    return parse_value(schema, text)


def _typed_json(operation: Operation, parameter: Json, text: str) -> Any:
    name = argument_name(parameter)
    declared = {one.name: one for one in OPERATIONS[operation.id].parameters}
    try:
        return declared[name].read_json(json.loads(text), None)  # type: ignore[misc]
    except ValueError:
        return text


class Facade:
    """The ASGI application around a client; `calls` has every call by the id of its case."""

    def __init__(self, document: Json, client: Any, transport: RecordingTransport) -> None:
        self.calls: dict[str, RecordedCall] = {}
        self._operations = operations(document)
        self._client, self._transport = client, transport

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            # The end of a lifespan.
            return
        operation, in_path = self._find(scope["method"], scope["path"])
        status, body = 404, {"code": -5000, "msg": "no such method"}
        headers = [(b"content-type", b"application/json")]
        if operation is not None:
            query = "&".join([*in_path, scope["query_string"].decode()])
            call = RecordedCall(arguments_of(operation, query))
            self.calls[dict(scope["headers"])[b"x-schemathesis-testcaseid"].decode()] = call
            self._transport.sent = call.sent
            response = await call_method(self._client, operation, call)
            if response is None:
                status, body = _error_response(call.error)
            else:
                status, body = response.status_code, call.parsed
                headers.append((b"x-mbx-used-weight-1m", str(response.used_weight).encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        text = json.dumps(body, default=float)
        await send({"type": "http.response.body", "body": text.encode()})

    def _find(self, method: str, path: str) -> tuple[Operation | None, list[str]]:
        """Return the operation of a path, and the parameters in the path as pairs of a query."""
        for operation in self._operations:
            pattern = re.sub(r"\\\{([^}]+)\\\}", "([^/]*)", re.escape(operation.path))
            match = re.fullmatch(pattern, path)
            if match is not None and method == operation.method:
                names = re.findall(r"\{([^}]+)\}", operation.path)
                pairs = zip(names, match.groups(), strict=True)
                return operation, [f"{name}={quote(text, safe='')}" for name, text in pairs]
        return None, []


def _error_response(error: Exception | None) -> tuple[int, dict[str, Any]]:
    if isinstance(error, ConfigurationError):
        return 400, {"code": -1100, "msg": str(error)}
    if isinstance(error, APIError):
        return error.status, {"code": error.code, "msg": error.message}
    return 500, {"msg": str(error)}
