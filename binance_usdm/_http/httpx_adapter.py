"""The border to httpx: a transport of its kind in the place of ours, and a request of its kind through ours. Loaded when there is one."""

from __future__ import annotations

import re
import time
from functools import partial
from typing import cast

import httpx

from .messages import A_DAY, STALE, TOO_LARGE, Call, Failure, Fields, Outcome, RawHeaders, Reply, Route
from .threads import LATE, aside

_FOREIGN = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError)
_BOUNDS = ("deadline", "max_reply_bytes", "fresh")
_LATE = Failure("", LATE)
_ONLY_GET = "only GET without a body can be sent"
_TARGET = re.compile(rb"/[\x21-\x7e]*").fullmatch
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch  # RFC 9110 5.6.2
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*").fullmatch  # RFC 9110 5.5
_FRAMING = {b"content-length", b"transfer-encoding"}


class ReplyTooLarge(httpx.RemoteProtocolError):
    """The server sent more for one reply than is accepted; the rest was not read."""


class StaleConnection(httpx.RemoteProtocolError):
    """A kept connection ended before a byte of the reply came.

    The request was very likely not handled: a GET may be sent again, on a connection of its own.
    """


_OURS = {TOO_LARGE: ReplyTooLarge, STALE: StaleConnection}


class Request(httpx.Request):
    """A request whose repr tells nothing of its query."""

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.url.path}>"


class SyncBridge:
    """What a blocking client sends its calls through when it was given a transport of httpx's kind."""

    kind = httpx.BaseTransport

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self.transport = transport
        self.close = transport.close

    def exchange(self, call: Call) -> Outcome:
        try:
            if isinstance(self.transport, httpx.MockTransport):  # it ends by the hand of whoever wrote the handler
                return self._exchanged(call)
            return aside(partial(self._exchanged, call)).result(call.deadline - time.monotonic())
        except _FOREIGN as error:
            return _failure(error)

    def _exchanged(self, call: Call) -> Reply:
        body, size = list[bytes](), 0
        response = self.transport.handle_request(_request(call))
        try:
            for chunk in cast("httpx.SyncByteStream", response.stream):
                body.append(chunk)
                size += len(chunk)
                _bounded(size, call)
            return _reply(response, body)
        finally:
            response.close()


class AsyncBridge:
    """The same for asyncio."""

    kind = httpx.AsyncBaseTransport

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self.transport = transport
        self.aclose = transport.aclose

    async def exchange(self, call: Call) -> Outcome:
        import asyncio

        try:
            async with asyncio.timeout(call.deadline - time.monotonic()):
                return await self._exchanged(call)
        except _FOREIGN as error:
            return _failure(error)

    async def _exchanged(self, call: Call) -> Reply:
        body, size = list[bytes](), 0
        response = await self.transport.handle_async_request(_request(call))
        try:
            async for chunk in cast("httpx.AsyncByteStream", response.stream):
                body.append(chunk)
                size += len(chunk)
                _bounded(size, call)
            return _reply(response, body)
        finally:
            await response.aclose()


def _request(call: Call) -> Request:
    tls, host, port = call.route.origin
    url = httpx.URL(scheme="https" if tls else "http", host=host, port=port, raw_path=call.target)
    left = max(call.deadline - time.monotonic(), 0.001)
    extensions = {
        "timeout": dict.fromkeys(("connect", "read", "write", "pool"), left),
        **{name: getattr(call, name) for name in _BOUNDS},
    }
    return Request("GET", url, headers=list(call.route.headers), extensions=extensions)


def _bounded(size: int, call: Call) -> None:
    """Go on only while the body that came so far is neither too large nor too late."""
    if size > call.max_reply_bytes:
        raise ReplyTooLarge("the reply is too large")
    if time.monotonic() > call.deadline:
        raise httpx.ReadTimeout("the reply took too long")


def _reply(response: httpx.Response, body: list[bytes]) -> Reply:
    return Reply(response.status_code, Fields(response.headers.raw), b"".join(body))


def _failure(error: Exception) -> Failure:
    if type(error) is TimeoutError:
        return _LATE
    kind = "ProxyError" if isinstance(error, httpx.ProxyError) else type(error).__name__
    return Failure(kind, str(error))


def call_of(request: httpx.Request) -> Call | Failure:
    """A request of httpx's as one of ours, checked. Its extensions say the bounds; there are no bytes that it could send by itself."""
    url, extensions, headers = request.url, request.extensions, request.headers.raw
    target = extensions.get("target", url.raw_path)
    if fault := _fault(request, target, headers):
        return Failure("LocalProtocolError", fault)
    tls = url.scheme == "https"
    route = Route.to((tls, url.raw_host.decode(), url.port or (443 if tls else 80)), headers)
    bounds = {name: extensions[name] for name in _BOUNDS}
    bounds["deadline"] = min(time.monotonic() + A_DAY, bounds["deadline"])  # in this order NaN is one as well
    return Call(target, route, **bounds)


def _fault(request: httpx.Request, target: bytes, headers: RawHeaders) -> str:
    """Why it cannot be sent, "" if it can."""
    if request.method != "GET" or not isinstance(request.stream, httpx.ByteStream) or any(request.stream):
        return _ONLY_GET
    if missing := [name for name in _BOUNDS if name not in request.extensions]:
        return f"the request's extensions must have {', '.join(missing)}, as a client of ours writes them"
    if any(name.lower() in _FRAMING for name, _ in headers):
        return _ONLY_GET
    if not all(_NAME(name) and _VALUE(value) for name, value in headers):
        return "a header holds a character that is not allowed there"
    return "" if _TARGET(target) else "the request target holds a character that must be escaped"


def delivered(outcome: Outcome) -> httpx.Response:
    """A reply as httpx's, or its error raised."""
    if isinstance(outcome, Failure):
        raise _error(outcome)
    return httpx.Response(outcome.status, headers=list(outcome.headers.raw), stream=httpx.ByteStream(outcome.body))


def _error(failure: Failure) -> httpx.TransportError:
    kind = _OURS.get(failure.kind) or getattr(httpx, failure.kind)
    return cast("httpx.TransportError", kind(failure.text))
