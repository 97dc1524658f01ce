"""pytest plugin of binance-usdm: fixtures with the mock exchange.

Every pytest run of every user loads this module, so it imports the package only for a test that
uses a fixture.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final

import pytest
from _pytest._code.code import ExceptionRepr

if TYPE_CHECKING:
    from binance_usdm.mock import Exchange

_STASH_KEY: Final = pytest.StashKey["Exchange"]()
_FIXTURE_NAME: Final = "usdm_exchange"
_MAX_REQUESTS_SHOWN: Final = 30


_PACKAGES: Final = ("binance_usdm.", "binance_usdm_wire.")
_STRICT: Final = "usdm_exchange_strict"
_SEED: Final = "usdm_exchange_seed"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that tests fail whose requests were rejected."""
    text = (
        "fail a test if usdm_exchange rejected a request that no fault, ban or set clock explains"
    )
    parser.getgroup("binance-usdm").addoption(
        "--usdm-exchange-strict", action="store_true", help=text
    )
    parser.addini(_STRICT, text, type="bool", default=False)
    parser.addini(_SEED, "TOML or JSON file that usdm_exchange starts with, from the root folder")


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark of tests that differ from the option."""
    config.addinivalue_line(
        "markers",
        "usdm_exchange(strict=True, sealed=True): whether a test with usdm_exchange fails if that "
        "rejected a request, and whether it cannot reach the exchange's hosts",
    )


@pytest.fixture
def usdm_exchange(request: pytest.FixtureRequest) -> Iterator[Exchange]:
    """Fresh mock exchange with the default API key and secret, on the system's clock.

    With the ini option `usdm_exchange_seed` it starts with that file instead. The test fails if it tries to reach a host of the exchange.
    """
    from binance_usdm.mock import Exchange

    seed = request.config.getini(_SEED)
    exchange = Exchange(scenario=request.config.rootpath / seed if seed else None)
    request.node.stash[_STASH_KEY] = exchange
    domains = exchange._engine.spec.server_domains()
    with _blocked_hosts(domains if _mark_value(request, "sealed", True) else set()) as hosts:
        yield exchange
    if hosts:
        pytest.fail(f"the test tried to reach {', '.join(hosts)}; nothing was sent", pytrace=False)
    if _is_strict(request) and exchange._engine.verdict.unexpected_count:
        pytest.fail("\n".join(exchange._engine.verdict.summary_lines()), pytrace=False)


@contextmanager
def _blocked_hosts(domains: set[str]) -> Iterator[list[str]]:
    """Let no host of some domains be looked up, and yield those that were asked for."""
    look_up = socket.getaddrinfo
    blocked: list[str] = []

    def look_up_others(host: Any, *arguments: Any, **options: Any) -> Any:
        name = host.decode("latin-1") if isinstance(host, bytes) else str(host)
        labels = name.lower().rstrip(".").split(".")
        if ".".join(labels[-2:]) not in domains:
            return look_up(host, *arguments, **options)
        if name not in blocked:
            blocked.append(name)
        raise socket.gaierror(socket.EAI_NONAME, f"usdm_exchange blocks {name}")

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(socket, "getaddrinfo", look_up_others)
        yield blocked


def _mark_value(request: pytest.FixtureRequest, name: str, default: bool) -> bool:
    mark = request.node.get_closest_marker("usdm_exchange")
    return default if mark is None else bool(mark.kwargs.get(name, default))


def _is_strict(request: pytest.FixtureRequest) -> bool:
    """Return whether a test fails if its exchange rejected a request unexpectedly."""
    is_asked = request.config.getini(_STRICT) or request.config.getoption(_STRICT)
    return _mark_value(request, "strict", bool(is_asked))


@pytest.fixture
def usdm_exchange_url(usdm_exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Base URL at which `usdm_exchange` is served, also in the environment with key and secret."""
    from binance_usdm import reset_shared_state
    from binance_usdm._config import environment as env
    from binance_usdm.mock import running

    with running(usdm_exchange) as url:
        # An earlier server may have had the same port.
        reset_shared_state(url)
        monkeypatch.setenv(env.ENV_BASE_URL, url)
        monkeypatch.setenv(env.ENV_API_KEY, usdm_exchange.api_key)
        # With a public key or a verifier there is no secret, and the test sets the private key.
        secret: str | None = getattr(usdm_exchange, "api_secret", None)
        for name in env.shell_only_variables(has_secret=secret is not None):
            monkeypatch.delenv(name, raising=False)
        if secret is not None:
            monkeypatch.setenv(env.ENV_API_SECRET, secret)
        for name, hosts in env.without_proxy_for(url, os.environ).items():
            monkeypatch.setenv(name, hosts)
        yield url


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the latest requests to the report of a failed test, without keys and signatures.

    The traceback of a test with an exchange leaves out the frames of this package.
    """
    # Before the mock is imported, there is no exchange.
    exchanges = {}
    if call.excinfo is not None and "binance_usdm.mock" in sys.modules:
        exchanges = _exchanges_of(item)
    with _hidden_frames() if exchanges else nullcontext():
        report = yield
    if report.failed:
        for exchange, name in exchanges.items():
            _add_section(report, f"Requests to {name}", _format_requests(exchange))
    return report


@contextmanager
def _hidden_frames() -> Iterator[None]:
    """Let pytest leave the frames of this package out of tracebacks, except with --full-trace."""
    # Not those of this module, whose one error is the whole message.
    namespaces = [
        vars(module)
        for name, module in [*sys.modules.items()]
        if name.startswith(_PACKAGES) and name != __name__
    ]
    for namespace in namespaces:
        namespace["__tracebackhide__"] = True
    try:
        yield
    finally:
        for namespace in namespaces:
            namespace.pop("__tracebackhide__", None)


def _add_section(report: pytest.TestReport, title: str, text: str) -> None:
    """Add a section to the failure itself, which JUnit files have, if it can hold one."""
    if isinstance(report.longrepr, ExceptionRepr):
        report.longrepr.addsection(title, text, "-")
    else:
        report.sections.append((title, text))


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
    from binance_usdm.mock.state.redaction import format_logged

    redact = exchange._engine.redactor()
    latest = exchange.requests[-_MAX_REQUESTS_SHOWN:]
    return "\n".join(format_logged(logged, redact) for logged in latest) or "no requests"
