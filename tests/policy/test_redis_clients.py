"""A limiter counts by a client of redis-py that the user made."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

from binance_usdm import ConfigurationError, IPBannedError, RedisLimiter, TransportError
from binance_usdm._policy.redis import scripts as redis_scripts
from tests.policy.fake_redis_server import SILENCE, FakeRedisServer, Step, answer_to
from tests.policy.fake_time import TIME_OF_THE_WORLD, FakeTime, RedisServer, redis_program
from tests.policy.redis_sets import SentinelSet, running_cluster, wait_until
from tests.support import canaries
from tests.support.clients import RecordingHandler
from tests.support.spec_facts import BALANCE_WEIGHT
from tests.support.timing import best_duration

# The constructors of redis-py are not typed.
Pool: Any = redis.BlockingConnectionPool
AnySentinel: Any = Sentinel
CLIENTS: dict[str, Callable[[str], redis.Redis]] = {
    "plain": lambda url: redis.Redis.from_url(url, socket_timeout=5),
    "texts": lambda url: redis.Redis.from_url(url, socket_timeout=5, decode_responses=True),
    "protocol 3": lambda url: redis.Redis.from_url(url, socket_timeout=5, protocol=3),
    "pool": lambda url: redis.Redis(connection_pool=Pool.from_url(url, socket_timeout=5)),
}


@pytest.mark.promise("R10", "R12")
@pytest.mark.parametrize("kind", CLIENTS)
def test_client_shares_the_budget_of_a_url(redis_url: str, kind: str) -> None:
    """What one limiter takes by a client, another misses that has the URL."""
    with CLIENTS[kind](redis_url) as client:
        mine = RedisLimiter(client=client, limit=100, timeout=20)
        other = RedisLimiter(redis_url, limit=100, timeout=20)
        assert [mine.acquire(40), other.acquire(40)] == [0, 0]
        assert mine.acquire(1) > 0
        client.script_flush()
        assert mine.acquire(1) > 0
        mine.start_cooldown(60, banned=True)
        with pytest.raises(IPBannedError):
            other.acquire(1)
        assert mine.clear_cooldown() > 50
        own = client.client_id()
        mine.close()
        assert client.client_id() == own, "who made the client closes it"


def test_client_makes_calls(make_client: Callable[..., Any], redis_url: str) -> None:
    """Both clients of the exchange count by a client of redis-py."""
    with redis.Redis.from_url(redis_url, socket_timeout=5) as client:
        limiter = RedisLimiter(client=client, timeout=20)
        for _ in range(3):
            make_client(RecordingHandler(), limiter=limiter).balance()
        (key,) = client.keys()
        assert 3 * BALANCE_WEIGHT in map(int, filter(bytes.isdigit, client.hvals(key)))


def test_credentials_come_from_a_provider(tmp_path: Path) -> None:
    """A client may log in with tokens, as those of a cloud are."""

    class Tokens(redis.CredentialProvider):
        def get_credentials(self) -> tuple[str]:
            return (canaries.PASSWORD,)

    server = RedisServer(redis_program(), tmp_path, canaries.PASSWORD)
    server.start()
    try:
        no_retries = Retry(NoBackoff(), 0)
        options: dict[str, Any] = {"port": server.port, "socket_timeout": 5, "retry": no_retries}
        with redis.Redis(credential_provider=Tokens(), **options) as client:
            assert RedisLimiter(client=client, timeout=20).acquire(1) == 0
        with redis.Redis(password=f"not {canaries.PASSWORD}", **options) as client:
            limiter = RedisLimiter(client=client, timeout=20)
            with pytest.raises(TransportError, match="AuthenticationError") as caught:
                limiter.acquire(1)
        assert not caught.value.retryable
        assert canaries.holds_no_canary(canaries.crash_report(caught.value))
        assert canaries.holds_no_canary(repr(limiter) + repr(limiter._connections))
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("client", "message"),
    [
        ("redis://127.0.0.1", "blocking client of redis-py.*not builtins.str"),
        (redis.asyncio.Redis(socket_timeout=1), "blocking client of redis-py.*not redis.asyncio"),
        (
            AnySentinel([("127.0.0.1", 1)]),
            r"Sentinel\(\.\.\.\)\.master_for\(name\).*redis.sentinel",
        ),
        (redis.Redis(socket_timeout=None), "time limit.*socket_timeout=0.5"),
        (redis.Redis(connection_pool=Pool(socket_timeout=None)), "time limit"),
    ],
)
def test_unusable_client_is_rejected(client: Any, message: str) -> None:
    """What is no blocking client, or could hang, is an error that says what to pass."""
    with pytest.raises(ConfigurationError, match=f"^client must .*{message}"):
        RedisLimiter(client=client)


def test_url_or_client() -> None:
    """One of the two is passed."""
    with pytest.raises(ConfigurationError, match=r"^url and client are both set"):
        RedisLimiter("redis://127.0.0.1", client=redis.Redis(socket_timeout=1))
    with pytest.raises(ConfigurationError, match=r"^url must be a Redis URL"):
        RedisLimiter()
    with pytest.raises(ConfigurationError, match=r"^timeout must be seconds"):
        RedisLimiter(client=redis.Redis(socket_timeout=1), timeout=0)


def silent(command: list[bytes]) -> Iterable[Step]:
    return [SILENCE] if command[0].startswith(b"EVAL") else [answer_to(command)]


@pytest.mark.promise("R1")
def test_silent_server_ends_at_timeout() -> None:
    """`timeout` bounds an operation, whatever the client's own limits and retries are."""
    with FakeRedisServer(silent) as server:
        client = redis.Redis.from_url(server.url, socket_timeout=2, protocol=2)
        limiter = RedisLimiter(client=client, timeout=0.1)

        def ask() -> None:
            with pytest.raises(TransportError, match=r"\(TimeoutError\); nothing was sent"):
                limiter.acquire(1)

        assert 0.1 <= best_duration(ask, 0.25) < 0.25


@pytest.mark.parametrize("kind", ["plain", "pool"])
def test_server_that_became_a_replica_is_left(redis_url: str, kind: str) -> None:
    """After a failure the idle connections are closed, so that a name leads to the new server."""
    with CLIENTS[kind](redis_url) as client, redis.Redis.from_url(redis_url) as admin:
        limiter = RedisLimiter(client=client, timeout=20)
        assert limiter.acquire(1) == 0
        before = {connection["id"] for connection in admin.client_list()}
        admin.replicaof("127.0.0.1", "1")
        try:
            with pytest.raises(TransportError, match="ReadOnlyError"):
                limiter.acquire(1)
        finally:
            admin.replicaof("NO", "ONE")
        assert limiter.acquire(1) == 0
        assert {connection["id"] for connection in admin.client_list()} - before


def test_cluster_keeps_a_budget(tmp_path: Path) -> None:
    """A cluster runs the scripts, whose only key is in one place."""
    with running_cluster(tmp_path) as server:
        cluster: Any = redis.RedisCluster
        client = cluster(host="127.0.0.1", port=server.port, socket_timeout=5)
        endless = cluster(host="127.0.0.1", port=server.port, socket_timeout=None)
        try:
            limiter = RedisLimiter(client=client, limit=100, timeout=20)
            assert limiter.acquire(80) == 0
            assert RedisLimiter(client=client, limit=100, timeout=20).acquire(1) > 0
            with redis.Redis.from_url(server.url) as node:
                node.script_flush()
            assert limiter.acquire(1) > 0
            with pytest.raises(ConfigurationError, match="time limit"):
                RedisLimiter(client=endless)
        finally:
            client.close()
            endless.close()


def is_banned(limiter: RedisLimiter) -> bool:
    """Return whether the server says so. Without a server a call may be made again later."""
    try:
        limiter.acquire(1)
    except IPBannedError:
        return True
    except TransportError:
        return False
    return False


@pytest.mark.promise("R10", "R12")
def test_failover_of_a_sentinel_set(tmp_path: Path) -> None:
    """The master ends; calls fail until the replica is the master, which has count and ban."""
    servers = SentinelSet(tmp_path)
    with servers.running(), servers.connect() as client:
        limiter = RedisLimiter(client=client, limit=10**6, timeout=2)
        assert limiter.acquire(100) == 0
        limiter.start_cooldown(600, banned=True)
        # The replica has it.
        wait_until(lambda: client.wait(1, 100) == 1)
        other = RedisLimiter(client=client, limit=10**6, timeout=2)
        servers.master.stop()
        wait_until(lambda: is_banned(other))
        assert other.clear_cooldown() > 500
        assert other.acquire(1) == 0
        with redis.Redis.from_url(servers.replica.url) as new_master:
            state: Any = new_master.info("replication")
            assert state["role"] == "master"
            (key,) = new_master.keys()
            assert max(map(int, filter(bytes.isdigit, new_master.hvals(key)))) >= 100


@pytest.mark.promise("R10")
def test_shares_are_priorities(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A limiter with a small share stops early, and never holds up one with a large share."""
    monkeypatch.setattr(redis_scripts, "_NOW", TIME_OF_THE_WORLD)
    with redis.Redis.from_url(redis_url) as server:
        world = FakeTime(server)
        world.advance(10_000)
        jobs, trading = world.limiter(share=0.2), world.limiter(share=0.8)
        assert [jobs.acquire(20), jobs.acquire(1) > 0] == [0, True]
        assert [trading.acquire(60), trading.acquire(1) > 0] == [0, True]
        world.advance(60_000)
        assert [trading.acquire(20), jobs.acquire(1) > 0] == [0, True]
