"""What the package costs before its first answer: modules, memory, time. Bounds are wide of what is measured; benchmarks say how far."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import httpx
import pytest

from binance_usdm import AsyncClient, Client, ConfigurationError, __version__
from binance_usdm._config import base_url as _base_url
from binance_usdm.mock import Exchange, running

KEY, SECRET = "K" * 64, "S" * 64
ASKED_FOR = (
    "binance_usdm.mock",
    "binance_usdm._cli.mock.command",
    "binance_usdm._cli.doctor.command",
    "binance_usdm._cli.doctor.checks",
    "binance_usdm._cli.credential_check",
    "binance_usdm._cli.doctor.findings",
    "binance_usdm._cli.doctor.probe",
    "binance_usdm._config.profile_secrets",
    "binance_usdm._config.profiles",
    "binance_usdm._cli.output.progress",
    "binance_usdm._cli.read.watch",
    "binance_usdm._cli.whoami",
    "binance_usdm._cli.completion",
    "binance_usdm._balances",
)
NEVER = (
    "csv",
    "tomllib",
    "statistics",
    "uvicorn",
    "cryptography",
    "redis",
    "pytest",
)  # rich comes with httpx where it is installed
OWN_MODULES = {
    "binance_usdm", "binance_usdm._version", "binance_usdm._cli", "binance_usdm._cli.main",
}  # fmt: skip
ENTRY = "import sys; from binance_usdm._cli.main import main; sys.exit(main())"
CALL = "import binance_usdm; binance_usdm.Client.from_env().balance(); print(open('/proc/self/status').read())"


def python(*arguments: str, **environment: str) -> str:
    """What a fresh process writes, both streams."""
    ran = subprocess.run(
        [sys.executable, *arguments], env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        encoding="utf-8", check=True, timeout=60,
    )  # fmt: skip
    return ran.stdout


def loaded_modules(*arguments: str, program: str = ENTRY) -> set[str]:
    """Return the modules that a command imports, started as its script starts it."""
    lines = python("-X", "importtime", "-c", program, *arguments).splitlines()
    return {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}


def test_the_version_imports_no_client() -> None:
    """`--version` imports the entry module and the version, and no package of this project."""
    extra = loaded_modules("--version") - loaded_modules(program="")
    assert extra >= OWN_MODULES
    assert extra <= {*OWN_MODULES, "__future__", "importlib", "importlib.machinery",
                     "importlib._bootstrap", "types", "warnings"}  # fmt: skip
    assert python("-c", ENTRY, "--version") == f"binance-usdm {__version__}\n"


def test_the_help_imports_no_client() -> None:
    """`--help` imports the operations and the parser, and not the client."""
    found = loaded_modules("--help")
    assert {"binance_usdm._cli.main", "binance_usdm_wire.operations", "argparse"} <= found
    assert not [
        name for name in found if name.startswith("binance_usdm._") and name not in OWN_MODULES
    ]
    assert found.isdisjoint({"ssl", "httptools", "asyncio", "logging", "urllib.request", *NEVER})


def test_a_command_of_the_spec_enters_no_room_of_the_other_commands() -> None:
    found = loaded_modules("balance", "--help")
    assert {"binance_usdm._cli.main", "binance_usdm._cli.read.operations", "argparse"} <= found
    assert not [name for name in found if name.startswith((*ASKED_FOR, *NEVER))]


@pytest.mark.parametrize(
    ("command", "room"),
    [("doctor", "binance_usdm._cli.doctor.checks"), ("mock", "binance_usdm.mock")],
)
def test_another_command_enters_its_own(command: str, room: str) -> None:
    assert room in loaded_modules(command, "--help")


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="asks Linux for the peak of a process's memory"
)
def test_a_program_that_has_made_a_call_never_held_forty_megabytes() -> None:
    with running(Exchange(api_key=KEY, api_secret=SECRET)) as url:
        status = python(
            "-c", CALL, BINANCE_API_KEY=KEY, BINANCE_API_SECRET=SECRET, BINANCE_BASE_URL=url
        )
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    assert 8_000 < peak < 40_000  # kB


OWN: dict[str, Any] = {}
SHARED: dict[str, Any] = {"transport": httpx.MockTransport(lambda request: httpx.Response(200))}


@pytest.mark.parametrize("given", [OWN, SHARED], ids=["own transport", "shared transport"])
@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_client_for_each_of_many_accounts_weighs_four_kilobytes_at_most(
    kind: Any, given: dict[str, Any]
) -> None:
    made = [kind(KEY, SECRET, **given) for _ in range(50)]  # what all of them share is there
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        made += [kind(f"{number:064}", f"{number:063}s", **given) for number in range(500)]
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 100 < (after - before) / 500 < 4096


def test_the_clients_of_many_accounts_share_the_reading_of_their_base_url() -> None:
    _base_url._parse_base_url_cached.cache_clear()
    for number in range(200):
        Client(f"{number:064}", SECRET, base_url="https://gateway.example/usdm")
    assert _base_url._parse_base_url_cached.cache_info().misses == 1


def test_nothing_that_could_hold_a_password_is_remembered_of_a_base_url() -> None:
    _base_url._parse_base_url_cached.cache_clear()
    for url in (
        "https://user:pass@fapi.binance.com",
        "https://fapi.binance.com?key=pass",
        "https://fapi.binance.com#pass",
    ):
        with pytest.raises(ConfigurationError):
            Client(base_url=url)
    assert _base_url._parse_base_url_cached.cache_info().currsize == 0


CONSTRUCTING = """
import time
from collections.abc import Callable
import httpx
from binance_usdm import MAINNET, Client

def cost(make: Callable[[], object]) -> float:
    started = time.process_time()
    for _ in range(100):
        make()
    return time.process_time() - started

KEY, SECRET = "K" * 64, "S" * 64
transport = httpx.MockTransport(lambda request: httpx.Response(200))
clients, requests = [], []
for _ in range(60):
    clients.append(cost(lambda: Client(KEY, SECRET, transport=transport)))
    requests.append(cost(lambda: httpx.Request("GET", MAINNET, headers={"X-MBX-APIKEY": KEY})))
print(min(clients) / min(requests))
"""


def test_a_client_for_a_known_base_url_is_made_in_the_time_of_a_few_requests_of_httpx() -> None:
    """CPU time of short rounds that take turns, in a process of its own: this one traces secrets."""
    assert float(python("-c", CONSTRUCTING)) < 1.2
