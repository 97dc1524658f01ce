"""`Client` and `AsyncClient`: how they are made of their options, opened and closed. Sends nothing; calls are in `_call`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeVar

from binance_usdm_wire import AsyncOperations, SyncOperations

from . import _config as config
from ._auth.credentials import validate_credentials
from ._auth.signers import Signer
from ._call import AsyncCalls, Planner, SyncCalls
from ._environment import ENV_NAMES_BY_OPTION, options_from_env
from ._errors import ConfigurationError
from ._events import Observer
from ._http.async_transport import AsyncTransport
from ._http.messages import MAX_REPLY_BYTES
from ._http.proxy import PLAIN, Proxy
from ._http.sync_transport import SyncTransport
from ._policy.clock import Clock
from ._policy.limiter import Limiter, WeightLimiter
from ._policy.retry import Quota, Retry, RetryPolicy
from ._policy.shared import venue
from ._policy.wait_queue import Budget
from ._request import Requests

if TYPE_CHECKING:  # whoever gives no transport of its kind never loads it
    import httpx

    from ._http.httpx_adapter import AsyncBridge, SyncBridge

    Blocking = SyncTransport | httpx.BaseTransport
    Awaited = AsyncTransport | httpx.AsyncBaseTransport

TransportT = TypeVar("TransportT")


class Caller(Planner, Generic[TransportT]):
    """What both clients share."""

    __slots__ = ("__weakref__",)
    _own: Any
    """The class of the default transport."""

    @staticmethod
    def _bridge() -> Any:
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
        max_reply_bytes: int = MAX_REPLY_BYTES,
        proxy: str | None = None,
        transport: TransportT | None = None,
        on_event: Observer | None = None,
    ) -> None:
        credentials = validate_credentials(api_key, api_secret, signer)
        url = config.base(base_url)
        way = None if proxy is None else Proxy.at(proxy)
        if isinstance(way, Proxy) and isinstance(url, config.BaseUrl) and not (way.near or url.origin[0]):
            way = PLAIN
        chosen: Any
        if transport is None:
            chosen = way if isinstance(way, str) else self._own(way)
        elif proxy is not None:
            chosen = "give a proxy or a transport, not both"
        elif type(transport) is self._own:
            chosen = transport
        else:  # a class made of ours too: what it adds may neither end by the deadline nor keep to the bounds
            bridge = self._bridge()
            fits = isinstance(transport, (self._own, bridge.kind))
            complaint = f"transport must be an httpx.{bridge.kind.__name__} or a {self._own.__name__}"
            chosen = bridge(transport) if fits else complaint
        # the traceback of an error below may be printed with its local variables
        del api_key, api_secret, signer, base_url, proxy, transport
        if isinstance(credentials, str) or isinstance(url, str) or isinstance(chosen, str):
            raise ConfigurationError(next(made for made in (credentials, url, chosen) if isinstance(made, str)))
        own = type(chosen) is self._own
        self._venue = venue((str(url), chosen.way_out if own else None), None if own else chosen.transport)
        if limiter is None or limiter == "shared":
            limiter = self._venue.limiter if limiter else WeightLimiter(limit=None)
        config.check(max_reply_bytes, retry, clock, limiter, on_event)
        self._budget = Budget(limiter, self._venue.queue)
        self._requests = Requests(credentials, url, config.positive_ms(recv_window))
        self._transport = chosen
        self._closed = False
        self._timeout = config.positive_seconds(timeout)
        self._max_reply_bytes = max_reply_bytes
        self._measures = clock if isinstance(clock, str) else None
        self._clock = self._venue.clock if isinstance(clock, str) else clock
        self._retry = retry
        self._quota = Quota()
        self._on_event = on_event

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
        requests = getattr(self, "_requests", None)  # there is none when the constructor failed
        return f"{type(self).__name__}(base_url='{requests.url if requests else ''}')"


# SyncCalls and AsyncCalls come first: they have the _call that the generated operations lack


class Client(Caller["Blocking"], SyncCalls, SyncOperations):
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

    @staticmethod
    def _bridge() -> type[SyncBridge]:
        from ._http.httpx_adapter import SyncBridge

        return SyncBridge

    def close(self) -> None:
        """Close all connections, those of a transport that was given too; later calls raise TransportError."""
        self._closed = True
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class AsyncClient(Caller["Awaited"], AsyncCalls, AsyncOperations):
    """The same for asyncio: every call is awaited, `aclose()` or `async with` ends it. Safe for tasks; a cancelled call leaks nothing."""

    __slots__ = ()
    _own = AsyncTransport

    @staticmethod
    def _bridge() -> type[AsyncBridge]:
        from ._http.httpx_adapter import AsyncBridge

        return AsyncBridge

    async def aclose(self) -> None:
        """Close all connections, those of a transport that was given too; later calls raise TransportError."""
        self._closed = True
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()
