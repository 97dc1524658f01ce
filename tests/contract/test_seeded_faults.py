"""The proof that the layers would notice: every seeded fault is caught, by the checks that its table names and by no other."""

from __future__ import annotations

import itertools

import pytest

from . import faults_client, faults_mock, tables
from .facade import SDKS, Facade
from .facts import SPEC
from .layer_a import checks_of, run_layer_a
from .layer_b import CHECKS, run_layer_b
from .layer_b import checks_of as client_checks_of
from .wire import make_exchange


@pytest.mark.parametrize("name", faults_mock.FAULTS)
def test_a_fault_of_the_mock_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant, caught_by = faults_mock.FAULTS[name]
    plant(monkeypatch)
    found = run_layer_a(SPEC)
    assert {*found} == caught_by, found


@pytest.mark.parametrize(("name", "sdk"), [*zip(faults_client.FAULTS, itertools.cycle(SDKS), strict=False)])
def test_a_fault_of_the_client_is_caught(name: str, sdk: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant, caught_by = faults_client.FAULTS[name]
    plant(monkeypatch)
    found = run_layer_b(SPEC, SDKS[sdk])
    assert {*found} == caught_by, found


def test_every_check_of_our_own_catches_something() -> None:
    """A check that no fault sets off may as well not be there."""
    exchange = make_exchange(SPEC)
    ours = {check.__name__ for check in (*checks_of(SPEC, exchange), *tables.CHECKS)}
    assert ours <= set.union(*(caught_by for _, caught_by in faults_mock.FAULTS.values()))
    ours = {
        check.__name__ for check in (*client_checks_of(SPEC, Facade(SPEC, *SDKS["sync"].opened(exchange))), *CHECKS)
    }
    assert ours <= set.union(*(caught_by for _, caught_by in faults_client.FAULTS.values()))
