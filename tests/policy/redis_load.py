"""Send requests to one exchange as fast as a shared budget allows, from one of many processes.

Waits for a line "<offset> <seconds>" on standard input. The offset is the number of seconds that
the time of Redis and of the exchange is ahead. Prints the numbers of calls and of rejections.
"""

from __future__ import annotations

import sys
import time

from binance_usdm import Client, RateLimitError, RetryPolicy, TransportError
from binance_usdm._policy.redis import scripts as redis_scripts
from binance_usdm._policy.redis.limiter import RedisLimiter
from binance_usdm.mock import DEFAULT_API_KEY, DEFAULT_API_SECRET
from tests.policy.redis_sets import connect_by_sentinel


def make_limiter(server: str, limit: int) -> RedisLimiter:
    """Return a limiter on a server, by its URL, or on a Sentinel set, by the port of Sentinel."""
    if not server.isdigit():
        return RedisLimiter(server, limit=limit, share=0.8, timeout=10)
    client = connect_by_sentinel(int(server))
    return RedisLimiter(client=client, limit=limit, share=0.8, timeout=10)


def main(server: str, base_url: str, limit: int) -> None:
    print("ready", flush=True)
    offset, lasts = map(int, input().split())
    redis_scripts._NOW = (
        f"(function() local t = redis.call('TIME') return {{t[1] + {offset}, t[2]}} end)()"
    )
    limiter = make_limiter(server, limit)
    ends = time.monotonic() + lasts
    calls = refused = 0
    with Client(
        DEFAULT_API_KEY,
        DEFAULT_API_SECRET,
        base_url=base_url,
        limiter=limiter,
        retry=RetryPolicy.off(),
        timeout=20,
        clock=lambda: time.time_ns() // 1_000_000 + 1000 * offset,
    ) as client:
        while (left := ends - time.monotonic()) > 0:
            try:
                client.balance()
                calls += 1
            except TransportError:
                # Redis is away; nothing was sent.
                time.sleep(0.05)
            except RateLimitError as error:
                # Status 0 means that nothing was sent, since the budget was exhausted until the
                # call's deadline.
                refused += error.status != 0
                if (error.retry_after or 0) >= left:
                    break
                time.sleep(error.retry_after or 0)
    print(calls, refused, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
