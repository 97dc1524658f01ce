"""Each behavior of the catalogue on both clients.

The outcome is right and in time, no other server is contacted, and no later call is affected.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from tests.hostile import catalogue as catalogue_module
from tests.hostile.catalogue import (
    CATALOGUE,
    CLIENTS,
    FAMILIES,
    SLACK,
    called,
    client,
    observe_all,
    steps,
)
from tests.hostile.server_behavior import LATE, LONG, SHORT, matches
from tests.support.paths import ROOT
from tests.support.raw_server import full_queue
from tests.support.timing import check_duration, retry_if_late

MOST_MIB = 32
KINDS = pytest.mark.parametrize("kind", CLIENTS, ids=lambda kind: kind.__name__)


def families(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("family", names)


def check(family: str, kind: Any) -> None:
    seen, strangers = observe_all(FAMILIES[family], [kind])
    problems = [
        f"{behavior.name}: {problem}"
        for behavior in FAMILIES[family]
        for problem in seen[behavior.name, kind.__name__].find_problems(behavior)
    ]
    assert problems == []
    assert strangers == 0


@pytest.mark.promise("R16", "R19")
@KINDS
@families(
    "length", "chunks", "heads", "interim", "statuses", "texts", "members", "disguised", "weights"
)
def test_a_reply_is_read_rightly_or_refused(family: str, kind: Any) -> None:
    check(family, kind)


@pytest.mark.promise("R1")
@KINDS
@families("time")
def test_no_reply_outlasts_the_deadline(family: str, kind: Any) -> None:
    check(family, kind)


@pytest.mark.promise("R15", "R16", "R19")
@KINDS
@families("ends", "tls")
def test_an_end_at_any_stage_is_told_and_the_next_call_works(family: str, kind: Any) -> None:
    check(family, kind)


@pytest.mark.promise("R15", "R16")
@KINDS
@families("unasked")
def test_what_nobody_asked_for_answers_no_later_call(family: str, kind: Any) -> None:
    check(family, kind)


@pytest.mark.promise("S10", "R19")
@KINDS
@families("redirects")
def test_no_redirect_is_followed(family: str, kind: Any) -> None:
    check(family, kind)


@pytest.mark.promise("S14")
@KINDS
@families("sizes", "encodings")
def test_a_reply_ends_at_its_bound_however_it_is_packed(family: str, kind: Any) -> None:
    check(family, kind)


@pytest.mark.promise("R11", "R16", "R19")
@KINDS
@families("refused", "waits")
def test_a_refusal_is_named_and_a_limit_kept(family: str, kind: Any) -> None:
    check(family, kind)


@pytest.mark.promise("S4", "S5")
@KINDS
@families("words", "echoes")
def test_no_text_of_the_exchange_breaks_a_log_or_tells_a_secret(family: str, kind: Any) -> None:
    check(family, kind)


@pytest.mark.promise("R1", "S15")
@KINDS
@families("costly")
def test_no_reply_is_dear_to_read(family: str, kind: Any) -> None:
    check(family, kind)


@pytest.mark.promise("R1")
@KINDS
@retry_if_late
def test_a_server_that_takes_no_connection_ends_at_the_deadline(kind: Any) -> None:
    with full_queue() as (host, port), client(kind, f"http://{host}:{port}/", SHORT) as face:
        found, took, _ = called(face)
    assert matches(found, LATE)
    check_duration(took.seconds, at_least=SHORT, at_most=SHORT + SLACK)


@pytest.mark.promise("S14", "S15")
def test_the_catalogue_costs_little_memory() -> None:
    """Servers and scripts are in the measured process too."""
    program = [sys.executable, "-m", "tests.hostile.catalogue"]
    done = subprocess.run(program, cwd=ROOT, check=True, capture_output=True, timeout=120)
    assert float(done.stdout) < MOST_MIB


def test_the_catalogue_is_large_and_its_names_are_its_own() -> None:
    names = [behavior.name for behavior in CATALOGUE]
    assert len(set(names)) == len(names) > 650
    assert all(list(steps(behavior)) or callable(behavior.steps) for behavior in CATALOGUE)


def test_a_call_that_is_late_at_each_look_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue_module, "SLACK", -LONG)
    one = next(behavior for behavior in CATALOGUE if behavior.kept)
    seen, _ = observe_all([one])
    problems = seen[one.name, "Client"].find_problems(one)
    assert [problem.split()[0] for problem in problems] == ["took"]
