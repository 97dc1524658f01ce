"""ARCHITECTURE.md names the functions that a call runs: a traced call must agree with the page."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import FrameType

import pytest

from binance_usdm import Client
from tests.support.clients import BODY, KEY, SECRET
from tests.support.paths import ROOT
from tests.support.raw_server import READ, RawServer, repeat, response_bytes

PAGE = ROOT / "ARCHITECTURE.md"
STEP = re.compile(r"^\| \d+ \| `(?P<file>[\w/]+\.py): (?P<name>[\w.]+)` \|", re.MULTILINE)


@pytest.fixture(scope="module")
def steps() -> list[tuple[str, str]]:
    if not PAGE.exists():
        pytest.skip("no ARCHITECTURE.md in this tree")
    return [
        (step["file"], step["name"]) for step in STEP.finditer(PAGE.read_text(encoding="utf-8"))
    ]


def trace_call(client: Client) -> list[tuple[str, str]]:
    """Return file and qualified name of each function of this project, as a call enters them."""
    entered: list[tuple[str, str]] = []

    def record(frame: FrameType, event: str, _: object) -> None:
        file = Path(frame.f_code.co_filename)
        is_ours = file.is_relative_to(ROOT) and not file.is_relative_to(ROOT / "tests")
        if event == "call" and is_ours:
            entered.append((file.relative_to(ROOT).as_posix(), frame.f_code.co_qualname))

    before = sys.getprofile()
    sys.setprofile(record)
    try:
        client.balance()
    finally:
        sys.setprofile(before)
    return entered


def test_a_call_runs_these_steps(steps: list[tuple[str, str]]) -> None:
    """The second call of a client enters every function of the table, in its order."""
    with (
        RawServer(repeat(READ, response_bytes(BODY))) as server,
        Client(KEY, SECRET, base_url=server.url) as client,
    ):
        client.balance()
        entered = trace_call(client)
    first = [entered.index(step) for step in steps]
    assert first == sorted(first)
    assert len(steps) > 9


def test_a_call_fits_in_five_files(steps: list[tuple[str, str]]) -> None:
    """A call is followed in five files of a few screens each."""
    files = {file for file, _ in steps}
    assert len(files) == 5
    for file in files:
        assert len((ROOT / file).read_text(encoding="utf-8").splitlines()) <= 280, file
