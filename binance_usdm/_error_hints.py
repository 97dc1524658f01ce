"""Hints that errors of the exchange carry: what to check, by error code and by HTTP status."""

from __future__ import annotations

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

HINT_BY_STATUS: Final[dict[int, str]] = {
    403: "the exchange's firewall stopped it: too many requests, or a string it does not accept",
    404: "check base_url: there is no such path here",
    418: "send nothing before the ban ends",
    429: "slow down: the limit counts all programs behind this IP address",
    451: "the exchange does not serve this location",
}
