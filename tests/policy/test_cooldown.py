"""How long nothing is sent after a 429 or a 418."""

from __future__ import annotations

import pytest

from binance_usdm._call.error_mapping import make_api_error
from binance_usdm._policy.cooldown import cooldown_seconds

NOW = 1_700_000_015_000
"""35 seconds before a minute begins, in ms."""
THREE_DAYS = 3 * 86_400.0
ENDS_IN_30 = f"Way too many requests; IP banned until {NOW + 30_000}."
ENDED = f"Way too many requests; IP banned until {NOW - 30_000}."


@pytest.mark.promise("R11", "R12")
@pytest.mark.parametrize(
    ("status", "message", "retry_after", "seconds"),
    [
        (429, "", None, 25.0),
        (429, "", 7.5, 7.5),
        (429, "", 0.0, 0.0),
        (429, "", 1e9, THREE_DAYS),
        (418, "", None, 120.0),
        (418, "", 0.0, 120.0),
        (418, "", 9.0, 9.0),
        (418, "", 1e9, THREE_DAYS),
        (418, ENDS_IN_30, None, 30.0),
        (418, ENDS_IN_30, 9.0, 30.0),
        (418, ENDS_IN_30, 45.0, 45.0),
        (418, ENDED, None, 0.0),
        (418, ENDED, 9.0, 9.0),
    ],
)
def test_the_longer_of_message_and_header_counts(
    status: int, message: str, retry_after: float | None, seconds: float
) -> None:
    """Without either, a 429 lasts until the next minute and a ban two minutes."""
    error = make_api_error(status, -1003, message, retry_after)
    assert cooldown_seconds(error, NOW) == pytest.approx(seconds)  # type: ignore[arg-type]
