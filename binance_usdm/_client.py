"""`Client` and `AsyncClient`: how they are made of their options, opened and closed. Sends nothing; calls are in `_call`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeVar

from binance_usdm_wire import AsyncOperations, SyncOperations

from . import _config as config
from ._auth.credentials import Credentials, validate_credentials
from ._auth.signers import Signer
from ._call import AsyncCallDriver, CallRunner, SyncCallDriver
from ._environment import ENV_NAMES_BY_OPTION, options_from_env
from ._errors import ConfigurationError
from ._events import Observer
from ._http.async_transport import AsyncTransport
from ._http.gates import GateSet, run_to_end
from ._http.messages import DEFAULT_MAX_RESPONSE_BYTES
from ._http.proxy import PLAINTEXT_PROXY_PROBLEM, Proxy
from ._http.sync_transport import SyncTransport
from ._policy.clock import Clock
from ._policy.limiter import Limiter, WeightLimiter
from ._policy.retry import Retry, RetryPolicy, RetryQuota
from ._policy.shared import get_shared_state
from ._policy.wait_queue import LimiterQueue
from ._request import RequestBuilder

if TYPE_CHECKING:  # whoever gives no transport of its kind never loads it
    import httpx

    from ._http.httpx_adapter import AsyncHttpxAdapter, SyncHttpxAdapter

    SyncTransportLike = SyncTransport | httpx.BaseTransport
    AsyncTransportLike = AsyncTransport | httpx.AsyncBaseTransport

TransportT = TypeVar("TransportT")


class BaseClient(CallRunner, Generic[TransportT]):
    """What both clients share."""

    __slots__ = ("__weakref__", "_owns_transport")
    _default_transport_class: Any
    """The class of the default transport."""

    @staticmethod
    def _httpx_adapter_class() -> Any:
        """The class of what stands between a client and a transport of httpx's `kind`."""
        raise NotImplementedError

    def __init__(
        self,
        api_key: str | None = None,
        api_secret: str | None = None,
        *,
        signer: Signer | None = None,
        base_url: str = config.MAINNET,
        recv_window: int | None = None,
        timeout: float = config.DEFAULT_TIMEOUT,
        retry: Retry = RetryPolicy(),  # noqa: B008 - frozen
        clock: Clock | Literal["auto", "exchange"] = "auto",
        limiter: Limiter | Literal["shared"] | None = "shared",
        max_reply_bytes: int = DEFAULT_MAX_RESPONSE_BYTES,
        proxy: str | None = None,
        transport: TransportT | None = None,
        on_event: Observer | None = None,
    ) -> None:
        credentials = validate_credentials(api_key, api_secret, signer)
        url = config.parse_base_url(base_url)
        self._owns_transport = transport is None
        chosen = self._choose_transport(transport, proxy, url)
        # Keep secrets out of tracebacks: an error below may be printed with its local variables.
        del api_key, api_secret, signer, base_url, proxy, transport
        for value in (credentials, url, chosen):
            if isinstance(value, str):
                raise ConfigurationError(value)
        assert isinstance(credentials, Credentials)
        assert isinstance(url, config.BaseUrl)
        self._transport = chosen
        is_ours = type(chosen) is self._default_transport_class
        self._shared = get_shared_state(
            (str(url), chosen.proxy_address if is_ours else None),
            None if is_ours else chosen.transport,
        )
        if limiter is None or limiter == "shared":
            limiter = self._shared.limiter if limiter else WeightLimiter(limit=None)
        config.validate_options(max_reply_bytes, retry, clock, limiter, on_event)
        self._limiter_queue = LimiterQueue(limiter, chosen.run_in_thread)
        self._gates = GateSet(chosen.make_gate)
        self._request_builder = RequestBuilder(
            credentials, url, config.validate_recv_window(recv_window)
        )
        self._timeout = config.validate_timeout(timeout)
        self._max_reply_bytes = max_reply_bytes
        self._clock_mode = clock if isinstance(clock, str) else None
        self._clock = self._shared.clock if isinstance(clock, str) else clock
        self._retry = retry
        self._retry_quota = RetryQuota()
        self._account_by_attribute = {}
        self._on_event = on_event

    @classmethod
    def _choose_transport(cls, transport: Any, proxy: str | None, url: config.BaseUrl | str) -> Any:
        """Return the transport, or a message about what is wrong with it or with the proxy."""
        if transport is None:
            return cls._make_transport(proxy, url)
        if proxy is not None:
            return "give a proxy or a transport, not both"
        ours = cls._default_transport_class
        if type(transport) is ours:
            return transport
        # A class made of ours too: what it adds may neither end by the deadline nor keep to the bounds.
        adapter = cls._httpx_adapter_class()
        if isinstance(transport, (ours, adapter.transport_class)):
            return adapter(transport)
        return f"transport must be an httpx.{adapter.transport_class.__name__} or a {ours.__name__}"

    @classmethod
    def _make_transport(cls, proxy: str | None, url: config.BaseUrl | str) -> Any:
        parsed_proxy = None if proxy is None else Proxy.from_url(proxy)
        if isinstance(parsed_proxy, str):
            return parsed_proxy
        if (
            parsed_proxy
            and isinstance(url, config.BaseUrl)
            and not (parsed_proxy.is_loopback or url.origin[0])
        ):
            return PLAINTEXT_PROXY_PROBLEM
        return cls._default_transport_class(parsed_proxy)

    @classmethod
    def from_env(cls, **options: Any) -> Self:
        """A client from BINANCE_API_KEY and one of BINANCE_API_SECRET, BINANCE_API_PRIVATE_KEY, BINANCE_API_PRIVATE_KEY_FILE.

        The private key is PEM text, of type Ed25519 or RSA, or the path of such a file; BINANCE_API_PRIVATE_KEY_PASSWORD decrypts it.
        BINANCE_BASE_URL is used if set. `options` are the constructor's and win. Raises ConfigurationError naming the variable that is
        missing, empty or wrong.
        """
        found = options_from_env(options)
        complaint = found if isinstance(found, str) else ""
        if isinstance(found, dict):
            try:
                return cls(**found, **options)
            except ConfigurationError as error:
                option, _, rest = str(error).partition(" ")
                complaint = f"{ENV_NAMES_BY_OPTION[option] if option in found else option} {rest}"
            except TypeError as error:  # an option that there is not
                complaint = str(error)
        del options, found  # a URL may hold a password
        raise ConfigurationError(complaint)

    def __repr__(self) -> str:
        requests = getattr(
            self, "_request_builder", None
        )  # there is none when the constructor failed
        return f"{type(self).__name__}(base_url='{requests.url if requests else ''}')"


# The drivers come before the operations: they have the _call that generated operations lack.


class Client(BaseClient["SyncTransportLike"], SyncCallDriver, SyncOperations):
    """Blocking client; safe for threads. Use it in a `with` block or `close()` it; nothing is sent before the first call.

    `Client(api_key, api_secret)` signs with HMAC-SHA256, `Client(api_key, signer=…)` with anything that has `sign(bytes) -> bytes`;
    `Client()` makes unsigned calls only. `timeout` is the total time of a call in seconds, connecting, waiting and reading included.
    `base_url` is https (http for this machine only) and may have a path prefix. `recv_window` (ms) is sent with every signed call
    that has none of its own. `transport` is any httpx transport, which the client does not close; by default our own,
    without redirects, cookies or environment.
    `proxy` is `http://[user:pass@]host[:port]`, asked for a tunnel by CONNECT: of https calls it sees the exchange's name only.
    `retry` decides which failures are tried again (RetryPolicy); `clock` is "auto" (local time until the first -1021, then the exchange's),
    "exchange" (its time is read before the first signed call) or a function that returns ms; `limiter` is "shared" by the clients of the
    process, a limiter of your own (WeightLimiter, RedisLimiter), or None for no budget; `on_event` is called with every retry, budget wait,
    cooldown, reconnection and clock sync; `max_reply_bytes` bounds a reply, which may grow to four times that when it comes compressed.
    Raises ConfigurationError for anything of this that cannot be used.
    """

    __slots__ = ()
    _default_transport_class = SyncTransport

    @staticmethod
    def _httpx_adapter_class() -> type[SyncHttpxAdapter]:
        from ._http.httpx_adapter import SyncHttpxAdapter

        return SyncHttpxAdapter

    def close(self) -> None:
        """End the client: calls that wait fail at once, nothing is sent any more, and its own transport is closed.

        A transport that was given stays open: whoever made it closes it.
        """
        self._gates.close()
        if self._owns_transport:
            self._transport.close()

    def connect(self) -> None:
        """Open a connection ahead of the first call, which saves that call names, TCP and TLS.

        Does nothing when an idle connection is there, or when the transport is an httpx one.

        Raises:
            TransportError: There is no connection, or not in time.
        """
        run_to_end(self._connect())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class AsyncClient(BaseClient["AsyncTransportLike"], AsyncCallDriver, AsyncOperations):
    """The same for asyncio: every call is awaited, `aclose()` or `async with` ends it. Safe for tasks; a cancelled call leaks nothing."""

    __slots__ = ()
    _default_transport_class = AsyncTransport

    @staticmethod
    def _httpx_adapter_class() -> type[AsyncHttpxAdapter]:
        from ._http.httpx_adapter import AsyncHttpxAdapter

        return AsyncHttpxAdapter

    async def aclose(self) -> None:
        """End the client: calls that wait fail at once, nothing is sent any more, and its own transport is closed.

        A transport that was given stays open: whoever made it closes it.
        """
        self._gates.close()
        if self._owns_transport:
            await self._transport.aclose()

    async def connect(self) -> None:
        """Open a connection ahead of the first call, which saves that call names, TCP and TLS.

        Does nothing when an idle connection is there, or when the transport is an httpx one.

        Raises:
            TransportError: There is no connection, or not in time.
        """
        await self._connect()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()
