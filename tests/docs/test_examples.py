"""The programs in examples/ run against the mock exchange, as their docstrings say."""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from binance_usdm._config.environment import without_proxy_for
from binance_usdm.mock import Exchange, Reply, row, running
from tests.support.paths import ROOT
from tests.support.postgres import PostgresServer
from tests.support.spec_facts import BALANCE_WEIGHT

EXAMPLES = ROOT / "examples"
MAX_LINES = 60
NEEDS = {
    "daily_snapshot.py": "pyarrow",
    "fastapi_service.py": "fastapi",
    "opentelemetry_spans.py": "opentelemetry.sdk",
    "prometheus_exporter.py": "prometheus_client",
}
# More digits than a float has.
ROWS = [
    row("USDT", balance="12345678901234567.12345678", available_balance="-0.00000001"),
    row("BTC", balance="0.1234567890123456789", cross_un_pnl="0.00000000"),
]


class Runner:
    """Runs an example in a folder, in the environment that `mock run` would set."""

    def __init__(self, exchange: Exchange, url: str, folder: Path) -> None:
        self.exchange = exchange
        self.folder = folder
        paths = os.pathsep.join(map(str, (ROOT, ROOT / "generated_client")))
        self.environment = {
            **{name: text for name, text in os.environ.items() if "BINANCE" not in name},
            **without_proxy_for(url, os.environ),
            "BINANCE_API_KEY": exchange.api_key,
            "BINANCE_API_SECRET": exchange.api_secret,
            "BINANCE_BASE_URL": url,
            "PYTHONIOENCODING": "utf-8",
            "PYTHONPATH": paths,
        }

    def run(self, name: str, *arguments: str, code: int = 0) -> tuple[str, str]:
        """Return what an example writes to stdout and stderr."""
        return self.python(str(EXAMPLES / name), *arguments, code=code)

    def python(self, *arguments: str, code: int = 0) -> tuple[str, str]:
        """Run Python, with warnings as errors, and check its exit status."""
        return self.command(sys.executable, "-W", "error", *arguments, code=code)

    def command(self, *command: str, code: int = 0) -> tuple[str, str]:
        """Return what a program writes to stdout and stderr, and check its exit status."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout, done.stderr


@pytest.fixture
def example(tmp_path: Path) -> Iterator[Runner]:
    exchange = Exchange()
    with running(exchange) as url:
        yield Runner(exchange, url, tmp_path)


def skip_without(package: str) -> None:
    """Skip the test if a package, which the development environment need not have, is absent."""
    try:
        found = importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:
        found = False
    if not found:
        pytest.skip(f"{package} is not installed")


def test_an_example_is_short_and_says_how_to_run_it() -> None:
    """At most 60 lines, with a docstring that has a command."""
    programs = sorted(path for path in EXAMPLES.iterdir() if path.is_file())
    assert len(programs) == 14
    for program in programs:
        text = program.read_text(encoding="utf-8")
        introduction = (
            text.split('"""')[1] if program.suffix == ".py" else text.partition("\n\n")[0]
        )
        assert text.startswith(('"""', "//", "#!")), program
        assert len(text.splitlines()) <= MAX_LINES, program
        commands = ("python ", "uvicorn ", "pytest ", "bash ", "node ")
        assert any(word in introduction for word in commands), program
    assert NEEDS.keys() <= {program.name for program in programs}


def test_one_account_is_printed(example: Runner) -> None:
    """Rows that hold nothing are left out, and a rejected key is one line and status 1."""
    example.exchange.seed("balance", [*ROWS, row("BNB")])
    printed, _ = example.run("one_account.py")
    assert [line.split()[:2] for line in printed.splitlines()] == [
        ["BTC", "0.1234567890123456789"],
        ["USDT", "12345678901234567.12345678"],
    ]
    example.environment["BINANCE_API_SECRET"] = "another-secret"
    printed, errors = example.run("one_account.py", code=1)
    assert printed == ""
    assert errors.startswith("the exchange rejected the request: -1022 ")


@pytest.mark.parametrize(("runtime", "name"), [("node", "balance.mjs"), ("bash", "balance.sh")])
def test_other_languages_read_every_digit(example: Runner, runtime: str, name: str) -> None:
    """Without this package, too; a refusal has its code, and no output has a credential."""
    if (program := shutil.which(runtime)) is None:
        pytest.skip(f"{runtime} is not installed")
    for secret in ("short", "a secret of more bytes than a block of SHA-256 has, which is hashed"):
        key = f"key-of-{len(secret)}"
        example.exchange.add_account(key, secret)
        example.exchange.seed("balance", ROWS, api_key=key)
        example.environment |= {"BINANCE_API_KEY": key, "BINANCE_API_SECRET": secret}
        printed, errors = example.command(program, str(EXAMPLES / name))
        assert errors == ""
        for fields in ROWS:
            assert fields["balance"] in printed
    example.environment["BINANCE_API_SECRET"] = "another"
    printed, errors = example.command(program, str(EXAMPLES / name), code=int(runtime == "node"))
    assert "-1022" in printed + errors
    assert "another" not in printed + errors


def test_fifty_accounts_are_read(example: Runner) -> None:
    """Each account gets its own rows, one that fails stops no other, and the file must be private."""
    lines = []
    for number in range(50):
        key, secret = f"key-{number}", f"secret-{number}"
        account = example.exchange.add_account(key, secret)
        rows = [row("USDT", account_alias=account.alias, balance=f"{number}.00000001")]
        example.exchange.seed("balance", rows, api_key=key)
        lines.append([f"account-{number}", key, "wrong" if number == 7 else secret])
    file = example.folder / "accounts.csv"
    with file.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(lines)
    file.chmod(0o644)
    _, errors = example.run("fifty_accounts.py", "accounts.csv", code=1)
    assert errors == "accounts.csv is open to other users; run: chmod 600 accounts.csv\n"
    file.chmod(0o600)
    printed, errors = example.run("fifty_accounts.py", "accounts.csv", code=1)
    assert printed.splitlines() == [
        f"account-{number} USDT={number}.00000001" for number in range(50) if number != 7
    ]
    assert errors == "account-7: AuthenticationError\n"
    assert len(example.exchange.requests) == 50


AMOUNTS = {
    "balance": "balance",
    "crossWalletBalance": "cross_wallet_balance",
    "crossUnPnl": "cross_un_pnl",
    "availableBalance": "available_balance",
    "maxWithdrawAmount": "max_withdraw_amount",
}
BAD, POOR = 13, 31
BAN_SECONDS = 1


def seed_forty_accounts(example: Runner, day: int) -> dict[tuple[str, str], list[str]]:
    """Return the amounts of each account and asset, all different, with more digits than a float.

    The first day also adds the accounts and writes their file, with one secret that is wrong.
    """
    expected: dict[tuple[str, str], list[str]] = {}
    lines = []
    for number in range(40):
        name, key, secret = f"desk-{number:02}", f"key-{number}", f"secret-{number}"
        if day == 1:
            example.exchange.add_account(key, secret)
        lines.append([name, key, "wrong" if number == BAD else secret])
        rows = []
        for place, asset in enumerate(("USDT", "BTC")):
            tail = f"{day}{number:02}{place}"
            texts = [f"{sign}1234567890123{tail}.1234567890123{part}{tail}"
                     for part, sign in enumerate(("", "-", "", "", ""))]  # fmt: skip
            if number == POOR and asset == "USDT":
                texts[3] = "999.99999999"
            rows.append({"accountAlias": f"alias{number}", "asset": asset,
                         **dict(zip(AMOUNTS, texts, strict=True)),
                         "marginAvailable": True, "updateTime": 1617939110373})  # fmt: skip
            if number != BAD:
                expected[name, asset] = texts
        example.exchange.seed("balance", rows, api_key=key)
    file = example.folder / "accounts.csv"
    with file.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(lines)
    file.chmod(0o600)
    return expected


def take_snapshot(example: Runner, day: int) -> list[str]:
    """Run the example for a day, check what it reports, and return what it writes to stderr."""
    printed, errors = example.run(
        "daily_snapshot.py", "accounts.csv", f"day-{day}", "USDT", "1000", code=1
    )
    assert printed == f"ALERT: desk-{POOR} has 999.99999999 USDT available\n"
    return errors.splitlines()


def snapshots_of_two_days(example: Runner) -> dict[tuple[str, str, str], list[Decimal]]:
    """Take two snapshots, with a ban in the middle of the second one.

    Returns:
        The amounts that the files must have, by file, account and asset.
    """
    expected: dict[tuple[str, str, str], list[Decimal]] = {}
    for day in (1, 2):
        amounts = seed_forty_accounts(example, day)
        expected |= {(f"day-{day}", *key): [*map(Decimal, amounts[key])] for key in amounts}
        bad = f"not read: desk-{BAD}: AuthenticationError"
        if day == 1:
            assert take_snapshot(example, day) == [bad]
            assert len(example.exchange.requests) == 40
            continue
        text = json.dumps({"code": -1003, "msg": "Way too many requests; IP banned."}).encode()
        headers = ((b"Content-Type", b"application/json"), (b"Retry-After", b"%d" % BAN_SECONDS))
        example.exchange.fail(Reply(418, headers, text, code=-1003), nth=15)
        again = "accounts that a ban or limit stopped are read again"
        assert take_snapshot(example, day) == [again, bad]
    requests = example.exchange.requests[40:]
    assert [request.status for request in requests].count(418) == 1
    # Only the account that met the ban was asked twice.
    assert len(requests) == 41
    return expected


def test_a_day_of_forty_accounts_loses_nothing(example: Runner) -> None:
    """A bad key, a ban and an alert: each account is in the files of two days, digit by digit."""
    skip_without(NEEDS["daily_snapshot.py"])
    import pyarrow.parquet

    from binance_usdm.arrow import to_table

    expected = snapshots_of_two_days(example)
    assert len(expected) == 2 * 39 * 2
    found = {}
    for day in ("day-1", "day-2"):
        table = pyarrow.parquet.read_table(example.folder / f"{day}.parquet")
        assert table.schema.equals(to_table([]).schema)
        rows = table.to_pylist()
        assert len(rows) == 39 * 2
        for item in rows:
            amounts = [item[name] for name in AMOUNTS.values()]
            found[day, item["label"], item["asset"]] = amounts
            assert item["received_at"].tzinfo is not None
    assert found == expected
    with PostgresServer() as server:
        columns = ", ".join(
            f"{field.name} {'numeric(38, 18)' if field.name in AMOUNTS.values() else 'text'}"
            for field in to_table([]).schema
        )
        stored = {}
        for day in ("day-1", "day-2"):
            server.run(f'CREATE TABLE "{day}" ({columns})')
            text = (example.folder / f"{day}.csv").read_text("utf-8")
            server.run(f'COPY "{day}" FROM STDIN (FORMAT csv, HEADER true)', text)
            names = ", ".join(AMOUNTS.values())
            query = f'COPY (SELECT label, asset, {names} FROM "{day}") TO STDOUT (FORMAT csv)'
            for label, asset, *amounts in csv.reader(server.run(query).splitlines()):
                stored[day, label, asset] = [*map(Decimal, amounts)]
        assert stored == expected


def test_changes_are_watched(example: Runner) -> None:
    """The callback gets a row that changed, and a failed look is left out."""
    example.exchange.seed("balance", [row("USDT", balance="5.00000000"), row("BNB")])
    changed = json.dumps([row("USDT", balance="5.10000000"), row("BNB")]).encode()
    headers = ((b"Content-Type", b"application/json"),)
    example.exchange.fail("wrong-type", nth=2, type="application/json")  # as before
    example.exchange.fail(Reply(200, headers, changed), nth=3)
    printed, errors = example.run("watch_changes.py", "0", "3")
    assert (printed, errors) == ("USDT 5.00000000 -> 5.10000000\n", "")
    example.exchange.fail("html-200", times=3, nth=2)
    printed, errors = example.run("watch_changes.py", "0", "3")
    assert (printed, errors) == ("", "left out: UnexpectedResponse\n")


@pytest.mark.parametrize(
    ("asset", "bound", "code", "printed"),
    [
        ("USDT", "23.72469206", 0, "OK: 23.72469206 USDT available\n"),
        ("USDT", "23.72469207", 1, "ALERT: 23.72469206 USDT available, 0.00000001 too little\n"),
        ("BTC", "1", 2, "UNKNOWN: the account has no BTC\n"),
    ],
)
def test_little_margin_is_an_alert(
    example: Runner, asset: str, bound: str, code: int, printed: str
) -> None:
    """A difference in the last place counts, and an unknown asset is no good news."""
    assert example.run("margin_alert.py", asset, bound, code=code) == (printed, "")


def test_a_failure_is_not_all_right(example: Runner) -> None:
    """What could not be read is unknown."""
    example.exchange.fail("waf", times=None)
    printed, _ = example.run("margin_alert.py", "USDT", "1", code=2)
    assert printed == "UNKNOWN: ForbiddenError\n"


def test_every_digit_is_exported(example: Runner) -> None:
    """Both files have the characters of the response."""
    example.exchange.seed("balance", ROWS)
    printed, _ = example.run("export_rows.py", ".")
    assert printed.splitlines() == [
        "balances.csv: 2 rows, every digit equal",
        "balances.db: 2 rows, every digit equal",
    ]
    with (example.folder / "balances.csv").open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert [line["balance"] for line in lines] == [fields["balance"] for fields in ROWS]
    assert lines[0]["availableBalance"] == "-0.00000001"


def test_events_are_json_lines(example: Runner) -> None:
    """Each event is a line with its values, and no line has a credential or an amount."""
    example.exchange.fail("error-500")
    printed, errors = example.run("structured_logs.py")
    lines = [json.loads(line) for line in errors.splitlines()]
    kinds = ["sent", "answered", "retry", "sent", "answered", "balance"]
    assert [line["message"] for line in lines] == kinds
    retry, answered, balance = lines[2], lines[4], lines[5]
    assert (answered["status"], answered["attempt"], answered["used_weight"]) == (
        *(200, 2),
        BALANCE_WEIGHT,
    )
    assert 0 <= answered["seconds"] < 60
    assert (retry["error"], retry["status"], retry["attempt"]) == ("ServerError", 500, 1)
    assert balance["attempts"] == 2
    for secret in (example.exchange.api_key, example.exchange.api_secret, "122607"):
        assert secret not in errors
    assert json.loads(printed)["balance"] == "122607.35137903"


def test_the_bot_passes_its_tests(example: Runner) -> None:
    """Its test file runs with the installed fixture alone."""
    example.environment |= {
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_PLUGINS": "binance_usdm._pytest_plugin",
    }
    options = ["-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(EXAMPLES)]
    printed, _ = example.python("-m", "pytest", *options, str(EXAMPLES / "test_bot.py"))
    assert "12 passed" in printed


FASTAPI_PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import asyncio
from fastapi_service import app, get_client, open_client, read_balance

async def main():
    async with open_client(app):
        response = await read_balance(app.state.client)
        print(response.status_code, response.body.decode())
        print([route.path for route in app.routes][-1])

asyncio.run(main())
"""


def test_fastapi_serves_every_digit(example: Runner) -> None:
    """The body has the exchange's own digits, and the route is there."""
    skip_without(NEEDS["fastapi_service.py"])
    example.exchange.seed("balance", ROWS)
    printed, _ = example.python("-c", FASTAPI_PROGRAM, str(EXAMPLES))
    body, route = printed.splitlines()
    assert body.startswith("200 ")
    assert json.loads(body[4:]) == ROWS
    assert route == "/balance"


def test_prometheus_gets_metrics(example: Runner) -> None:
    """Balances are gauges, and a failure is counted."""
    skip_without(NEEDS["prometheus_exporter.py"])
    printed, _ = example.run("prometheus_exporter.py", "--once")
    assert 'usdm_available{asset="USDT"} 23.72469206' in printed.splitlines()
    example.exchange.fail("waf", times=None)
    printed, _ = example.run("prometheus_exporter.py", "--once")
    assert 'usdm_failures_total{error="ForbiddenError"} 1.0' in printed.splitlines()


def test_a_span_has_no_signature(example: Runner) -> None:
    """One span with status and attempts, and a retry as its event."""
    skip_without(NEEDS["opentelemetry_spans.py"])
    example.exchange.fail("error-500")
    printed, _ = example.run("opentelemetry_spans.py")
    span = json.loads(printed)
    assert span["attributes"]["binance.attempts"] == 2
    names = [event["name"] for event in span["events"]]
    assert names == ["sent", "answered", "retry", "sent", "answered"]
    assert "signature" not in printed
