"""The command `contract program`: how a program's output is judged, and what is printed."""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from binance_usdm.contract._programs.balances import BALANCES, iter_differences
from binance_usdm.contract._programs.four_calls import CALLS, judge_output
from tests.support.paths import ROOT
from tests.support.spec_facts import BALANCE_PATH

ROWS = json.dumps({"ok": True, "balances": BALANCES})
REJECTED = json.dumps({"ok": False, "code": -1022})
EXACT = "90071992547409931234567.12345678"
PROGRAM = """
import hashlib, hmac, json, os, sys, time, urllib.error, urllib.request

assert {name for name in os.environ if name.startswith("BINANCE")} == {
    "BINANCE_API_KEY", "BINANCE_API_SECRET", "BINANCE_BASE_URL"
}
query = f"timestamp={time.time_ns() // 10**6}"
digest = hmac.new(os.environ["BINANCE_API_SECRET"].encode(), query.encode(), hashlib.sha256)
request = urllib.request.Request(
    f"{os.environ['BINANCE_BASE_URL']}BALANCE_PATH?{query}&signature={digest.hexdigest()}",
    headers={"X-MBX-APIKEY": os.environ["BINANCE_API_KEY"]},
)
try:
    rows = json.load(urllib.request.urlopen(request))
except urllib.error.HTTPError as error:
    print(json.dumps({"ok": False, "code": json.load(error)["code"]}))
    sys.exit()
if sys.argv[1:] == ["--float"]:
    for row in rows:
        row["balance"] = str(float(row["balance"]))
print(json.dumps({"ok": True, "balances": rows}))
""".replace("BALANCE_PATH", BALANCE_PATH)


def run(tmp_path: Path, *command: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "binance_usdm", "contract", "program", "--", *command],
        cwd=tmp_path,
        env={**os.environ, "BINANCE_API_PRIVATE_KEY": "not for the program"},
        capture_output=True,
        encoding="utf-8",
        timeout=900,
        check=False,
    )


def test_correct_program_passes(tmp_path: Path) -> None:
    """Four calls come out as they must, and the program sees no other account."""
    done = run(tmp_path, sys.executable, "-I", "program.py")
    assert done.returncode == 0, done.stdout + done.stderr
    outcomes = [
        line.split("  ")[0:1] + line.split()[-3:-1] for line in done.stdout.splitlines()[1:]
    ]
    assert outcomes == [
        ["right key", "3", "rows"],
        ["wrong secret", "ok", "-1022"],
        ["wrong key", "ok", "-2015"],
        ["late clock", "ok", "-1021"],
    ]


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_node_program_of_the_page(tmp_path: Path) -> None:
    """The program of the page passes as it stands there."""
    page = (ROOT / "docs/en/how-to/contract-program.md").read_text(encoding="utf-8")
    found = re.search(r'^```js title="balances.mjs"\n(.*?)^```$', page, re.DOTALL | re.MULTILINE)
    assert found is not None
    (tmp_path / "balances.mjs").write_text(found[1], encoding="utf-8")
    done = run(tmp_path, "node", "balances.mjs")
    assert done.returncode == 0, done.stdout + done.stderr


def test_float_is_named(tmp_path: Path) -> None:
    """The output says which balance differs, what was printed, and that a float did it."""
    done = run(tmp_path, sys.executable, "-I", "program.py", "--float")
    assert done.returncode == 1
    assert (
        f'测试 balance: "9.007199254740994e+22", not "{EXACT}": rounded to a float' in done.stdout
    )
    assert "3 differences" not in done.stdout
    assert 'BTC balance: "1e-08", not "0.00000001": the same amount as a float' in done.stdout


@pytest.mark.parametrize(
    ("command", "exit_code", "message"),
    [
        ((), 2, "give a program after --"),
        (("/no/such/program",), 127, "cannot run /no/such/program"),
        (("/",), 126, "cannot run /"),
        ((sys.executable, "-c", "raise SystemExit('no key')"), 1, "stderr: no key"),
    ],
)
def test_program_that_does_not_run(
    tmp_path: Path, command: tuple[str, ...], exit_code: int, message: str
) -> None:
    done = run(tmp_path, *command)
    assert done.returncode == exit_code
    assert message in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("call", "exit_code", "printed", "summary"),
    [
        ("right key", 0, ROWS, "ok 3 rows"),
        ("right key", 0, REJECTED, "code -1022, not balances"),
        ("right key", 1, ROWS, "exit 1"),
        ("wrong secret", 0, REJECTED, "ok -1022"),
        ("wrong secret", 0, '{"ok": false, "code": -1022.0}', "code -1022.0, not code -1022"),
        ("wrong secret", 0, ROWS, "balances, not code -1022"),
        ("wrong key", 0, REJECTED, "code -1022, not code -2015"),
        ("late clock", 1, "", "no answer, exit 1"),
        ("late clock", 0, "[]", "no answer, exit 0"),
        ("right key", 0, '{"ok": false, "code": null}', "code null, not balances"),
        ("late clock", 0, '{"ok": false, "code": null}', "code null, not code -1021"),
    ],
)
def test_outcome_of_a_call(call: str, exit_code: int, printed: str, summary: str) -> None:
    verdict = judge_output(CALLS[call], exit_code, printed)
    assert verdict.summary == summary
    assert verdict.is_ok == summary.startswith("ok")


@pytest.mark.parametrize(
    ("exit_code", "printed", "reason"),
    [
        (0, "", "nothing was printed"),
        (-11, "", "ended by signal 11"),
        (0, f"hello\n{ROWS}", "it begins with hello"),
        (0, f"\ufeff{ROWS}", "BOM"),
        (0, '{"balances": []}', "the field ok is missing"),
        (0, "[]", "not an object"),
        (0, ROWS.replace("true", '"true"', 1), '"ok" is neither true nor false'),
        (0, ROWS.replace('"balance"', '"balance": "1", "balance"'), "a field twice"),
    ],
)
def test_reason_of_no_answer(exit_code: int, printed: str, reason: str) -> None:
    verdict = judge_output(CALLS["right key"], exit_code, printed)
    assert verdict.summary == f"no answer, exit {exit_code}"
    assert reason in verdict.details[0]


@pytest.mark.parametrize("text", ["1\nright key     ok 3 rows", "\x1b[2J", "A" * 10**5])
@pytest.mark.parametrize("name", ["asset", "balance"])
def test_differences_keep_to_their_lines(name: str, text: str) -> None:
    """What a program prints is shown in one short line that no terminal acts on."""
    printed = json.dumps({"ok": True, "balances": change(0, name, text)})
    verdict = judge_output(CALLS["right key"], 0, printed)
    assert verdict.details
    assert all(line.isprintable() and len(line) <= 1000 for line in verdict.details)


def change(index: int, name: str, value: Any) -> list[dict[str, Any]]:
    rows = copy.deepcopy(BALANCES)
    rows[index][name] = value
    return rows


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("9.007199254740994e+22", "rounded to a float"),
        ("90071992547409936777216", "rounded to a float"),
        ("90071992547409936777216.00000000", "rounded to a float"),
        ("9.00720e+22", "six digits of a printed float"),
        ("90071992547409931234567.12", "rounded to 2 places"),
        ("90071992547409931234567", "rounded to 0 places"),
        ("90071992547409931234567.1234567", "cut after 7 places"),
        ("90071992547409931234567.12346", "the 28 digits of Python's decimal context"),
        ("9.007199254740993123456712345678E+22", "with an exponent"),
        ("90071992547409931234567.123456780", "with other zeros"),
        ("-90071992547409931234567.12345678", "the sign is lost"),
        (None, "null, not"),
        ("NaN", '"NaN", not'),
        (True, "boolean true, not"),
        ([], "list, not"),
    ],
)
def test_reason_of_a_difference(value: Any, reason: str) -> None:
    """A difference is one line with the asset, the field, both values and what happened."""
    [line] = iter_differences(BALANCES, change(2, "balance", value))
    assert line.startswith("测试 balance: ")
    assert reason in line
    assert EXACT in line


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (None, "balances: null, not a list of objects"),
        ([1], "balances: list, not a list of objects"),
        (BALANCES[:2], "测试: the row is missing"),
        ([*BALANCES, BALANCES[0]], "USDT: 2 rows instead of one"),
        (
            [*BALANCES, {**BALANCES[0], "asset": "BNB"}],
            "1 rows that the account does not have: BNB",
        ),
        (BALANCES[::-1], "the rows come in another order"),
        (change(0, "marginAvailable", "true"), 'USDT marginAvailable: "true", not boolean true'),
        (change(0, "updateTime", 1.5), "USDT updateTime: number 1.5, not number 1617939110373"),
        (change(0, "new", 1), "USDT new: a field that the exchange does not send"),
        (
            [{k: v for k, v in BALANCES[0].items() if k != "balance"}, *BALANCES[1:]],
            "USDT balance: the field is missing",
        ),
    ],
)
def test_differences_of_rows(rows: Any, expected: str) -> None:
    assert [*iter_differences(BALANCES, rows)] == [expected]


def test_same_rows_do_not_differ() -> None:
    assert [*iter_differences(BALANCES, copy.deepcopy(BALANCES))] == []
