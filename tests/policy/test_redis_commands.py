"""Six processes of the command within one budget, on one server and through a failover."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import redis
from redis.sentinel import Sentinel

from binance_usdm.mock import Exchange, Switches, running
from tests.policy.redis_sets import MASTER, SentinelSet, wait_until
from tests.support.command_line import command_environment
from tests.support.paths import ROOT
from tests.support.spec_facts import BALANCE_WEIGHT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs SIGINT and printf")
PROCESSES = 6
BUDGET = 1920
CALLS = BUDGET // BALANCE_WEIGHT
FIRST_SECOND = 5
"""Second of the exchange's minute at which a test begins, so that it ends within the minute."""


class Market(NamedTuple):
    """A mock exchange at another time, and what a process of the command needs to get there."""

    exchange: Exchange
    offset: int
    variables: dict[str, str]

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a process of the command."""
        module = [sys.executable, "-m", "tests.policy.redis_command", str(self.offset)]
        return subprocess.Popen(
            [*module, *arguments],
            cwd=ROOT,
            env=command_environment(self.variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def statuses(self) -> Counter[int]:
        return Counter(request.status for request in self.exchange.requests)

    def key(self) -> str:
        return f"binance-usdm:{{{self.variables['BINANCE_BASE_URL']}}}"

    def minute(self) -> int:
        return int(time.time() + self.offset) // 60


@contextmanager
def open_market(weight_limit: int, budget_url: str) -> Iterator[Market]:
    """Serve an exchange that answers 429 above a weight, at the beginning of a minute."""
    offset = round(FIRST_SECOND - time.time() % 60)
    exchange = Exchange(
        clock=lambda: time.time_ns() // 1_000_000 + 1000 * offset,
        switches=Switches(weight_limit=weight_limit),
        log_size=10**5,
    )
    with running(exchange) as url:
        variables = {
            "BINANCE_API_KEY": str(exchange.api_key),
            "BINANCE_API_SECRET": str(exchange.api_secret),
            "BINANCE_BASE_URL": url,
            "BINANCE_BUDGET": budget_url,
        }
        yield Market(exchange, offset, variables)


def write_profiles(file: Path, count: int) -> None:
    """Write profiles that all refer to the one account of the environment."""
    file.write_text(
        "".join(
            f'[profiles.desk-{number:02}]\napi_key = {{ env = "BINANCE_API_KEY" }}\n'
            'api_secret = { env = "BINANCE_API_SECRET" }\n'
            for number in range(count)
        )
    )
    file.chmod(0o600)


@pytest.mark.promise("R10")
def test_six_commands_use_up_one_budget(redis_url: str, tmp_path: Path) -> None:
    """Together they make each call that the budget allows, no 429 comes, and the next one waits.

    The exchange's limit is the budget itself, so that one call too many would be a 429.
    """
    profiles = tmp_path / "profiles.toml"
    write_profiles(profiles, CALLS // PROCESSES)
    with open_market(BUDGET, redis_url) as market:
        arguments = ("balance", "--profiles-file", str(profiles), "--all-profiles", "-o", "csv")
        processes = [market.start(*arguments) for _ in range(PROCESSES)]
        finished = [program.communicate(timeout=120) for program in processes]
        assert [program.returncode for program in processes] == [0] * PROCESSES, finished
        assert {errors for _, errors in finished} == {""}
        rows = [len(output.splitlines()) - 1 for output, _ in finished]
        assert rows == [CALLS // PROCESSES] * PROCESSES
        assert market.statuses() == {200: CALLS}
        seventh = market.start("balance", "--timeout", "3")
        output, errors = seventh.communicate(timeout=60)
        assert (seventh.returncode, output) == (1, "")
        assert "is exhausted until" in errors
        assert market.statuses() == {200: CALLS}
    with redis.Redis.from_url(redis_url) as server:
        assert server.hget(market.key(), str(market.minute())) == str(BUDGET).encode()


class MasterAddress:
    """An address that leads to the master of a Sentinel set, as a load balancer's does.

    A connection to a server that is no longer the master ends.
    """

    def __init__(self, servers: SentinelSet) -> None:
        # The constructor of redis-py is not typed.
        self._sentinel = Sentinel([("127.0.0.1", servers.port)], socket_timeout=1)  # type: ignore[no-untyped-call]
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._forward, args=(client,), daemon=True).start()

    def _forward(self, client: socket.socket) -> None:
        with client, suppress(OSError, redis.RedisError):
            address = self._sentinel.discover_master(MASTER)  # type: ignore[no-untyped-call]
            with socket.create_connection(address, timeout=1) as server:
                server.settimeout(None)
                back = threading.Thread(target=self._copy, args=(server, client), daemon=True)
                back.start()
                self._copy(client, server)
                back.join()

    @staticmethod
    def _copy(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def watching(market: Market) -> Iterator[list[subprocess.Popen[str]]]:
    """Run six watches, and end them as Ctrl-C does."""
    with ExitStack() as stack:
        programs = []
        for _ in range(PROCESSES):
            program = market.start("balance", "--watch", "1", "-o", "jsonl")
            stack.callback(program.wait)
            stack.callback(program.kill)
            programs.append(program)
        yield programs


@pytest.mark.promise("R10")
def test_six_commands_keep_a_budget_through_a_failover(tmp_path: Path) -> None:
    """Watches go on with the new master, and together stay within the exchange's limit.

    What the new master misses is less than what the budget leaves of the limit, as in production.
    """
    calls = 40
    servers = SentinelSet(tmp_path)
    with ExitStack() as stack:
        stack.enter_context(servers.running())
        address = MasterAddress(servers)
        stack.callback(address.close)
        limit = calls * BALANCE_WEIGHT * 5 // 4
        market = stack.enter_context(open_market(limit, address.url))
        minute = str(market.minute())
        with servers.connect() as master:
            # So that few calls are left of the minute.
            master.hset(market.key(), minute, BUDGET - calls * BALANCE_WEIGHT)
        programs = stack.enter_context(watching(market))
        wait_until(lambda: len(market.exchange.requests) > 2 * PROCESSES)
        servers.master.stop()
        seen = len(market.exchange.requests)
        wait_until(lambda: is_used_up(servers, market, minute))
        assert len(market.exchange.requests) > seen, "no call came after the failover"
        assert market.statuses().keys() == {200}
        assert calls * 0.8 <= len(market.exchange.requests) <= calls * 5 // 4
        for program in programs:
            program.send_signal(signal.SIGINT)
        ended = [program.communicate(timeout=60) for program in programs]
        assert [program.returncode for program in programs] == [0] * PROCESSES, ended
        # They said that the server was away, and none sent anything meanwhile.
        assert any("weight budget cannot be reached" in errors for _, errors in ended)
        assert market.minute() == int(minute), "the test took longer than a minute"


def is_used_up(servers: SentinelSet, market: Market, minute: str) -> bool:
    """Return whether the new master has no room for a call in the minute."""
    with servers.connect() as master:
        used: Any = master.hget(market.key(), minute)
    return int(used or 0) > BUDGET - BALANCE_WEIGHT
