"""Client for the Binance USDⓈ-M futures account API.

A name is imported when it is first used: the command's `--version` and `--help`, and the pytest
plugin in runs that do not use its fixtures, import no client.
"""

from ._version import __version__

# As in `typing`, whose import takes longer than the rest of this module.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from binance_usdm_wire import AccountBalance, Response, ServerTime

    from ._auth.private_keys import Ed25519Signer, RsaSigner
    from ._auth.signers import HmacSigner, Signer
    from ._balances import aread_balances, by_asset, read_balances
    from ._batch import BalanceResults
    from ._client import AsyncClient, Client
    from ._config.defaults import DEMO, MAINNET
    from ._config.profiles import list_profiles
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
    from ._policy.budget import Budget
    from ._policy.clock import Clock
    from ._policy.limiter import Limiter, WeightLimiter
    from ._policy.redis.limiter import RedisLimiter
    from ._policy.retry import Retry, RetryPolicy
    from ._policy.shared import reset_shared_state

__all__ = [
    "DEMO",
    "MAINNET",
    "APIError",
    "AccountBalance",
    "AsyncClient",
    "AsyncTransport",
    "AuthenticationError",
    "BadRequestError",
    "BalanceResults",
    "Budget",
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
    "aread_balances",
    "by_asset",
    "list_profiles",
    "read_balances",
    "reset_shared_state",
]

_MODULE_BY_NAME = {
    "DEMO": "._config.defaults",
    "MAINNET": "._config.defaults",
    "APIError": "._errors",
    "AccountBalance": "binance_usdm_wire",
    "AsyncClient": "._client",
    "AsyncTransport": "._http.async_transport",
    "AuthenticationError": "._errors",
    "BadRequestError": "._errors",
    "BalanceResults": "._batch",
    "Budget": "._policy.budget",
    "Client": "._client",
    "Clock": "._policy.clock",
    "ConfigurationError": "._errors",
    "DeadlineExceeded": "._errors",
    "Ed25519Signer": "._auth.private_keys",
    "Event": "._events",
    "ForbiddenError": "._errors",
    "HmacSigner": "._auth.signers",
    "IPBannedError": "._errors",
    "Limiter": "._policy.limiter",
    "Observer": "._events",
    "RateLimitError": "._errors",
    "RedisLimiter": "._policy.redis.limiter",
    "Response": "binance_usdm_wire",
    "Retry": "._policy.retry",
    "RetryPolicy": "._policy.retry",
    "RsaSigner": "._auth.private_keys",
    "ServerError": "._errors",
    "ServerTime": "binance_usdm_wire",
    "Signer": "._auth.signers",
    "SyncTransport": "._http.sync_transport",
    "TimestampError": "._errors",
    "TransportError": "._errors",
    "UnexpectedResponse": "._errors",
    "UsdmError": "._errors",
    "WeightLimiter": "._policy.limiter",
    "aread_balances": "._balances",
    "by_asset": "._balances",
    "list_profiles": "._config.profiles",
    "read_balances": "._balances",
    "reset_shared_state": "._policy.shared",
}


def __getattr__(name: str) -> object:
    """Import a public name, and keep it."""
    from importlib import import_module

    if name not in _MODULE_BY_NAME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_MODULE_BY_NAME[name], __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
