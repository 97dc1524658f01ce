"""A short form of the long run: thousands of calls over one client, and nothing grows."""

from __future__ import annotations

from array import array
from collections import Counter

import pytest

from binance_usdm import AsyncClient, Client
from tests.hostile.catalogue import CLIENTS
from tests.hostile.fast_server import EVERY, FAULTS
from tests.hostile.soak import GROWTH_KIB, POINTS, Figures, server, soak

CALLS = 1000


@pytest.mark.promise("R20")
@pytest.mark.parametrize("kind", CLIENTS, ids=lambda kind: kind.__name__)
def test_many_calls_leave_nothing_behind(kind: type[Client] | type[AsyncClient]) -> None:
    """Python's blocks are counted, which is exact. `make soak` looks at resident memory."""
    with server() as url:
        found = soak(kind, url, CALLS, traced=True)
    assert found.flat, found
    assert found.outcomes["rows"] >= found.outcomes.total() * 0.95
    assert len(found.outcomes) >= 4  # the faults were among them
    assert EVERY * len(FAULTS) <= CALLS


def test_growth_is_seen() -> None:
    def figures(memory: list[int], descriptors: list[int]) -> Figures:
        return Figures(array("q", memory), array("q", descriptors), Counter(), 1.0, GROWTH_KIB)

    flat, rising = [9] * POINTS, [9 + point for point in range(POINTS)]
    assert figures(flat, flat).flat
    assert figures([99_999, 0, *flat[2:]], flat).flat  # what the first calls set up is no growth
    assert not figures([9 + 200 * point for point in range(POINTS)], flat).flat
    assert not figures(flat, rising).flat
