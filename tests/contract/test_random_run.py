"""The scheduled run: its seed is printed, and decides which cases all layers generate."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import settings

from binance_usdm import Client
from binance_usdm.contract import SPEC, Sdk, make_exchange
from binance_usdm.contract._cases.response_bodies import generate_bodies, make_bodies
from binance_usdm.contract._cases.run_state import Run, as_current
from binance_usdm.contract._cases.schemathesis_setup import GENERATED
from binance_usdm.contract._client_layers.requests_vs_spec import run_case_checks
from binance_usdm.contract._mock_layer.mock_vs_spec import send_cases
from binance_usdm.contract._spec.response_model import ok_responses
from binance_usdm.mock import Exchange
from tests.contract import run_all, run_random
from tests.support.paths import ROOT

FEW = settings(GENERATED, max_examples=5)


def layer_a() -> list[bytes]:
    exchange = make_exchange(SPEC)
    assert send_cases(SPEC, exchange, [], FEW) == {}
    return [logged.raw_query for logged in exchange.requests]


def layer_b() -> list[bytes]:
    exchanges: list[Exchange] = []

    def make(*arguments: Any, **options: Any) -> Exchange:
        exchanges.append(make_exchange(*arguments, **options))
        return exchanges[-1]

    # Most cases are rejected before anything is sent, so more of them are needed.
    assert run_case_checks(SPEC, Sdk(Client), make, GENERATED) == {}
    return [logged.raw_query for exchange in exchanges for logged in exchange.requests]


def layer_c() -> list[bytes]:
    return [body for each in ok_responses(SPEC) for body in generate_bodies(each, FEW)]


@pytest.mark.parametrize("generate", [layer_a, layer_b, layer_c])
def test_seed_decides_the_cases(generate: Any) -> None:
    """The same seed makes the same cases, and another seed others."""
    cases = []
    for seed in (1, 1, 2, None):
        # Bodies are kept, so that all clients share them.
        make_bodies.cache_clear()
        with as_current(Run(seed=seed)):
            cases.append(generate())
    assert cases[0] == cases[1] != cases[2] != cases[3] != cases[0]


@pytest.mark.parametrize(
    ("code", "last"), [(0, "seed 77\n"), (1, "make contract-random SEED=77\n")]
)
def test_seed_is_printed(
    code: int, last: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """First, and with the command that uses it again when something was found."""
    program = (sys.executable, "-c", f"raise SystemExit({code})")
    monkeypatch.setattr(run_random, "commands", lambda seed: [program])
    assert run_random.main(["--seed", "77"]) == code
    output = capsys.readouterr().out
    assert output.startswith("seed 77\n")
    assert output.endswith(last)


def test_seed_is_random_unless_it_is_given(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run_random, "commands", lambda seed: [])
    assert run_random.main([]) == run_random.main([]) == 0
    assert len({*capsys.readouterr().out.splitlines()}) == 2


def test_every_command_has_the_seed() -> None:
    assert all(command[-2:] == ("--seed", "77") for command in run_random.commands(77))
    assert run_all.parse(["--seed", "77"]).seed == 77


def test_workflow_runs_it() -> None:
    """The nightly workflow calls the targets, and the target hands on a seed that was given."""
    workflow = (ROOT / ".github" / "workflows" / "contract.yml").read_text("utf-8")
    assert "run: make contract-random" in workflow
    assert "run: make contract-faults" in workflow
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert "-m tests.contract.run_random $(if $(SEED),--seed $(SEED))" in makefile
