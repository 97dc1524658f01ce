"""What layers A and B left open, as tests; and the proof that they would notice: faults that were thought of when the layers were done."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from . import client_edge_cases as beside_client
from . import faults_unseen as faults_held_out
from . import mock_edge_cases as beside_mock
from . import responses_vs_spec as layer_c
from .facade import SDKS
from .mock_vs_spec import run_mock_vs_spec
from .raw_requests import make_exchange
from .requests_vs_spec import run_requests_vs_spec
from .schemathesis_setup import EDGES, tried
from .spec_facts import SPEC


@pytest.mark.parametrize("claim", beside_mock.CHECKS, ids=lambda claim: claim.__name__)
def test_the_mock_keeps_what_stands_beside_the_document(claim: Callable[..., None]) -> None:
    claim(SPEC, make_exchange)


@pytest.mark.parametrize("claim", beside_client.CHECKS, ids=lambda claim: claim.__name__)
@pytest.mark.parametrize("sdk", SDKS)
def test_the_client_keeps_what_one_call_does_not_show(sdk: str, claim: Callable[..., None]) -> None:
    claim(SPEC, SDKS[sdk], make_exchange)


@pytest.mark.parametrize("name", faults_held_out.MOCK)
def test_a_fault_of_the_mock_that_was_held_out_is_caught(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant, caught_by = faults_held_out.MOCK[name]
    plant(monkeypatch)
    found = run_mock_vs_spec(SPEC) | tried(beside_mock.CHECKS, SPEC, make_exchange)
    assert {*found} == caught_by, found


@pytest.mark.parametrize(
    ("name", "sdk"), [*zip(faults_held_out.REQUESTS, itertools.cycle(SDKS), strict=False)]
)
def test_a_fault_in_requests_that_was_held_out_is_caught(
    name: str, sdk: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant, caught_by = faults_held_out.REQUESTS[name]
    plant(monkeypatch)
    found = run_requests_vs_spec(SPEC, SDKS[sdk]) | tried(
        beside_client.CHECKS, SPEC, SDKS[sdk], make_exchange
    )
    assert {*found} == caught_by, found


@pytest.mark.parametrize(
    ("name", "sdk"), [*zip(faults_held_out.REPLIES, itertools.cycle(SDKS), strict=False)]
)
def test_a_fault_in_replies_that_was_held_out_is_caught(
    name: str, sdk: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant, caught_by = faults_held_out.REPLIES[name]
    plant(monkeypatch)
    looking = [check for check in layer_c.CHECKS if check.__name__ in caught_by]
    found = tried(looking, SPEC, SDKS[sdk], make_exchange, EDGES)
    assert {*found} == caught_by != set(), found


def test_every_check_beside_the_layers_catches_something() -> None:
    for checks, faults in (
        (beside_mock.CHECKS, faults_held_out.MOCK),
        (beside_client.CHECKS, faults_held_out.REQUESTS),
    ):
        assert {check.__name__ for check in checks} <= set.union(
            *(caught_by for _, caught_by in faults.values())
        )
