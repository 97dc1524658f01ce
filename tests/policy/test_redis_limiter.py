"""The budget in Redis when something is wrong: no server, a silent one, one that refuses; and what must never be told."""

from __future__ import annotations

import copy
import logging
import pickle
import pprint
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import redis

from binance_usdm import ConfigurationError, IPBannedError, TransportError
from binance_usdm._policy.redis_limiter import RedisLimiter
from tests.policy.fake_time import RedisServer, redis_program
from tests.support import canaries
from tests.support.timing import best_duration

UNREACHABLE = r"the shared weight budget cannot be reached \(\w+\); nothing was sent"
WITH_PASSWORD = f"redis://user:{canaries.PASSWORD}@127.0.0.1:{{port}}/0"


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def locked(url: str) -> RedisLimiter:
    """A limiter that knows a ban."""
    limiter = RedisLimiter(url, timeout=0.1)
    limiter.start_cooldown(60, banned=True)
    return limiter


def test_all_limiters_of_a_name_share_one_budget(redis_url: str) -> None:
    first, second = (RedisLimiter(redis_url, limit=100) for _ in range(2))
    other = RedisLimiter(redis_url, limit=100, name="demo-fapi.binance.com")
    assert [first.acquire(50), second.acquire(30)] == [0, 0]
    assert first.acquire(1) > 0
    assert second.acquire(1) > 0
    assert other.acquire(80) == 0


@pytest.mark.promise("R12")
def test_a_ban_that_another_process_met_holds_here(redis_url: str) -> None:
    code = "import sys; from binance_usdm._policy.redis_limiter import RedisLimiter as L; L(sys.argv[1]).start_cooldown(60, banned=True)"
    subprocess.run([sys.executable, "-c", code, redis_url], check=True, timeout=30)
    limiter = RedisLimiter(redis_url)
    for _ in range(2):
        with pytest.raises(IPBannedError) as caught:
            limiter.acquire(1)
        assert caught.value.retry_after == pytest.approx(60, abs=15)
        assert caught.value.banned_until is not None


@pytest.mark.promise("R11")
def test_a_429_that_another_process_met_holds_here(redis_url: str) -> None:
    RedisLimiter(redis_url).start_cooldown(30, banned=False)
    assert RedisLimiter(redis_url).acquire(1) == pytest.approx(30, abs=10)


@pytest.mark.promise("R11", "R12")
@pytest.mark.parametrize("banned", [False, True])
def test_another_process_cannot_shorten_what_is_known(redis_url: str, banned: bool) -> None:
    for asked in (60, 5):
        RedisLimiter(redis_url).start_cooldown(asked, banned=banned)
    if banned:
        with pytest.raises(IPBannedError) as caught:
            RedisLimiter(redis_url).acquire(1)
        assert caught.value.retry_after == pytest.approx(60, abs=15)
    else:
        assert RedisLimiter(redis_url).acquire(1) == pytest.approx(60, abs=15)


def test_a_flushed_script_is_loaded_again(redis_url: str) -> None:
    limiter = RedisLimiter(redis_url)
    limiter.acquire(1)
    with redis.Redis.from_url(redis_url) as client:
        client.script_flush()
    assert limiter.acquire(1) == 0


def connected(client: redis.Redis) -> set[str]:
    """The server's numbers of all who are connected."""
    return {connection["id"] for connection in client.client_list()}


def test_a_closed_limiter_has_no_connection_and_makes_one_when_asked(redis_url: str) -> None:
    limiter = RedisLimiter(redis_url, limit=100)
    with redis.Redis.from_url(redis_url) as client:
        before = connected(client)
        assert limiter.acquire(10) == 0
        (own,) = connected(client) - before
        limiter.close()
        until = time.monotonic() + 2
        while (
            own in connected(client) and time.monotonic() < until
        ):  # the server learns of it a moment later
            time.sleep(0.001)
        assert own not in connected(client)
        assert limiter.acquire(10) == 0
    limiter.close()


def test_nothing_stays_in_the_server_for_long(redis_url: str) -> None:
    limiter = RedisLimiter(redis_url)
    with redis.Redis.from_url(redis_url) as client:
        limiter.acquire(1)
        (key,) = client.keys()
        assert key == b"binance-usdm:{fapi.binance.com}"
        assert 0 < client.pttl(key) <= 180_000
        client.hset(key, mapping={"12345": 7, "99999999999": 7})
        limiter.acquire(1)
        assert not {b"12345", b"99999999999"} & set(client.hkeys(key))
        limiter.start_cooldown(3600, banned=True)
        limiter.observe(2000)
        assert 3_500_000 < client.pttl(key) <= 3_600_000


def test_a_forked_process_may_go_on_with_its_limiter(redis_url: str) -> None:
    code = """
import os, sys
from binance_usdm._policy.redis_limiter import RedisLimiter
limiter = RedisLimiter(sys.argv[1], limit=100)
assert limiter.acquire(10) == 0
if (child := os.fork()) == 0:
    os._exit(0 if limiter.acquire(60) == 0 else 1)
assert os.waitpid(child, 0)[1] == 0
sys.exit(limiter.acquire(20) == 0)
"""
    subprocess.run([sys.executable, "-c", code, redis_url], check=True, timeout=30)


Breakage = Callable[[Any], object]
BREAKAGES: dict[str, Breakage] = {
    "read-only": lambda client: client.replicaof("127.0.0.1", "1"),
    "of another type": lambda client: client.set("binance-usdm:{fapi.binance.com}", "text"),
    "no number": lambda client: client.hset("binance-usdm:{fapi.binance.com}", "ban", "soon"),
    "forbidden": lambda client: client.execute_command("ACL", "SETUSER", "default", "-hset"),
    "other password": lambda client: client.execute_command(
        "ACL", "SETUSER", "default", "resetpass", ">other"
    ),
    "out of memory": lambda client: client.config_set("maxmemory", "1"),
}
RECOVERY = (("REPLICAOF", "NO", "ONE"), ("CONFIG", "SET", "maxmemory", "0"))


@pytest.mark.parametrize("breakage", BREAKAGES)
def test_a_server_that_cannot_count_is_no_budget(redis_url: str, breakage: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.config_set("maxmemory-policy", "noeviction")
        try:
            BREAKAGES[breakage](client)
            with pytest.raises(TransportError, match=UNREACHABLE):
                RedisLimiter(redis_url).acquire(1)
            RedisLimiter(redis_url).observe(1)
            RedisLimiter(redis_url).start_cooldown(1, banned=True)
            assert RedisLimiter(redis_url, fail_open=True).acquire(1) == 0
        finally:
            client.execute_command("ACL", "SETUSER", "default", "on", "nopass", "+@all", "~*")
            for command in RECOVERY:
                client.execute_command(*command)


def test_without_a_server_nothing_is_sent(closed_port: int) -> None:
    limiter = RedisLimiter(f"redis://127.0.0.1:{closed_port}")

    def ask() -> None:
        with pytest.raises(TransportError, match=UNREACHABLE):
            limiter.acquire(1)

    assert best_duration(ask, 0.2) < 0.2


@pytest.mark.promise("R1")
def test_a_silent_server_holds_up_nobody_for_longer_than_its_timeout(silent_port: int) -> None:
    limiter = RedisLimiter(f"redis://127.0.0.1:{silent_port}", timeout=0.1)

    def ask() -> None:
        with pytest.raises(TransportError, match=UNREACHABLE):
            limiter.acquire(1)

    assert 0.1 <= best_duration(ask, 0.25) < 0.25
    assert best_duration(lambda: limiter.observe(1), 0.25) < 0.25
    assert best_duration(lambda: limiter.start_cooldown(0, banned=False), 0.25) < 0.25


def test_a_server_that_speaks_something_else_is_no_budget(closed_port: int) -> None:
    def speak(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(100)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor() as pool:
        pool.submit(speak, listening)
        with pytest.raises(TransportError, match=UNREACHABLE):
            RedisLimiter(f"redis://127.0.0.1:{listening.getsockname()[1]}").acquire(1)


def test_a_failure_that_passes_is_no_longer_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = RedisServer(redis_program(), tmp_path)
    server.start()
    try:
        limiter = RedisLimiter(server.url)
        assert limiter.acquire(1) == 0
        server.stop()
        with pytest.raises(TransportError):
            limiter.acquire(1)
        server.start()
        assert limiter.acquire(1) == 0
    finally:
        server.stop()
    assert not caplog.records


@pytest.mark.promise("R10")
def test_open_on_failure_the_process_keeps_a_budget_of_its_own_and_says_so_once(
    silent_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    limiter = RedisLimiter(
        f"redis://127.0.0.1:{silent_port}", limit=100, fail_open=True, timeout=0.1
    )
    with caplog.at_level(logging.DEBUG):
        started = time.monotonic()
        while limiter.acquire(10) == 0:
            limiter.observe(20)
        assert time.monotonic() - started < 1, "each acquire waited for the server"
        limiter._retry_at = 0.0  # a second later
        assert limiter.acquire(10) > 0
    assert [(record.name, record.levelname) for record in caplog.records] == [
        ("binance_usdm", "WARNING")
    ]


def test_open_on_failure_the_server_is_asked_again_and_its_next_failure_told_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = RedisServer(redis_program(), tmp_path)
    limiter = RedisLimiter(server.url, limit=100, fail_open=True)
    for _ in range(2):
        assert limiter.acquire(1) == 0
        server.start()
        try:
            assert 0 < limiter._retry_at - time.monotonic() <= 1
            limiter._retry_at = 0.0  # a second later
            assert limiter.acquire(50) == 0
            with redis.Redis.from_url(server.url) as client:
                assert len(client.keys()) == 1
        finally:
            server.stop()
    assert limiter.acquire(1) == 0
    assert len(caplog.records) == 3


@pytest.mark.promise("R11", "R12")
@pytest.mark.parametrize("fail_open", [False, True])
def test_what_the_exchange_asked_for_holds_here_without_a_server(
    closed_port: int, fail_open: bool
) -> None:
    limiter = RedisLimiter(f"redis://127.0.0.1:{closed_port}", fail_open=fail_open)
    limiter.start_cooldown(30, banned=False)
    assert limiter.acquire(1) == pytest.approx(30, abs=5)
    limiter.start_cooldown(60, banned=True)
    with pytest.raises(IPBannedError):
        limiter.acquire(1)


@pytest.mark.promise("R10")
def test_what_the_exchange_said_before_the_server_failed_still_counts(tmp_path: Path) -> None:
    server = RedisServer(redis_program(), tmp_path)
    server.start()
    limiter = RedisLimiter(server.url, limit=100, fail_open=True)
    limiter._local_limiter._now = lambda: 1_790_856_020_000  # far from a minute's edge
    limiter.observe(75)
    server.stop()
    assert limiter.acquire(10) > 0
    assert limiter.acquire(5) == 0


@pytest.mark.promise("R12")
def test_a_known_ban_needs_no_server(silent_port: int) -> None:
    limiter = locked(f"redis://127.0.0.1:{silent_port}")

    def ask() -> None:
        with pytest.raises(IPBannedError):
            limiter.acquire(1)

    assert best_duration(ask, 0.005) < 0.005


def test_a_url_that_is_none_is_refused_without_being_repeated() -> None:
    urls = (
        "{}",
        "http://{}",
        "redis://user:{}@host:port",
        "redis://:{}@host/0?db=x",
        "redis://:{}@host?nonsense=1",
    )
    for url in (*urls, "redis://:{}@host?socket_timeout=99", "redis://:{}@host?protocol=3"):
        with pytest.raises(
            ConfigurationError,
            match=r"^url must (be a Redis URL|not set (socket_timeout|protocol))",
        ) as caught:
            RedisLimiter(url.format(canaries.PASSWORD))
        assert canaries.holds_no_canary(canaries.crash_report(caught.value)), url
    for unfit in (None, b"redis://host", 5):
        with pytest.raises(ConfigurationError, match="url"):
            RedisLimiter(unfit)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": None}, "limit"),
        ({"share": 2}, "share"),
        ({"timeout": 0}, "timeout"),
    ],
)
def test_settings_that_cannot_be_are_refused(options: dict[str, Any], name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name} must") as caught:
        RedisLimiter(WITH_PASSWORD.format(port=1), **options)
    assert canaries.holds_no_canary(canaries.crash_report(caught.value))


def test_without_the_package_redis_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'binance-usdm\[redis\]'"):
        RedisLimiter("redis://127.0.0.1")


@pytest.mark.promise("S1", "S2", "S3", "S4")
def test_the_urls_password_is_told_nowhere(
    closed_port: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = RedisServer(redis_program(), tmp_path, password="another")
    server.start()
    try:
        with caplog.at_level(logging.DEBUG):
            for port in (closed_port, server.port):
                for fail_open in (False, True):
                    limiter = RedisLimiter(WITH_PASSWORD.format(port=port), fail_open=fail_open)
                    limiter.observe(1)
                    limiter.start_cooldown(0, banned=False)
                    shown = [
                        repr(limiter),
                        str(limiter),
                        f"{limiter!r:>60}",
                        pprint.pformat(limiter),
                    ]
                    shown += [repr(getattr(limiter, name)) for name in limiter.__slots__]
                    assert all(map(canaries.holds_no_canary, shown))
                    if fail_open:
                        assert limiter.acquire(1) == 0
                        continue
                    with pytest.raises(TransportError, match=UNREACHABLE) as caught:
                        limiter.acquire(1)
                    assert caught.value.__context__ is None
                    assert canaries.holds_no_canary(canaries.crash_report(caught.value))
                    for forbidden in (copy.copy, copy.deepcopy, pickle.dumps):
                        with pytest.raises(TypeError) as refused:
                            forbidden(limiter)
                        told = traceback.TracebackException.from_exception(
                            refused.value, capture_locals=True
                        )
                        assert canaries.holds_no_canary("".join(told.format()))
    finally:
        server.stop()
    assert canaries.holds_no_canary(
        "".join(record.getMessage() + repr(record.args) for record in caplog.records)
    )


@pytest.mark.promise("R4")
@pytest.mark.parametrize("url", ["redis://:wrong@127.0.0.1:{port}/0", "redis://127.0.0.1:{port}/0"])
def test_a_server_that_refuses_the_login_is_not_tried_again(tmp_path: Path, url: str) -> None:
    server = RedisServer(redis_program(), tmp_path, password="another")
    server.start()
    try:
        with pytest.raises(
            TransportError, match="check user and password in the url of RedisLimiter"
        ) as caught:
            RedisLimiter(url.format(port=server.port)).acquire(1)
        assert not caught.value.retryable
    finally:
        server.stop()


def test_a_server_that_became_a_replica_is_connected_to_anew(redis_url: str) -> None:
    """After a failover the name leads to another server: a kept connection would stay with the old one."""
    limiter = RedisLimiter(redis_url, limit=100)
    assert limiter.acquire(1) == 0
    with redis.Redis.from_url(redis_url) as client:
        before = connected(client)
        client.replicaof("127.0.0.1", "1")
        try:
            with pytest.raises(TransportError, match="ReadOnlyError") as caught:
                limiter.acquire(1)
            assert caught.value.retryable
        finally:
            client.replicaof("NO", "ONE")
        assert limiter.acquire(1) == 0
        assert connected(client) - before, "a new connection"


@pytest.mark.promise("R10")
def test_a_count_of_the_exchange_that_the_server_knows_costs_no_trip(redis_url: str) -> None:
    limiter = RedisLimiter(redis_url, limit=2400)

    def commands() -> int:
        with redis.Redis.from_url(redis_url) as client:
            statistics: Any = client.info("commandstats")
            return int(statistics.get("cmdstat_evalsha", {}).get("calls", 0))

    limiter.acquire(5)
    limiter.observe(1000)  # The first call of a script loads it.
    before = commands()
    for call in range(10):
        assert limiter.acquire(5) == 0
        limiter.observe(5 * (call + 2))
    assert commands() - before <= 12, "the minute may end meanwhile"
    before = commands()
    limiter.observe(1500)
    assert commands() == before + 1, "more than is known is told"
