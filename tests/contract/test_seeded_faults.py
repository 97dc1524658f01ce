"""The proof that the layers would notice: every seeded fault is caught, by the checks that its table names.

For the mock and for requests by no other either. For replies that is left to `make contract-faults`, which takes its time.
"""

from __future__ import annotations

import itertools

import pytest

from . import faults_client, faults_mock, faults_reply
from . import faults_unseen as faults_held_out
from . import mock_tables as tables
from . import responses_vs_spec as layer_c
from .facade import SDKS, Facade
from .mock_vs_spec import checks_of, run_mock_vs_spec
from .raw_requests import make_exchange
from .requests_vs_spec import CHECKS, run_requests_vs_spec
from .requests_vs_spec import checks_of as client_checks_of
from .schemathesis_setup import EDGES, tried
from .spec_facts import SPEC


@pytest.mark.parametrize("name", faults_mock.FAULTS)
def test_a_fault_of_the_mock_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant, caught_by = faults_mock.FAULTS[name]
    plant(monkeypatch)
    found = run_mock_vs_spec(SPEC)
    assert {*found} == caught_by, found


@pytest.mark.parametrize(
    ("name", "sdk"), [*zip(faults_client.FAULTS, itertools.cycle(SDKS), strict=False)]
)
def test_a_fault_of_the_client_is_caught(
    name: str, sdk: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant, caught_by = faults_client.FAULTS[name]
    plant(monkeypatch)
    found = run_requests_vs_spec(SPEC, SDKS[sdk])
    assert {*found} == caught_by, found


@pytest.mark.parametrize(
    ("name", "sdk"), [*zip(faults_reply.FAULTS, itertools.cycle(SDKS), strict=False)]
)
def test_a_fault_in_reading_replies_is_caught(
    name: str, sdk: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant, caught_by = faults_reply.FAULTS[name]
    plant(monkeypatch)
    looking = [check for check in layer_c.CHECKS if check.__name__ in caught_by]
    found = tried(looking, SPEC, SDKS[sdk], make_exchange, EDGES)
    assert {*found} == caught_by != set(), found


@pytest.mark.parametrize("name", faults_client.EQUIVALENT)
def test_a_change_of_requests_that_keeps_every_promise_passes(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults_client.EQUIVALENT[name][0](monkeypatch)
    assert run_requests_vs_spec(SPEC, SDKS["async"]) == {}


@pytest.mark.parametrize("name", faults_reply.EQUIVALENT)
def test_a_change_in_reading_that_keeps_every_promise_passes(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults_reply.EQUIVALENT[name][0](monkeypatch)
    assert layer_c.run_responses_vs_spec(SPEC, SDKS["sync, default transport"]) == {}


def test_every_check_of_our_own_catches_something() -> None:
    """A check that no fault sets off may as well not be there."""
    exchange = make_exchange(SPEC)
    ours = {check.__name__ for check in (*checks_of(SPEC, exchange), *tables.CHECKS)}
    assert ours <= set.union(*(caught_by for _, caught_by in faults_mock.FAULTS.values()))
    ours = {
        check.__name__
        for check in (
            *client_checks_of(SPEC, Facade(SPEC, *SDKS["sync"].opened(exchange))),
            *CHECKS,
        )
    }
    assert ours <= set.union(*(caught_by for _, caught_by in faults_client.FAULTS.values()))
    ours = {check.__name__ for check in layer_c.CHECKS}
    planted = (faults_reply.FAULTS | faults_held_out.REPLIES).values()
    assert ours == set.union(*(caught_by for _, caught_by in planted))
