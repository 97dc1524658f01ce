"""The page for contributors says which functions a call goes through: traced, and held to that."""

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

PAGE = ROOT / "CONTRIBUTING.md"
STEP = re.compile(r"^\| \d+ \| `(?P<file>[\w/]+\.py): (?P<name>[\w.]+)` \|", re.MULTILINE)


@pytest.fixture(scope="module")
def steps() -> list[tuple[str, str]]:
    if not PAGE.exists():
        pytest.skip("no page for contributors in this tree")
    return [
        (step["file"], step["name"]) for step in STEP.finditer(PAGE.read_text(encoding="utf-8"))
    ]


def called(client: Client) -> list[tuple[str, str]]:
    """File and qualified name of each of our functions, as a call enters them."""
    found: list[tuple[str, str]] = []

    def hear(frame: FrameType, event: str, _: object) -> None:
        file = Path(frame.f_code.co_filename)
        if (
            event == "call"
            and file.is_relative_to(ROOT)
            and not file.is_relative_to(ROOT / "tests")
        ):
            found.append((file.relative_to(ROOT).as_posix(), frame.f_code.co_qualname))

    before = sys.getprofile()
    sys.setprofile(hear)
    try:
        client.balance()
    finally:
        sys.setprofile(before)
    return found


def test_a_call_goes_the_way_that_the_page_for_contributors_says(
    steps: list[tuple[str, str]],
) -> None:
    with (
        RawServer(repeat(READ, response_bytes(BODY))) as server,
        Client(KEY, SECRET, base_url=server.url) as client,
    ):
        client.balance()
        found = called(client)
    first = [found.index(step) for step in steps]
    assert first == sorted(first)
    assert len(steps) > 7


def test_it_is_followed_in_five_files_of_a_few_screens_each(steps: list[tuple[str, str]]) -> None:
    files = {file for file, _ in steps}
    assert len(files) == 5
    for file in files:
        assert len((ROOT / file).read_text(encoding="utf-8").splitlines()) <= 280, file
