"""The pytest fixture ``usdm_exchange``, and its requests in the report of a test that fails. Uses no client and no server.

pytest loads it as a part of ``binance_usdm``, whose front door loads the client and httpx; uvicorn is not loaded.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

import pytest

from .exchange import Exchange

_USED: Final = pytest.StashKey[Exchange]()
_SHOWN: Final = 30


@pytest.fixture
def usdm_exchange(request: pytest.FixtureRequest) -> Exchange:
    """A fresh mock exchange with its default key and secret, on the system's clock, as the client under test is."""
    exchange = Exchange()
    request.node.stash[_USED] = exchange
    return exchange


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: object) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the latest requests with a failure: what came, how it ended and why; no key, secret or signature."""
    report = yield
    exchange = item.stash.get(_USED, None)
    if report.failed and exchange is not None:
        report.sections.append(("Requests to usdm_exchange", _told(exchange)))
    return report


def _told(exchange: Exchange) -> str:
    lines = [
        f"{each.number:4} {each.method} {each.path!r} HTTP {each.status}"
        + (f", code {each.code}" if each.code is not None else "")
        + (f", fault {each.fault}" if each.fault else "")
        + (f": {each.refusal}" if each.refusal else "")
        for each in list(exchange.requests)[-_SHOWN:]
    ]
    return "\n".join(lines) or "none came"
