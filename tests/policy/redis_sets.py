"""Sets of real Redis servers: one that Sentinel watches, and a cluster."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import redis
from redis.sentinel import Sentinel

from tests.policy.fake_time import RedisServer, redis_program

MASTER = "budget"
DOWN_AFTER_MS = 300


def wait_until(is_true: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait until a statement about servers is true, errors of theirs apart."""
    ends = time.monotonic() + seconds
    while True:
        with suppress(redis.RedisError):
            if is_true():
                return
        assert time.monotonic() < ends, "the servers are not ready in time"
        time.sleep(0.02)


def connect_by_sentinel(port: int) -> redis.Redis:
    """Return a client of the server that a Sentinel says is the master."""
    # Its constructor and methods are not typed.
    sentinel: Any = cast(Any, Sentinel)([("127.0.0.1", port)], socket_timeout=0.5)
    client: redis.Redis = sentinel.master_for(MASTER, socket_timeout=0.5)
    return client


class SentinelSet:
    """A master, a replica and a Sentinel, which makes the replica the master when that ends."""

    def __init__(self, folder: Path) -> None:
        program = redis_program()
        # It begins to copy at once, and not after five seconds.
        self.master = RedisServer(program, folder, "", "--repl-diskless-sync-delay", "0")
        master_address = f"127.0.0.1 {self.master.port}"
        self.replica = RedisServer(program, folder, "", "--replicaof", master_address)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._configuration = folder / "sentinel.conf"
        self._configuration.write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {folder}\n"
            f"sentinel monitor {MASTER} 127.0.0.1 {self.master.port} 1\n"
            f"sentinel down-after-milliseconds {MASTER} {DOWN_AFTER_MS}\n"
            f"sentinel failover-timeout {MASTER} 2000\n"
        )
        self._sentinel: subprocess.Popen[bytes] | None = None

    def connect(self) -> redis.Redis:
        """Return a client of whichever server is the master."""
        return connect_by_sentinel(self.port)

    def _knows_the_replica(self) -> bool:
        with redis.Redis(port=self.port, socket_timeout=1) as sentinel:
            replicas: Any = sentinel.sentinel_slaves(MASTER)
            return [replica["is_disconnected"] for replica in replicas] == [False]

    def _is_in_step(self) -> bool:
        with redis.Redis.from_url(self.replica.url) as replica:
            state: Any = replica.info("replication")
            return bool(state["master_link_status"] == "up")

    @contextmanager
    def running(self) -> Iterator[SentinelSet]:
        """Run the servers until the end of the block."""
        try:
            self.master.start()
            self.replica.start()
            wait_until(self._is_in_step)
            self._sentinel = subprocess.Popen(
                [redis_program(), str(self._configuration), "--sentinel"], stdout=subprocess.DEVNULL
            )
            wait_until(self._knows_the_replica)
            yield self
        finally:
            if self._sentinel is not None:
                self._sentinel.kill()
                self._sentinel.wait()
            self.replica.stop()
            self.master.stop()


@contextmanager
def running_cluster(folder: Path) -> Iterator[RedisServer]:
    """Run a cluster of one server, which has all slots."""
    options = ("--cluster-enabled", "yes", "--cluster-config-file", str(folder / "nodes.conf"))
    server = RedisServer(redis_program(), folder, "", *options)
    try:
        server.start()
        with redis.Redis.from_url(server.url) as node:
            node.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            wait_until(lambda: "'ok'" in str(node.execute_command("CLUSTER INFO")))
        yield server
    finally:
        server.stop()
