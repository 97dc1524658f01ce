"""Write the balances to balances.csv and balances.db, read both again, and compare every digit.

    python export_rows.py FOLDER

Amounts are text in both files, so they are the characters that the exchange sent. Exits with 1 if
a file has other characters than the response.
"""

import csv
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import binance_usdm

NAMES = tuple(binance_usdm.AccountBalance.WIRE_NAMES.values())
Table = list[tuple[str, ...]]


def write_csv(path: Path, table: Table) -> Table:
    """Write a CSV file and return what it contains."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([NAMES, *table])
    with path.open(newline="", encoding="utf-8") as file:
        return [tuple(line) for line in csv.reader(file)][1:]


def write_sqlite(path: Path, table: Table) -> Table:
    """Replace the table `balance` and return what it contains."""
    columns = ", ".join(f'"{name}" TEXT NOT NULL' for name in NAMES)
    marks = ", ".join("?" for _ in NAMES)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("DROP TABLE IF EXISTS balance")
        database.execute(f"CREATE TABLE balance ({columns})")
        # The names and the number of marks are those of the spec, not of a response.
        database.executemany(f"INSERT INTO balance VALUES ({marks})", table)  # noqa: S608
        return database.execute("SELECT * FROM balance ORDER BY rowid").fetchall()


def main() -> int:
    folder = Path(sys.argv[1])
    with binance_usdm.Client.from_env() as client:
        rows = [row.to_dict() for row in client.balance()]
    table = [tuple(str(row[name]) for name in NAMES) for row in rows]
    for path, write in (
        (folder / "balances.csv", write_csv),
        (folder / "balances.db", write_sqlite),
    ):
        if write(path, table) != table:
            print(f"{path.name} differs from the response", file=sys.stderr)
            return 1
        print(f"{path.name}: {len(table)} rows, every digit equal")
    return 0


if __name__ == "__main__":
    sys.exit(main())
