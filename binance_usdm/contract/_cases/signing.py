"""Signatures by hand: HMAC over the bytes that are sent."""

from __future__ import annotations

import hashlib
import hmac
import itertools
from collections.abc import Iterable
from typing import Final

from requests import PreparedRequest
from requests.auth import AuthBase

from binance_usdm.contract._spec.operations import Operation

MAX_AHEAD_MS: Final = 900


def compute_signature(payload: str, secret: str) -> str:
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


class Signer(AuthBase):
    """Puts a valid key and signature in the places of generated ones, over the final URL.

    A request that lacks a credential on purpose is sent without it.
    """

    def __init__(self, operations: Iterable[Operation], key: str, secret: str) -> None:
        known = [*operations]
        self._signatures = {each.signature for each in known if each.signature}
        self._headers = {each.key_header for each in known if each.key_header}
        self._key, self._secret = key, secret

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        for header in self._headers & {*request.headers}:
            request.headers[header] = self._key
        address, _, query = (request.url or "").partition("?")
        pairs = query.split("&")
        for name in self._signatures:
            rest = remove_pairs(pairs, name)
            if len(rest) == len(pairs) - 1:
                last = f"{name}={compute_signature('&'.join(rest), self._secret)}"
                request.url = f"{address}?{'&'.join([*rest, last])}"
        return request


class FreshSigner(Signer):
    """Signs each request to a clock that stands with a time of its own.

    No two requests are equal, for an exchange that rejects the second one, and all are in time.
    """

    def __init__(
        self, operations: Iterable[Operation], key: str, secret: str, timestamp: int
    ) -> None:
        known = [*operations]
        super().__init__(known, key, secret)
        self._pairs = {f"{each.timestamp}={timestamp}" for each in known if each.timestamp}
        self._ahead_ms = itertools.cycle(range(MAX_AHEAD_MS))
        self._timestamp = timestamp

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        address, mark, query = (request.url or "").partition("?")
        ms = self._timestamp + next(self._ahead_ms)
        pairs = [
            f"{pair.partition('=')[0]}={ms}" if pair in self._pairs else pair
            for pair in query.split("&")
        ]
        request.url = f"{address}{mark}{'&'.join(pairs)}"
        return super().__call__(request)


def remove_pairs(pairs: list[str], name: str) -> list[str]:
    return [pair for pair in pairs if pair.partition("=")[0] != name]
