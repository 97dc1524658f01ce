"""Facts of the spec that tests compare with, so that a changed fact changes no test."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import urlsplit

from tests.support.paths import ROOT

# The drift check holds this file to spec/openapi.yaml, and JSON is read ten times as fast.
_FILE = ROOT / "generated_client" / "binance_usdm_wire" / "openapi.json"
_SPEC: Any = json.loads(_FILE.read_text(encoding="utf-8"))
_OPERATIONS: Final = {
    operation["operationId"]: (path, operation)
    for path, item in _SPEC["paths"].items()
    for operation in item.values()
}
_ROW: Final = _SPEC["components"]["schemas"]["AccountBalance"]

BALANCE_PATH: Final[str] = _OPERATIONS["balance"][0]
BALANCE_WEIGHT: Final[int] = _OPERATIONS["balance"][1]["x-weight"]
TIME_PATH: Final[str] = _OPERATIONS["server_time"][0]
TIME_WEIGHT: Final[int] = _OPERATIONS["server_time"][1]["x-weight"]
HOST_BY_ENVIRONMENT: Final[dict[str, str]] = {
    server["x-environment"]: urlsplit(server["url"]).netloc
    for server in _SPEC["servers"]
    if server["x-environment"] != "mock"
}
"""Hosts of the exchange."""
ROW_FIELDS: Final[list[str]] = list(_ROW["properties"])
OPTIONAL_ROW_FIELDS: Final[set[str]] = set(ROW_FIELDS) - set(_ROW["required"])


def without_optional(names: list[str]) -> list[str]:
    """Return the names that every row has, in the same order.

    Raises:
        AssertionError: A name is not a field of the spec, or one of the spec's is missing.
    """
    assert sorted(names) == sorted(ROW_FIELDS)
    return [name for name in names if name not in OPTIONAL_ROW_FIELDS]
