"""The weight budget against the mock: lifted on this machine only, kept when asked for."""

from __future__ import annotations

import os
import sys
from typing import Any

import pytest

import binance_usdm
from binance_usdm import MAINNET, Client, WeightLimiter
from binance_usdm._config.mock_environment import ENV_MOCK_URLS, choose_proxy
from binance_usdm.mock import DEFAULT_API_KEY, DEFAULT_API_SECRET, Exchange, Switches, running
from tests.support.command_line import run
from tests.support.spec_facts import BALANCE_WEIGHT, HOST_BY_ENVIRONMENT

HOST = HOST_BY_ENVIRONMENT["production"]
MINUTE_OF_CALLS = 1920 // BALANCE_WEIGHT + 1
"""One more balance than the shared budget of 1,920 allows in a minute."""


@pytest.fixture(autouse=True)
def no_other_mock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget mocks that fixtures of other tests serve."""
    monkeypatch.delenv(ENV_MOCK_URLS, raising=False)


def make_client(url: str, **options: Any) -> Client:
    return Client(DEFAULT_API_KEY, DEFAULT_API_SECRET, base_url=url, **options)


def test_the_budget_is_lifted_while_a_mock_runs() -> None:
    """More calls than the budget allows reach a mock with `running()`, under either name."""
    with running(Exchange(switches=Switches(weight_limit=100_000))) as url:
        with make_client(url) as client:
            for _ in range(MINUTE_OF_CALLS):
                client.balance()
        with make_client(f"{url.replace('127.0.0.1', 'localhost')}/prefix") as client:
            assert "budget=inf" in repr(client._limiter_queue.limiter)
    assert ENV_MOCK_URLS not in os.environ
    assert "budget=1920" in repr(make_client(url)._limiter_queue.limiter)


def test_a_budget_is_kept_when_a_test_is_about_it() -> None:
    """A limiter that is passed keeps its budget, and its error names the option."""
    limiter = WeightLimiter(limit=2 * BALANCE_WEIGHT, share=1)
    with running() as url, make_client(url, limiter=limiter) as client:

        def make_calls() -> None:
            # A minute may end meanwhile, but not two.
            for _ in range(5):
                client.balance()

        with pytest.raises(binance_usdm.RateLimitError, match=r"\(option `limiter`\)"):
            make_calls()


@pytest.mark.parametrize(
    "url",
    [
        f"https://{HOST}",
        f"https://{HOST}:8787",
        "https://127.0.0.1.example:8787",
        "http://mock:8787",
    ],
)
def test_other_hosts_keep_their_budget(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """No value of the variable lifts the budget of a host that is not this machine."""
    monkeypatch.setenv(ENV_MOCK_URLS, f"{url},{url}:443,http://127.0.0.1:8787,https://[::1")
    client = make_client(url, allow_http_hosts=("mock",))
    assert "budget=1920" in repr(client._limiter_queue.limiter)


def test_another_port_keeps_its_budget() -> None:
    """A program on this machine that is not the mock, such as a gateway, has a budget."""
    with running() as url, running() as other:
        assert os.environ[ENV_MOCK_URLS] == f"{url},{other}"
        assert "budget=1920" in repr(make_client("http://127.0.0.1:9")._limiter_queue.limiter)
        assert "budget=inf" in repr(make_client(other)._limiter_queue.limiter)


def test_the_budget_of_a_program_is_lifted() -> None:
    """`mock run` lifts the budget of the program that it runs."""
    program = "import binance_usdm as b; print(b.Client.from_env()._limiter_queue.limiter)"
    done = run("mock", "run", "--", sys.executable, "-c", program)
    assert done.stdout == "WeightLimiter(budget=inf)\n"


@pytest.mark.parametrize(
    ("sealed", "base_url", "chosen"),
    [
        ("http://127.0.0.1:8080", MAINNET, "http://127.0.0.1:8080"),
        ("http://[::1]:8080", MAINNET, "http://[::1]:8080"),
        ("http://127.0.0.1:8080", "http://localhost:8787", None),
        ("http://proxy.example:8080", MAINNET, None),
        ("http://127.0.0.1.proxy.example:8080", MAINNET, None),
        ("http://127.0.0.1@proxy.example:8080", MAINNET, None),
        ("", MAINNET, None),
    ],
)
def test_a_sealed_run_has_its_proxy_here(
    monkeypatch: pytest.MonkeyPatch, sealed: str, base_url: str, chosen: str | None
) -> None:
    """No variable of the environment leads a call over another machine."""
    monkeypatch.setenv("BINANCE_SEALED_PROXY", sealed)
    assert choose_proxy(None, base_url) == chosen
    assert choose_proxy("http://own:1", base_url) == "http://own:1"
