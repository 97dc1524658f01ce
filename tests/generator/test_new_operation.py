"""A new operation in the spec needs no other line of code.

A copy of the spec gets `GET /fapi/v3/account`. The package generated from it replaces the
committed one in a separate process, and the rest of the project must work with it.
"""

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from generator.document.openapi import load
from generator.output.package_files import replace_package
from generator.output.project import generate
from tests.support.paths import MYPY_CACHE, ROOT
from tests.support.spec_facts import BALANCE_PATH

AMOUNT = {"$ref": "#/components/schemas/Amount", "description": "An amount, in USD."}
EXAMPLE = {
    "totalWalletBalance": "103.12345678",
    "availableBalance": "-0.00000001",
    "assets": [{"asset": "USDT", "walletBalance": "23.72469206", "updateTime": 1625474304765}],
    "positions": [
        {"symbol": "BTCUSDT", "positionSide": "BOTH", "positionAmt": "1.000", "updateTime": 0}
    ],
}


def _object(description: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object", "description": description, "additionalProperties": True,
        "required": list(properties), "properties": properties,
    }  # fmt: skip


def with_account() -> dict[str, Any]:
    document = copy.deepcopy(load(ROOT / "spec" / "openapi.yaml"))
    text = {"type": "string", "description": "A name."}
    time = {
        "type": "integer",
        "format": "int64",
        "minimum": 0,
        "maximum": 2**63 - 1,
        "description": "Last change, ms.",
        "x-instant": "updated_at",
    }
    document["components"]["schemas"] |= {
        "AccountAsset": _object("One asset.", asset=text, walletBalance=AMOUNT, updateTime=time),
        "AccountPosition": _object(
            "One position.", symbol=text, positionSide=text, positionAmt=AMOUNT, updateTime=time
        ),
        "Account": _object(
            "The account.",
            totalWalletBalance=AMOUNT,
            availableBalance=AMOUNT,
            assets={
                "type": "array",
                "description": "Assets.",
                "items": {"$ref": "#/components/schemas/AccountAsset"},
            },
            positions={
                "type": "array",
                "description": "Positions.",
                "items": {"$ref": "#/components/schemas/AccountPosition"},
            },
        ),
    }
    operation = copy.deepcopy(document["paths"][BALANCE_PATH]["get"])
    operation |= {
        "operationId": "account",
        "summary": "Account information.",
        "description": "What the account holds.",
    }
    operation["responses"]["200"]["content"]["application/json"] = {
        "schema": {"$ref": "#/components/schemas/Account"},
        "examples": {"documentation": {"value": EXAMPLE}},
    }
    document["paths"]["/fapi/v3/account"] = {"get": operation}
    return document


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a source root whose binance_usdm_wire has the new operation."""
    root = tmp_path_factory.mktemp("generated")
    replace_package(root / "binance_usdm_wire", generate(with_account()))
    return root


def run(wide: Path, *command: str, code: int = 0) -> str:
    """Run Python with the new package and return what it printed."""
    path = os.pathsep.join([str(wide), str(ROOT)])
    env = {**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=wide,
        env=env,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == code, done.stderr + done.stdout
    return done.stdout


USE = """
import asyncio, json
from decimal import Decimal
import binance_usdm, binance_usdm_wire
from binance_usdm.mock import Exchange

assert binance_usdm_wire.__file__.startswith({root!r})
exchange = Exchange()
options = dict(transport=exchange.transport)
with binance_usdm.Client(exchange.api_key, exchange.api_secret, **options) as client:
    account = client.account(recv_window=3000)
    assert client.account_detailed().used_weight == 10
assert account.positions[0].position_amt == Decimal("1.000")
assert account.assets[0].updated_at.year == 2021

async def main():
    async with binance_usdm.AsyncClient(exchange.api_key, exchange.api_secret, **options) as client:
        return await client.account()

assert asyncio.run(main()) == account
try:
    binance_usdm.Client(exchange.api_key, "wrong", **options).account()
except binance_usdm.AuthenticationError as error:
    assert error.code == -1022
print(json.dumps(account.to_dict()))
"""


def test_clients_and_mock_have_the_operation(wide: Path) -> None:
    """Both clients have a typed method, and the mock exchange the route behind it."""
    assert json.loads(run(wide, "-W", "error", "-c", USE.format(root=str(wide)))) == EXAMPLE


def test_the_shell_has_the_command(wide: Path) -> None:
    """The command is listed, takes the parameters of the spec and prints the value."""
    command = [sys.executable, "-m", "binance_usdm", "account", "--json", "--recv-window", "3000"]
    printed = run(wide, "-m", "binance_usdm", "mock", "run", "--", *command)
    assert json.loads(printed) == EXAMPLE
    assert "Account information." in run(wide, "-m", "binance_usdm", "--help")


CONTRACT = """
import json
from importlib.resources import files
from tests.contract.sdks import SDKS
from binance_usdm.contract._spec.operations import operations
from binance_usdm.contract._mock_layer.mock_vs_spec import run_mock_vs_spec
from binance_usdm.contract._client_layers.requests_vs_spec import run_requests_vs_spec
from binance_usdm.contract._client_layers.responses_vs_spec import run_responses_vs_spec

path = "/fapi/v3/account"
document = json.loads(files("binance_usdm_wire").joinpath("openapi.json").read_bytes())
assert "account" in {operation.id for operation in operations(document)}
assert run_mock_vs_spec(document) == {}
for sdk in SDKS.values():
    assert run_requests_vs_spec(document, sdk) == {}
document["paths"] = {path: document["paths"][path]}
problems = run_responses_vs_spec(document, SDKS["async"])
assert problems == {}, problems
required = document["components"]["schemas"]["Account"]["required"]
gone = required.pop()
problems = run_responses_vs_spec(document, SDKS["sync, default transport"])
assert problems != {}, "a response that the spec allows and the client rejects is noticed"
required.append(gone)
reference = {"$ref": "#/components/parameters/Timestamp"}
document["paths"][path]["get"]["parameters"][0] = reference
problems = run_requests_vs_spec(document, SDKS["sync"])
assert problems != {}, "a client that sends what its spec does not have is noticed"
"""


def test_the_contract_tests_have_its_cases(wide: Path) -> None:
    """All contract checks cover the operation and notice a difference in it."""
    run(wide, "-c", CONTRACT)


def test_types_are_checked_at_the_call_site(wide: Path) -> None:
    """mypy --strict knows the types of the new method's value."""
    user = wide / "user.py"
    user.write_text(
        "from decimal import Decimal\nfrom typing import assert_type\nimport binance_usdm\n\n"
        "def use(client: binance_usdm.Client) -> None:\n"
        "    assert_type(client.account().positions[0].position_amt, Decimal)\n",
        encoding="utf-8",
    )
    paths = os.pathsep.join([str(ROOT), str(wide)])
    options = ["--strict", "--cache-dir", str(MYPY_CACHE), "--config-file", os.devnull]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, str(user)],
        env={**os.environ, "MYPYPATH": paths},
        cwd=wide,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
