"""What an import and a call load. Who may import whom is declared in pyproject.toml and checked by `make lint`."""

from __future__ import annotations

import subprocess
import sys

from tests.support.paths import ROOT

ONE_CALL = """
import sys; before = set(sys.modules)
import binance_usdm
try:
    binance_usdm.Client("key", "secret", base_url="http://127.0.0.1:1", retry=binance_usdm.RetryPolicy.off()).balance()
except binance_usdm.TransportError as error:
    assert "ConnectError" in str(error)
    print(*(set(sys.modules) - before))
"""
UNWANTED = (
    "httpx", "asyncio", "rich", "uvicorn", "argparse", "pytest", "cryptography", "generator", "binance_usdm.mock", "binance_usdm._cli",
)  # fmt: skip


def test_a_blocking_call_loads_only_what_it_needs() -> None:
    """A blocking call loads no httpx, no asyncio, no extra, no command line and no mock exchange."""
    finished = subprocess.run(
        [sys.executable, "-c", ONE_CALL], capture_output=True, text=True, check=True
    )
    loaded = set(finished.stdout.split())
    assert {
        "binance_usdm._client",
        "binance_usdm_wire.operations",
        "msgspec",
        "httptools",
    } <= loaded
    assert not [
        name
        for name in loaded
        if any(name == other or name.startswith(f"{other}.") for other in UNWANTED)
    ]


def test_benchmarks_hide_no_standard_module() -> None:
    """A script's folder comes first on the path: a module there must not be named like Python's."""
    names = {path.stem for path in (ROOT / "benchmarks").glob("*.py")} - {"__init__"}
    assert names
    assert names.isdisjoint(sys.stdlib_module_names)
