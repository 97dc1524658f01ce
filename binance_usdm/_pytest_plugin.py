"""pytest plugin of binance-usdm: fixtures with the mock exchange.

Every pytest run of every user loads this module, so it imports the package only for a test that
uses a fixture.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from binance_usdm.mock import Exchange, Logged
    from binance_usdm.mock.core.redaction import Redact

_STASH_KEY: Final = pytest.StashKey["Exchange"]()
_FIXTURE_NAME: Final = "usdm_exchange"
_MAX_REQUESTS_SHOWN: Final = 30


@pytest.fixture
def usdm_exchange(request: pytest.FixtureRequest) -> Exchange:
    """Fresh mock exchange with the default API key and secret, on the system's clock."""
    from binance_usdm.mock import Exchange

    exchange = Exchange()
    request.node.stash[_STASH_KEY] = exchange
    return exchange


@pytest.fixture
def usdm_exchange_url(usdm_exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Base URL at which `usdm_exchange` is served, also in the environment with key and secret."""
    from binance_usdm import _environment as env
    from binance_usdm import reset_shared_state
    from binance_usdm.mock import running

    with running(usdm_exchange) as url:
        # An earlier server may have had the same port.
        reset_shared_state(url)
        monkeypatch.setenv(env.ENV_BASE_URL, url)
        monkeypatch.setenv(env.ENV_API_KEY, usdm_exchange.api_key)
        # With a public key or a verifier there is no secret, and the test sets the private key.
        secret: str | None = getattr(usdm_exchange, "api_secret", None)
        if secret is not None:
            for name in env.SIGNING_VARIABLES:
                monkeypatch.delenv(name, raising=False)
            monkeypatch.setenv(env.ENV_API_SECRET, secret)
        for name in (env.ENV_API_KEY_FILE, env.ENV_BUDGET, env.ENV_PROXY):
            monkeypatch.delenv(name, raising=False)
        for name, hosts in env.without_proxy_for(url, os.environ).items():
            monkeypatch.setenv(name, hosts)
        yield url


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: object
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the latest requests to the report of a failed test, without keys and signatures."""
    report = yield
    # Before the mock is imported, there is no exchange.
    if report.failed and "binance_usdm.mock" in sys.modules:
        report.sections += [
            (f"Requests to {name}", _format_requests(exchange))
            for exchange, name in _exchanges_of(item).items()
        ]
    return report


def _exchanges_of(item: pytest.Item) -> dict[Exchange, str]:
    """Return the exchanges among a test's fixtures, each with one name.

    A test may also have requested `usdm_exchange` while it ran.
    """
    from binance_usdm.mock import Exchange

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
