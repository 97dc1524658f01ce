"""`Client` and `AsyncClient`: carry out the plan of a call, blocking or awaiting. Knows transports; decides nothing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Self, TypeVar

from binance_usdm_wire import AsyncOperations, Operation, Response, SyncOperations

from ._call import Step
from ._caller import Caller
from ._errors import DeadlineExceeded, TransportError, UsdmError, safe_text
from ._pool import aside
from ._request import Call
from ._transport import SyncTransport
from ._transport_asyncio import AsyncTransport

if TYPE_CHECKING:  # whoever gives no transport of its kind never loads it
    import httpx

    from ._httpx import AsyncBridge, SyncBridge

    Blocking = SyncTransport | httpx.BaseTransport
    Awaited = AsyncTransport | httpx.AsyncBaseTransport

T = TypeVar("T")


def _unanswered(error: OSError | UsdmError) -> UsdmError:
    """Why something that may block gave no answer: for its own reason, its time was up, or no thread could be had for it."""
    if isinstance(error, UsdmError):
        return error
    if isinstance(error, TimeoutError):
        return DeadlineExceeded("nothing complete came in time")
    return TransportError(safe_text(str(error)))


class Client(Caller["Blocking"], SyncOperations):
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
    _own = SyncTransport
    _transport: SyncTransport | SyncBridge

    @staticmethod
    def _bridge() -> type[SyncBridge]:
        from ._httpx import SyncBridge

        return SyncBridge

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
        if isinstance(step, Call):
            return self._transport.exchange(step)
        if not callable(step):
            return time.sleep(step)
        try:
            return aside(step).result(deadline - time.monotonic())
        except (OSError, UsdmError) as error:
            return _unanswered(error)

    def close(self) -> None:
        """Close all connections, those of a transport that was given too; later calls raise TransportError."""
        self._closed = True
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class AsyncClient(Caller["Awaited"], AsyncOperations):
    """The same for asyncio: every call is awaited, `aclose()` or `async with` ends it. Safe for tasks; a cancelled call leaks nothing."""

    __slots__ = ()
    _own = AsyncTransport
    _transport: AsyncTransport | AsyncBridge

    @staticmethod
    def _bridge() -> type[AsyncBridge]:
        from ._httpx import AsyncBridge

        return AsyncBridge

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
        if isinstance(step, Call):
            return await self._transport.exchange(step)
        import asyncio  # for those who make blocking calls only, it would be a tenth of the time until the first one

        if not callable(step):
            return await asyncio.sleep(step)
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                return await asyncio.wrap_future(aside(step))
        except (OSError, UsdmError) as error:
            return _unanswered(error)

    async def aclose(self) -> None:
        """Close all connections, those of a transport that was given too; later calls raise TransportError."""
        self._closed = True
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()
