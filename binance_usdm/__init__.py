"""Client for the Binance USDⓈ-M futures account API."""

from binance_usdm_wire import AccountBalance, Response, ServerTime

from ._auth.private_keys import Ed25519Signer, RsaSigner
from ._auth.signers import HmacSigner, Signer
from ._client import AsyncClient, Client
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
from ._http.async_transport import AsyncTransport
from ._http.sync_transport import SyncTransport
from ._policy.clock import Clock
from ._policy.limiter import Limiter, WeightLimiter
from ._policy.redis_limiter import RedisLimiter
from ._policy.retry import Retry, RetryPolicy
from ._policy.shared import reset_shared_state
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
    "reset_shared_state",
]
