"""`Client` and `AsyncClient`: options and lifecycle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from binance_usdm_wire import AsyncOperations, SyncOperations

from ._base_client import BaseClient
from ._call.call import AsyncCallDriver, SyncCallDriver
from ._call.get import AsyncGet, SyncGet
from ._concurrency.gates import run_to_end
from ._config.options import add_foreign_names
from ._http.async_transport import AsyncTransport
from ._http.sync_transport import SyncTransport
from ._policy.budget import Budget

# httpx is imported only by programs that pass one of its transports.
if TYPE_CHECKING:
    import httpx

    from ._http.httpx_adapter import AsyncHttpxAdapter, SyncHttpxAdapter

    SyncTransportLike = SyncTransport | httpx.BaseTransport
    AsyncTransportLike = AsyncTransport | httpx.AsyncBaseTransport

# In both classes the driver comes before the operations: it defines the `_call` that they use.


class Client(BaseClient["SyncTransportLike"], SyncCallDriver, SyncOperations, SyncGet):
    """Blocking client for the USDⓈ-M futures account API.

    Safe to share between threads. Use it as a context manager or call `close()`. No
    connection is opened before the first call.

    Args:
        api_key: API key. Omit it to make unsigned calls only.
        api_secret: HMAC secret of the key. Use either this or `signer`.
        signer: Object with `sign(payload: bytes) -> bytes`, such as `Ed25519Signer`.
        base_url: Base URL, https (or http to this machine), optionally with a path prefix.
        allow_http_hosts: Test hosts that `base_url` may also name with http, such as ("mock",),
            never the exchange's. Keys and signatures are sent to them unencrypted.
        recv_window: `recvWindow` in ms for signed calls that set none. `None` uses the exchange's
            default (5000).
        timeout: Total time for a call in seconds, including connecting, waiting and retries. At
            most 3600.
        retry: `RetryPolicy`, or a function `(error, attempt) -> seconds or None`.
        clock: "auto" uses this machine's time until the exchange rejects a timestamp (-1021), then
            the exchange's. "exchange" syncs before the first signed call. Or a function that
            returns ms since 1970-01-01 UTC.
        limiter: "shared" uses the weight budget that the clients of the process share. Or a
            `WeightLimiter`, a `RedisLimiter` or another object with these methods. `None` sets no
            budget; cooldowns and bans still apply.
        max_reply_bytes: Maximum size of a response in bytes. A compressed body may grow to four
            times that.
        proxy: `http://[user:password@]host[:port]`, used with CONNECT.
        ssl_context: TLS settings for the host of `base_url`, such as
            `ssl.create_default_context(cafile=...)` for a private certificate authority. It must
            check certificates and host names. The default trusts the system's authorities.
        transport: `SyncTransport` or a transport of httpx; clients may share one. The default is
            a `SyncTransport` that the client closes.
        on_event: Function that receives every `Event`: requests and responses, retries, budget
            waits, cooldowns, reconnections and clock syncs.
        label: Name of the account, such as "desk-07": in the client's repr, its events and log
            records (`record.account`), and at the beginning of each error's text.

    Raises:
        ConfigurationError: An argument is invalid. The message never contains a secret.

    Example:
        with Client(api_key, api_secret) as client:
            for row in client.balance():
                print(row.asset, row.balance)
    """

    __slots__ = ()
    _default_transport_class = SyncTransport

    @staticmethod
    def _httpx_adapter_class() -> type[SyncHttpxAdapter]:
        from ._http.httpx_adapter import SyncHttpxAdapter

        return SyncHttpxAdapter

    def close(self) -> None:
        """Close the client. Calls that are waiting fail at once.

        A transport that was passed to the constructor stays open.
        """
        self._gates.close()
        if self._owns_transport:
            self._transport.close()

    def connect(self) -> None:
        """Open a connection before the first call, which then needs no DNS, TCP and TLS.

        If there is an idle connection, or the transport is one of httpx, nothing happens.

        Raises:
            TransportError: The connection could not be opened, or not within `timeout`.
        """
        run_to_end(self._connect())

    def budget(self) -> Budget:
        """Return what is used and left of the weight budget. Nothing is sent to the exchange.

        Raises:
            ConfigurationError: The limiter has no method `budget`.
            TransportError: `RedisLimiter` cannot reach its server.
        """
        return self._read_budget()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class AsyncClient(BaseClient["AsyncTransportLike"], AsyncCallDriver, AsyncOperations, AsyncGet):
    """Client for the USDⓈ-M futures account API that uses asyncio.

    Safe to share between tasks. Use it as an async context manager or call `aclose()`. No
    connection is opened before the first call. A cancelled call releases its connection and its
    place in every queue.

    Args:
        api_key: API key. Omit it to make unsigned calls only.
        api_secret: HMAC secret of the key. Use either this or `signer`.
        signer: Object with `sign(payload: bytes) -> bytes`, such as `Ed25519Signer`.
        base_url: Base URL, https (or http to this machine), optionally with a path prefix.
        allow_http_hosts: Test hosts that `base_url` may also name with http, such as ("mock",),
            never the exchange's. Keys and signatures are sent to them unencrypted.
        recv_window: `recvWindow` in ms for signed calls that set none. `None` uses the exchange's
            default (5000).
        timeout: Total time for a call in seconds, including connecting, waiting and retries. At
            most 3600.
        retry: `RetryPolicy`, or a function `(error, attempt) -> seconds or None`.
        clock: "auto" uses this machine's time until the exchange rejects a timestamp (-1021), then
            the exchange's. "exchange" syncs before the first signed call. Or a function that
            returns ms since 1970-01-01 UTC.
        limiter: "shared" uses the weight budget that the clients of the process share. Or a
            `WeightLimiter`, a `RedisLimiter` or another object with these methods. `None` sets no
            budget; cooldowns and bans still apply.
        max_reply_bytes: Maximum size of a response in bytes. A compressed body may grow to four
            times that.
        proxy: `http://[user:password@]host[:port]`, used with CONNECT.
        ssl_context: TLS settings for the host of `base_url`, such as
            `ssl.create_default_context(cafile=...)` for a private certificate authority. It must
            check certificates and host names. The default trusts the system's authorities.
        transport: `AsyncTransport` or a transport of httpx; clients may share one. The default is
            an `AsyncTransport` that the client closes.
        on_event: Function that receives every `Event`: requests and responses, retries, budget
            waits, cooldowns, reconnections and clock syncs.
        label: Name of the account, such as "desk-07": in the client's repr, its events and log
            records (`record.account`), and at the beginning of each error's text.

    Raises:
        ConfigurationError: An argument is invalid. The message never contains a secret.

    Example:
        async with AsyncClient(api_key, api_secret) as client:
            for row in await client.balance():
                print(row.asset, row.balance)
    """

    __slots__ = ()
    _default_transport_class = AsyncTransport

    @staticmethod
    def _httpx_adapter_class() -> type[AsyncHttpxAdapter]:
        from ._http.httpx_adapter import AsyncHttpxAdapter

        return AsyncHttpxAdapter

    async def aclose(self) -> None:
        """Close the client. Calls that are waiting fail at once.

        A transport that was passed to the constructor stays open.
        """
        self._gates.close()
        if self._owns_transport:
            await self._transport.aclose()

    async def connect(self) -> None:
        """Open a connection before the first call, which then needs no DNS, TCP and TLS.

        If there is an idle connection, or the transport is one of httpx, nothing happens.

        Raises:
            ConfigurationError: No asyncio event loop is running.
            TransportError: The connection could not be opened, or not within `timeout`.
        """
        self._raise_without_event_loop()
        await self._connect()

    async def budget(self) -> Budget:
        """Return what is used and left of the weight budget. Nothing is sent to the exchange.

        Raises:
            ConfigurationError: The limiter has no method `budget`.
            TransportError: `RedisLimiter` cannot reach its server.
        """
        if not self._limiter_queue.blocks:
            return self._read_budget()
        # Blocking calls never load asyncio. It would take a tenth of the time until the first one.
        import asyncio

        return await asyncio.to_thread(self._read_budget)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()


add_foreign_names(Client)
add_foreign_names(AsyncClient)
