"""Read many accounts at once, within the weight budget of one IP address.

    python fifty_accounts.py accounts.csv

The file has a line `name,api_key,api_secret` for each account, and must be closed to other users
(`chmod 600 accounts.csv`). All accounts share one transport and the process's weight budget. One
that fails does not stop the others; the exit status is 1 then.
"""

import asyncio
import csv
import sys
from pathlib import Path

import binance_usdm


def read_accounts(path: Path) -> dict[str, tuple[str, str]]:
    """Return API key and secret by the account's name."""
    if path.stat().st_mode & 0o077:
        raise SystemExit(f"{path} is open to other users; run: chmod 600 {path}")
    with path.open(newline="", encoding="utf-8") as file:
        return {name: (api_key, api_secret) for name, api_key, api_secret in csv.reader(file)}


async def read_all(accounts: dict[str, tuple[str, str]]) -> binance_usdm.BalanceResults:
    """Return the rows or the error of each account by its name."""
    async with binance_usdm.AsyncTransport(max_connections=20) as transport:
        clients = [
            binance_usdm.AsyncClient.from_env(
                api_key=api_key, api_secret=secret, transport=transport, label=name
            )
            for name, (api_key, secret) in accounts.items()
        ]
        return await binance_usdm.aread_balances(clients)


def main() -> int:
    results = asyncio.run(read_all(read_accounts(Path(sys.argv[1]))))
    for name, rows in results.rows.items():
        print(name, *[f"{row.asset}={row.balance:f}" for row in rows])
    for name, error in results.failures.items():
        print(f"{name}: {type(error).__name__}", file=sys.stderr)
    return 1 if results.failures else 0


if __name__ == "__main__":
    sys.exit(main())
