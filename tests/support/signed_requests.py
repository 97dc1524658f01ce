"""Signed requests to the mock exchange, made without a client."""

from __future__ import annotations

import hashlib
import hmac

from binance_usdm.mock import DEFAULT_API_KEY, DEFAULT_API_SECRET, Exchange, Reply
from tests.support.spec_facts import BALANCE_PATH

T0 = 1_700_000_000_000
PATH = BALANCE_PATH


def sign_query(query: str = f"timestamp={T0}", secret: str = DEFAULT_API_SECRET) -> str:
    """Return a query with its HMAC."""
    signature = hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()
    return f"{query}&signature={signature}"


def send_query(
    exchange: Exchange,
    query: str | None = None,
    key: str = DEFAULT_API_KEY,
    address: str = "127.0.0.1",
    path: str = PATH,
) -> Reply:
    """Send a query exactly as it is, or without one a valid call at the exchange's time."""
    sent = sign_query(f"timestamp={exchange.clock()}") if query is None else query
    return exchange.handle(
        "GET", f"{path}?{sent}".encode(), [(b"X-MBX-APIKEY", key.encode())], b"", address
    )
