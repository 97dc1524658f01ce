"""Write what many accounts hold to Parquet and CSV, and report those with little free margin.

    pip install pyarrow
    python daily_snapshot.py accounts.csv 2026-11-30 USDT 1000    # day or moment, asset, floor

`fifty_accounts.py` says what is in the first file. PostgreSQL reads the CSV file with `COPY`. Accounts
that a ban or limit stopped are read again after it. The exit status is 1 if one could not be read.
"""

import sys
import time
from decimal import Decimal
from functools import partial
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet
from fifty_accounts import read_accounts

from binance_usdm import BalanceResults, Client, RateLimitError, SyncTransport, read_balances
from binance_usdm.arrow import to_table

MAX_WAIT_SECONDS = 600


def read_all(clients: dict[str, Client]) -> BalanceResults:
    """Return the rows or the error of each account."""
    first = read_balances(clients.values())
    stopped = {n: e for n, e in first.failures.items() if isinstance(e, RateLimitError)}
    wait = max((error.retry_after or 0.0 for error in stopped.values()), default=0.0)
    if not stopped or wait > MAX_WAIT_SECONDS:
        return first
    print("accounts that a ban or limit stopped are read again", file=sys.stderr)
    time.sleep(wait)
    second = read_balances(clients[name] for name in stopped)
    others = {name: e for name, e in first.failures.items() if name not in stopped}
    others |= second.failures
    return BalanceResults(responses={**first.responses, **second.responses}, failures=others)


def main(accounts: str, day: str, asset: str, floor: str) -> int:
    with SyncTransport() as pool:
        new, keys = partial(Client.from_env, transport=pool), read_accounts(Path(accounts)).items()
        results = read_all({n: new(label=n, api_key=k, api_secret=s) for n, (k, s) in keys})
    tables = [to_table([])]
    for name, response in sorted(results.responses.items()):
        tables.append(to_table(response.parsed, label=name, received_at=response.received_at))
        for row in response.parsed:
            if row.asset == asset and row.available_balance < Decimal(floor):
                print(f"ALERT: {name} has {row.available_balance:f} {asset} available")
    table = pyarrow.concat_tables(tables).combine_chunks()  # pyarrow 18: a header per empty chunk
    pyarrow.parquet.write_table(table, f"{day}.parquet")
    pyarrow.csv.write_csv(table, f"{day}.csv")
    for name, error in results.failures.items():
        print(f"not read: {name}: {type(error).__name__}", file=sys.stderr)
    return 1 if results.failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:5]))
