"""The border to httpx: a transport of its kind in the place of ours, and a request of its kind through ours. Loaded when there is one."""

from __future__ import annotations

import re
import time
from functools import partial
from typing import cast

import httpx

from .messages import (
    MAX_TIMEOUT_SECONDS,
    STALE,
    TOO_LARGE,
    Headers,
    HttpFailure,
    HttpRequest,
    HttpResponse,
    HttpResult,
    RawHeaders,
    RequestTemplate,
)
from .threads import TIMEOUT_MESSAGE, run_in_thread

_HTTPX_ERRORS = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError)
_ATTRIBUTE_BY_EXTENSION = {
    "deadline": "deadline",
    "max_reply_bytes": "max_reply_bytes",
    "fresh": "needs_new_connection",
}
_TIMEOUT_FAILURE = HttpFailure("", TIMEOUT_MESSAGE)
_ONLY_GET_PROBLEM = "only GET without a body can be sent"
_TARGET = re.compile(rb"/[\x21-\x7e]*").fullmatch
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch  # RFC 9110 5.6.2
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*").fullmatch  # RFC 9110 5.5
_FRAMING = {b"content-length", b"transfer-encoding"}


class ResponseTooLarge(httpx.RemoteProtocolError):
    """The server sent more for one reply than is accepted; the rest was not read."""


class StaleConnection(httpx.RemoteProtocolError):
    """A kept connection ended before a byte of the reply came.

    The request was very likely not handled: a GET may be sent again, on a connection of its own.
    """


_HTTPX_ERROR_BY_KIND = {TOO_LARGE: ResponseTooLarge, STALE: StaleConnection}


class RedactedRequest(httpx.Request):
    """A request whose repr tells nothing of its query."""

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.url.path}>"


class SyncHttpxAdapter:
    """What a blocking client sends its calls through when it was given a transport of httpx's kind."""

    transport_class = httpx.BaseTransport

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self.transport = transport
        self.close = transport.close

    def send(self, call: HttpRequest) -> HttpResult:
        try:
            if isinstance(self.transport, httpx.MockTransport):  # it ends by the hand of whoever wrote the handler
                return self._send_once(call)
            return run_in_thread(partial(self._send_once, call)).result(call.deadline - time.monotonic())
        except _HTTPX_ERRORS as error:
            return _failure_from_httpx_error(error)

    def _send_once(self, call: HttpRequest) -> HttpResponse:
        body, size = list[bytes](), 0
        response = self.transport.handle_request(_to_httpx_request(call))
        try:
            for chunk in cast("httpx.SyncByteStream", response.stream):
                body.append(chunk)
                size += len(chunk)
                _check_limits(size, call)
            return _from_httpx_response(response, body)
        finally:
            response.close()


class AsyncHttpxAdapter:
    """The same for asyncio."""

    transport_class = httpx.AsyncBaseTransport

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self.transport = transport
        self.aclose = transport.aclose

    async def send(self, call: HttpRequest) -> HttpResult:
        import asyncio

        try:
            async with asyncio.timeout(call.deadline - time.monotonic()):
                return await self._send_once(call)
        except _HTTPX_ERRORS as error:
            return _failure_from_httpx_error(error)

    async def _send_once(self, call: HttpRequest) -> HttpResponse:
        body, size = list[bytes](), 0
        response = await self.transport.handle_async_request(_to_httpx_request(call))
        try:
            async for chunk in cast("httpx.AsyncByteStream", response.stream):
                body.append(chunk)
                size += len(chunk)
                _check_limits(size, call)
            return _from_httpx_response(response, body)
        finally:
            await response.aclose()


def _to_httpx_request(call: HttpRequest) -> RedactedRequest:
    tls, host, port = call.route.origin
    url = httpx.URL(scheme="https" if tls else "http", host=host, port=port, raw_path=call.target)
    left = max(call.deadline - time.monotonic(), 0.001)
    extensions = {
        "timeout": dict.fromkeys(("connect", "read", "write", "pool"), left),
        **{name: getattr(call, attribute) for name, attribute in _ATTRIBUTE_BY_EXTENSION.items()},
    }
    return RedactedRequest("GET", url, headers=list(call.route.headers), extensions=extensions)


def _check_limits(size: int, call: HttpRequest) -> None:
    """Go on only while the body that came so far is neither too large nor too late."""
    if size > call.max_reply_bytes:
        raise ResponseTooLarge("the reply is too large")
    if time.monotonic() > call.deadline:
        raise httpx.ReadTimeout("the reply took too long")


def _from_httpx_response(response: httpx.Response, body: list[bytes]) -> HttpResponse:
    return HttpResponse(response.status_code, Headers(response.headers.raw), b"".join(body))


def _failure_from_httpx_error(error: Exception) -> HttpFailure:
    if type(error) is TimeoutError:
        return _TIMEOUT_FAILURE
    kind = "ProxyError" if isinstance(error, httpx.ProxyError) else type(error).__name__
    return HttpFailure(kind, str(error))


def request_from_httpx(request: httpx.Request) -> HttpRequest | HttpFailure:
    """A request of httpx's as one of ours, checked. Its extensions say the bounds; there are no bytes that it could send by itself."""
    url, extensions, headers = request.url, request.extensions, request.headers.raw
    target = extensions.get("target", url.raw_path)
    if fault := _request_problem(request, target, headers):
        return HttpFailure("LocalProtocolError", fault)
    tls = url.scheme == "https"
    route = RequestTemplate.build((tls, url.raw_host.decode(), url.port or (443 if tls else 80)), headers)
    bounds = {attribute: extensions[name] for name, attribute in _ATTRIBUTE_BY_EXTENSION.items()}
    bounds["deadline"] = min(
        time.monotonic() + MAX_TIMEOUT_SECONDS, bounds["deadline"]
    )  # in this order NaN is one as well
    return HttpRequest(target, route, **bounds)


def _request_problem(request: httpx.Request, target: bytes, headers: RawHeaders) -> str:
    """Why it cannot be sent, "" if it can."""
    if request.method != "GET" or not isinstance(request.stream, httpx.ByteStream) or any(request.stream):
        return _ONLY_GET_PROBLEM
    if missing := [name for name in _ATTRIBUTE_BY_EXTENSION if name not in request.extensions]:
        return f"the request's extensions must have {', '.join(missing)}, as a client of ours writes them"
    if any(name.lower() in _FRAMING for name, _ in headers):
        return _ONLY_GET_PROBLEM
    if not all(_NAME(name) and _VALUE(value) for name, value in headers):
        return "a header holds a character that is not allowed there"
    return "" if _TARGET(target) else "the request target holds a character that must be escaped"


def response_to_httpx(outcome: HttpResult) -> httpx.Response:
    """A reply as httpx's, or its error raised."""
    if isinstance(outcome, HttpFailure):
        raise _error_to_httpx(outcome)
    return httpx.Response(outcome.status, headers=list(outcome.headers.raw), stream=httpx.ByteStream(outcome.body))


def _error_to_httpx(failure: HttpFailure) -> httpx.TransportError:
    kind = _HTTPX_ERROR_BY_KIND.get(failure.kind) or getattr(httpx, failure.kind)
    return cast("httpx.TransportError", kind(failure.text))
