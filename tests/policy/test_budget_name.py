"""Which clients share one budget in Redis, and how a hold that is not the exchange's is cleared."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import redis

from binance_usdm import (
    DEMO,
    MAINNET,
    ConfigurationError,
    IPBannedError,
    RedisLimiter,
    TransportError,
)
from tests.support.clients import RecordingHandler
from tests.support.spec_facts import BALANCE_WEIGHT, HOST_BY_ENVIRONMENT

MAINNET_HOST, DEMO_HOST = HOST_BY_ENVIRONMENT["production"], HOST_BY_ENVIRONMENT["demo"]
MOCK = "http://127.0.0.1:8787"
BAN = httpx.Response(418, json={"code": -1003, "msg": "banned"}, headers={"Retry-After": "600"})


def banned(*arguments: Any) -> RecordingHandler:
    return RecordingHandler(BAN)


@pytest.fixture
def connect(make_client: Callable[..., Any], redis_url: str) -> Callable[..., Any]:
    """Make a client for a base URL, on a limiter of its own unless one is passed."""

    def connect(base_url: str, handler: Any = None, **options: Any) -> Any:
        limiter = options.pop("limiter", None) or RedisLimiter(redis_url, **options)
        return make_client(handler or RecordingHandler(), base_url=base_url, limiter=limiter)

    return connect


def keys(redis_url: str) -> set[str]:
    with redis.Redis.from_url(redis_url, decode_responses=True) as server:
        return set(server.keys())


@pytest.mark.promise("R12")
@pytest.mark.parametrize("base_url", [MOCK, "https://localhost:8443", DEMO, f"{MAINNET}/gateway"])
@pytest.mark.parametrize("name", [None, "office"])
def test_ban_of_another_exchange_stays_there(
    connect: Callable[..., Any], base_url: str, name: str | None
) -> None:
    """A ban that a mock, demo trading or a gateway answers with does not stop production."""
    production = connect(MAINNET, name=name)
    production.balance()
    with pytest.raises((IPBannedError, ConfigurationError)):
        connect(base_url, banned(), name=name).balance()
    assert production.balance()
    assert connect(MAINNET, name=name).balance()


@pytest.mark.parametrize(
    ("base_url", "name"),
    [
        (MAINNET, MAINNET_HOST),
        (f"{MAINNET}:443/", MAINNET_HOST),
        (DEMO, DEMO_HOST),
        (MOCK, "http://127.0.0.1:8787"),
        ("http://localhost", "http://localhost"),
        ("https://localhost:8443", "localhost:8443"),
        ("https://gateway.example:8443/binance/", "gateway.example:8443/binance"),
    ],
)
def test_name_follows_base_url(
    connect: Callable[..., Any], redis_url: str, base_url: str, name: str
) -> None:
    """The budget of a base URL is named after its host, port and path prefix."""
    connect(base_url).balance()
    assert keys(redis_url) == {f"binance-usdm:{{{name}}}"}


def test_chosen_name_of_a_mock_differs(connect: Callable[..., Any], redis_url: str) -> None:
    """A mock shares no budget with the exchange, also under one chosen name."""
    for base_url in (MOCK, MAINNET):
        connect(base_url, name="office").balance()
    assert keys(redis_url) == {
        "binance-usdm:{office}",
        "binance-usdm:{http://127.0.0.1:8787 office}",
    }


def test_one_limiter_counts_for_one_base_url(connect: Callable[..., Any], redis_url: str) -> None:
    """A limiter that counts for the exchange is not one for a mock as well."""
    limiter = RedisLimiter(redis_url)
    for _ in range(2):
        connect(MAINNET, limiter=limiter).balance()
    message = f"limiter counts for {MAINNET}; make another RedisLimiter for {MOCK}"
    with pytest.raises(ConfigurationError, match=message):
        connect(MOCK, limiter=limiter)


@pytest.mark.parametrize("fail_open", [False, True])
def test_name_in_use_for_another_base_url(
    connect: Callable[..., Any], redis_url: str, fail_open: bool
) -> None:
    """One chosen name for two base URLs is an error of the second client, which sends nothing."""
    connect(MAINNET, name="office").balance()
    handler = RecordingHandler()
    demo = connect(DEMO, handler, name="office", fail_open=fail_open)
    with pytest.raises(ConfigurationError, match=r"name 'office' .* in use for another base URL"):
        demo.balance()
    assert not handler.requests
    # What the second client hears from its exchange changes nothing, either.
    limiter = RedisLimiter(redis_url, name="office")
    limiter.bind_base_url(DEMO, is_test=False)
    with pytest.raises(ConfigurationError):
        limiter.start_cooldown(60, banned=True)
    assert connect(MAINNET, name="office").balance()


@pytest.mark.parametrize("base_url", [MOCK, DEMO, "https://gateway.example"])
def test_name_of_the_exchange_is_its_own(connect: Callable[..., Any], base_url: str) -> None:
    """No other base URL can have the name of the exchange's budget."""
    with pytest.raises(ConfigurationError, match="is that of the exchange, not of"):
        connect(base_url, name=MAINNET_HOST)


@pytest.mark.parametrize("name", ["", "a{b", "a}b", "a\nb", "x" * 101, 5, b"office"])
def test_unusable_name_is_rejected(redis_url: str, name: Any) -> None:
    """A name is a short printable string without braces."""
    with pytest.raises(ConfigurationError, match=r"^name must be 1 to 100 printable characters"):
        RedisLimiter(redis_url, name=name)


@pytest.mark.promise("R11", "R12")
@pytest.mark.parametrize("is_ban", [False, True])
def test_cleared_hold_frees_other_processes(redis_url: str, is_ban: bool) -> None:
    """A hold that was cleared stops nobody who heard of it through Redis."""
    code = (
        "import sys; from binance_usdm import RedisLimiter;"
        "RedisLimiter(sys.argv[1]).start_cooldown(60, banned=bool(int(sys.argv[2])))"
    )
    arguments = [sys.executable, "-c", code, redis_url, str(int(is_ban))]
    subprocess.run(arguments, check=True, timeout=30)
    limiter = RedisLimiter(redis_url)
    if is_ban:
        with pytest.raises(IPBannedError):
            limiter.acquire(1)
    else:
        assert limiter.acquire(1) > 0
    operator = RedisLimiter(redis_url)
    assert operator.clear_cooldown() == pytest.approx(60, abs=15)
    assert operator.clear_cooldown() == 0.0
    assert limiter.acquire(1) == 0.0


def test_cleared_hold_is_forgotten_here(connect: Callable[..., Any], redis_url: str) -> None:
    """The limiter that clears a hold forgets what it met itself, and the count stays."""
    limiter = RedisLimiter(redis_url)
    client = connect(MOCK, banned(), limiter=limiter)
    with pytest.raises(IPBannedError):
        client.balance()
    assert limiter.clear_cooldown() > 500
    with redis.Redis.from_url(redis_url, decode_responses=True) as server:
        (key,) = server.keys()
        fields: Any = server.hgetall(key)
    assert fields.pop("base_url") == MOCK
    assert set(fields.values()) == {str(BALANCE_WEIGHT)}
    assert limiter.acquire(1) == 0.0


@pytest.mark.parametrize("fail_open", [False, True])
def test_nothing_is_cleared_without_a_server(fail_open: bool) -> None:
    """Clearing says so when the server gives no answer, and the hold goes on."""
    limiter = RedisLimiter("redis://127.0.0.1:1", fail_open=fail_open)
    limiter.start_cooldown(60, banned=True)
    with pytest.raises(TransportError, match="cannot be reached"):
        limiter.clear_cooldown()
    with pytest.raises(IPBannedError):
        limiter.acquire(1)


@pytest.mark.promise("R12")
@pytest.mark.parametrize("is_cleared", [False, True])
def test_ban_heard_of_outlasts_the_server(redis_url: str, is_cleared: bool) -> None:
    """A ban of another process holds when the server is gone later, unless it was cleared."""
    RedisLimiter(redis_url).start_cooldown(60, banned=True)
    limiter = RedisLimiter(redis_url, fail_open=True)
    with pytest.raises(IPBannedError):
        limiter.acquire(1)
    if is_cleared:
        RedisLimiter(redis_url).clear_cooldown()
        assert limiter.acquire(1) == 0.0
    limiter.close()
    limiter._connections = RedisLimiter("redis://127.0.0.1:1")._connections
    if is_cleared:
        assert limiter.acquire(1) == 0.0
        return
    with pytest.raises(IPBannedError):
        limiter.acquire(1)
