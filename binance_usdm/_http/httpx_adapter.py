"""Use httpx transports with a client, and our transports with httpx."""

from __future__ import annotations

import re
import time
from collections.abc import Hashable
from functools import partial
from typing import Any, Final, cast

import httpx

from binance_usdm._concurrency.gates import TaskGate, ThreadGate
from binance_usdm._concurrency.interrupts import raise_if_from_handler
from binance_usdm._concurrency.threads import TIMEOUT_MESSAGE, run_awaited, run_blocking
from binance_usdm._secrets import clear_frames

from .connections.lease import EmptyLease
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

_HTTPX_ERRORS: Final = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError)
_ARGUMENT_BY_EXTENSION: Final = {
    "deadline": "deadline",
    "max_reply_bytes": "max_response_bytes",
    "fresh": "needs_new_connection",
}
_MIN_TIMEOUT_SECONDS: Final = 0.001
_TIMEOUT_FAILURE: Final = HttpFailure("", TIMEOUT_MESSAGE)
_ONLY_GET_PROBLEM: Final = "this transport sends only GET requests without a body"
_TARGET: Final = re.compile(rb"/[\x21-\x7e]*").fullmatch
# RFC 9110, 5.6.2 and 5.5.
_NAME: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
_VALUE: Final = re.compile(rb"[\t\x20-\x7e\x80-\xff]*").fullmatch
_FRAMING: Final = {b"content-length", b"transfer-encoding"}


class ResponseTooLarge(httpx.RemoteProtocolError):
    """The server sent more for one response than is accepted. The rest was not read."""


class StaleConnection(httpx.RemoteProtocolError):
    """An idle connection ended before a byte of the response came. A GET may be sent again."""


_HTTPX_ERROR_BY_KIND: Final = {TOO_LARGE: ResponseTooLarge, STALE: StaleConnection}


class RedactedRequest(httpx.Request):
    """A request whose repr leaves out its query."""

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.url.path}>"


class _HttpxAdapter:
    """Interface of a pool for a transport that queues requests and connects itself."""

    def rejection(self, origin: Origin) -> HttpFailure | None:
        return None

    def lease(self, origin: Origin, partition: Hashable, **bounds: Any) -> EmptyLease:
        return EmptyLease(origin, partition, **bounds)

    async def connect(self, lease: EmptyLease) -> HttpFailure | None:
        return None


class SyncHttpxAdapter(_HttpxAdapter):
    """Transport of a blocking client around an httpx transport."""

    transport_class = httpx.BaseTransport
    make_gate = ThreadGate
    run_in_thread = staticmethod(run_blocking)

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self.transport = transport
        self.close = transport.close

    async def send(self, lease: EmptyLease, request: HttpRequest) -> HttpResult:
        """Send a request through the transport, in a thread, and block until it ends.

        Never suspends. At the deadline, or when the caller is interrupted, the thread goes on.
        """
        try:
            # A handler of the caller's tests has no network to wait for.
            if isinstance(self.transport, httpx.MockTransport):
                return self._send_once(lease, request)
            return await run_blocking(partial(self._send_once, lease, request), lease.deadline)
        except _HTTPX_ERRORS as error:
            raise_if_from_handler(error)
            return _failure_from_httpx_error(error)

    def _send_once(self, lease: EmptyLease, request: HttpRequest) -> HttpResponse:
        body = list[bytes]()
        size = 0
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
    """Transport of an asyncio client around an httpx transport."""

    transport_class = httpx.AsyncBaseTransport
    make_gate = TaskGate
    run_in_thread = staticmethod(run_awaited)

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self.transport = transport
        self.aclose = transport.aclose

    async def send(self, lease: EmptyLease, request: HttpRequest) -> HttpResult:
        """Send a request through the transport, which is cancelled at the deadline."""
        import asyncio

        try:
            async with asyncio.timeout(lease.deadline - time.monotonic()):
                return await self._send_once(lease, request)
        except _HTTPX_ERRORS as error:
            return _failure_from_httpx_error(error)
        except asyncio.CancelledError as error:
            # Functions of httpcore hold the signed bytes.
            clear_frames(error)
            raise

    async def _send_once(self, lease: EmptyLease, request: HttpRequest) -> HttpResponse:
        body = list[bytes]()
        size = 0
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
    scheme = "https" if tls else "http"
    url = httpx.URL(scheme=scheme, host=host, port=port, raw_path=request.target)
    left = max(lease.deadline - time.monotonic(), _MIN_TIMEOUT_SECONDS)
    extensions = {
        "timeout": dict.fromkeys(("connect", "read", "write", "pool"), left),
        "deadline": lease.deadline,
        "max_reply_bytes": lease.max_response_bytes,
        "fresh": lease.needs_new_connection,
        "partition": lease.partition,
    }
    headers = list(request.template.headers)
    return RedactedRequest("GET", url, headers=headers, extensions=extensions)


def _check_limits(size: int, lease: EmptyLease) -> None:
    """Raise an error of httpx when the body is too large so far, or the deadline has passed."""
    if size > lease.max_response_bytes:
        raise ResponseTooLarge(f"the response is larger than {lease.max_response_bytes} bytes")
    if time.monotonic() > lease.deadline:
        raise httpx.ReadTimeout("timed out while reading the response")


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
    """Return a checked request, its partition, and the bounds of its lease.

    The bounds and the partition are extensions of httpx's request.
    """
    url = request.url
    extensions = request.extensions
    headers = request.headers.raw
    target = extensions.get("target", url.raw_path)
    if problem := _request_problem(request, target, headers):
        return HttpFailure("LocalProtocolError", problem, is_retryable=False)
    tls = url.scheme == "https"
    port = url.port or (443 if tls else 80)
    template = RequestTemplate.build((tls, url.raw_host.decode(), port), headers)
    bounds = {argument: extensions[name] for name, argument in _ARGUMENT_BY_EXTENSION.items()}
    # In this order NaN becomes the maximum, too.
    bounds["deadline"] = min(time.monotonic() + MAX_TIMEOUT_SECONDS, bounds["deadline"])
    return HttpRequest(target, template), extensions.get("partition"), bounds


def _request_problem(request: httpx.Request, target: bytes, headers: RawHeaders) -> str:
    """Return why the request cannot be sent, or "" if it can."""
    has_body = not isinstance(request.stream, httpx.ByteStream) or any(request.stream)
    if request.method != "GET" or has_body:
        return _ONLY_GET_PROBLEM
    if missing := [name for name in _ARGUMENT_BY_EXTENSION if name not in request.extensions]:
        return (
            f"missing request extensions: {', '.join(missing)}; "
            "this transport accepts requests of binance_usdm clients only"
        )
    if any(name.lower() in _FRAMING for name, _ in headers):
        return _ONLY_GET_PROBLEM
    if not all(_NAME(name) and _VALUE(value) for name, value in headers):
        return "the name or value of a request header has a character that HTTP does not allow"
    if not _TARGET(target):
        return "the request target has a character that must be percent-encoded"
    return ""


def response_to_httpx(result: HttpResult) -> httpx.Response:
    """Return a response of httpx.

    Raises:
        httpx.TransportError: The result is a failure.
    """
    if isinstance(result, HttpFailure):
        raise _error_to_httpx(result)
    headers = list(result.headers.raw)
    return httpx.Response(result.status, headers=headers, stream=httpx.ByteStream(result.body))


def _error_to_httpx(failure: HttpFailure) -> httpx.TransportError:
    error_class = _HTTPX_ERROR_BY_KIND.get(failure.kind) or getattr(httpx, failure.kind)
    return cast("httpx.TransportError", error_class(failure.text))
