"""Which error a failure of a transport becomes."""

from __future__ import annotations

import math

import pytest

from binance_usdm import TransportError
from binance_usdm._call.error_mapping import error_from_failure
from binance_usdm._http.messages import HttpFailure


@pytest.mark.parametrize(
    ("text", "is_retryable", "message"),
    [
        ("407: check user", False, "the proxy answered 407: check user (host)"),
        ("503: Busy With Secrets", True, "the proxy answered 503 (host)"),
        ("403", False, "the proxy answered 403 (host)"),
        ("words", True, "the proxy answered nothing valid (host)"),
    ],
)
def test_of_a_proxys_failure_only_status_and_hint_are_told(
    text: str, is_retryable: bool, message: str
) -> None:
    """A hint is ours where asking again does not help; other words are the proxy's."""
    failure = HttpFailure("ProxyError", text, is_retryable=is_retryable)
    error = error_from_failure(failure, "host", (), 1000, math.inf)
    assert type(error) is TransportError
    assert (str(error), error.retryable) == (message, is_retryable)
