"""A world for limiters: its time, the wall clock of our machine, an exchange that counts, and a Redis server. Knows no test."""

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
from binance_usdm._policy.redis_limiter import RedisLimiter

NOON = 1_790_856_000_000
"""A minute's beginning, ms."""
MINUTE = 60_000
TIME_OF_THE_WORLD = "(function() local ms = redis.call('GET', 'time') return {math.floor(ms / 1000), ms % 1000 * 1000} end)()"


class FakeTime:
    """Time goes on when it is told to. `now` is the wall clock of our machine, which somebody may set; `monotonic` nobody can."""

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
        """A limiter that lives in this world: of Redis when the world has a server, else of one process."""
        own = WeightLimiter(limit, share, now=self.now, monotonic=self.monotonic)
        if self._server is None:
            return own
        made = RedisLimiter(url_of(self._server), limit=limit, share=share)
        made._local_limiter = own
        return made


class CountingExchange:
    """Counts weight by its own minutes and refuses what is above the limit; what it refused was counted too."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used, self.refused = Counter[int](), Counter[int]()

    def arrive(self, weight: int, at: int) -> tuple[bool, int]:
        """Whether a request passed, and the header of its reply."""
        minute = at // MINUTE
        self.used[minute] += weight
        passed = self.used[minute] <= self.limit
        self.refused[minute] += not passed
        return passed, self.used[minute]


class RedisServer:
    """A Redis server of the test's own on the loopback address, nothing on disk."""

    def __init__(self, program: str, folder: Path, password: str = "") -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        auth = f":{password}@" if password else ""
        self.url = f"redis://{auth}127.0.0.1:{self.port}/0"
        self._arguments = [
            program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder),
            *(["--requirepass", password] if password else []),
        ]  # fmt: skip
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
    """Where redis-server is; skips the test without it, except where USDM_REQUIRE_REDIS says that nothing may be left out."""
    program = shutil.which("redis-server")
    if program is None:
        reason = "redis-server is not installed (Debian: apt install redis-server)"
        if os.environ.get("USDM_REQUIRE_REDIS"):
            pytest.fail(reason)
        pytest.skip(reason)
    return program


def url_of(server: redis.Redis) -> str:
    return f"redis://127.0.0.1:{server.connection_pool.connection_kwargs['port']}/0"
