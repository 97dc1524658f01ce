"""Send variants over a network, and say what comes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import requests

from binance_usdm.contract._cases.small_changes.variants import (
    Response,
    Variant,
    describe_response,
    read_code,
)

from .session import TIMEOUT_SECONDS, ServerSession


@dataclass(frozen=True)
class Outcome:
    """What came of a variant: status and code, or the class of an error."""

    status: int
    code: int | None
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    error: str = ""

    @property
    def response(self) -> Response:
        """Status and code."""
        return self.status, self.code

    def __str__(self) -> str:
        return self.error or describe_response(*self.response)


def send_variant(session: ServerSession, url: str, variant: Variant) -> Outcome:
    """Send a variant, and return what came of it."""
    address = f"{url.rstrip('/')}{variant.target}"
    request = session.prepare_request(
        requests.Request(variant.method, address, headers=variant.headers)
    )
    # What was encoded needlessly would be sent decoded.
    request.url = address
    options = session.merge_environment_settings(address, {}, None, None, None)
    try:
        replies = [
            session.send(request, timeout=TIMEOUT_SECONDS, **options) for _ in range(variant.times)
        ]
    except requests.RequestException as error:
        # Without its message, which has the signature.
        return Outcome(0, None, b"", error=type(error).__name__)
    response = replies[-1]
    code = read_code(response.status_code, response.content)
    return Outcome(response.status_code, code, response.content, response.headers)
