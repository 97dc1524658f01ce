"""Eight processes share one budget and hammer one exchange, which counts.

USDM_LONG=1 adds a run over real minutes at the full limit, and one with a failover.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from binance_usdm.mock import Exchange, Switches, running
from tests.policy.fake_time import MINUTE
from tests.policy.redis_sets import SentinelSet, wait_until
from tests.support.paths import ROOT
from tests.support.spec_facts import BALANCE_WEIGHT

PROCESSES = 8


def hammered(
    server: str,
    limit: int,
    lasts: int,
    begin: int | None,
    interrupt: Callable[[], None] | None = None,
) -> Counter[int]:
    """Let processes call an exchange as fast as their budget allows.

    Args:
        server: URL of the Redis server, or port of a Sentinel.
        limit: Weight that the exchange allows per minute.
        lasts: Seconds.
        begin: Second of the exchange's minute at which they begin, None for the real one.
        interrupt: Called when the exchange has seen some requests.

    Returns:
        Weight by the exchange's minute.
    """
    offset = 0
    exchange = Exchange(
        clock=lambda: time.time_ns() // 1_000_000 + 1000 * offset,
        switches=Switches(weight_limit=limit),
        log_size=10**6,
    )
    with running(exchange) as base_url:
        command = [sys.executable, "-m", "tests.policy.redis_load", server, base_url, str(limit)]
        processes = [
            subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            for _ in range(PROCESSES)
        ]
        try:
            for process in processes:
                assert process.stdout is not None
                assert process.stdout.readline() == "ready\n"
            if begin is not None:
                offset = round(begin - time.time() % 60)
            for process in processes:
                assert process.stdin is not None
                process.stdin.write(f"{offset} {lasts}\n")
                process.stdin.flush()
            if interrupt is not None:
                wait_until(lambda: len(exchange.requests) > PROCESSES)
                interrupt()
            told = [process.communicate(timeout=lasts + 60)[0] for process in processes]
        finally:
            for process in processes:
                process.kill()
                process.wait()
    each = [list(map(int, line.split())) for line in told]
    calls, refused = (sum(column) for column in zip(*each, strict=True))
    assert sum(own > 0 for own, _ in each) > 1, "the processes did not run at the same time"
    statuses = Counter(request.status for request in exchange.requests)
    print(
        f"{[own for own, _ in each]} = {calls} calls, {refused} refused, statuses {dict(statuses)}"
    )
    assert (refused, set(statuses), calls) == (0, {200}, len(exchange.requests))
    return Counter(
        {
            m: n * BALANCE_WEIGHT
            for m, n in Counter(r.at_ms // MINUTE for r in exchange.requests).items()
        }
    )


@pytest.mark.promise("R10")
def test_eight_processes_use_up_one_budget_and_never_exceed_it_at_a_minutes_edge_either(
    redis_url: str,
) -> None:
    used = hammered(redis_url, limit=200, lasts=15, begin=55)
    assert max(used.values()) == 160
    assert used.total() > 0.95 * 320


@pytest.mark.promise("R10")
@pytest.mark.skipif(
    not os.environ.get("USDM_LONG"), reason="takes over two minutes: set USDM_LONG=1"
)
def test_eight_processes_keep_the_full_limit_for_minutes(redis_url: str) -> None:
    used = hammered(redis_url, limit=2400, lasts=135, begin=None)
    print("weight by minute:", dict(sorted(used.items())))
    assert all(weight <= 1920 for weight in used.values())
    whole = sorted(used)[1:-1]
    assert whole
    assert all(used[minute] > 0.95 * 1920 for minute in whole)


@pytest.mark.promise("R10")
@pytest.mark.skipif(not os.environ.get("USDM_LONG"), reason="takes twenty seconds: set USDM_LONG=1")
def test_eight_processes_keep_a_budget_through_a_failover(tmp_path: Path) -> None:
    """What the new master misses is less than what the budget leaves of the limit."""
    servers = SentinelSet(tmp_path)
    with servers.running():
        port = str(servers.port)
        used = hammered(port, limit=200, lasts=25, begin=45, interrupt=servers.master.stop)
    assert max(used.values()) <= 200
    # A command whose answer was lost may have been counted.
    assert used.total() > 0.7 * 320
