"""Hints that errors of the exchange carry: what to check, by error code and by HTTP status."""

from __future__ import annotations

import re
from typing import Final

HINT_BY_CODE: Final[dict[int | None, str]] = {
    -1021: (
        "compare this machine's clock with the exchange's: client.server_time(); NTP keeps it right"
    ),
    -1022: (
        "the secret is another key's or not complete, key and secret are swapped, "
        "or something changed the query after it was signed"
    ),
    -2008: (
        "the exchange does not know this key here: "
        "demo and production have different keys, check base_url"
    ),
    -2014: "the key is incomplete, contains a space or is empty: copy it again",
    -2015: (
        "check four things: the key exists on this environment (demo or production), "
        "this machine's IP address is on the key's list, Enable Futures is ticked for the key, "
        "and the account is no portfolio-margin account; "
        "after earlier success it can be a short ban"
    ),
    -4109: "the futures account was never opened: activate it on the website",
}

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
_NO_ORIGIN_HINT: Final = (
    "a network in front of the exchange got no valid response from it: try later; "
    "if it stays, this location or that of a VPN in between may be blocked"
)

HINT_BY_STATUS: Final[dict[int, str]] = {
    202: CHALLENGE_HINT,
    403: BLOCKED_HINT,
    404: "check base_url: there is no such path here",
    405: CHALLENGE_HINT,
    418: "send nothing before the ban ends",
    429: "slow down: the limit counts all programs behind this IP address",
    451: LOCATION_HINT,
    **dict.fromkeys((*range(520, 528), 530), _NO_ORIGIN_HINT),
}
"""Statuses of the exchange and of networks in front of it."""

_NAMES_LOCATION: Final = re.compile(
    r"(?:your|this) (?:country|region|location)|restricted location", re.IGNORECASE
)


def hint_for_message(message: str) -> str:
    """Return the hint of a message or a page that names the caller's location, else ""."""
    return LOCATION_HINT if _NAMES_LOCATION.search(message) else ""
