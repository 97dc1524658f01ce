"""Requests made by hand: HMAC over the bytes that are sent. Shares no code with the client, knows no schemathesis."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

from requests import PreparedRequest
from requests.auth import AuthBase

from binance_usdm.mock import Exchange, ManualClock, Reply, Switches

from .spec_facts import Json, OperationFact, operation_facts

KEY = "contract-tests-key"
SECRET = "contract-tests-secret"
T0 = 1_591_702_613_943  # the timestamp of the documentation's signing examples
MakeExchange = Callable[..., Exchange]
BOUNDLESS = Switches(
    weight_limit=10**9
)  # generated calls come by the hundred, all of them in one minute


def signature(payload: str, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def make_exchange(document: Json, **options: Any) -> Exchange:
    """An exchange for a document, its clock at T0."""
    given: dict[str, Any] = {"clock": ManualClock(T0), "switches": BOUNDLESS, **options}
    return Exchange(api_key=KEY, api_secret=SECRET, spec=document, **given)


def sign(fact: OperationFact, query: str, secret: str = SECRET) -> str:
    """A query with its signature at the end, if the operation takes one."""
    if fact.signature is None:
        return query
    return f"{query}{'&' if query else ''}{fact.signature}={signature(query, secret)}"


def ask(exchange: Exchange, fact: OperationFact, query: str, *keys: str) -> Reply:
    """Send a query exactly as it is, with the good key unless others are named."""
    headers = (
        [(fact.key_header.encode(), key.encode()) for key in keys or (KEY,)]
        if fact.key_header
        else []
    )
    return exchange.handle(fact.method, target(fact, query), headers)


def ask_well(exchange: Exchange, fact: OperationFact, stamp: int = T0, *more: str) -> Reply:
    """Send a request with nothing wrong but what is named."""
    return ask(exchange, fact, sign(fact, fact.query(stamp, *more)))


def target(fact: OperationFact, query: str) -> bytes:
    return f"{fact.path}?{query}".encode() if query else fact.path.encode()


class Signer(AuthBase):
    """Puts good credentials in the place of generated ones, over the URL as it goes out; adds none where there were none.

    So a case that lacks a credential on purpose goes on lacking it.
    """

    def __init__(self, document: Json) -> None:
        known = operation_facts(document)
        self._signatures = {fact.signature for fact in known if fact.signature}
        self._keys = {fact.key_header for fact in known if fact.key_header}

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        for header in self._keys & {*request.headers}:
            request.headers[header] = KEY
        address, _, query = (request.url or "").partition("?")
        pieces = query.split("&")
        for name in self._signatures:
            rest = [piece for piece in pieces if piece.partition("=")[0] != name]
            if len(rest) == len(pieces) - 1:
                payload = "&".join(rest)
                request.url = f"{address}?{payload}{'&' if rest else ''}{name}={signature(payload)}"
        return request
