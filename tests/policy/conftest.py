"""Fixtures of the limiters' tests: a real Redis server, and a fake time for either limiter."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from binance_usdm._policy.redis import scripts as redis_scripts
from tests.policy.fake_time import TIME_OF_THE_WORLD, FakeTime, RedisServer, redis_program


@pytest.fixture(scope="session")
def _redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(redis_program(), tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis_url(_redis: RedisServer) -> str:
    """An empty Redis server."""
    with redis.Redis.from_url(_redis.url) as client:
        client.flushall()
    return _redis.url


@pytest.fixture(params=["process", "redis"])
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeTime]:
    """A fake time for the limiter of a process, and one that a Redis server has, too."""
    if request.param == "process":
        yield FakeTime()
        return
    monkeypatch.setattr(redis_scripts, "_NOW", TIME_OF_THE_WORLD)
    with redis.Redis.from_url(request.getfixturevalue("redis_url")) as client:
        yield FakeTime(client)
