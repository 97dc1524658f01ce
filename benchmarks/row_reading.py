"""Read rows of the spec, and rows that have a field less or more than the spec describes."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.cpu_time import Call
from benchmarks.fixed_server import rows

ROOT = Path(__file__).resolve().parents[1]
ASSETS = 12
_PACKAGE = "wire_with_optional_field"


def row_readings(folder: Path) -> dict[str, Call]:
    """Return functions that read the same rows; the first are as the spec describes them.

    Args:
        folder: An empty folder, for a package whose spec has one more field, which is optional.
    """
    from binance_usdm_wire import AccountBalance

    sources = rows(ASSETS)
    usual = _encode(sources)
    unknown = _encode([row | {"lockedBalance": "0.00000000"} for row in sources])
    class_with_optional = _generate(folder).AccountBalance
    # Rows of before the field came are read as they are read later, too.
    assert len(AccountBalance.parse_rows(unknown)) == ASSETS
    return {
        "usual": lambda: AccountBalance.parse_rows(usual),
        "without an optional field": lambda: class_with_optional.parse_rows(usual),
        "with an unknown field": lambda: AccountBalance.parse_rows(unknown),
    }


def _encode(sources: list[dict[str, Any]]) -> bytes:
    return json.dumps(sources, separators=(",", ":")).encode()


def _generate(folder: Path) -> Any:
    # The generator's modules would make each run of the cycle collector cost more.
    from generator.document.openapi import load
    from generator.output.package_files import replace_package
    from generator.output.project import generate

    document = load(ROOT / "spec" / "openapi.yaml")
    properties = document["components"]["schemas"]["AccountBalance"]["properties"]
    properties["lockedBalance"] = properties["balance"]
    replace_package(folder / _PACKAGE, generate(document))
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(_PACKAGE)
    finally:
        sys.path.remove(str(folder))
