"""Run schemathesis against the mock exchange or a server.

    python -m tests.contract.shell.run [--url URL] [--out FOLDER] [option of `schemathesis run` ...]

Without `--url` the mock exchange is served. With it, key and secret are those of BINANCE_API_KEY
and BINANCE_API_SECRET. JUnit, HTML and everything that was printed go to FOLDER, by default
`.scratch/contract`. Exits as schemathesis does: 0 when it found nothing, 1 when it did, 2 for wrong
usage; and with 3 when a key, a secret or a signature is in a report. They are never printed.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Final

from binance_usdm.mock import DEFAULT_API_KEY, DEFAULT_API_SECRET
from tests.contract.shell.served import served
from tests.support.paths import ROOT, SPEC_FILE

NAMES: Final = ("BINANCE_API_KEY", "BINANCE_API_SECRET")
# A shorter secret would be found in every report.
MIN_SECRET_LENGTH: Final = 8
# Hundreds of requests come within one minute.
UNLIMITED: Final = ("--switch", "weight_limit=1000000000")


def main(arguments: list[str] | None = None) -> int:
    names = " and ".join(NAMES)
    parser = argparse.ArgumentParser(
        description="Schemathesis against the mock exchange, or against --url.", allow_abbrev=False
    )
    parser.add_argument("--url", help=f"a server; key and secret are {names} of the environment")
    default = ROOT / ".scratch" / "contract"
    parser.add_argument("--out", type=Path, default=default, help="folder (%(default)s)")
    options, more = parser.parse_known_args(arguments)
    account = (DEFAULT_API_KEY, DEFAULT_API_SECRET)
    if options.url is not None:
        account = (os.environ.get(NAMES[0], ""), os.environ.get(NAMES[1], ""))
    if min(map(len, account)) < MIN_SECRET_LENGTH:
        shortest = f"of {MIN_SECRET_LENGTH} characters or more"
        parser.error(f"--url needs {names} in the environment, {shortest}")
    # The server ends too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with served(*UNLIMITED) if options.url is None else nullcontext(options.url) as url:
        return run(url, options.out.resolve(), more, dict(zip(NAMES, account, strict=True)))


def run(url: str, out: Path, more: list[str], account: dict[str, str]) -> int:
    """Run schemathesis, print what it prints without secrets, and return the exit status."""
    out.mkdir(parents=True, exist_ok=True)
    secrets = secret_pattern(account.values())
    printed_secrets = 0
    with (
        subprocess.Popen(
            [*command(url, out), *more],
            cwd=ROOT,
            env=environment(account),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        ) as child,
        (out / "output.txt").open("w", encoding="utf-8") as copy,
    ):
        assert child.stdout is not None
        for line in child.stdout:
            safe, count = secrets.subn("[Filtered]", line)
            printed_secrets += count
            copy.write(safe)
            print(safe, end="", flush=True)
    leaks = ["what it printed"] if printed_secrets else []
    leaks += find_leaks(out, secrets)
    for leak in leaks:
        print(f"a key, a secret or a signature is in {leak}: delete {out}", file=sys.stderr)
    return exit_status(child.returncode, leaks)


def command(url: str, out: Path) -> list[str]:
    config = str(Path(__file__).with_name("schemathesis.toml"))
    words = [sys.executable, "-m", "schemathesis.cli", "--config-file", config, "run"]
    words += [str(SPEC_FILE), "--url", url, "--no-color", "--report-dir", str(out)]
    words += ["--report-junit-path", str(out / "junit.xml")]
    return [*words, "--report-html-path", str(out / "html")]


def environment(account: dict[str, str]) -> dict[str, str]:
    no_proxy = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
    hosts = ",".join(filter(None, [no_proxy, "127.0.0.1", "localhost"]))
    return {**os.environ, **account, "no_proxy": hosts, "PYTHONUNBUFFERED": "1"}


def exit_status(status: int, leaks: list[str]) -> int:
    """Return the exit status; that of schemathesis comes first."""
    return status or (3 if leaks else 0)


def secret_pattern(secrets: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern of what no report may contain: these secrets, and any signature."""
    return re.compile("|".join([*map(re.escape, secrets), r"(?is:signature.{1,40}?[0-9a-f]{64})"]))


def find_leaks(out: Path, secrets: re.Pattern[str]) -> Iterator[str]:
    """Yield the names of files with a secret."""
    for file in sorted(out.rglob("*")):
        if file.is_file() and secrets.search(file.read_text(encoding="utf-8", errors="replace")):
            yield str(file.relative_to(out))


if __name__ == "__main__":
    sys.exit(main())
