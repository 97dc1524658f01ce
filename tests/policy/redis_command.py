"""Run the command at another time, which the scripts on the Redis server have too.

Arguments: seconds to add to the time, then those of the command.
"""

from __future__ import annotations

import sys
import time

import time_machine

from binance_usdm._cli.main import main as run_command
from binance_usdm._policy import shared
from binance_usdm._policy.redis import scripts as redis_scripts


def main(offset: int, arguments: list[str]) -> int:
    redis_scripts._NOW = (
        f"(function() local t = redis.call('TIME') return {{t[1] + {offset}, t[2]}} end)()"
    )
    # A busy machine is no outage of the server.
    shared.BUDGET_TIMEOUT_SECONDS = 20.0  # type: ignore[misc]
    with time_machine.travel(time.time() + offset, tick=True):
        return run_command(arguments)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
