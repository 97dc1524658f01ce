"""What a finding shows of requests, responses and failures: short, and without secrets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import requests

from binance_usdm.contract._cases.schemathesis_setup import describe_failure

from .account import Account

MAX_TEXT: Final = 400


@dataclass(frozen=True)
class ShownTexts:
    """Makes texts of a run against one server.

    Attributes:
        url: Base URL of the server.
        account: The account whose key, secret and signatures are left out.
    """

    url: str
    account: Account

    def describe(self, failure: Exception) -> str:
        """Return what a check says."""
        if isinstance(failure, requests.RequestException):
            return f"no response: {type(failure).__name__}"
        return self.account.redact(describe_failure(failure))

    def request(self, response: Any) -> str:
        """Return the request of a response, or "" without one."""
        if response is None:
            return ""
        path = (response.request.url or "").removeprefix(self.url.rstrip("/"))
        return self.shorten(f"{response.request.method} {path}")

    def response(self, response: Any) -> str:
        """Return status and beginning of a response, or "" without one."""
        if response is None:
            return ""
        body = response.content.decode("utf-8", "replace")
        return self.shorten(f"HTTP {response.status_code} {body}")

    def shorten(self, text: str) -> str:
        """Return the beginning of a text, in one line."""
        # Redacted as a whole, since a cut could go through a secret.
        safe = " ".join(self.account.redact(text).split())
        return safe if len(safe) <= MAX_TEXT else f"{safe[:MAX_TEXT]}…"
