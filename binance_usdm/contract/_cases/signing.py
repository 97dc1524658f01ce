"""Signatures by hand: HMAC over the bytes that are sent."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from requests import PreparedRequest
from requests.auth import AuthBase

from binance_usdm.contract._spec.operations import Operation


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


def remove_pairs(pairs: list[str], name: str) -> list[str]:
    return [pair for pair in pairs if pair.partition("=")[0] != name]
