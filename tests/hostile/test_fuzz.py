"""Random bytes as a response give the value that was sent, or an error of the tree.

They go to the parser alone, and through sockets.
"""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hostile.fuzz import parse_directly, run
from tests.hostile.random_responses import CORPUS, make_case
from tests.support.paths import ROOT

SEED = 1
PIECES = st.binary(max_size=12) | st.sampled_from(CORPUS).map(lambda whole: whole[-60:])


@pytest.mark.promise("R16", "S15")
def test_mutated_replies_are_values_or_errors() -> None:
    found = run(SEED, 0, 4000, sockets=False, say=lambda _: None)
    assert {
        "rows",
        "an empty list",
        "UnexpectedResponse",
        "RemoteProtocolError",
        "ServerError",
    } <= set(found)


@pytest.mark.promise("R16")
def test_mutated_replies_are_values_or_errors_on_both_clients() -> None:
    found = run(SEED, 0, 150, sockets=True, say=lambda _: None)
    assert {"rows", "UnexpectedResponse", "TransportError"} <= set(found)


@pytest.mark.promise("R16")
@settings(max_examples=300, derandomize=True)
@given(
    whole=st.sampled_from(CORPUS),
    start=st.integers(0, 400),
    size=st.integers(0, 60),
    new=PIECES,
    cut=st.integers(0, 400),
)
def test_a_spoiled_reply_is_a_value_or_an_error(
    whole: bytes, start: int, size: int, new: bytes, cut: int
) -> None:
    """Random bytes in a response; in any pieces they are the same value or error."""
    data = whole[:start] + new + whole[start + size :]
    parse_directly(data, cut % (len(data) + 1), bytewise=True)


def test_a_case_is_made_of_seed_and_number_alone() -> None:
    assert make_case(SEED, 7) == make_case(SEED, 7)
    assert len({make_case(seed, number) for seed in range(3) for number in range(100)}) > 290


def test_the_program_resumes_at_any_case_and_counts() -> None:
    program = [
        sys.executable,
        "-m",
        "tests.hostile.fuzz",
        "--cases",
        "20",
        "--start",
        "40",
        "--seed",
        "9",
    ]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert done.stdout.startswith("seed 9, cases 40 to 59: ")
