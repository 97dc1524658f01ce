"""Each behavior of the catalogue on both clients.

The outcome is right and in time, no other server is contacted, and no later call is affected.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, TypeAlias

import pytest

from tests.hostile import catalogue as catalogue_module
from tests.hostile.bodies import COSTLY
from tests.hostile.catalogue import (  # fmt: skip
    CATALOGUE,
    CLIENTS,
    FAMILIES,
    SLACK,
    Observation,
    called,
    client,
    examine_all,
    steps,
    table,
)
from tests.hostile.server_behavior import LATE, LONG, SHORT, ServerBehavior, matches
from tests.support.paths import ROOT
from tests.support.raw_server import full_queue
from tests.support.timing import check_duration, retry_if_late

Found: TypeAlias = dict[tuple[str, str], Observation]
MOST_MIB = 32


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> tuple[Found, int]:
    seen, strangers = examine_all(CATALOGUE)
    tmp_path_factory.mktemp("catalogue").joinpath("outcomes.txt").write_text(
        "\n".join(table(seen)), encoding="utf-8"
    )
    return seen, strangers


@pytest.fixture(scope="module")
def costly() -> Found:
    return examine_all(COSTLY)[0]


def check(seen: Found, behavior: ServerBehavior, client_name: str) -> None:
    one = seen[behavior.name, client_name]
    assert one.faults(behavior) == [], one


def run_behavior(*families: str) -> pytest.MarkDecorator:
    chosen = [behavior for family in families for behavior in FAMILIES[family]]
    return pytest.mark.parametrize("behavior", chosen, ids=lambda behavior: behavior.name)


@pytest.fixture(params=[client_name.__name__ for client_name in CLIENTS])
def client_name(request: pytest.FixtureRequest) -> Iterator[str]:
    return request.param  # type: ignore[no-any-return]


@pytest.mark.promise("R16", "R19")
@run_behavior(
    "length", "chunks", "heads", "interim", "statuses", "texts", "members", "disguised", "weights"
)
def test_a_reply_is_read_rightly_or_refused(
    catalogue: tuple[Found, int], behavior: ServerBehavior, client_name: str
) -> None:
    check(catalogue[0], behavior, client_name)


@pytest.mark.promise("R1")
@run_behavior("time")
def test_no_reply_outlasts_the_deadline(
    catalogue: tuple[Found, int], behavior: ServerBehavior, client_name: str
) -> None:
    check(catalogue[0], behavior, client_name)


@pytest.mark.promise("R15", "R16", "R19")
@run_behavior("ends", "tls")
def test_an_end_at_any_stage_is_told_and_the_next_call_works(
    catalogue: tuple[Found, int], behavior: ServerBehavior, client_name: str
) -> None:
    check(catalogue[0], behavior, client_name)


@pytest.mark.promise("R16")
@run_behavior("unasked")
def test_what_nobody_asked_for_answers_no_later_call(
    catalogue: tuple[Found, int], behavior: ServerBehavior, client_name: str
) -> None:
    check(catalogue[0], behavior, client_name)


@pytest.mark.promise("S10", "R19")
@run_behavior("redirects")
def test_no_redirect_is_followed(
    catalogue: tuple[Found, int], behavior: ServerBehavior, client_name: str
) -> None:
    check(catalogue[0], behavior, client_name)


@pytest.mark.promise("S10")
def test_nobody_else_is_asked(catalogue: tuple[Found, int]) -> None:
    assert catalogue[1] == 0


@pytest.mark.promise("S14")
@run_behavior("sizes", "encodings")
def test_a_reply_ends_at_its_bound_however_it_is_packed(
    catalogue: tuple[Found, int], behavior: ServerBehavior, client_name: str
) -> None:
    check(catalogue[0], behavior, client_name)


@pytest.mark.promise("R11", "R16", "R19")
@run_behavior("refused", "waits")
def test_a_refusal_is_named_and_a_limit_kept(
    catalogue: tuple[Found, int], behavior: ServerBehavior, client_name: str
) -> None:
    check(catalogue[0], behavior, client_name)


@pytest.mark.promise("S4", "S5")
@run_behavior("words", "echoes")
def test_no_text_of_the_exchange_breaks_a_log_or_tells_a_secret(
    catalogue: tuple[Found, int], behavior: ServerBehavior, client_name: str
) -> None:
    check(catalogue[0], behavior, client_name)


@pytest.mark.promise("R1", "S15")
@pytest.mark.parametrize("behavior", COSTLY, ids=lambda behavior: behavior.name)
def test_no_reply_is_dear_to_read(
    costly: Found, behavior: ServerBehavior, client_name: str
) -> None:
    check(costly, behavior, client_name)


@contextlib.contextmanager
def no_answer() -> Iterator[str]:
    """The URL of a listener that takes no further connection."""
    with full_queue() as (host, port):
        yield f"http://{host}:{port}/"


@contextlib.contextmanager
def unattended() -> Iterator[str]:
    """The URL of a listener whose program never accepts."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


@pytest.mark.promise("R1")
@pytest.mark.parametrize("place", [no_answer, unattended], ids=lambda place: place.__name__)
@pytest.mark.parametrize("client_class", CLIENTS, ids=lambda client_class: client_class.__name__)
@retry_if_late
def test_a_server_that_takes_no_connection_ends_at_the_deadline(
    place: Any, client_class: Any
) -> None:
    with place() as url, client(client_class, url, SHORT) as face:
        found, took, _ = called(face)
    assert matches(found, LATE)
    check_duration(took.seconds, at_least=SHORT, at_most=SHORT + SLACK)


@pytest.mark.promise("S14", "S15")
@pytest.mark.parametrize("options", [[], ["--costly"]], ids=["all", "costly"])
def test_the_catalogue_costs_little_memory(options: list[str]) -> None:
    """Servers and scripts are in the measured process too."""
    program = [sys.executable, "-m", "tests.hostile.catalogue", "--memory", *options]
    figures = json.loads(
        subprocess.run(program, cwd=ROOT, check=True, capture_output=True, timeout=120).stdout
    )
    assert figures["resident"] < MOST_MIB


def test_the_catalogue_is_large_and_its_names_are_its_own() -> None:
    names = [behavior.name for behavior in [*CATALOGUE, *COSTLY]]
    assert len(set(names)) == len(names) > 600
    assert all(list(steps(behavior)) or callable(behavior.steps) for behavior in CATALOGUE)


def test_a_call_that_is_late_at_each_look_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue_module, "SLACK", -LONG)
    one = next(behavior for behavior in CATALOGUE if behavior.kept)
    seen, _ = examine_all([one])
    assert [fault.split()[0] for fault in seen[one.name, "Client"].faults(one)] == ["took"]
