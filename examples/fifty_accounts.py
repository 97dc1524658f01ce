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

Rows = list[binance_usdm.AccountBalance]
TIMEOUT_SECONDS = 90  # a full minute may pass until the budget has room again


def read_accounts(path: Path) -> dict[str, tuple[str, str]]:
    """Return API key and secret by the account's name."""
    if path.stat().st_mode & 0o077:
        raise SystemExit(f"{path} is open to other users; run: chmod 600 {path}")
    with path.open(newline="", encoding="utf-8") as file:
        return {name: (api_key, api_secret) for name, api_key, api_secret in csv.reader(file)}


async def read_balances(
    accounts: dict[str, tuple[str, str]],
) -> dict[str, Rows | BaseException]:
    """Return the rows or the error of each account by its name."""
    async with binance_usdm.AsyncTransport(max_connections=20) as transport:
        clients = [
            binance_usdm.AsyncClient.from_env(
                api_key=api_key, api_secret=secret, transport=transport, timeout=TIMEOUT_SECONDS
            )
            for api_key, secret in accounts.values()
        ]
        results = await asyncio.gather(
            *[client.balance() for client in clients], return_exceptions=True
        )
    return dict(zip(accounts, results, strict=True))


def main() -> int:
    results = asyncio.run(read_balances(read_accounts(Path(sys.argv[1]))))
    for name, result in results.items():
        if isinstance(result, BaseException):
            print(f"{name}: {type(result).__name__}", file=sys.stderr)
        else:
            print(name, *[f"{row.asset}={row.balance:f}" for row in result])
    return int(any(isinstance(result, BaseException) for result in results.values()))


if __name__ == "__main__":
    sys.exit(main())
