"""BINANCE_BUDGET: clients of the environment, the command and `doctor` count in Redis."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from subprocess import PIPE
from typing import Any

import httpx
import pytest
import redis

from binance_usdm import (
    MAINNET,
    AsyncClient,
    Client,
    ConfigurationError,
    IPBannedError,
    RedisLimiter,
    reset_shared_state,
)
from binance_usdm._policy import shared
from binance_usdm.mock import Exchange, running
from tests.support import canaries
from tests.support.clients import KEY, SECRET, RecordingHandler
from tests.support.command_line import process, run
from tests.support.spec_facts import BALANCE_WEIGHT

CLIENTS = pytest.mark.parametrize("kind", [Client, AsyncClient])
FULL = 10**6


@pytest.fixture(autouse=True)
def _no_limiters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "_budgets", {})
    monkeypatch.setattr(shared, "BUDGET_TIMEOUT_SECONDS", 20.0)


@pytest.fixture
def variables(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set the variables of an account and of the budget, and others that are passed."""

    def set_variables(**changed: str) -> None:
        known = {"API_KEY": KEY, "API_SECRET": SECRET, "BUDGET": redis_url}
        for name, text in (known | changed).items():
            monkeypatch.setenv(f"BINANCE_{name}", text)

    set_variables()
    return set_variables


@pytest.fixture
def exchange() -> Iterator[tuple[Exchange, dict[str, str]]]:
    """A mock exchange on a socket, and the variables that lead to it."""
    exchange = Exchange()
    with running(exchange) as url:
        account = {"API_KEY": str(exchange.api_key), "API_SECRET": str(exchange.api_secret)}
        names = {"BASE_URL": url, **account}
        yield exchange, {f"BINANCE_{name}": text for name, text in names.items()}


def budget_key(base_url: str) -> str:
    return f"binance-usdm:{{{base_url}}}"


def fill(redis_url: str, base_url: str) -> None:
    """Use up the budget of this minute and of the next ones."""
    minute = int(time.time() // 60)
    with redis.Redis.from_url(redis_url) as server:
        server.hset(budget_key(base_url), mapping={str(minute + n): FULL for n in range(-1, 3)})


def limiter_of(client: Client | AsyncClient) -> Any:
    return client._limiter_queue.limiter


@CLIENTS
def test_clients_of_the_environment_share_one_limiter(
    variables: Callable[..., None], redis_url: str, kind: Any
) -> None:
    """All clients of a base URL have one limiter, so that their calls wait in one line."""
    first, second, demo = kind.from_env(), kind.from_env(), kind.from_env(base_url="http://[::1]:1")
    assert isinstance(limiter_of(first), RedisLimiter)
    assert limiter_of(first) is limiter_of(second)
    assert limiter_of(first)._key == budget_key("fapi.binance.com")
    assert limiter_of(demo)._key == budget_key("http://[::1]:1")
    own = RedisLimiter(redis_url)
    assert limiter_of(kind.from_env(limiter=own)) is own
    assert not isinstance(limiter_of(kind.from_env(limiter="shared")), RedisLimiter)
    variables(BUDGET="")
    assert not isinstance(limiter_of(kind.from_env()), RedisLimiter)


@pytest.mark.promise("R10")
def test_call_counts_in_redis(variables: Callable[..., None], redis_url: str) -> None:
    """A call of such a client takes its weight from the budget of its base URL."""
    transport = httpx.MockTransport(RecordingHandler())
    with Client.from_env(transport=transport) as client:
        client.balance()
    with redis.Redis.from_url(redis_url, decode_responses=True) as server:
        (key,) = server.keys()
        values: Any = server.hgetall(key)
    assert (key, values["base_url"]) == (budget_key("fapi.binance.com"), MAINNET)
    assert str(BALANCE_WEIGHT) in values.values()


@CLIENTS
@pytest.mark.parametrize("url", ["http://{}", "redis://:{}@host?nonsense=1", "{}"])
def test_unusable_url_is_named(variables: Callable[..., None], kind: Any, url: str) -> None:
    """An error names the variable and does not repeat it."""
    variables(BUDGET=url.format(canaries.PASSWORD))
    message = r"^BINANCE_BUDGET must be a Redis URL: redis://"
    with pytest.raises(ConfigurationError, match=message) as caught:
        kind.from_env()
    assert canaries.holds_no_canary(canaries.crash_report(caught.value))
    for command in ("balance", "server-time"):
        finished = run(command, **{n: os.environ[n] for n in os.environ if n[:8] == "BINANCE_"})
        assert (finished.returncode, finished.stdout) == (1, "")
        assert "BINANCE_BUDGET must be a Redis URL" in finished.stderr
        assert canaries.holds_no_canary(finished.stderr)


def test_shared_state_is_reset(variables: Callable[..., None]) -> None:
    """`reset_shared_state` forgets a ban that such a limiter met."""
    limiter = limiter_of(Client.from_env())
    limiter.start_cooldown(60, banned=True)
    assert limiter.clear_cooldown() > 0
    limiter._local_limiter.start_cooldown(60, banned=True)
    reset_shared_state("http://127.0.0.1:1")
    with pytest.raises(IPBannedError):
        limiter.acquire(1)
    reset_shared_state(MAINNET)
    assert limiter.acquire(1) == 0
    assert limiter_of(Client.from_env()) is not limiter


@pytest.mark.promise("R10")
def test_commands_share_a_budget(exchange: tuple[Exchange, dict[str, str]], redis_url: str) -> None:
    """Processes of the command count together, and send nothing when the budget is used up."""
    mock, variables = exchange
    variables["BINANCE_BUDGET"] = redis_url

    def read_balance(number: int) -> int:
        return process("balance", encoding="utf-8", stdout=PIPE, **variables).returncode

    with ThreadPoolExecutor(3) as pool:
        exit_codes = list(pool.map(read_balance, range(3)))
    assert exit_codes == [0, 0, 0]
    key = budget_key(variables["BINANCE_BASE_URL"])
    with redis.Redis.from_url(redis_url) as server:
        assert sum(map(int, filter(bytes.isdigit, server.hvals(key)))) >= 15
    fill(redis_url, variables["BINANCE_BASE_URL"])
    for command in ("balance", "server-time"):
        done = run(command, "--timeout", "5", **variables)
        assert (done.returncode, done.stdout) == (1, "")
        assert "is exhausted until" in done.stderr
    assert [request.status for request in mock.requests] == [200, 200, 200]


def doctor(variables: dict[str, str], redis_url: str) -> dict[str, Any]:
    """Run `doctor`, and return its findings by name."""
    done = run("doctor", "--json", **variables, BINANCE_BUDGET=redis_url)
    return {finding["check"]: finding for finding in json.loads(done.stdout)["findings"]}


def test_doctor_checks_the_budget(
    exchange: tuple[Exchange, dict[str, str]], redis_url: str
) -> None:
    """`doctor` counts there, and says what is wrong with it and what to do."""
    _, variables = exchange
    assert "budget" not in doctor(variables, "")
    findings = doctor(variables, redis_url)
    assert list(findings)[:4] == ["credentials", "base_url", "budget", "reachable"]
    assert findings["budget"]["summary"] == "the Redis server of BINANCE_BUDGET counts"
    assert (findings["budget"]["verdict"], findings["signed_call"]["verdict"]) == ("ok", "ok")
    with redis.Redis.from_url(redis_url) as server:
        values = server.hvals(budget_key(variables["BINANCE_BASE_URL"]))
    assert sum(map(int, filter(bytes.isdigit, values))) >= 9
    limiter = RedisLimiter(redis_url)
    limiter.bind_base_url(variables["BINANCE_BASE_URL"], is_test=True)
    limiter.start_cooldown(60, banned=True)
    shared._budgets.clear()
    banned = doctor(variables, redis_url)["budget"]
    assert banned["verdict"] == "problem"
    assert "clear_cooldown()" in banned["advice"]


@pytest.mark.parametrize(
    ("url", "summary"),
    [
        ("redis://:{}@127.0.0.1:1", "the shared weight budget cannot be reached (ConnectionError)"),
        ("http://{}", "BINANCE_BUDGET must be a Redis URL"),
    ],
)
def test_doctor_names_a_budget_that_fails(
    exchange: tuple[Exchange, dict[str, str]], url: str, summary: str
) -> None:
    """A server that gives no answer is a problem of its own; the other checks go on without."""
    _, variables = exchange
    findings = doctor(variables, url.format(canaries.PASSWORD))
    assert findings["budget"]["verdict"] == "problem"
    assert findings["budget"]["summary"].startswith(summary)
    assert "BINANCE_BUDGET" in findings["budget"]["advice"]
    assert findings["signed_call"]["verdict"] == "ok"
    assert canaries.holds_no_canary(json.dumps(findings))


def test_mock_run_leaves_the_budget_out() -> None:
    """A program against the mock does not ask the Redis server of the shell."""
    program = ("binance_usdm", "balance", "--json")
    command = ("mock", "run", "--", sys.executable, "-m", *program)
    done = process(*command, BINANCE_BUDGET="redis://127.0.0.1:1")
    summary = "mock exchange: 1 request: 1 accepted, 0 rejected, 0 answered by faults\n"
    assert (done.returncode, done.stderr) == (0, summary)
