"""The pytest fixture ``usdm_exchange``, and its requests in the report of a test that fails. Uses no client and no server.

pytest loads it as a part of ``binance_usdm``, whose front door loads the client and httpx; uvicorn is not loaded.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

import pytest

from .exchange import Exchange

_STASH_KEY: Final = pytest.StashKey[Exchange]()
_FIXTURE_NAME: Final = "usdm_exchange"
_MAX_REQUESTS_SHOWN: Final = 30


@pytest.fixture
def usdm_exchange(request: pytest.FixtureRequest) -> Exchange:
    """A fresh mock exchange with its default key and secret, on the system's clock, as the client under test is."""
    exchange = Exchange()
    request.node.stash[_STASH_KEY] = exchange
    return exchange


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: object
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the latest requests with a failure: what came, how it ended and why; no key, secret or signature."""
    report = yield
    if report.failed:
        report.sections += [
            (f"Requests to {name}", _format_requests(exchange))
            for exchange, name in _exchanges_of(item).items()
        ]
    return report


def _exchanges_of(item: pytest.Item) -> dict[Exchange, str]:
    """The exchanges among a test's fixtures, by one name each. The plugin's own may have been asked for while the test ran."""
    asked = {_FIXTURE_NAME: item.stash[_STASH_KEY]} if _STASH_KEY in item.stash else {}
    given = asked | (getattr(item, "funcargs", None) or {})
    named = dict[Exchange, str]()
    for name in sorted(given, key=lambda name: name != _FIXTURE_NAME):
        if issubclass(
            type(given[name]), Exchange
        ):  # isinstance would believe a double, and wake a proxy
            named.setdefault(given[name], name)
    return named


def _format_requests(exchange: Exchange) -> str:
    hide = exchange._engine.redactor()
    lines = [
        f"{each.number:4} {each.method} {hide(each.path)!r} HTTP {each.status}"
        + (f", code {each.code}" if each.code is not None else "")
        + (f", fault {each.fault}" if each.fault else "")
        + (f": {hide(each.refusal)}" if each.refusal else "")
        for each in list(exchange.requests)[-_MAX_REQUESTS_SHOWN:]
    ]
    return "\n".join(lines) or "none came"
