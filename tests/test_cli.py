"""The shell command, through a real process and a real socket."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from binance_usdm.mock import Exchange, running

KEY, SECRET = "K" * 64, "S" * 64
ROWS = [
    {
        "accountAlias": "QmZtRkWpXsLnVbCd",
        "asset": asset,
        "balance": balance,
        "crossWalletBalance": balance,
        "crossUnPnl": pnl,
        "availableBalance": "4310.27549168",
        "maxWithdrawAmount": "0.00000000",
        "marginAvailable": True,
        "updateTime": 0,
    }
    for asset, balance, pnl in (
        ("FDUSD", "0.00000000", "0.00000000"),
        ("USDT", "99999999999999999999999999.99999999", "-402.91836500"),
        ("币安人生", "0.00000000", "0.00000001"),
    )
]
Finished = subprocess.CompletedProcess[str]


@pytest.fixture
def exchange() -> Exchange:
    return Exchange(api_key=KEY, api_secret=SECRET)


@pytest.fixture
def url(exchange: Exchange) -> Iterator[str]:
    with running(exchange) as url:
        yield url


def run(*arguments: str, **environment: str) -> Finished:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BINANCE_")}
    command = [sys.executable, "-m", "binance_usdm", *arguments]
    env = {**clean, "PYTHONIOENCODING": "utf-8", **environment}
    return subprocess.run(command, env=env, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False)


def balance(url: str, *arguments: str, key: str = KEY, secret: str = SECRET) -> Finished:
    return run("balance", "--base-url", url, *arguments, BINANCE_API_KEY=key, BINANCE_API_SECRET=secret)


def test_json_is_the_wire_s_members_and_texts(exchange: Exchange, url: str) -> None:
    odd = [{**ROWS[1], "newMember": {"deep": [1, None]}}]
    exchange.seed(
        "balance", json.dumps(odd).encode()[:-2] + b', "ratio": 1.50, "big": 123456789012345678901234567890}]'
    )
    done = balance(url, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout, parse_float=str) == [
        {**odd[0], "ratio": "1.50", "big": 123456789012345678901234567890}
    ]


def test_csv_and_plain_text_hold_every_digit(exchange: Exchange, url: str) -> None:
    exchange.seed("balance", ROWS)
    done = balance(url, "--csv")
    assert [row["balance"] for row in csv.DictReader(io.StringIO(done.stdout))] == [row["balance"] for row in ROWS]
    plain = balance(url).stdout.splitlines()
    assert plain[0].split() == list(ROWS[0])
    assert plain[2].split()[2] == ROWS[1]["balance"]
    assert len({line.index(".") for line in plain[1:3]}) == 1, "amounts stand under each other"


def test_an_empty_wallet_still_has_columns(exchange: Exchange, url: str) -> None:
    exchange.seed("balance", [])
    assert balance(url, "--csv").stdout == ",".join(ROWS[0]) + "\n"
    assert balance(url, "--json").stdout == "[]\n"
    assert balance(url).stdout.split() == list(ROWS[0])


def test_rows_can_be_chosen(exchange: Exchange, url: str) -> None:
    exchange.seed("balance", ROWS)
    chosen = json.loads(balance(url, "--json", "--asset", "USDT", "--asset", "币安人生").stdout)
    assert [row["asset"] for row in chosen] == ["USDT", "币安人生"]
    holding = json.loads(balance(url, "--json", "--non-zero").stdout)
    assert [row["asset"] for row in holding] == ["USDT", "币安人生"], "available margin alone is no holding"
    missing = balance(url, "--json", "--asset", "usdt")
    assert (missing.returncode, missing.stdout) == (0, "[]\n")
    assert "usdt" in missing.stderr


def test_a_name_cannot_move_the_cursor(exchange: Exchange, url: str) -> None:
    exchange.seed("balance", [{**ROWS[0], "asset": "\x1b[2JUSDT\n"}])
    assert "\x1b" not in balance(url).stdout
    assert "\\x1b[2JUSDT\\n" in balance(url).stdout


def test_arguments_of_the_operation_are_flags(exchange: Exchange, url: str) -> None:
    assert balance(url, "--recv-window", "3000").returncode == 0
    assert dict(exchange.requests[-1].query)["recvWindow"] == "3000"
    refused = balance(url, "--recv-window", "0")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "recv_window must be an integer from 1" in refused.stderr


def test_server_time_needs_no_key(url: str) -> None:
    done = run("server-time", "--base-url", url, "--json")
    assert done.returncode == 0
    assert set(json.loads(done.stdout)) == {"serverTime"}


@pytest.mark.parametrize(
    ("key", "secret", "expected"),
    [(KEY, "T" * 64, "code -1022"), ("Q" * 64, SECRET, "code -2015"), (KEY, "S S", "api_secret has a blank")],
)
def test_a_refusal_says_what_to_check_and_repeats_no_secret(url: str, key: str, secret: str, expected: str) -> None:
    done = balance(url, key=key, secret=secret)
    assert (done.returncode, done.stdout) == (1, "")
    assert expected in done.stderr
    assert key not in done.stderr
    assert secret not in done.stderr
    assert "Traceback" not in done.stderr


def test_missing_credentials_are_named() -> None:
    done = run("balance")
    assert done.returncode == 1
    assert "BINANCE_API_KEY is not set" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("blance",),
        ("balance", "--json", "--csv"),
        ("balance", "--demo", "--base-url", "https://x.example"),
        ("mock", "serve", "--fault", "no"),
    ],
)
def test_wrong_usage_is_2(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "usage: binance-usdm" in done.stderr


def test_a_clock_ten_seconds_behind_is_refused_with_1021() -> None:
    done = run("mock", "run", "--clock-offset", "10000", "--", sys.executable, "-m", "binance_usdm", "balance")
    assert (done.returncode, done.stdout) == (1, "")
    assert "TimestampError" in done.stderr
    assert "code -1021" in done.stderr


def test_a_program_can_be_run_against_the_mock() -> None:
    done = run(
        "mock", "run", "--", sys.executable, "-c", "import os, sys; print(os.environ['BINANCE_BASE_URL']); sys.exit(7)"
    )
    assert done.returncode == 7
    assert done.stdout.startswith("http://127.0.0.1:")
    nothing = run("mock", "run")
    assert nothing.returncode == 1
    assert "say what to run" in nothing.stderr


def test_a_fault_and_a_reply_can_be_chosen(tmp_path: object) -> None:
    banned = run("mock", "run", "--fault", "banned", "--", sys.executable, "-m", "binance_usdm", "balance")
    assert banned.returncode == 1
    assert "IPBannedError: HTTP 418" in banned.stderr
    file = os.path.join(str(tmp_path), "rows.json")
    with open(file, "w", encoding="utf-8") as out:
        json.dump(ROWS[:1], out)
    done = run(
        "mock", "run", "--reply", f"balance={file}", "--", sys.executable, "-m", "binance_usdm", "balance", "--json"
    )
    assert json.loads(done.stdout) == ROWS[:1]
    wrong = run("mock", "run", "--reply", "balances=x", "--", "true")
    assert wrong.returncode == 1
    assert "the operations are balance" in wrong.stderr


def test_nobody_listening_is_a_transport_error() -> None:
    done = balance("http://127.0.0.1:1")
    assert (done.returncode, done.stdout) == (1, "")
    assert "TransportError" in done.stderr
    assert "signature" not in done.stderr
