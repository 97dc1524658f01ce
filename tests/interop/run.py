"""Other people's clients against the mock exchange: each gets its balances, and is refused as the exchange would refuse it.

    python -m tests.interop.run [--only NAME | --own COMMAND]

Each client has a small program beside this file, and an environment of its own under
`.scratch/interop/`. A program takes BINANCE_BASE_URL, BINANCE_API_KEY and BINANCE_API_SECRET from
its environment, reads the balances once, and prints one line: `{"ok": true, "balances": [...]}`
with the rows as the exchange names their members, or `{"ok": false, "code": -1022}` with the
exchange's code. The table says for every client whether that came out which had to; exits 1 if
anything else did. Knows no client's API.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

from binance_usdm.mock import DEFAULT_API_KEY, DEFAULT_API_SECRET
from tests.contract.shell.served import served
from tests.interop.install import SCRATCH, command_of, version
from tests.interop.recipes import run_recipes

LATE: Final = 10_000
SECONDS: Final = 60  # for one program; some of them load for seconds on a busy machine


@dataclass(frozen=True)
class Client:
    """A client by its program. ``package`` is where its version stands, None for what the machine brings."""

    name: str
    program: str
    package: str | None
    note: str


@dataclass(frozen=True)
class Case:
    """What is wrong with a call, and the code that it must be refused with; None where the balances must come."""

    key: str = DEFAULT_API_KEY
    secret: str = DEFAULT_API_SECRET
    late: bool = False
    code: int | None = None


CLIENTS: Final = (
    Client(
        "official-python",
        "py_official.py",
        "binance-sdk-derivatives-trading-usds-futures",
        "base URL by base_path; it has no reading of the exchange's time",
    ),
    Client(
        "python-binance",
        "py_python_binance.py",
        "python-binance",
        "base URL by the attribute FUTURES_URL; window 5000 for its 10000; no ping of the spot host; it has no reading of the time unasked",
    ),
    Client(
        "ccxt-python",
        "py_ccxt.py",
        "ccxt",
        "base URL by urls['api']; window 5000 for its 10000; adjustForTimeDifference is off unless asked for",
    ),
    Client(
        "futures-connector",
        "py_futures_connector.py",
        "binance-futures-connector",
        "deprecated; base URL by base_url; its balance() asks /fapi/v3/balance, though its docstring says V2",
    ),
    Client(
        "official-js",
        "js_official.mjs",
        "@binance/derivatives-trading-usds-futures",
        "base URL by basePath; it has no reading of the exchange's time",
    ),
    Client(
        "binance-js",
        "js_binance.mjs",
        "binance",
        "base URL by baseUrl; disableTimeSync, its default, is on",
    ),
    Client(
        "ccxt-js",
        "js_ccxt.mjs",
        "ccxt",
        "base URL by urls.api; window 5000 for its 10000; adjustForTimeDifference is off unless asked for",
    ),
    Client(
        "curl-openssl",
        "curl_openssl.sh",
        None,
        "bash and GNU date; HMAC of two digests, for `-hmac` shows the secret",
    ),
)

CASES: Final[Mapping[str, Case]] = {
    "right key": Case(),
    "wrong secret": Case(secret="another-made-up-secret", code=-1022),
    "wrong key": Case(key="another-made-up-key", code=-2015),
    "late clock": Case(late=True, code=-1021),
}

_AMOUNTS: Final = (
    # asset, balance, crossWalletBalance, crossUnPnl, availableBalance, maxWithdrawAmount, marginAvailable, updateTime
    (
        "USDT",
        "122607.35137903",
        "23.72469206",
        "0.00000000",
        "23.72469206",
        "23.72469206",
        True,
        1617939110373,
    ),
    ("BTC", "0.00000001", "0.00000001", "-402.91836500", "0.10000000", "0", True, 1762412880142),
    ("测试", "90071992547409931234567.12345678", "-0.10", "0.00", "1.50", "0.30000000", False, 0),
)
_MEMBERS: Final = (
    *(
        "asset",
        "balance",
        "crossWalletBalance",
        "crossUnPnl",
        "availableBalance",
        "maxWithdrawAmount",
    ),
    *("marginAvailable", "updateTime"),
)
BALANCES: Final = [
    {"accountAlias": "SgsR", **dict(zip(_MEMBERS, amounts, strict=True))} for amounts in _AMOUNTS
]  # digits that no float keeps


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Other people's clients against the mock exchange."
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--only", choices=[client.name for client in CLIENTS], metavar="NAME", help="%(choices)s"
    )
    which.add_argument(
        "--own",
        type=shlex.split,
        metavar="COMMAND",
        help="a program of your own instead, in any language",
    )
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the servers end too
    SCRATCH.mkdir(parents=True, exist_ok=True)
    balances = SCRATCH / "balances.json"
    balances.write_text(json.dumps(BALANCES), encoding="utf-8")
    table: list[tuple[str, ...]] = [("client", "version", *CASES)]
    clients = [client for client in CLIENTS if options.only in (None, client.name)]
    if options.own:
        clients = [Client("your own", "", None, shlex.join(options.own))]
    with ExitStack() as stack:
        seed = ("--reply", f"balance={balances}")
        urls = {False: stack.enter_context(served(*seed))}
        urls[True] = stack.enter_context(served(*seed, "--clock-offset", str(LATE)))
        for client in clients:
            known = version(client.program, client.package) if client.program else ""
            table.append((client.name, known, *tried(client, options.own, urls)))
    print()
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
    print()
    for client in clients:
        print(f"{client.name}: {client.note}")
    fine = all(cell.startswith("ok") for row in table[1:] for cell in row[2:])
    if not options.own:
        fine = run_recipes(_say, options.only) and fine
    print("\neach did as it must" if fine else "\nSURPRISES, see above")
    return 0 if fine else 1


def tried(client: Client, own: list[str] | None, urls: Mapping[bool, str]) -> list[str]:
    """One verdict a case."""
    try:
        command = own or command_of(client.program, client.name, _say)
    except (OSError, subprocess.CalledProcessError) as error:
        _say(
            f"{client.name}: could not be installed: {_last_line(getattr(error, 'stderr', '') or str(error))}"
        )
        return ["not installed"] * len(CASES)
    verdicts = []
    for name, case in CASES.items():
        verdicts.append(judged(case, *_run(command, case, urls[case.late])))
        _say(f"{client.name}: {name}: {verdicts[-1]}")
    return verdicts


def judged(case: Case, status: int, said: str) -> str:
    """What is to be said of a program that ended with this status and printed this: "ok" and how, or what is wrong."""
    try:
        answer: Any = json.loads(said)
        good, got = answer["ok"] is True, answer["balances" if answer["ok"] else "code"]
    except (ValueError, KeyError, TypeError):
        return f"no answer, exit {status}"
    if status:
        return f"exit {status}"
    if good and case.code is None:
        return f"ok {len(BALANCES)} rows" if got == BALANCES else "other balances"
    if not good and got is not None and got == case.code:
        return f"ok {got}"
    return f"{'balances' if good else got}, not {case.code or 'balances'}"


def _run(command: list[str], case: Case, url: str) -> tuple[int, str]:
    """Exit status and output of a program; the environment holds what the contract says and nothing that leads elsewhere."""
    given = {
        "BINANCE_BASE_URL": url,
        "BINANCE_API_KEY": case.key,
        "BINANCE_API_SECRET": case.secret,
        # The names of earlier versions, for programs that read them.
        "BASE_URL": url,
        "API_KEY": case.key,
        "API_SECRET": case.secret,
        "PATH": os.environ["PATH"],
    }
    try:
        done = subprocess.run(
            command, env=given, capture_output=True, encoding="utf-8", timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return -1, ""
    except OSError as error:
        _say(f"  cannot run {command[0]}: {error.strerror}")
        return 127, ""
    if done.returncode:
        _say(f"  {_last_line(done.stderr)}")
    return done.returncode, done.stdout


def _last_line(text: str) -> str:
    """The last line of what a program complained about, without a signature."""
    lines = [line for line in text.splitlines() if line.strip()]
    return re.sub(r"signature=\w+", "signature=...", lines[-1]) if lines else ""


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
