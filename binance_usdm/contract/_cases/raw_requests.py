"""Signed requests to the mock exchange without the client."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from binance_usdm.contract._cases.signing import compute_signature
from binance_usdm.contract._spec.document import Json
from binance_usdm.contract._spec.operations import Operation
from binance_usdm.mock import Exchange, ManualClock, Reply, Switches

# In the form of real keys.
KEY: Final = "contracttestskey" * 4
SECRET: Final = "contract-tests-secret"
# The timestamp of the documentation's signing examples.
T0: Final = 1_591_702_613_943
# Hundreds of generated requests come within one minute.
UNLIMITED: Final = Switches(weight_limit=10**9)
MakeExchange: TypeAlias = Callable[..., Exchange]


def make_exchange(document: Json, **options: Any) -> Exchange:
    """Return a mock exchange for a document, whose clock stands still.

    Args:
        document: The document.
        options: Options of `Exchange` beside key, secret and document.
    """
    return exchange_maker(Exchange)(document, **options)


def exchange_maker(exchange_class: Callable[..., Exchange]) -> MakeExchange:
    """Return a function that makes exchanges of a class as `make_exchange` does.

    Args:
        exchange_class: Subclass of `Exchange`, or a function with the same arguments.
    """

    def make(document: Json, **options: Any) -> Exchange:
        defaults: dict[str, Any] = {"clock": ManualClock(T0), "switches": UNLIMITED}
        return exchange_class(api_key=KEY, api_secret=SECRET, spec=document, **defaults | options)

    return make


def signature(payload: str, secret: str = SECRET) -> str:
    return compute_signature(payload, secret)


def sign(operation: Operation, query: str, secret: str = SECRET) -> str:
    """Return a query with its signature at the end, if the operation takes one."""
    if operation.signature is None:
        return query
    return f"{query}{'&' if query else ''}{operation.signature}={signature(query, secret)}"


def signed_target(operation: Operation, timestamp: int = T0, *pairs: str) -> bytes:
    """Return path and query of a valid request with more pairs."""
    return encode_target(operation, sign(operation, operation.query(timestamp, *pairs)))


def encode_target(operation: Operation, query: str) -> bytes:
    path = operation.sample_path
    return f"{path}?{query}".encode() if query else path.encode()


def key_headers(operation: Operation, *keys: str) -> list[tuple[bytes, bytes]]:
    if operation.key_header is None:
        return []
    return [(operation.key_header.encode(), key.encode()) for key in keys]


def send_query(exchange: Exchange, operation: Operation, query: str, *keys: str) -> Reply:
    """Send a query as it is, with the right key unless others are given."""
    headers = key_headers(operation, *(keys or (KEY,)))
    return exchange.handle(operation.method, encode_target(operation, query), headers)


def send_valid(exchange: Exchange, operation: Operation, timestamp: int = T0, *pairs: str) -> Reply:
    """Send a request in which only the arguments can be invalid."""
    return send_query(exchange, operation, sign(operation, operation.query(timestamp, *pairs)))


def status_and_code(reply: Reply) -> tuple[int, int | None]:
    return reply.status, None if reply.status == 200 else json.loads(reply.body).get("code")


def header_value(reply: Reply, name: str) -> str:
    """Return the value of a response header, or an empty string."""
    values = [value for key, value in reply.headers if key.lower() == name.lower().encode()]
    return values[0].decode() if values else ""
