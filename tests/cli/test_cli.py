"""The commands over a real socket, in a process where that matters."""

import argparse
import csv
import io
import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest

from binance_usdm import AccountBalance, Client, Response
from binance_usdm._cli.arguments import argument_type
from binance_usdm._cli.main import main
from binance_usdm._config import environment as _environment
from binance_usdm.mock import Exchange, running
from binance_usdm_wire import OPERATIONS, Parameter
from tests.support.command_line import Finished, process, run
from tests.support.spec_facts import without_optional

KEY, SECRET = "K" * 64, "S" * 64
NO_ROWS = Response[list[AccountBalance]](
    parsed=[], status_code=200, headers={}, used_weight=None, elapsed=0.0, attempts=1,
    received_at_ms=0,
)  # fmt: skip
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


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Exchange, str]]:
    exchange = Exchange(api_key=KEY, api_secret=SECRET)
    with running(exchange) as url:
        yield exchange, url


@pytest.fixture
def exchange(served: tuple[Exchange, str]) -> Exchange:
    """The exchange that is served, as new."""
    served[0].reset()
    return served[0]


@pytest.fixture
def url(served: tuple[Exchange, str], exchange: Exchange) -> str:
    return served[1]


def balance(
    url: str,
    *arguments: str,
    key: str = KEY,
    secret: str = SECRET,
    run: Callable[..., Finished] = run,
) -> Finished:
    return run(
        "balance", "--base-url", url, *arguments, BINANCE_API_KEY=key, BINANCE_API_SECRET=secret
    )


def test_json_is_the_wire_s_members_and_texts(exchange: Exchange, url: str) -> None:
    odd = [{**ROWS[1], "newMember": {"deep": [1, None]}}]
    exchange.seed(
        "balance",
        json.dumps(odd).encode()[:-2] + b', "ratio": 1.50, "big": 123456789012345678901234567890}]',
    )
    done = balance(url, "--json", run=process)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout, parse_float=str) == [
        {**odd[0], "ratio": "1.50", "big": 123456789012345678901234567890}
    ]


def test_csv_and_plain_text_hold_every_digit(exchange: Exchange, url: str) -> None:
    exchange.seed("balance", ROWS)
    done = balance(url, "--csv")
    assert [row["balance"] for row in csv.DictReader(io.StringIO(done.stdout))] == [
        row["balance"] for row in ROWS
    ]
    plain = balance(url).stdout.splitlines()
    assert without_optional(plain[0].split()) == list(ROWS[0])
    assert plain[2].split()[2] == ROWS[1]["balance"]
    assert len({line.index(".") for line in plain[1:3]}) == 1, "amounts stand under each other"


def test_an_empty_wallet_still_has_columns(exchange: Exchange, url: str) -> None:
    exchange.seed("balance", [])
    header = balance(url, "--csv").stdout
    assert without_optional(header.removesuffix("\n").split(",")) == list(ROWS[0])
    assert balance(url, "--json").stdout == "[]\n"
    assert balance(url).stdout.split() == header.removesuffix("\n").split(",")


UNKNOWN = {"newMember": {"deep": [1, None]}, "b\x1bad": False}


@pytest.mark.parametrize("output_format", ["table", "csv", "tsv"])
def test_columns_are_the_specs(exchange: Exchange, url: str, output_format: str) -> None:
    """The day a field is added, columns stay as they are; a warning names the field."""
    exchange.seed("balance", [dict(reversed(ROWS[1].items())), {**ROWS[0], **UNKNOWN}])
    done = balance(url, "--output", output_format)
    header = done.stdout.splitlines()[0].replace(",", " ").split()
    assert (done.returncode, header) == (0, list(ROWS[0]))
    assert done.stderr == (
        "binance-usdm: fields that are not in the spec were left out: 'b\\x1bad', newMember; "
        "print them with --all-members\n"
    )
    every = balance(url, "--output", output_format, "--all-members")
    assert every.stderr == ""
    assert every.stdout.splitlines()[0].endswith("additional_properties")
    # The row without such a field is not printed, so there is nothing to warn of.
    assert balance(url, "-o", output_format, "--asset", "USDT").stderr == ""


def test_unknown_fields_are_one_column_of_json(exchange: Exchange, url: str) -> None:
    """`--all-members` adds one column with an exact JSON object, empty for other rows."""
    body = json.dumps([ROWS[0], ROWS[1]]).encode()[:-2] + b', "ratio": 1.50}]'
    exchange.seed("balance", body)
    rows = list(csv.DictReader(io.StringIO(balance(url, "--csv", "--all-members").stdout)))
    assert [row["additional_properties"] for row in rows] == ["{}", '{"ratio":1.50}']
    flat = balance(url, "-o", "jsonl", "--all-members").stdout.splitlines()[1]
    assert flat.endswith('"ratio":1.50}'), "JSON has the field among the others"


@pytest.mark.parametrize(
    ("columns", "output_format", "expected"),
    [
        ("balance,asset", "csv", "balance,asset\n0.00000000,币安人生\n"),
        ("asset,cross_un_pnl, asset", "tsv", "asset\tcrossUnPnl\n币安人生\t0.00000001\n"),
        ("updateTime,asset", "jsonl", '{"updateTime":0,"asset":"币安人生"}\n'),
        (
            "asset,additional_properties",
            "jsonl",
            '{"asset":"币安人生","additional_properties":{}}\n',
        ),
        ("asset", "table", "asset\n币安人生\n"),
        ("label,asset", "csv", "label,asset\n,币安人生\n"),
    ],
)
def test_columns_can_be_chosen(
    exchange: Exchange, url: str, columns: str, output_format: str, expected: str
) -> None:
    """The chosen fields are printed in the given order, by either of their names."""
    exchange.seed("balance", ROWS)
    each = [word for name in columns.split(",") for word in ("--columns", name)]
    for options in (["--columns", columns], each):
        done = balance(url, "-o", output_format, *options, "--asset", "币安人生")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == expected


def test_times_can_be_iso(exchange: Exchange, url: str) -> None:
    """`--time iso` prints every time in UTC, exact to the ms, and 0 as nothing."""
    rows = [{**ROWS[0], "updateTime": update_time} for update_time in (1617939110373, 0, 2**63 - 1)]
    exchange.seed("balance", rows)
    shown = balance(url, "--csv", "--time", "iso", "--columns", "updateTime").stdout.split()
    assert shown == ["updateTime", "2021-04-09T03:31:50.373Z", '""', "9223372036854775807"]
    times = json.loads(balance(url, "--json", "--time", "iso").stdout)
    assert [row["updateTime"] for row in times] == [shown[1], None, 2**63 - 1]
    received = json.loads(balance(url, "--json", "--columns", "received_at").stdout)
    assert abs(received[0]["received_at"] - time.time() * 1000) < 60_000
    now = run("server-time", "--base-url", url, "--time", "iso", "-o", "csv").stdout.split()[1]
    assert abs(datetime.fromisoformat(now).timestamp() - time.time()) < 60


def test_rows_can_be_chosen(exchange: Exchange, url: str) -> None:
    exchange.seed("balance", ROWS)
    chosen = json.loads(balance(url, "--json", "--asset", "USDT", "--asset", "币安人生").stdout)
    assert [row["asset"] for row in chosen] == ["USDT", "币安人生"]
    holding = json.loads(balance(url, "--json", "--non-zero").stdout)
    assert [row["asset"] for row in holding] == ["USDT", "币安人生"], (
        "available margin alone is no holding"
    )


def test_a_missing_asset_fails_and_others_are_shown(exchange: Exchange, url: str) -> None:
    """An asset without a row is named on stderr, the others are printed, the exit code is 1."""
    exchange.seed("balance", ROWS)
    missing = balance(url, "--json", "--asset", "usdt", "--asset", "USDT")
    assert missing.returncode == 1
    assert [row["asset"] for row in json.loads(missing.stdout)] == ["USDT"]
    assert missing.stderr == "binance-usdm: no row for the asset 'usdt'; did you mean USDT?\n"


@pytest.mark.parametrize(
    ("asset", "hint"),
    [
        ("usdt", "; did you mean USDT?"),
        (" Usdt ", "; did you mean USDT?"),
        ("USDTT", "; did you mean USDT?"),
        ("fdus", "; did you mean FDUSD?"),
        ("币安人", "; did you mean 币安人生?"),
        ("bnb", "; did you mean 'B\\x1bNB'?"),
        ("", ""),
        ("NOTHING", ""),
    ],
)
def test_a_close_asset_is_suggested(exchange: Exchange, url: str, asset: str, hint: str) -> None:
    """A missing asset in other letter case, or with a typo, gets the name that was meant."""
    exchange.seed("balance", [*ROWS, {**ROWS[0], "asset": "B\x1bNB"}])
    done = balance(url, "--json", "--asset", asset)
    assert (done.returncode, done.stdout) == (1, "[]\n")
    assert done.stderr == f"binance-usdm: no row for the asset {asset!r}{hint}\n"


@pytest.mark.parametrize("command", [(), ("balance",), ("server-time",), ("doctor",)])
def test_help_names_all_variables(command: tuple[str, ...]) -> None:
    """The help of each command that reads the environment names every variable."""
    names = {value for name, value in vars(_environment).items() if name.startswith("ENV_API")}
    names |= {value for name, value in vars(_environment).items() if name.startswith("ENV_PRIVATE")}
    names |= set(_environment.ENV_NAMES_BY_OPTION.values())
    assert len(names) >= 6
    shown = run(*command, "--help").stdout
    assert {name for name in names if f"{name} " not in shown} == set()


def test_help_lists_choices(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The values of an enum are listed in the help, and others are wrong usage."""
    side = Parameter(
        name="side", type=str, required=False, description="100 %", choices=("BUY", "50%", "a b")
    )
    took: dict[str, str] = {}
    changed = attrs.evolve(
        OPERATIONS["balance"],
        parameters=(side,),
        build_query=lambda **found: took.update(found) or {},
    )
    monkeypatch.setattr("binance_usdm_wire.api.account.balance.OPERATION", changed)
    monkeypatch.setattr(Client, "balance_detailed", lambda client, **found: NO_ROWS)
    assert "--side {BUY,50%,a b}" in run("balance", "--help").stdout
    wrong = balance(url, "--side", "buy")
    assert wrong.returncode == 2
    assert (
        "argument --side: invalid choice: 'buy' (choose from 'BUY', '50%', 'a b')" in wrong.stderr
    )
    assert balance(url, "--side", "50%").returncode == 0
    assert took == {"side": "50%"}


def test_an_asset_that_holds_nothing_is_not_missing(exchange: Exchange, url: str) -> None:
    exchange.seed("balance", ROWS)
    done = balance(url, "--json", "--non-zero", "--asset", "FDUSD")
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")


def test_a_name_cannot_move_the_cursor(exchange: Exchange, url: str) -> None:
    exchange.seed("balance", [{**ROWS[0], "asset": "\x1b[2JUSDT\n"}])
    assert "\x1b" not in balance(url).stdout
    assert "\\x1b[2JUSDT\\n" in balance(url).stdout


def test_arguments_of_the_operation_are_flags(exchange: Exchange, url: str) -> None:
    assert balance(url, "--recv-window", "3000").returncode == 0
    assert dict(exchange.requests[-1].query)["recvWindow"] == "3000"


@pytest.mark.parametrize(
    ("encoding", "shown"), [("ascii", "\\u5e01"), ("cp1252", "\\u5e01"), ("utf-8", "币")]
)
@pytest.mark.parametrize("form", ["--json", "--csv", "-otsv", None])
def test_an_encoding_that_cannot_hold_a_name_shows_its_number(
    exchange: Exchange, url: str, encoding: str, shown: str, form: str | None
) -> None:
    rows = [{**ROWS[2], "asset": "é币🙂"}]
    exchange.seed("balance", rows)
    done = run(
        "balance", "--base-url", url, *([form] if form else []), "--asset", "é币🙂",
        encoding=encoding,
        BINANCE_API_KEY=KEY, BINANCE_API_SECRET=SECRET,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert shown in done.stdout
    if form == "--json":
        assert json.loads(done.stdout) == rows


def test_a_message_and_a_help_text_survive_ascii(url: str) -> None:
    keys: Any = {
        "BINANCE_API_KEY": KEY,
        "BINANCE_API_SECRET": SECRET,
        "PYTHONIOENCODING": "ascii:strict",
    }
    missing = process("balance", "--base-url", url, "--asset", "币", PYTHONUTF8="1", **keys)
    assert (missing.returncode, missing.stderr) == (
        1,
        "binance-usdm: no row for the asset '\\u5e01'\n",
    )
    assert "USD\\u24c8-M" in process("--help", **keys).stdout


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", [("--help",), ("server-time", "--json")])
def test_output_that_cannot_be_written_is_one_line(url: str, arguments: tuple[str, ...]) -> None:
    with open("/dev/full", "w") as full:
        done = process(*arguments, stdout=full, BINANCE_BASE_URL=url, PYTHONUNBUFFERED="")
    assert (done.returncode, done.stderr) == (1, "binance-usdm: OSError: No space left on device\n")


def test_server_time_needs_no_key(url: str) -> None:
    done = run("server-time", "--base-url", url, "--json")
    assert done.returncode == 0
    assert set(json.loads(done.stdout)) == {"serverTime"}


@pytest.mark.parametrize(
    ("key", "secret", "expected"),
    [
        (KEY, "T" * 64, "code -1022"),
        ("Q" * 64, SECRET, "code -2015"),
        (KEY, "S S", "BINANCE_API_SECRET contains a space"),
    ],
)
def test_a_refusal_says_what_to_check_and_repeats_no_secret(
    url: str, key: str, secret: str, expected: str
) -> None:
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
    ("arguments", "said"),
    [
        ((), "usage: binance-usdm"),
        (("blance",), "invalid choice: 'blance'"),
        (("balance", "--json", "--csv"), "not allowed with argument"),
        (("balance", "--demo", "--base-url", "https://x.example"), "not allowed with argument"),
        (("balance", "--csv", "--output", "csv"), "not allowed with argument"),
        (("balance", "-o", "xml"), "invalid choice: 'xml' (choose from 'table', 'json', 'jsonl'"),
        (("balance", "--time", "s"), "invalid choice: 's' (choose from 'ms', 'iso')"),
        (("balance", "--columns", "asset,avail_balance"), "did you mean availableBalance?"),
        (("balance", "--columns", ""), "there is no column ''; the columns are accountAlias"),
        (("server-time", "--columns", "asset"), "there is no column 'asset'"),
        (("balance", "--timeout", "0"), "argument --timeout: must be a positive number"),
        (("balance", "--timeout", "nan"), "argument --timeout: must be a positive number"),
        (("balance", "--timeout", "soon"), "argument --timeout: must be a positive number"),
        (("balance", "--recv-window", "0"), "recv_window must be an integer from 1"),
        (("balance", "--recv-window", "x"), "argument --recv-window: invalid int value"),
        (("balance", "--base-url", ""), "argument --base-url: base_url must look like"),
        (
            ("balance", "--base-url", "http://x.example"),
            "argument --base-url: base_url must be https",
        ),
    ],
)
def test_wrong_usage_is_2_and_comes_before_a_missing_key(
    arguments: tuple[str, ...], said: str
) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: binance-usdm")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_refused_base_url_is_not_repeated() -> None:
    done = process("balance", "--base-url", "https://me:pa55@x.example")
    assert (done.returncode, "pa55" in done.stderr) == (2, False)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [(bool, "false", False), (bool, "true", True), (Decimal, "-0.10", Decimal("-0.10"))],
)
def test_a_parameter_is_read_by_its_type(kind: type, text: str, value: object) -> None:
    assert str(argument_type(kind)(text)) == str(value)


@pytest.mark.parametrize(
    ("kind", "text"), [(bool, "True"), (bool, ""), (Decimal, "1,5"), (Decimal, "")]
)
def test_a_text_of_another_type_is_wrong_usage(kind: type, text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"^must be"):
        argument_type(kind)(text)


def test_no_parameter_of_an_operation_takes_the_place_of_ours(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An operation may have a parameter `asset`, which then replaces the filter."""
    names = ("asset", "run", "operation", "form", "refuse", "only")
    sent = tuple(
        Parameter(name=name, type=str, required=False, description="100 %") for name in names
    )
    took: dict[str, str] = {}
    changed = attrs.evolve(
        OPERATIONS["balance"], parameters=sent, build_query=lambda **found: took.update(found) or {}
    )
    monkeypatch.setattr("binance_usdm_wire.api.account.balance.OPERATION", changed)
    monkeypatch.setattr(Client, "balance_detailed", lambda client, **found: NO_ROWS)
    monkeypatch.setenv("BINANCE_API_KEY", KEY)
    monkeypatch.setenv("BINANCE_API_SECRET", SECRET)
    flags = [word for name in names for word in (f"--{name}", name.upper())]
    assert main(["balance", "--base-url", url, "--json", *flags]) == 0
    assert took == {name: name.upper() for name in names}
    assert capsys.readouterr().out == "[]\n"


def test_nobody_listening_is_a_transport_error() -> None:
    done = balance("http://127.0.0.1:1", run=process)
    assert (done.returncode, done.stdout) == (1, "")
    assert "TransportError" in done.stderr
    assert "signature" not in done.stderr
