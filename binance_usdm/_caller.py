"""How a client is made of its options. Checks, keeps nothing but what a call needs, and sends nothing."""

from __future__ import annotations

from typing import Any, Generic, Literal, Self, TypeVar

from . import _config as config
from ._call import Planner
from ._clock import Clock
from ._errors import ConfigurationError
from ._events import Observer
from ._http1 import MAX_REPLY_BYTES
from ._limits import Limiter, WeightLimiter
from ._proxy import Proxy
from ._request import Requests
from ._retry import Quota, Retry, RetryPolicy
from ._signing import Signer
from ._venue import venue

TransportT = TypeVar("TransportT")


class Caller(Planner, Generic[TransportT]):
    """What both clients share: how they are made, and the plan of a call."""

    __slots__ = ("__weakref__", "_transport")
    _transport: Any
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
        credentials = config.credentials(api_key, api_secret, signer)
        url = config.base(base_url)
        way = None if proxy is None else config.proxy(proxy, clear=str(url).startswith("http:"))
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
        way_out = (way.host, way.port) if isinstance(way, Proxy) else None
        self._venue = venue((str(url), way_out), getattr(chosen, "transport", None))
        self._limiter = (
            WeightLimiter(limit=None) if limiter is None else self._venue.limiter if limiter == "shared" else limiter
        )
        self._may_block = bool(getattr(self._limiter, "blocking", False))
        config.check(max_reply_bytes, retry, clock, self._limiter, on_event)
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
        found = config.environment(options)
        complaint = found if isinstance(found, str) else ""
        if isinstance(found, dict):
            try:
                return cls(**found, **options)
            except ConfigurationError as error:
                option, _, rest = str(error).partition(" ")
                complaint = f"{config.VARIABLES[option] if option in found else option} {rest}"
            except TypeError as error:  # an option that there is not
                complaint = str(error)
        del options, found  # a URL may hold a password
        raise ConfigurationError(complaint)

    def __repr__(self) -> str:
        requests = getattr(self, "_requests", None)  # there is none when the constructor failed
        return f"{type(self).__name__}(base_url='{requests.url if requests else ''}')"
