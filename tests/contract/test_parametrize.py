"""The checks of the layers as test cases of a team's own suite."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from binance_usdm import Client
from binance_usdm.contract import list_checks
from binance_usdm.contract._client_layers import requests_vs_spec, responses_vs_spec
from binance_usdm.contract._mock_layer import mock_vs_spec
from binance_usdm.mock import Exchange

SUITE = """
import attrs
import pytest
from decimal import Decimal

from binance_usdm import Client, contract
from binance_usdm.mock import Exchange


class RoundingClient(Client):
    def balance_detailed(self, **arguments):
        response = super().balance_detailed(**arguments)
        rows = [attrs.evolve(row, balance=round(row.balance, 2)) for row in response.parsed]
        return attrs.evolve(response, parsed=rows)


class SameExchange(Exchange):
    pass


@contract.parametrize(client=RoundingClient, mock=SameExchange, max_examples=0)
def test_contract(contract_check):
    contract_check()


def test_balance(usdm_exchange_url):
    with Client.from_env() as client:
        assert client.balance()
"""


def test_all_checks_are_listed() -> None:
    """Every check of the three layers is a test case with a readable name of its own."""
    names = [str(check) for check in list_checks(client=Client, mock=Exchange)]
    expected = ["mock-generated_cases", *(f"mock-{each.__name__}" for each in mock_vs_spec.CHECKS)]
    expected += ["requests-generated_cases"]
    expected += [f"requests-{each.__name__}" for each in requests_vs_spec.CHECKS]
    expected += [f"responses-{each.__name__}" for each in responses_vs_spec.CHECKS]
    assert names == expected
    assert len({*names}) == len(names)


def test_nothing_to_check_is_an_error() -> None:
    with pytest.raises(ValueError, match="pass client="):
        list_checks()


def test_suite_of_a_team(tmp_path: Path) -> None:
    """A team's suite fails in the checks that its client does not keep, with their messages."""
    (tmp_path / "test_ours.py").write_text(SUITE, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"]
    done = subprocess.run(
        [*command, "test_ours.py", "-k", "mock or generated or bounded or window or test_balance"],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=900,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    failed = {
        *re.findall(r"^FAILED test_ours.py::test_contract\[(\S+)\]", done.stdout, re.MULTILINE)
    }
    assert failed == {
        "requests-generated_cases",
        "responses-mock_faults_are_classified",
        "responses-sizes_are_bounded",
    }
    assert "transparent: Case(" in done.stdout
    assert re.search(r'differs at \[0\]\.balance: "0\.00", not "0\.00000000"', done.stdout)
    assert "run_checks" not in done.stdout
