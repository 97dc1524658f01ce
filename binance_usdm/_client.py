"""`Client` and `AsyncClient`: carry out the plan of a call, blocking or awaiting. Knows transports; decides nothing."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Self, TypeVar, cast

import httpx

from binance_usdm_wire import AsyncOperations, Operation, Response, SyncOperations

from ._call import Caller, Outcome, Request, Step
from ._config import is_loopback
from ._errors import DeadlineExceeded, TransportError, UnexpectedResponse, UsdmError, safe_text
from ._http1 import ReplyTooLarge
from ._reply import Reply
from ._transport import MAX_REPLY_BYTES, SyncTransport, tls_context
from ._transport_asyncio import AsyncTransport

T = TypeVar("T")
ProxiedT = TypeVar("ProxiedT", httpx.HTTPTransport, httpx.AsyncHTTPTransport)

_FOREIGN = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError)


class _Body:
    """The bytes of a body as they come, bounded in size and time."""

    __slots__ = ("_chunks", "_deadline", "_size")

    def __init__(self, deadline: float) -> None:
        self._chunks: list[bytes] = []
        self._deadline = deadline
        self._size = 0

    def add(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size > MAX_REPLY_BYTES:
            raise ReplyTooLarge("the reply is too large")
        if time.monotonic() > self._deadline:
            raise httpx.ReadTimeout("the reply took too long")
        self._chunks.append(chunk)

    def reply(self, response: httpx.Response) -> Reply:
        return Reply(response.status_code, response.headers, b"".join(self._chunks))


def _translated(error: Exception, host: str) -> UsdmError:
    """A transport's exception in the words of the tree; returned, not raised, so that the new error drags no request along."""
    if isinstance(error, ReplyTooLarge):
        return UnexpectedResponse(0, (), f"at most {MAX_REPLY_BYTES} bytes", "more")
    text = f"{safe_text(f'{type(error).__name__}: {error}')} ({host})"
    return DeadlineExceeded(text) if isinstance(error, httpx.TimeoutException) else TransportError(text)


class Client(Caller[httpx.BaseTransport], SyncOperations):
    """Blocking client; safe for threads. Use it in a `with` block or `close()` it; nothing is sent before the first call.

    `Client(api_key, api_secret)` signs with HMAC-SHA256, `Client(api_key, signer=…)` with anything that has `sign(bytes) -> bytes`;
    `Client()` makes unsigned calls only. `timeout` is the total time of a call in seconds, connecting, waiting and reading included.
    `base_url` is https (http for this machine only) and may have a path prefix. `recv_window` (ms) is sent with every signed call
    that has none of its own. `transport` is any httpx transport; by default our own, without proxy, redirects, cookies or environment.
    A blocking transport of httpx's own, so also `proxy`, bounds each of its waits and not their sum: a head that drips can outlast
    `timeout` there. The default transport and `AsyncClient` have no such gap.
    Raises ConfigurationError for anything of this that cannot be used.
    """

    __slots__ = ()
    _interface = httpx.BaseTransport

    @staticmethod
    def _own(proxy: str | None, clear: bool) -> httpx.BaseTransport | str:
        return SyncTransport() if proxy is None else _proxied(httpx.HTTPTransport, proxy, clear)

    def _call(self, operation: Operation[T], arguments: dict[str, Any]) -> Response[T]:
        plan = self._plan(operation, arguments)
        outcome: Outcome = None
        while True:
            try:
                step = plan.send(outcome)
            except StopIteration as finished:
                return cast("Response[T]", finished.value)
            outcome = self._do(step)

    def _do(self, step: Step) -> Outcome:
        if not isinstance(step, Request):
            time.sleep(step)
            return None
        body = _Body(step.extensions["deadline"])
        try:
            response = self._transport.handle_request(step)
            try:
                for chunk in cast("httpx.SyncByteStream", response.stream):
                    body.add(chunk)
                return body.reply(response)
            finally:
                response.close()
        except _FOREIGN as error:
            return _translated(error, step.url.host)

    def close(self) -> None:
        """Close all connections; later calls raise TransportError."""
        self._closed = True
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class AsyncClient(Caller[httpx.AsyncBaseTransport], AsyncOperations):
    """The same for asyncio: every call is awaited, `aclose()` or `async with` ends it. Safe for tasks; a cancelled call leaks nothing."""

    __slots__ = ()
    _interface = httpx.AsyncBaseTransport

    @staticmethod
    def _own(proxy: str | None, clear: bool) -> httpx.AsyncBaseTransport | str:
        return AsyncTransport() if proxy is None else _proxied(httpx.AsyncHTTPTransport, proxy, clear)

    async def _call(self, operation: Operation[T], arguments: dict[str, Any]) -> Response[T]:
        plan = self._plan(operation, arguments)
        outcome: Outcome = None
        scope = asyncio.timeout(self._timeout)
        try:
            async with scope:
                while True:
                    try:
                        step = plan.send(outcome)
                    except StopIteration as finished:
                        return cast("Response[T]", finished.value)
                    outcome = await self._do(step)
        except TimeoutError:
            if not scope.expired():  # a signer's own
                raise
        # raised out here, so that it has no context
        raise DeadlineExceeded(f"no complete reply within {self._timeout:g} s")

    async def _do(self, step: Step) -> Outcome:
        if not isinstance(step, Request):
            await asyncio.sleep(step)
            return None
        body = _Body(step.extensions["deadline"])
        try:
            response = await self._transport.handle_async_request(step)
            try:
                async for chunk in cast("httpx.AsyncByteStream", response.stream):
                    body.add(chunk)
                return body.reply(response)
            finally:
                await response.aclose()
        except _FOREIGN as error:
            return _translated(error, step.url.host)

    async def aclose(self) -> None:
        """Close all connections; later calls raise TransportError."""
        self._closed = True
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()


def _proxied(kind: type[ProxiedT], proxy: str, clear: bool) -> ProxiedT | str:
    """httpx's own transport through a proxy, with our TLS settings and nothing from the environment."""
    try:
        url = httpx.URL(proxy)
        if clear and not is_loopback(url.host):
            return "proxy must be on this machine when base_url is http: it would see the key"
        if url.host and (url.port or 80) < 65536:
            return kind(verify=tls_context(), trust_env=False, proxy=url)
    except (TypeError, ValueError, ImportError, httpx.InvalidURL):
        pass
    return "proxy must be a URL such as http://host:port; socks5 needs httpx[socks]"
