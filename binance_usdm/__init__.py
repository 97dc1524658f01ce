"""Binance USDⓈ-M futures: what an account holds, exactly and safely."""

from binance_usdm_wire import AccountBalance, Response, ServerTime

from ._client import AsyncClient, Client
from ._clock import Clock
from ._config import DEMO, MAINNET
from ._errors import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    DeadlineExceeded,
    ForbiddenError,
    IPBannedError,
    RateLimitError,
    ServerError,
    TimestampError,
    TransportError,
    UnexpectedResponse,
    UsdmError,
)
from ._events import Event, Observer
from ._keys import Ed25519Signer, RsaSigner
from ._limits import Limiter, WeightLimiter
from ._limits_redis import RedisLimiter
from ._retry import Retry, RetryPolicy
from ._signing import HmacSigner, Signer
from ._transport import SyncTransport
from ._transport_asyncio import AsyncTransport
from ._version import __version__

__all__ = [
    "DEMO",
    "MAINNET",
    "APIError",
    "AccountBalance",
    "AsyncClient",
    "AsyncTransport",
    "AuthenticationError",
    "BadRequestError",
    "Client",
    "Clock",
    "ConfigurationError",
    "DeadlineExceeded",
    "Ed25519Signer",
    "Event",
    "ForbiddenError",
    "HmacSigner",
    "IPBannedError",
    "Limiter",
    "Observer",
    "RateLimitError",
    "RedisLimiter",
    "Response",
    "Retry",
    "RetryPolicy",
    "RsaSigner",
    "ServerError",
    "ServerTime",
    "Signer",
    "SyncTransport",
    "TimestampError",
    "TransportError",
    "UnexpectedResponse",
    "UsdmError",
    "WeightLimiter",
    "__version__",
]
