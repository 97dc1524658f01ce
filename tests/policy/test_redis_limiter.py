"""The budget in Redis, and servers that are silent, slow, hostile or reject the login."""

from __future__ import annotations

import copy
import itertools
import logging
import pickle
import pprint
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

import httpx
import pytest
import redis

from binance_usdm import (
    AsyncClient,
    ConfigurationError,
    DeadlineExceeded,
    IPBannedError,
    TransportError,
)
from binance_usdm._concurrency import threads as _threads
from binance_usdm._concurrency.threads import WorkerPool
from binance_usdm._policy.redis import connections as redis_connections
from binance_usdm._policy.redis import limiter as redis_limiter
from binance_usdm._policy.redis.connections import RedisConnections
from binance_usdm._policy.redis.limiter import RedisLimiter
from tests.http.drivers import CertificateAuthority
from tests.policy.fake_redis_server import (
    GRANTED,
    OK,
    SILENCE,
    FakeRedisServer,
    Step,
    answer_to,
    drip,
)
from tests.policy.fake_time import RedisServer, redis_program
from tests.support import canaries
from tests.support.clients import BODY, RecordingHandler
from tests.support.timing import best_duration

UNREACHABLE = r"the shared weight budget cannot be reached \((\w+)\); nothing was sent"
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
    code = (
        "import sys; from binance_usdm import RedisLimiter;"
        "RedisLimiter(sys.argv[1]).start_cooldown(60, banned=True)"
    )
    subprocess.run([sys.executable, "-c", code, redis_url], check=True, timeout=30)
    limiter = RedisLimiter(redis_url)
    for _ in range(2):
        with pytest.raises(IPBannedError) as caught:
            limiter.acquire(1)
        assert caught.value.retry_after == pytest.approx(60, abs=15)
        assert caught.value.banned_until is not None


@pytest.mark.promise("R11")
def test_the_budget_is_the_servers(redis_url: str) -> None:
    """`budget()` has what all processes used, and a hold that any of them met."""
    name = f"budget-{time.time_ns()}"
    here, there = (RedisLimiter(redis_url, limit=100, share=0.5, name=name) for _ in range(2))
    there.acquire(5)
    budget = here.budget()
    assert (budget.limit, budget.used, budget.left, budget.held_until) == (50, 5, 45, None)
    assert budget.counted_by == f"Redis, binance-usdm:{{{name}}}"
    there.start_cooldown(60, banned=False)
    budget = here.budget()
    assert (budget.is_banned, budget.left) == (False, 0)
    assert budget.held_until is not None
    assert 50 < budget.held_until.timestamp() - time.time() < 70
    there.start_cooldown(120, banned=True)
    assert here.budget().is_banned


def test_a_budget_without_a_server_is_an_error(closed_port: int) -> None:
    """The budget is not known then, unless each process counts alone."""
    url = f"redis://127.0.0.1:{closed_port}/0"
    with pytest.raises(TransportError, match=UNREACHABLE):
        RedisLimiter(url).budget()
    assert RedisLimiter(url, fail_open=True).budget().counted_by == "this process"


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


def idle_connections(limiter: RedisLimiter) -> list[Any]:
    """The connections that a limiter keeps for later."""
    assert isinstance(limiter._connections, RedisConnections)
    return list(limiter._connections._idle)


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
from binance_usdm._policy.redis.limiter import RedisLimiter
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
    "no number": lambda client: client.hset(
        "binance-usdm:{fapi.binance.com}", "banned_until", "soon"
    ),
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
    with pytest.raises(ConfigurationError, match=r"\(extra redis\): pip install redis"):
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
                        report = traceback.TracebackException.from_exception(
                            refused.value, capture_locals=True
                        )
                        assert canaries.holds_no_canary("".join(report.format()))
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
    """After a failover the name leads to another server, where a kept connection would not go."""
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
    assert commands() == before + 1, "a higher count is reported"


def granted_or_error(limiter: RedisLimiter) -> str:
    """Return "granted", or the name of the failure in the error's message."""
    try:
        assert limiter.acquire(1) == 0
    except TransportError as error:
        match = re.match(UNREACHABLE, str(error))
        assert match is not None
        return match[1]
    return "granted"


def endless_line(command: list[bytes]) -> Iterator[bytes]:
    yield b"+"
    while True:
        yield b"x" * 65536


def dripping_answer(command: list[bytes]) -> Iterator[Step]:
    return drip(itertools.chain(b"*2\r\n:0\r\n:", itertools.repeat(ord("1"))))


def dripping_login(command: list[bytes]) -> Iterator[Step]:
    if command[0] == b"AUTH":
        return drip(itertools.chain(b"+", itertools.repeat(ord("O"))))
    return iter([answer_to(command)])


def late_answers(command: list[bytes]) -> list[Step]:
    """Answer each command within a read's time limit, five of them beyond the operation's."""
    return [0.12, answer_to(command)]


def silent_login(command: list[bytes]) -> list[Step]:
    return [SILENCE] if command[0] == b"AUTH" else [answer_to(command)]


def silent_answer(command: list[bytes]) -> list[Step]:
    return [SILENCE] if command[0].startswith(b"EVAL") else [answer_to(command)]


SLOW_SERVERS: dict[str, Callable[[list[bytes]], Iterable[Step]]] = {
    "answer drips": dripping_answer,
    "login drips": dripping_login,
    "every answer is late": late_answers,
    "silent at login": silent_login,
    "silent at the script": silent_answer,
}
USED_LITTLE = {"X-MBX-USED-WEIGHT-1M": "1"}
LOGIN = f"redis://user:{canaries.PASSWORD}@127.0.0.1:{{}}/3"


@pytest.mark.promise("R1")
@pytest.mark.parametrize("slow", SLOW_SERVERS)
def test_slow_server_ends_at_timeout(slow: str) -> None:
    """`timeout` bounds a whole operation, however the server spreads its answers."""
    with FakeRedisServer(SLOW_SERVERS[slow]) as server:
        limiter = RedisLimiter(LOGIN.format(server.port), timeout=0.2)
        operations: dict[str, Callable[[], object]] = {
            "acquire": lambda: granted_or_error(limiter),
            "observe": lambda: limiter.observe(10_000),
            "start_cooldown": lambda: limiter.start_cooldown(0, banned=False),
        }
        for name, operation in operations.items():
            assert best_duration(operation, 0.35) < 0.35, name
        assert granted_or_error(limiter) == "TimeoutError"
        assert server.wait(lambda: server.hangups == server.connections)


@pytest.mark.promise("R10")
@pytest.mark.parametrize("slow", SLOW_SERVERS)
def test_slow_server_leaves_local_share(slow: str, make_client: Callable[..., Any]) -> None:
    """A call with `fail_open=True` goes on after `timeout`, on the process's budget."""
    with FakeRedisServer(SLOW_SERVERS[slow]) as server:
        limiter = RedisLimiter(LOGIN.format(server.port), timeout=0.2, fail_open=True)
        client = make_client(RecordingHandler(), limiter=limiter, timeout=10)

        def call() -> None:
            limiter._retry_at = 0.0
            assert client.balance()

        assert best_duration(call, 0.5) < 0.5


@pytest.mark.promise("R10")
@pytest.mark.parametrize("slow", SLOW_SERVERS)
def test_slow_server_sends_nothing(slow: str, make_client: Callable[..., Any]) -> None:
    """A call without `fail_open` ends after `timeout`, and its request was not sent."""
    exchange = RecordingHandler()
    with FakeRedisServer(SLOW_SERVERS[slow]) as server:
        limiter = RedisLimiter(LOGIN.format(server.port), timeout=0.2)
        client = make_client(exchange, limiter=limiter, timeout=10)

        def call() -> None:
            with pytest.raises(TransportError, match=UNREACHABLE):
                client.balance()

        assert best_duration(call, 0.5) < 0.5
    assert not exchange.requests


@pytest.mark.promise("R1")
def test_dripping_handshake_ends_at_timeout() -> None:
    """A TLS handshake counts towards `timeout`, however the server spreads its bytes."""
    record = itertools.chain(b"\x16\x03\x03\x3f\xff", itertools.repeat(0))
    with FakeRedisServer(late_answers, greeting=drip(itertools.islice(record, 1000))) as server:
        limiter = RedisLimiter(server.url.replace("redis:", "rediss:"), timeout=0.2)
        assert best_duration(lambda: granted_or_error(limiter), 0.35) < 0.35
        assert granted_or_error(limiter) == "TimeoutError"


def test_tls_connection_is_kept(tmp_path: Path) -> None:
    """A connection with TLS counts, and the next operation uses it."""
    authority = CertificateAuthority(tmp_path)
    with FakeRedisServer(lambda command: [answer_to(command)], tls=authority.server()) as server:
        limiter = RedisLimiter(f"{server.url}?ssl_ca_certs={authority.pem}", timeout=5)
        assert [granted_or_error(limiter) for _ in range(3)] == ["granted"] * 3
        assert server.connections == 1
        limiter.close()


@pytest.mark.promise("R1")
def test_dripping_tls_ends_at_timeout(tmp_path: Path) -> None:
    """`timeout` bounds an operation over TLS too."""
    authority = CertificateAuthority(tmp_path)
    with FakeRedisServer(dripping_answer, tls=authority.server()) as server:
        limiter = RedisLimiter(f"{server.url}?ssl_ca_certs={authority.pem}", timeout=0.3)
        assert best_duration(lambda: granted_or_error(limiter), 0.45) < 0.45


@pytest.mark.promise("R1")
def test_hanging_name_look_up_ends_at_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look-up that hangs ends at `timeout`, and many of them take few threads."""
    released = threading.Event()

    def hang(*arguments: object) -> NoReturn:
        released.wait(20)
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    monkeypatch.setattr(redis_connections, "_CONNECTORS", WorkerPool(2))
    limiter = RedisLimiter("redis://redis.example.test", timeout=0.05)
    try:
        before = threading.active_count()
        assert best_duration(lambda: granted_or_error(limiter), 0.15) < 0.15
        assert {granted_or_error(limiter) for _ in range(8)} == {"TimeoutError"}
        assert threading.active_count() - before <= 2
    finally:
        released.set()


def test_late_connection_counts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that came after `timeout` is closed, and no command was sent over it."""
    released, look_up = threading.Event(), socket.getaddrinfo

    def look_up_late(*arguments: Any, **options: Any) -> Any:
        released.wait(20)
        return look_up(*arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up_late)
    with FakeRedisServer(lambda command: [answer_to(command)]) as server:
        limiter = RedisLimiter(server.url, timeout=0.05)
        assert granted_or_error(limiter) == "TimeoutError"
        released.set()
        assert server.wait(lambda: server.connections == server.hangups == 1)
        assert not any(command[0].startswith(b"EVAL") for _, command in server.commands)


def test_late_answer_is_never_read() -> None:
    """The answer to an operation that ran out of time is not the next one's answer."""
    evaluations = itertools.count()

    def answer(command: list[bytes]) -> list[Step]:
        if not command[0].startswith(b"EVAL"):
            return [OK]
        return [0.2, b"*2\r\n:60000\r\n:9\r\n"] if next(evaluations) == 0 else [GRANTED]

    with FakeRedisServer(answer) as server:
        limiter = RedisLimiter(server.url, timeout=0.1)
        assert granted_or_error(limiter) == "TimeoutError"
        assert server.wait(lambda: server.hangups == 1)
        assert granted_or_error(limiter) == "granted"
        used = [number for number, command in server.commands if command[0].startswith(b"EVAL")]
        assert used == [0, 1]


@pytest.mark.parametrize("pause", [0.0, 0.02])
def test_surplus_answer_is_never_read(pause: float) -> None:
    """A connection on which more than the answer came is closed, not used again."""
    surplus = b"*2\r\n:60000\r\n:9\r\n"

    def answer(command: list[bytes]) -> list[Step]:
        if not command[0].startswith(b"EVAL"):
            return [OK]
        return [GRANTED, pause, surplus] if pause else [GRANTED + surplus]

    with FakeRedisServer(answer) as server:
        limiter = RedisLimiter(server.url, timeout=5)
        for _ in range(3):
            assert granted_or_error(limiter) == "granted"
            (connection,) = idle_connections(limiter)
            if pause:
                assert select.select([connection._sock], [], [], 10)[0]
        assert server.connections == 3


@pytest.mark.parametrize(
    "data", [b"$999999999\r\n", b"*999999999\r\n", b"+", b"*1\r\n"], ids=["$", "*", "+", "nested"]
)
def test_endless_answer_takes_little_memory(data: bytes) -> None:
    """An answer is read up to a bound, long before `timeout`."""

    def answer(command: list[bytes]) -> Iterator[bytes]:
        yield data
        while True:
            yield data * 1000 if data == b"*1\r\n" else b"x" * 65536

    with FakeRedisServer(answer) as server:
        limiter = RedisLimiter(server.url, timeout=30)
        assert granted_or_error(limiter) != "granted"
        assert server.wait(lambda: server.hangups == 1)
        # What is above the bound filled the buffers of the two sockets.
        assert server.sent_bytes < 16 << 20


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (b"-MOVED 3999 10.0.0.1:6381\r\n", "MovedError|ResponseError"),
        (b"-MOVED nonsense\r\n", "ValueError|ResponseError"),
        (b"-ASK 3999 10.0.0.1:6381\r\n", "AskError|ResponseError"),
        (b"-LOADING loading\r\n", "BusyLoadingError"),
        (b"-MASTERDOWN down\r\n", "MasterDownError|ResponseError"),
        (b"-NOSCRIPT none\r\n", "NoScriptError"),
        (b"-\xff\r\n", "ResponseError"),
        (b"+" + canaries.PASSWORD.encode() + b"\r\n", "InvalidResponse"),
        (b"*2\r\n:0\r\n$1\r\n5\r\n", "InvalidResponse"),
        (b"*2\r\n:1" + b"0" * 400 + b"\r\n:0\r\n", "InvalidResponse"),
        (b"*1\r\n" * 3000 + b":1\r\n", "RecursionError|InvalidResponse"),
        (b"!?\r\n", "InvalidResponse"),
    ],
)
def test_unusable_answer_is_a_failure(answer: bytes, failure: str) -> None:
    """Any answer but two numbers is a failure, which is named and not repeated.

    The class of the error is that of the oldest redis-py, of a new one, or of one with hiredis.
    """

    def reply(command: list[bytes]) -> list[Step]:
        return [answer if command[0].startswith(b"EVAL") else OK]

    with FakeRedisServer(reply) as server:
        assert re.fullmatch(failure, granted_or_error(RedisLimiter(server.url, timeout=5)))
        assert RedisLimiter(server.url, timeout=5, fail_open=True).acquire(1) == 0


class AlarmError(TimeoutError):
    """What the test's signal handler raises: an error that redis-py takes for one of the socket."""


def raise_alarm(*arguments: object) -> NoReturn:
    raise AlarmError


@pytest.mark.parametrize("interrupted", [b"AUTH", b"EVALSHA"])
@pytest.mark.parametrize("fail_open", [False, True])
def test_signal_handlers_exception_passes(interrupted: bytes, fail_open: bool) -> None:
    """What a signal handler raises is the caller's, and the connection is closed."""
    main_thread = threading.get_ident()

    def answer(command: list[bytes]) -> Iterator[Step]:
        if command[0] == interrupted:
            # By then the limiter waits for the answer.
            yield 0.05
            signal.pthread_kill(main_thread, signal.SIGALRM)
            yield SILENCE
        yield answer_to(command)

    previous = signal.signal(signal.SIGALRM, raise_alarm)
    try:
        with FakeRedisServer(answer) as server:
            limiter = RedisLimiter(LOGIN.format(server.port), timeout=3, fail_open=fail_open)
            with pytest.raises(AlarmError) as caught:
                limiter.acquire(1)
            assert canaries.holds_no_canary(canaries.crash_report(caught.value))
            del caught
            assert server.wait(lambda: server.hangups == 1)
            assert not limiter._is_down
    finally:
        signal.signal(signal.SIGALRM, previous)


@pytest.mark.parametrize("when", ["look", "send", "read"])
def test_interrupted_step_passes(
    redis_url: str, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """A handler's exception passes at each step, and the next operation opens a connection."""
    limiter = RedisLimiter(redis_url, limit=100, timeout=20)
    assert limiter.acquire(1) == 0
    (connection,) = idle_connections(limiter)
    method = {"look": "can_read", "send": "send_packed_command", "read": "read_response"}[when]
    monkeypatch.setattr(connection, method, lambda *_, **__: signal.raise_signal(signal.SIGALRM))
    previous = signal.signal(signal.SIGALRM, raise_alarm)
    try:
        with pytest.raises(AlarmError):
            limiter.acquire(1)
    finally:
        signal.signal(signal.SIGALRM, previous)
    assert limiter.acquire(1) == 0
    assert connection not in idle_connections(limiter)


def test_earlier_handlers_exception_is_left_alone(closed_port: int) -> None:
    """An exception that is handled while the limiter is asked is not the limiter's."""
    previous = signal.signal(signal.SIGALRM, raise_alarm)
    try:
        signal.raise_signal(signal.SIGALRM)
    except AlarmError:
        limiter = RedisLimiter(f"redis://127.0.0.1:{closed_port}")
        assert granted_or_error(limiter) == "ConnectionError"
    finally:
        signal.signal(signal.SIGALRM, previous)


def test_fork_shares_no_connection(redis_url: str) -> None:
    """After a fork the parent goes on with its connection, and the child opens one."""
    code = """
import os, sys, redis
from binance_usdm._policy.redis.limiter import RedisLimiter
limiter = RedisLimiter(sys.argv[1], limit=100, timeout=20)
other = redis.Redis.from_url(sys.argv[1])
def connected():
    return {connection["id"] for connection in other.client_list()}
before = connected()
assert limiter.acquire(10) == 0
(own,) = connected() - before
if (child := os.fork()) == 0:
    other = redis.Redis.from_url(sys.argv[1])
    assert limiter.acquire(10) == 0
    assert len(connected() - before - {own}) == 2
    limiter.close()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert limiter.acquire(20) == 0
assert own in connected()
"""
    subprocess.run([sys.executable, "-c", code, redis_url], check=True, timeout=30)


def test_kept_connection_serves_all_operations(redis_url: str) -> None:
    """One thread's operations use one connection."""
    limiter = RedisLimiter(redis_url, limit=2400, timeout=20)
    with redis.Redis.from_url(redis_url) as client:
        before = connected(client)
        for used in range(100, 120):
            assert limiter.acquire(1) == 0
            limiter.observe(used)
        limiter.start_cooldown(0, banned=False)
        assert len(connected(client) - before) == 1


def test_idle_connection_that_ended_is_replaced(redis_url: str) -> None:
    """A server that closed the idle connection costs no call."""
    limiter = RedisLimiter(redis_url, limit=100, timeout=20)
    assert limiter.acquire(1) == 0
    with redis.Redis.from_url(redis_url) as client:
        client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    assert limiter.acquire(1) == 0


def test_call_takes_few_threads(
    make_client: Callable[..., Any], redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sync call asks Redis in its thread, an async one in one thread; no count costs one."""
    begun: list[object] = []
    submit = _threads._user_code.submit

    def count(work: Callable[[], Any]) -> Any:
        begun.append(work)
        return submit(work)

    limiter = RedisLimiter(redis_url, limit=10**6, timeout=5)
    exchange = RecordingHandler(httpx.Response(200, content=BODY, headers=USED_LITTLE))
    client = make_client(exchange, limiter=limiter, timeout=10)
    client.balance()
    is_async = isinstance(client.client, AsyncClient)
    monkeypatch.setattr(_threads._user_code, "submit", count)
    monkeypatch.setattr(redis_limiter, "utc_minute", lambda: 1)
    limiter._known_used = (1, 10)
    for _ in range(5):
        client.balance()
    own = [work for work in begun if "RedisLimiter" in repr(work)]
    assert len(own) == (5 if is_async else 0)


class SleepingLimiter(RedisLimiter):
    """A subclass whose methods may take longer than the time limit of Redis."""

    observed = 0

    def acquire(self, weight: int) -> float:
        time.sleep(0.5)
        return super().acquire(weight)

    def observe(self, used_weight: int) -> None:
        type(self).observed += 1
        super().observe(used_weight)


@pytest.mark.promise("R1")
@pytest.mark.parametrize("limiter_class", [RedisLimiter, SleepingLimiter])
def test_calls_deadline_comes_first(
    make_client: Callable[..., Any], limiter_class: type[RedisLimiter]
) -> None:
    """A call ends at its deadline, also when the limiter or a subclass of it takes longer."""
    with FakeRedisServer(silent_answer) as server:
        timeout = 5 if limiter_class is RedisLimiter else 0.1
        limiter = limiter_class(server.url, timeout=timeout)
        client = make_client(RecordingHandler(), limiter=limiter, timeout=0.2)

        def call() -> None:
            with pytest.raises(DeadlineExceeded):
                client.balance()

        assert best_duration(call, 0.3) < 0.3


def test_subclass_hears_every_count(make_client: Callable[..., Any], redis_url: str) -> None:
    """A subclass that overrides `observe()` is given each count."""
    limiter = SleepingLimiter(redis_url)
    exchange = RecordingHandler(httpx.Response(200, content=BODY, headers=USED_LITTLE))
    client = make_client(exchange, limiter=limiter)
    before = SleepingLimiter.observed
    for _ in range(2):
        client.balance()
    assert SleepingLimiter.observed - before == 2
