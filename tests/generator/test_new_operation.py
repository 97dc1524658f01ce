"""One more operation in the spec is one more method, command, route and contract case: no other line is written.

A copy of the spec gets `GET /fapi/v3/account`; what the generator makes of it takes the place of the committed client in a
process of its own, with everything else as it is.
"""

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from generator.project import generate, replace_package
from generator.spec import load
from tests.support.paths import ROOT

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
        "type": "object", "description": description, "additionalProperties": True, "required": list(properties), "properties": properties,
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
    operation = copy.deepcopy(document["paths"]["/fapi/v3/balance"]["get"])
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
    """A source root whose binance_usdm_wire knows one operation more."""
    root = tmp_path_factory.mktemp("generated")
    replace_package(root / "binance_usdm_wire", generate(with_account()))
    return root


def run(wide: Path, *command: str, code: int = 0) -> str:
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(wide), str(ROOT)]),
        "PYTHONIOENCODING": "utf-8",
    }
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
assert account.positions[0].position_amt == Decimal("1.000") and account.assets[0].updated_at.year == 2021

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


def test_both_clients_get_the_method_and_the_mock_the_route(wide: Path) -> None:
    assert json.loads(run(wide, "-W", "error", "-c", USE.format(root=str(wide)))) == EXAMPLE


def test_the_shell_gets_the_command(wide: Path) -> None:
    me = [sys.executable, "-m", "binance_usdm"]
    shown = run(
        wide,
        "-m",
        "binance_usdm",
        "mock",
        "run",
        "--",
        *me,
        "account",
        "--json",
        "--recv-window",
        "3000",
    )
    assert json.loads(shown) == EXAMPLE
    assert "Account information." in run(wide, "-m", "binance_usdm", "--help")


CONTRACT = """
import json
from importlib.resources import files
from tests.contract.facade import SDKS
from tests.contract.spec_facts import operation_facts
from tests.contract.mock_vs_spec import run_mock_vs_spec
from tests.contract.requests_vs_spec import run_requests_vs_spec
from tests.contract.responses_vs_spec import run_responses_vs_spec

document = json.loads(files("binance_usdm_wire").joinpath("openapi.json").read_text(encoding="utf-8"))
assert "account" in {fact.id for fact in operation_facts(document)}
assert run_mock_vs_spec(document) == {}
for sdk in SDKS.values():
    assert run_requests_vs_spec(document, sdk) == {}
document["paths"] = {path: item for path, item in document["paths"].items() if path == "/fapi/v3/account"}
assert run_responses_vs_spec(document, SDKS["async"]) == {}
required = document["components"]["schemas"]["Account"]["required"]
gone = required.pop()
found = run_responses_vs_spec(document, SDKS["sync, default transport"])
assert found != {}, "a reply that the spec allows and the client refuses is noticed"
required.append(gone)
document["paths"]["/fapi/v3/account"]["get"]["parameters"][0] = {"$ref": "#/components/parameters/Timestamp"}
assert run_requests_vs_spec(document, SDKS["sync"]) != {}, "a client that sends what its spec does not know is noticed"
"""


def test_the_contract_tests_get_its_cases(wide: Path) -> None:
    run(wide, "-c", CONTRACT)


def test_types_are_checked_at_the_call_site(wide: Path) -> None:
    user = wide / "user.py"
    user.write_text(
        "from decimal import Decimal\nfrom typing import assert_type\nimport binance_usdm\n\n"
        "def use(client: binance_usdm.Client) -> None:\n"
        "    assert_type(client.account().positions[0].position_amt, Decimal)\n",
        encoding="utf-8",
    )
    paths = os.pathsep.join([str(ROOT), str(wide)])
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(wide / "cache"), "--config-file", os.devnull, str(user)],
        env={**os.environ, "MYPYPATH": paths}, cwd=wide, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
