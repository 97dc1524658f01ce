"""What all tests share: settings of Hypothesis, the table of promises, and clients of both kinds."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import settings
from hypothesis.configuration import set_hypothesis_home_dir

from binance_usdm import AsyncClient, Client, RetryPolicy, reset_shared_state
from tests.support.clients import KEY, SECRET, BlockingFacade, Handler
from tests.support.timing import freeze_objects


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker of promises, and set up Hypothesis.

    What Hypothesis learns of the source stays in pytest's cache, not beside the code. No example
    has a deadline: a busy machine would fail it.
    """
    settings.register_profile("tests", deadline=None)
    settings.load_profile("tests")
    config.addinivalue_line(
        "markers", "promise(id, ...): the rows of docs/promises.md that this test proves"
    )
    # There is no cache with `-p no:cacheprovider`.
    cache: pytest.Cache | None = getattr(config, "cache", None)
    if cache is not None:
        set_hypothesis_home_dir(cache.mkdir("hypothesis"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return the number of workers for `-n auto`: one more than processors, since many tests wait."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_finish() -> None:
    """The cycle collector need not look at thousands of tests again and again."""
    freeze_objects()


@pytest.fixture(autouse=True)
def _new_process() -> Iterator[None]:
    """Each test starts without what the process learned of an exchange: a port may be another one a moment later."""
    yield
    reset_shared_state()


@pytest.fixture(scope="session", autouse=True)
def _inherit_no_ignored_signal() -> None:
    """Let programs that tests start have the default signal handlers.

    A background job or `nohup` ignores some, and programs would inherit that. A handler here still
    ignores them, and is not inherited.
    """
    for name in ("SIGHUP", "SIGINT", "SIGQUIT"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


@pytest.fixture(autouse=True)
def _collect_left_sockets(request: pytest.FixtureRequest) -> Iterator[None]:
    """Free at once what a test that may leave sockets open left, while it ignores the warning.

    An interrupt between a socket and its owner leaves it to the collector, which would warn in a
    later test.
    """
    yield
    ignored = [
        argument for mark in request.node.iter_markers("filterwarnings") for argument in mark.args
    ]
    if any("ResourceWarning" in argument for argument in ignored):
        gc.collect()


_held: set[str] = set()
_broken: dict[str, set[str]] = {}
"""Promise -> tests that broke it."""


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note which promises a test held, or broke."""
    promises = [str(value) for name, value in report.user_properties if name == "promise"]
    if report.failed:
        test = report.nodeid.rpartition("::")[2].partition("[")[0]
        for promise in promises:
            _broken.setdefault(promise, set()).add(test)
    elif report.passed and report.when == "call":
        _held.update(promises)


def pytest_runtest_setup(item: pytest.Item) -> None:
    item.user_properties += [
        ("promise", name) for mark in item.iter_markers("promise") for name in mark.args
    ]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many promises the tests held, and which tests broke one.

    The whole table is docs/promises.md.
    """
    held = _held - _broken.keys()
    if held:
        terminalreporter.write_line(f"{len(held)} promises held")
    for name, tests in sorted(_broken.items()):
        terminalreporter.write_line(f"{name} BROKEN by {', '.join(sorted(tests))}", red=True)


@pytest.fixture(params=[Client, AsyncClient], ids=["sync", "async"])
def make_client(request: pytest.FixtureRequest) -> Iterator[Callable[..., BlockingFacade]]:
    """Makes a client with made-up credentials: `make_client(handler, **options)`, without a handler on its default transport.

    Without retries, unless a test asks for them.
    """

    def make_client(handler: Handler | None = None, **options: Any) -> BlockingFacade:
        transport = {} if handler is None else {"transport": httpx.MockTransport(handler)}
        made_up = {"api_key": KEY, "api_secret": SECRET, "retry": RetryPolicy.off()}
        client = request.param(**{**made_up, **transport, **options})
        return stack.enter_context(contextlib.closing(BlockingFacade(client, runner)))

    with asyncio.Runner() as runner, contextlib.ExitStack() as stack:
        yield make_client


pytest_plugins = ["tests.support.secret_leaks"]  # no test lets a secret out
