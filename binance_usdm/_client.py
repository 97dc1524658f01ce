"""`Client` and `AsyncClient`: carry out the plan of a call, blocking or awaiting. Knows transports; decides nothing."""

from __future__ import annotations

import time
from functools import partial
from typing import Any, Self, TypeVar, cast

import httpx

from binance_usdm_wire import AsyncOperations, Operation, Response, SyncOperations

from ._call import Step
from ._caller import Caller
from ._errors import DeadlineExceeded, IdleConnectionLost, TransportError, UnexpectedResponse, UsdmError, safe_text
from ._http1 import Received, ReplyTooLarge, StaleConnection
from ._pool import aside
from ._reply import Fields, Reply
from ._request import Request
from ._transport import SyncTransport
from ._transport_asyncio import AsyncTransport

T = TypeVar("T")

_FOREIGN = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError)
_LATE = "nothing complete came in time"
_A_MOMENT = 0.02
_BOUNDED = (SyncTransport, httpx.MockTransport)  # they end by the deadline, or by the hand of whoever wrote the handler


def _bounded(size: int, request: Request) -> None:
    """Go on only while the body that came so far is neither too large nor too late."""
    if size > request.extensions["max_reply_bytes"]:
        raise ReplyTooLarge("the reply is too large")
    if time.monotonic() > request.extensions["deadline"]:
        raise httpx.ReadTimeout("the reply took too long")


def _fields(response: httpx.Response) -> Fields:
    if isinstance(response, Received):
        return Fields(response.fields)
    return Fields([(name.lower(), value) for name, value in response.headers.raw])


def _translated(error: Exception, request: Request) -> UsdmError:
    """A transport's exception in the words of the tree; returned, not raised, so that the new error drags no request along."""
    host = request.url.raw_host.decode("ascii")
    if isinstance(error, ReplyTooLarge):
        return UnexpectedResponse(0, (), f"at most {request.extensions['max_reply_bytes']} bytes", "more")
    if isinstance(error, httpx.ProxyError):  # its reason phrase may echo a password: only a status passes
        said = str(error)[:3]
        return TransportError(f"the proxy answered {said if said.isdigit() else 'nothing valid'} ({host})")
    told = _LATE if type(error) is TimeoutError else safe_text(f"{type(error).__name__}: {error}", *request.hidden)
    if isinstance(error, StaleConnection):
        return IdleConnectionLost(f"{told} ({host})")
    late = time.monotonic() > request.extensions["deadline"] - _A_MOMENT  # a transport may give up before
    return (DeadlineExceeded if late else TransportError)(f"{told} ({host})")


def _unanswered(error: OSError | UsdmError) -> UsdmError:
    """Why something that may block gave no answer: for its own reason, its time was up, or no thread could be had for it."""
    if isinstance(error, UsdmError):
        return error
    return DeadlineExceeded(_LATE) if isinstance(error, TimeoutError) else TransportError(safe_text(str(error)))


class Client(Caller[httpx.BaseTransport], SyncOperations):
    """Blocking client; safe for threads. Use it in a `with` block or `close()` it; nothing is sent before the first call.

    `Client(api_key, api_secret)` signs with HMAC-SHA256, `Client(api_key, signer=…)` with anything that has `sign(bytes) -> bytes`;
    `Client()` makes unsigned calls only. `timeout` is the total time of a call in seconds, connecting, waiting and reading included.
    `base_url` is https (http for this machine only) and may have a path prefix. `recv_window` (ms) is sent with every signed call
    that has none of its own. `transport` is any httpx transport; by default our own, without redirects, cookies or environment.
    `proxy` is `http://[user:pass@]host[:port]`, asked for a tunnel by CONNECT: of https calls it sees the exchange's name only.
    `retry` decides which failures are tried again (RetryPolicy); `clock` is "auto" (local time until the first -1021, then the exchange's),
    "exchange" (its time is read before the first signed call) or a function that returns ms; `limiter` is "shared" by the clients of the
    process, a limiter of your own (WeightLimiter, RedisLimiter), or None for no budget; `on_event` is told of retries, waits, holds and
    readings of the clock; `max_reply_bytes` bounds a reply, which may grow to four times that when it comes compressed.
    Raises ConfigurationError for anything of this that cannot be used.
    """

    __slots__ = ()
    _interface = httpx.BaseTransport
    _own = SyncTransport

    def _call(self, operation: Operation[T], arguments: dict[str, Any]) -> Response[T]:
        deadline = time.monotonic() + self._timeout
        plan = self._plan(operation, arguments, deadline)
        try:
            step = next(plan)
            while not isinstance(step, Response):
                step = plan.send(self._do(step, deadline))
            return step
        finally:
            plan.close()

    def _do(self, step: Step, deadline: float) -> Any:
        if isinstance(step, Request):
            try:
                if isinstance(self._transport, _BOUNDED):
                    return self._exchanged(step)
                return aside(partial(self._exchanged, step)).result(step.extensions["deadline"] - time.monotonic())
            except _FOREIGN as error:
                return _translated(error, step)
        if not callable(step):
            return time.sleep(step)
        try:
            return aside(step).result(deadline - time.monotonic())
        except (OSError, UsdmError) as error:
            return _unanswered(error)

    def _exchanged(self, request: Request) -> Reply:
        body: list[bytes] = []
        size = 0
        response = self._transport.handle_request(request)
        try:
            for chunk in cast("httpx.SyncByteStream", response.stream):
                body.append(chunk)
                size += len(chunk)
                _bounded(size, request)
            return Reply(response.status_code, _fields(response), b"".join(body))
        finally:
            response.close()

    def close(self) -> None:
        """Close all connections, those of a transport that was given too; later calls raise TransportError."""
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
    _own = AsyncTransport

    async def _call(self, operation: Operation[T], arguments: dict[str, Any]) -> Response[T]:
        deadline = time.monotonic() + self._timeout
        plan = self._plan(operation, arguments, deadline)
        try:
            step = next(plan)
            while not isinstance(step, Response):
                step = plan.send(await self._do(step, deadline))
            return step
        finally:
            plan.close()

    async def _do(self, step: Step, deadline: float) -> Any:
        import asyncio  # for those who make blocking calls only, it would be a tenth of the time until the first one

        if isinstance(step, Request):
            try:
                if type(self._transport) is AsyncTransport:  # it ends by the deadline; a subclass may add what does not
                    return await self._exchanged(step)
                async with asyncio.timeout(step.extensions["deadline"] - time.monotonic()):
                    return await self._exchanged(step)
            except _FOREIGN as error:
                return _translated(error, step)
        if not callable(step):
            return await asyncio.sleep(step)
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                return await asyncio.wrap_future(aside(step))
        except (OSError, UsdmError) as error:
            return _unanswered(error)

    async def _exchanged(self, request: Request) -> Reply:
        body: list[bytes] = []
        size = 0
        response = await self._transport.handle_async_request(request)
        try:
            async for chunk in cast("httpx.AsyncByteStream", response.stream):
                body.append(chunk)
                size += len(chunk)
                _bounded(size, request)
            return Reply(response.status_code, _fields(response), b"".join(body))
        finally:
            await response.aclose()

    async def aclose(self) -> None:
        """Close all connections, those of a transport that was given too; later calls raise TransportError."""
        self._closed = True
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()
