"""Use httpx transports with a client, and our transports with httpx. Loaded when there is one."""

from __future__ import annotations

import re
import time
from collections.abc import Hashable
from functools import partial
from typing import Any, Final, cast

import httpx

from binance_usdm._gates import Gate, TaskGate, ThreadGate
from binance_usdm._interrupts import raise_if_from_handler
from binance_usdm._threads import TIMEOUT_MESSAGE, run_awaited, run_blocking

from .messages import (
    MAX_TIMEOUT_SECONDS,
    STALE,
    TOO_LARGE,
    Headers,
    HttpFailure,
    HttpRequest,
    HttpResponse,
    HttpResult,
    Origin,
    RawHeaders,
    RequestTemplate,
)
from .parser import ResponseParser

_HTTPX_ERRORS: Final = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError)
_ARGUMENT_BY_EXTENSION: Final = {
    "deadline": "deadline", "max_reply_bytes": "max_response_bytes", "fresh": "needs_new_connection",
}  # fmt: skip
_TIMEOUT_FAILURE: Final = HttpFailure("", TIMEOUT_MESSAGE)
_ONLY_GET_PROBLEM: Final = "only GET without a body can be sent"
_TARGET: Final = re.compile(rb"/[\x21-\x7e]*").fullmatch
_NAME: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch  # RFC 9110 5.6.2
_VALUE: Final = re.compile(rb"[\t\x20-\x7e\x80-\xff]*").fullmatch  # RFC 9110 5.5
_FRAMING: Final = {b"content-length", b"transfer-encoding"}


class ResponseTooLarge(httpx.RemoteProtocolError):
    """The server sent more for one response than is accepted; the rest was not read."""


class StaleConnection(httpx.RemoteProtocolError):
    """An idle connection ended before a byte of the response came.

    The request was very likely not handled: a GET may be sent again, on a new connection.
    """


_HTTPX_ERROR_BY_KIND: Final = {TOO_LARGE: ResponseTooLarge, STALE: StaleConnection}


class RedactedRequest(httpx.Request):
    """A request whose repr leaves out its query."""

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.url.path}>"


class EmptyLease:
    """Stands for a lease where the transport has a queue of its own: it holds only the bounds."""

    __slots__ = (
        "deadline", "holders", "max_response_bytes", "needs_new_connection", "origin", "parser", "partition", "token",
    )  # fmt: skip

    def __init__(
        self,
        origin: Origin,
        partition: Hashable,
        *,
        deadline: float,
        max_response_bytes: int,
        needs_new_connection: bool,
    ) -> None:
        self.origin = origin
        self.partition = partition
        self.deadline = deadline
        self.max_response_bytes = max_response_bytes
        self.needs_new_connection = needs_new_connection
        self.holders = set[object]()
        self.token = None
        self.parser = ResponseParser(max_response_bytes)

    def try_acquire_slot(self) -> bool:
        return True

    def try_take_idle(self) -> bool:
        return True

    async def wait_for_slot(self, gate: Gate) -> HttpFailure | None:
        return None

    def discard_connection(self) -> None:
        """Do nothing: the transport alone knows its connections."""

    def release(self) -> None:
        """Do nothing: nothing is held."""


class _HttpxAdapter:
    def rejection(self, origin: Origin) -> HttpFailure | None:
        return None

    def lease(self, origin: Origin, partition: Hashable, **bounds: Any) -> EmptyLease:
        return EmptyLease(origin, partition, **bounds)

    async def connect(self, lease: EmptyLease) -> HttpFailure | None:
        return None


class SyncHttpxAdapter(_HttpxAdapter):
    """What a blocking client sends its requests through when it was given an httpx transport."""

    transport_class = httpx.BaseTransport
    make_gate = ThreadGate
    run_in_thread = staticmethod(run_blocking)

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self.transport = transport
        self.close = transport.close

    async def send(self, lease: EmptyLease, request: HttpRequest) -> HttpResult:
        """Send a request through the transport, in a thread that is left behind at the deadline. Never suspends."""
        try:
            if isinstance(
                self.transport, httpx.MockTransport
            ):  # It ends by the hand of its author.
                return self._send_once(lease, request)
            return await run_blocking(partial(self._send_once, lease, request), lease.deadline)
        except _HTTPX_ERRORS as error:
            raise_if_from_handler(error)
            return _failure_from_httpx_error(error)

    def _send_once(self, lease: EmptyLease, request: HttpRequest) -> HttpResponse:
        body, size = list[bytes](), 0
        response = self.transport.handle_request(_to_httpx_request(lease, request))
        try:
            for chunk in cast("httpx.SyncByteStream", response.stream):
                body.append(chunk)
                size += len(chunk)
                _check_limits(size, lease)
            return _from_httpx_response(response, body)
        finally:
            response.close()


class AsyncHttpxAdapter(_HttpxAdapter):
    """What an asyncio client sends its requests through when it was given an httpx transport."""

    transport_class = httpx.AsyncBaseTransport
    make_gate = TaskGate
    run_in_thread = staticmethod(run_awaited)

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self.transport = transport
        self.aclose = transport.aclose

    async def send(self, lease: EmptyLease, request: HttpRequest) -> HttpResult:
        """Send a request through the transport, cancelled at the deadline."""
        import asyncio

        try:
            async with asyncio.timeout(lease.deadline - time.monotonic()):
                return await self._send_once(lease, request)
        except _HTTPX_ERRORS as error:
            return _failure_from_httpx_error(error)

    async def _send_once(self, lease: EmptyLease, request: HttpRequest) -> HttpResponse:
        body, size = list[bytes](), 0
        response = await self.transport.handle_async_request(_to_httpx_request(lease, request))
        try:
            async for chunk in cast("httpx.AsyncByteStream", response.stream):
                body.append(chunk)
                size += len(chunk)
                _check_limits(size, lease)
            return _from_httpx_response(response, body)
        finally:
            await response.aclose()


def _to_httpx_request(lease: EmptyLease, request: HttpRequest) -> RedactedRequest:
    tls, host, port = request.template.origin
    url = httpx.URL(
        scheme="https" if tls else "http", host=host, port=port, raw_path=request.target
    )
    left = max(lease.deadline - time.monotonic(), 0.001)
    extensions = {
        "timeout": dict.fromkeys(("connect", "read", "write", "pool"), left),
        **{name: getattr(lease, argument) for name, argument in _ARGUMENT_BY_EXTENSION.items()},
        "partition": lease.partition,
    }
    return RedactedRequest(
        "GET", url, headers=list(request.template.headers), extensions=extensions
    )


def _check_limits(size: int, lease: EmptyLease) -> None:
    """Raise when the body that came so far is too large or too late."""
    if size > lease.max_response_bytes:
        raise ResponseTooLarge("the response is too large")
    if time.monotonic() > lease.deadline:
        raise httpx.ReadTimeout("the response took too long")


def _from_httpx_response(response: httpx.Response, body: list[bytes]) -> HttpResponse:
    return HttpResponse(response.status_code, Headers(response.headers.raw), b"".join(body))


def _failure_from_httpx_error(error: Exception) -> HttpFailure:
    if type(error) is TimeoutError:
        return _TIMEOUT_FAILURE
    kind = "ProxyError" if isinstance(error, httpx.ProxyError) else type(error).__name__
    return HttpFailure(kind, str(error))


def request_from_httpx(
    request: httpx.Request,
) -> tuple[HttpRequest, Hashable, dict[str, Any]] | HttpFailure:
    """Return a request of httpx's as one of ours, checked, with its partition and the arguments of its lease.

    Its extensions say the bounds, and perhaps the partition that keeps its connections apart from others.
    """
    url, extensions, headers = request.url, request.extensions, request.headers.raw
    target = extensions.get("target", url.raw_path)
    if problem := _request_problem(request, target, headers):
        return HttpFailure("LocalProtocolError", problem, is_retryable=False)
    tls = url.scheme == "https"
    template = RequestTemplate.build(
        (tls, url.raw_host.decode(), url.port or (443 if tls else 80)), headers
    )
    bounds = {argument: extensions[name] for name, argument in _ARGUMENT_BY_EXTENSION.items()}
    # In this order NaN becomes the bound as well.
    bounds["deadline"] = min(time.monotonic() + MAX_TIMEOUT_SECONDS, bounds["deadline"])
    return HttpRequest(target, template), extensions.get("partition"), bounds


def _request_problem(request: httpx.Request, target: bytes, headers: RawHeaders) -> str:
    """Return why the request cannot be sent, "" if it can."""
    if (
        request.method != "GET"
        or not isinstance(request.stream, httpx.ByteStream)
        or any(request.stream)
    ):
        return _ONLY_GET_PROBLEM
    if missing := [name for name in _ARGUMENT_BY_EXTENSION if name not in request.extensions]:
        return f"the request's extensions must have {', '.join(missing)}, as a client of ours writes them"
    if any(name.lower() in _FRAMING for name, _ in headers):
        return _ONLY_GET_PROBLEM
    if not all(_NAME(name) and _VALUE(value) for name, value in headers):
        return "a header holds a character that is not allowed there"
    return "" if _TARGET(target) else "the request target holds a character that must be escaped"


def response_to_httpx(result: HttpResult) -> httpx.Response:
    """Return a response as httpx's, or raise its error."""
    if isinstance(result, HttpFailure):
        raise _error_to_httpx(result)
    return httpx.Response(
        result.status, headers=list(result.headers.raw), stream=httpx.ByteStream(result.body)
    )


def _error_to_httpx(failure: HttpFailure) -> httpx.TransportError:
    error_class = _HTTPX_ERROR_BY_KIND.get(failure.kind) or getattr(httpx, failure.kind)
    return cast("httpx.TransportError", error_class(failure.text))
