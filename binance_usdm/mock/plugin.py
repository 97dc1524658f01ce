"""pytest fixtures."""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

import pytest

from .core.redaction import Redact
from .core.request_log import Logged
from .exchange import Exchange

_STASH_KEY: Final = pytest.StashKey[Exchange]()
_FIXTURE_NAME: Final = "usdm_exchange"
_MAX_REQUESTS_SHOWN: Final = 30


@pytest.fixture
def usdm_exchange(request: pytest.FixtureRequest) -> Exchange:
    """Fresh mock exchange with the default API key and secret, on the system's clock."""
    exchange = Exchange()
    request.node.stash[_STASH_KEY] = exchange
    return exchange


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: object
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the latest requests to the report of a failed test, without keys and signatures."""
    report = yield
    if report.failed:
        report.sections += [
            (f"Requests to {name}", _format_requests(exchange))
            for exchange, name in _exchanges_of(item).items()
        ]
    return report


def _exchanges_of(item: pytest.Item) -> dict[Exchange, str]:
    """Return the exchanges among a test's fixtures, each with one name.

    A test may also have requested `usdm_exchange` while it ran.
    """
    fixtures = {_FIXTURE_NAME: item.stash[_STASH_KEY]} if _STASH_KEY in item.stash else {}
    fixtures |= getattr(item, "funcargs", None) or {}
    names = dict[Exchange, str]()
    for name in sorted(fixtures, key=lambda name: name != _FIXTURE_NAME):
        # isinstance would accept a test double, and resolve a lazy proxy.
        if issubclass(type(fixtures[name]), Exchange):
            names.setdefault(fixtures[name], name)
    return names


def _format_requests(exchange: Exchange) -> str:
    redact = exchange._engine.redactor()
    latest = exchange.requests[-_MAX_REQUESTS_SHOWN:]
    return "\n".join(_format_request(logged, redact) for logged in latest) or "no requests"


def _format_request(logged: Logged, redact: Redact) -> str:
    line = f"{logged.number:4} {logged.method} {redact(logged.path)!r} HTTP {logged.status}"
    if logged.code is not None:
        line += f", code {logged.code}"
    if logged.fault:
        line += f", fault {logged.fault}"
    if logged.refusal:
        line += f": {redact(logged.refusal)}"
    return line
