"""Defaults of the client options, and their bounds.

The default of `max_reply_bytes` stands with the transports, in `_http/messages.py`.
"""

from __future__ import annotations

from typing import Final, Literal

from binance_usdm._policy.retry import RetryPolicy

MAINNET: Final = "https://fapi.binance.com"
DEMO: Final = "https://demo-fapi.binance.com"
ENVIRONMENT_BY_BASE_URL: Final = {MAINNET: "production", DEMO: "demo"}
"""`x-environment` of the exchange's servers."""
DEFAULT_TIMEOUT: Final = 10.0
"""Total time for a call, in seconds."""
MAX_TIMEOUT: Final = 3600.0
"""Longest time for a call, in seconds. A larger number was most likely meant in ms."""
DEFAULT_RECV_WINDOW: Final[int | None] = None
"""`recvWindow` in ms. None sends none, so the exchange uses `EXCHANGE_RECV_WINDOW`."""
EXCHANGE_RECV_WINDOW: Final = 5000
"""`recvWindow` of a request that has none, in ms (General Info, 2026-05-28)."""
MAX_RECV_WINDOW: Final = 2**63 - 1
DEFAULT_RETRY: Final = RetryPolicy()
DEFAULT_CLOCK: Final[Literal["auto"]] = "auto"
DEFAULT_LIMITER: Final[Literal["shared"]] = "shared"
MAX_REPLY_BYTES_LIMIT: Final = 2**31 - 1
"""Upper bound of the option `max_reply_bytes`."""
