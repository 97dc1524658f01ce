"""Builds variants of the valid requests to an operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from binance_usdm.contract._cases.raw_requests import sign
from binance_usdm.contract._spec.document import Json
from binance_usdm.contract._spec.operations import Operation
from binance_usdm.contract._spec.parameters import sample_value

from .variants import Expectation, Variant

Clock: TypeAlias = Callable[[int], int]
"""Returns the time and an offset in ms."""


class Builder:
    """Builds variants of the valid requests to an operation.

    Args:
        operation: The operation.
        api_key: Key of the account.
        api_secret: HMAC secret of the account.
        now: The time of the requests in ms.
        is_exact: Whether time stands still, so that timestamps may be at an edge.
    """

    def __init__(
        self, operation: Operation, api_key: str, api_secret: str, now: Clock, *, is_exact: bool
    ) -> None:
        self.operation = operation
        self.api_key = api_key
        self.api_secret = api_secret
        self.now = now
        self.is_exact = is_exact

    def pairs(self, *more: str, age_ms: int = 0) -> list[str]:
        """Return the pairs of a valid query before it is signed."""
        query = self.operation.query(self.now(-age_ms), *more)
        return query.split("&") if query else []

    def sign(self, pairs: list[str]) -> str:
        """Return a signed query."""
        return sign(self.operation, "&".join(pairs), self.api_secret)

    def query(self, *more: str, age_ms: int = 0) -> str:
        """Return a valid query with more pairs."""
        return self.sign(self.pairs(*more, age_ms=age_ms))

    def pair(self, name: str) -> str:
        """Return a valid pair of a parameter in the query."""
        if name == self.operation.window:
            return f"{name}=1000"
        known = [pair for pair in self.pairs() if pair.partition("=")[0] == name]
        declared = (each for each in self.operation.declared if each["name"] == name)
        return known[0] if known else f"{name}={sample_value(next(declared))}"

    def build(self, name: str, query: str, expect: Expectation) -> Variant:
        """Return a variant with another query."""
        operation = self.operation
        return Variant(
            name=name,
            method=operation.method,
            path=operation.sample_path,
            query=query,
            key=self.api_key,
            key_header=operation.key_header,
            expect=expect,
        )

    @property
    def in_query(self) -> list[Json]:
        """The parameters in the query, the timestamp among them."""
        return [each for each in self.operation.declared if each["in"] == "query"]
