"""Other people's clients against the mock exchange: each gets its balances, and is refused as the exchange would refuse it.

    python -m tests.interop.run [--only NAME]

Each client has a small program beside this file, and an environment of its own under
`.scratch/interop/`. What a program takes and prints, and how it is judged, is that of
`binance-usdm contract program`. The table says for every client whether that came out which had to;
exits 1 if anything else did. Knows no client's API.
"""

from __future__ import annotations

import argparse
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from binance_usdm.contract._programs.four_calls import CALLS, LATE_MS, run_call
from tests.interop.install import HERE, SCRATCH, command_of, version
from tests.interop.recipes import run_recipes
from tests.interop.served import served
from tests.interop.spec_page import run_spec_page


@dataclass(frozen=True)
class Client:
    """A client by its program. ``package`` is where its version stands, None for what the machine brings."""

    name: str
    program: str
    package: str | None
    note: str


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


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Other people's clients against the mock exchange."
    )
    parser.add_argument(
        "--only", choices=[client.name for client in CLIENTS], metavar="NAME", help="%(choices)s"
    )
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the servers end too
    SCRATCH.mkdir(parents=True, exist_ok=True)
    table: list[tuple[str, ...]] = [("client", "version", *CALLS)]
    clients = [client for client in CLIENTS if options.only in (None, client.name)]
    with ExitStack() as stack:
        seed = ("--seed", str(HERE / "scenario.toml"))
        urls = {False: stack.enter_context(served(*seed))}
        urls[True] = stack.enter_context(served(*seed, "--clock-offset", str(LATE_MS)))
        for client in clients:
            known = version(client.program, client.package)
            table.append((client.name, known, *tried(client, urls)))
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
    fine = run_recipes(_say, options.only) and fine
    if not options.only:
        fine = run_spec_page(_say) and fine
    print("\neach did as it must" if fine else "\nSURPRISES, see above")
    return 0 if fine else 1


def tried(client: Client, urls: Mapping[bool, str]) -> list[str]:
    """One verdict a case."""
    try:
        command = command_of(client.program, client.name, _say)
    except (OSError, subprocess.CalledProcessError) as error:
        _say(
            f"{client.name}: could not be installed: {_last_line(getattr(error, 'stderr', '') or str(error))}"
        )
        return ["not installed"] * len(CALLS)
    verdicts = []
    for name, call in CALLS.items():
        verdict = run_call(command, call, urls)
        verdicts.append(verdict.summary)
        _say(f"{client.name}: {name}: {verdict.summary}")
        for detail in verdict.details:
            _say(f"  {detail}")
    return verdicts


def _last_line(text: str) -> str:
    """The last line of what a program complained about, without a signature."""
    lines = [line for line in text.splitlines() if line.strip()]
    return re.sub(r"signature=\w+", "signature=...", lines[-1]) if lines else ""


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
