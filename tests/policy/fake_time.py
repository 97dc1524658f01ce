"""Fake time for limiters, an exchange that counts weight, and a Redis server."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import redis

from binance_usdm import WeightLimiter
from binance_usdm._policy.redis.limiter import RedisLimiter

NOON = 1_790_856_000_000
"""A minute's beginning, ms."""
MINUTE = 60_000
TIME_OF_THE_WORLD = (
    "(function() local ms = redis.call('GET', 'time') "
    "return {math.floor(ms / 1000), ms % 1000 * 1000} end)()"
)


class FakeTime:
    """Time that only `advance()` moves.

    `now` is the wall clock of this machine, which `set_wall()` sets. `monotonic` cannot be set.
    """

    def __init__(self, server: redis.Redis | None = None) -> None:
        self.ms, self.set_by = NOON, 0
        self._server = server
        self.advance(0)

    def now(self) -> int:
        return self.ms + self.set_by

    def monotonic(self) -> float:
        return (self.ms - NOON) / 1000

    def advance(self, ms: float) -> None:
        self.ms += -int(-ms // 1)
        self._notify()

    def set_wall(self, by: int) -> None:
        self.set_by = by
        self._notify()

    def _notify(self) -> None:
        if self._server is not None:
            self._server.set("time", self.now())

    def limiter(self, limit: int = 100, share: float = 0.8) -> Any:
        """Return a limiter with this time, of Redis if there is a server, else of one process."""
        local_limiter = WeightLimiter(limit, share, now=self.now, monotonic=self.monotonic)
        if self._server is None:
            return local_limiter
        limiter = RedisLimiter(url_of(self._server), limit=limit, share=share)
        limiter._local_limiter = local_limiter
        return limiter


class CountingExchange:
    """An exchange that counts weight by its minutes and rejects requests above the limit.

    Rejected requests are counted, too.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used, self.refused = Counter[int](), Counter[int]()

    def arrive(self, weight: int, at: int) -> tuple[bool, int]:
        """Return whether a request passed, and the header of its response."""
        minute = at // MINUTE
        self.used[minute] += weight
        passed = self.used[minute] <= self.limit
        self.refused[minute] += not passed
        return passed, self.used[minute]


class RedisServer:
    """A Redis server on the loopback address that writes nothing to disk."""

    def __init__(self, program: str, folder: Path, password: str = "", *options: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        auth = f":{password}@" if password else ""
        self.url = f"redis://{auth}127.0.0.1:{self.port}/0"
        self._arguments = [
            *(program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(folder)),
            *("--save", "", "--appendonly", "no"),
            *(["--requirepass", password] if password else []),
            *options,
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._arguments, stdout=subprocess.DEVNULL)
        ends = time.monotonic() + 20
        while True:
            try:
                with redis.Redis.from_url(self.url) as client:
                    client.ping()
                return
            except redis.ConnectionError:
                assert self._process.poll() is None, "redis-server ended"
                assert time.monotonic() < ends, "redis-server does not answer"
                time.sleep(0.01)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def redis_program() -> str:
    """Return the path of redis-server.

    Without it the test is skipped, or fails if USDM_REQUIRE_REDIS is set.
    """
    program = shutil.which("redis-server")
    if program is None:
        reason = "redis-server is not installed (Debian: apt install redis-server)"
        if os.environ.get("USDM_REQUIRE_REDIS"):
            pytest.fail(reason)
        pytest.skip(reason)
    return program


def url_of(server: redis.Redis) -> str:
    return f"redis://127.0.0.1:{server.connection_pool.connection_kwargs['port']}/0"
