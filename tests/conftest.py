"""What all tests share: where hypothesis keeps its notes, and one fixture that tests a claim on both clients."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from hypothesis.configuration import set_hypothesis_home_dir

from binance_usdm import AsyncClient, Client, RetryPolicy
from binance_usdm._policy import shared
from tests.support.clients import KEY, SECRET, BlockingFacade, Handler


def pytest_configure(config: pytest.Config) -> None:
    """What hypothesis learns of the source stays with pytest's own cache, not beside the code. Examples are never stored."""
    config.addinivalue_line(
        "markers", "promise(id, ...): the rows of docs/promises.md that this test proves"
    )
    cache: pytest.Cache | None = getattr(
        config, "cache", None
    )  # there is none with -p no:cacheprovider
    if cache is not None:
        set_hypothesis_home_dir(cache.mkdir("hypothesis"))


def pytest_collection_finish() -> None:
    """The cycle collector need not look at thousands of tests again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _new_process() -> Iterator[None]:
    """Each test starts without what the process learned of an exchange: a port may be another one a moment later."""
    yield
    shared._by_origin.clear()


_kept: dict[str, list[str]] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note which promises a test that passed proves."""
    if report.when == "call" and report.passed:
        for name, value in report.user_properties:
            if name == "promise":
                _kept.setdefault(str(value), []).append(
                    report.nodeid.rpartition("::")[2].partition("[")[0]
                )


def pytest_runtest_setup(item: pytest.Item) -> None:
    item.user_properties += [
        ("promise", name) for mark in item.iter_markers("promise") for name in mark.args
    ]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table of promises, as kept by this run; the whole one is in docs/promises.md."""
    if _kept:
        terminalreporter.section("promises kept")
        for name in sorted(_kept, key=lambda name: (name[0], int(name[1:]))):
            tests = list(dict.fromkeys(_kept[name]))
            more = f" and {len(tests) - 2} more" if len(tests) > 2 else ""
            terminalreporter.write_line(
                f"{name:>4}  {len(_kept[name]):>4} passed  {', '.join(tests[:2])}{more}"
            )


@pytest.fixture(params=[Client, AsyncClient], ids=["sync", "async"])
def client_of(request: pytest.FixtureRequest) -> Iterator[Callable[..., BlockingFacade]]:
    """Makes a client with made-up credentials: `client_of(handler, **options)`, without a handler on its default transport.

    Without retries, unless a test asks for them.
    """

    def client_of(handler: Handler | None = None, **options: Any) -> BlockingFacade:
        transport = {} if handler is None else {"transport": httpx.MockTransport(handler)}
        made_up = {"api_key": KEY, "api_secret": SECRET, "retry": RetryPolicy.off()}
        client = request.param(**{**made_up, **transport, **options})
        return stack.enter_context(contextlib.closing(BlockingFacade(client, runner)))

    with asyncio.Runner() as runner, contextlib.ExitStack() as stack:
        yield client_of


pytest_plugins = ["tests.support.secret_leaks"]  # no test lets a secret out
