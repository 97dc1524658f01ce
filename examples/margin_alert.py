"""Say when the free margin is below a bound, for cron or a monitoring system.

    python margin_alert.py USDT 1000

Exit status: 0 when at least that much is available, 1 when less is, 2 when it is not known, because
the account has no such asset or could not be read. Nothing is rounded on the way to the comparison.
In multi-assets mode the available balance of any row is the free margin of the whole account.
"""

import sys
from decimal import Decimal

import binance_usdm


def read_available(asset: str) -> Decimal | None:
    """Return the available balance of an asset, None if the account has no such row."""
    with binance_usdm.Client.from_env(timeout=20) as client:
        for row in client.balance():
            if row.asset == asset:
                return row.available_balance
    return None


def main() -> int:
    asset, bound = sys.argv[1], Decimal(sys.argv[2])
    try:
        available = read_available(asset)
    except binance_usdm.UsdmError as error:
        print(f"UNKNOWN: {type(error).__name__}")
        return 2
    if available is None:
        print(f"UNKNOWN: the account has no {asset}")
        return 2
    if available < bound:
        print(f"ALERT: {available:f} {asset} available, {bound - available:f} too little")
        return 1
    print(f"OK: {available:f} {asset} available")
    return 0


if __name__ == "__main__":
    sys.exit(main())
