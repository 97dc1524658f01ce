"""A network that sends replies in turn, and its clients."""

from __future__ import annotations

from typing import Any, TypeAlias

import httpx

from binance_usdm import RetryPolicy
from binance_usdm.contract._cases.raw_requests import KEY, SECRET, T0
from binance_usdm.contract._client_layers.response_cases import (
    Header,
    ResponseCase,
    http_response,
)

Reply: TypeAlias = tuple[int, bytes, tuple[Header, ...]]
"""Status, body and headers."""


class Network:
    """A transport that sends replies in turn, the last one again and again.

    Attributes:
        sent: The requests.
        replies: The replies, which may be replaced by others.
        transport: The transport, which clients may share.
    """

    def __init__(self, case: ResponseCase, *replies: Reply) -> None:
        self.sent: list[httpx.Request] = []
        self._case = case
        self.replies = replies
        self.transport = case.make_transport(self._respond, self.sent)

    def _respond(self, request: httpx.Request) -> httpx.Response:
        number = min(len(self.sent), len(self.replies)) - 1
        status, body, headers = self.replies[number]
        return http_response(status, body, *headers)

    def connect(self, key: str = KEY, **options: Any) -> Any:
        """Return a client without retries unless options say otherwise.

        A wait for the minute that T0 is in would take longer than its calls may.
        """
        options = {"clock": lambda: T0, "retry": RetryPolicy.off(), "timeout": 5.0, **options}
        return self._case.sdk.client(key, SECRET, transport=self.transport, **options)

    def call(self, client: Any) -> tuple[Any, int]:
        """Return what a client makes of a call, and how many requests it sent."""
        before = len(self.sent)
        received = self._case.call(client)
        return received, len(self.sent) - before
