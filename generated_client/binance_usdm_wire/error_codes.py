# Written by `python -m generator` from spec/openapi.yaml. Do not edit.
"""Error codes of the exchange: which kind of error each one is, and whether it is permanent."""

from __future__ import annotations

from typing import Final

KIND_BY_CODE: Final[dict[int, str]] = {
    -1000: "server",
    -1001: "server",
    -1002: "authentication",
    -1003: "rate-limit",
    -1006: "server",
    -1007: "server",
    -1008: "server",
    -1011: "authentication",
    -1013: "bad-request",
    -1015: "rate-limit",
    -1016: "server",
    -1020: "bad-request",
    -1021: "timestamp",
    -1022: "authentication",
    -1099: "authentication",
    -1100: "bad-request",
    -1101: "bad-request",
    -1102: "bad-request",
    -1103: "bad-request",
    -1104: "bad-request",
    -1105: "bad-request",
    -1106: "bad-request",
    -1130: "bad-request",
    -1131: "bad-request",
    -2008: "authentication",
    -2014: "authentication",
    -2015: "authentication",
    -2017: "authentication",
    -4056: "authentication",
    -4057: "authentication",
    -4084: "bad-request",
    -4109: "bad-request",
    -5000: "bad-request",
}
"""Any other code says nothing about the kind of the error."""

PERMANENT_CODES: Final[frozenset[int]] = frozenset([-1015, -1016])
"""Codes with which the same call cannot succeed later, although others of their kind can."""
