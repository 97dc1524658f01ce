"""What an error says beside the exchange's message: what to check, and where to read more.

Only errors load this module.
"""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import Final

from binance_usdm_wire import error_texts

ERROR_PAGE: Final = "docs/errors.md"
"""Page with an entry for each code and status, written from the spec. Its address, once it has one."""
HINT_BY_CODE: Final[dict[int, str]] = error_texts.HINT_BY_CODE

LOCATION_HINT: Final = (
    "the exchange does not serve this location, or that of a VPN or cloud in between"
)
CHALLENGE_HINT: Final = (
    "most likely a challenge page of a firewall in front of the exchange, which only a browser can "
    "pass: too many requests from this address, or its location, or that of a VPN in between"
)
RATE_HINT: Final = "a network in front of the exchange limits this address: send fewer requests"
MAINTENANCE_HINT: Final = "the exchange is under maintenance: try later"
BLOCKED_HINT: Final = (
    "the exchange's firewall stopped it: too many requests, a string it does not accept, "
    "or this location, or that of a VPN or cloud in between"
)
TLS_PORT_HINT: Final = "the port expects https: change scheme or port of base_url"
_NO_ORIGIN_HINT: Final = (
    "a network in front of the exchange got no valid response from it: try later; "
    "if it stays, this location or that of a VPN in between may be blocked"
)

HINT_BY_STATUS: Final[dict[int, str]] = {
    202: CHALLENGE_HINT,
    403: BLOCKED_HINT,
    404: (
        "after client.get, compare the path with the endpoint's page; "
        "for other calls, check base_url: there is no such path here"
    ),
    405: CHALLENGE_HINT,
    418: "send nothing before the ban ends",
    429: "slow down: the limit counts all programs behind this IP address",
    451: LOCATION_HINT,
    **dict.fromkeys((*range(520, 528), 530), _NO_ORIGIN_HINT),
}
"""Statuses of the exchange and of networks in front of it."""

CALL_SECONDS: Final = 10
"""Time for a call itself, and for the calls that wait for the same instant."""
MAX_ADVISED_SECONDS: Final = 600
"""Longest `timeout` that is advised to a call that waits for the weight budget."""

_NAMES_LOCATION: Final = re.compile(
    r"(?:your|this) (?:country|region|location)|restricted location", re.IGNORECASE
)


def hint_for_message(message: str) -> str:
    """Return the hint of a message or a page that names the caller's location, else ""."""
    return LOCATION_HINT if _NAMES_LOCATION.search(message) else ""


def compose_hint(status: int, code: int | None, page_hint: str, page_excerpt: str) -> str:
    """Return the hint of an error, "" when there is no advice.

    Args:
        status: HTTP status.
        code: The exchange's error code, or None.
        page_hint: Cause of the page that came instead of JSON, or "".
        page_excerpt: First words of that page, or "".
    """
    code_hint = "" if code is None else HINT_BY_CODE.get(code, "")
    hint = code_hint or page_hint or HINT_BY_STATUS.get(status, "")
    if not page_excerpt:
        return hint
    said = f'a page came instead of JSON: "{page_excerpt}"'
    return f"{hint}; {said}" if hint else said


def ban_hint(banned_until: datetime | None) -> str:
    """Return what to do during a ban.

    Args:
        banned_until: End of the ban, None when it is not known.
    """
    if banned_until is None:
        return HINT_BY_STATUS[418]
    return f"{HINT_BY_STATUS[418]}, at {banned_until:%Y-%m-%d %H:%M:%S} UTC"


def wait_hint(seconds: float) -> str:
    """Return what to do about a call that the weight budget allows only after its deadline.

    Args:
        seconds: Time until the budget allows the call.
    """
    timeout = math.ceil(seconds) + CALL_SECONDS
    if timeout > MAX_ADVISED_SECONDS:
        return "call again after that time; client.budget() shows when"
    return f"pass timeout={timeout}, or call less often; client.budget() shows what is left"


def describe_waits(retry_after: float | None, time_left: float | None) -> str:
    """Return the part of an error's text about time, "" when nothing is known.

    Args:
        retry_after: Seconds to wait before another call, or None.
        time_left: Seconds that were left of the call's `timeout`, or None.
    """
    waits = []
    if retry_after is not None:
        waits.append(f"wait {_format_seconds(retry_after)} s")
    if time_left is not None:
        waits.append(f"timeout= had {_format_seconds(time_left)} s left")
    return f"; {', and '.join(waits)}" if waits else ""


def _format_seconds(seconds: float) -> str:
    return f"{seconds:.1f}".removesuffix(".0")


def error_address(status: int, code: int | None) -> str:
    """Return the address of an error's entry in the documentation.

    Args:
        status: HTTP status, 0 for a request that was not sent.
        code: The exchange's error code, or None.
    """
    # A ban has the code of a used-up limit.
    if code in HINT_BY_CODE and status != 418:
        entry = str(code)
    elif status == 0:
        entry = "not-sent"
    elif status in error_texts.STATUSES:
        entry = f"http-{status}"
    else:
        entry = "http-5xx" if status >= 500 else "http-400"
    return f"{ERROR_PAGE}#{entry}"
