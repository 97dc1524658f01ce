"""Print what one account holds, largest free margin first.

    export BINANCE_API_KEY=... BINANCE_API_SECRET=...
    python one_account.py

Without an account: `binance-usdm mock run -- python one_account.py`. Exits with 1 and a line on
stderr when the balances cannot be read.
"""

import sys

import binance_usdm


def main() -> int:
    try:
        with binance_usdm.Client.from_env() as client:
            rows = client.balance()
    except binance_usdm.APIError as error:
        print(f"the exchange rejected the request: {error.code} {error.hint}", file=sys.stderr)
        return 1
    except binance_usdm.UsdmError as error:
        print(error, file=sys.stderr)
        return 1
    for row in sorted(rows, key=lambda row: row.available_balance, reverse=True):
        if any(getattr(row, name) for name in row.HOLDINGS):
            print(f"{row.asset:8} {row.balance:>24f} available {row.available_balance:>24f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
