"""Call a function for every balance that changed since the last look.

    python watch_changes.py [SECONDS] [LOOKS]

Looks every SECONDS seconds (5), LOOKS times or until Ctrl-C. One look a second costs an eighth of
the weight that an IP address has. A look that failed for a moment is left out.
"""

import itertools
import sys
import time
from collections.abc import Callable, Iterable

import binance_usdm
from binance_usdm import AccountBalance

OnChange = Callable[[AccountBalance, AccountBalance], None]


def print_change(before: AccountBalance, after: AccountBalance) -> None:
    print(f"{after.asset} {before.balance:f} -> {after.balance:f}", flush=True)


def watch(
    client: binance_usdm.Client, on_change: OnChange, seconds: float, looks: Iterable[int]
) -> None:
    """Look again and again, and pass old and new row of what changed to `on_change`."""
    known: dict[str, AccountBalance] = {}
    for _ in looks:
        try:
            rows = client.balance()
        except binance_usdm.UsdmError as error:
            if not error.retryable:
                raise
            print(f"left out: {type(error).__name__}", file=sys.stderr)
        else:
            for row in rows:
                if row.asset in known and known[row.asset] != row:
                    on_change(known[row.asset], row)
            known = {row.asset: row for row in rows}
        time.sleep(seconds)


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    looks = range(int(sys.argv[2])) if len(sys.argv) > 2 else itertools.count()
    with binance_usdm.Client.from_env() as client:
        try:
            watch(client, print_change, seconds, looks)
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
