"""Schemathesis from the shell, against the mock exchange or against a server of your own. Knows no operation and no check.

    python -m tests.contract.shell.run [--url URL] [--out FOLDER] [option of `schemathesis run` ...]

Without `--url` the mock exchange is served for it. With it, key and secret are those of BINANCE_API_KEY and BINANCE_API_SECRET. JUnit,
HTML and all that was printed go into FOLDER, `.scratch/contract` if none is named. Exits as schemathesis does: 0 when it found
nothing, 1 when it did, 2 for wrong usage; and with 3 when a key, a secret or a signature shows in what it wrote. Printed it never is.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import Final

from binance_usdm.mock import DEFAULT_API_KEY, DEFAULT_API_SECRET
from tests.contract.shell.served import served
from tests.support.paths import ROOT

NAMES: Final = ("BINANCE_API_KEY", "BINANCE_API_SECRET")
SHORTEST: Final = 8  # anything shorter would be found in every report
BOUNDLESS: Final = ("--switch", "weight_limit=1000000000")  # some hundred calls in one minute


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Schemathesis against the mock exchange, or against --url.", allow_abbrev=False
    )
    parser.add_argument(
        "--url",
        help=f"a server of your own; key and secret are {' and '.join(NAMES)} of the environment",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=ROOT / ".scratch" / "contract",
        help="where the reports go (%(default)s)",
    )
    options, more = parser.parse_known_args(arguments)
    given = (
        (DEFAULT_API_KEY, DEFAULT_API_SECRET)
        if options.url is None
        else tuple(os.environ.get(name, "") for name in NAMES)
    )
    if min(map(len, given)) < SHORTEST:
        parser.error(
            f"--url needs {' and '.join(NAMES)} in the environment, of {SHORTEST} characters or more"
        )
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the server ends too
    with served(*BOUNDLESS) if options.url is None else nullcontext(options.url) as url:
        return examined(url, options.out.resolve(), more, dict(zip(NAMES, given, strict=True)))


def examined(url: str, out: Path, more: list[str], account: dict[str, str]) -> int:
    """Run schemathesis, print what it prints, look for secrets in all that it left; the exit status."""
    out.mkdir(parents=True, exist_ok=True)
    config, spec = Path(__file__).with_name("schemathesis.toml"), ROOT / "spec" / "openapi.yaml"
    reports = {
        "--report-dir": out,
        "--report-junit-path": out / "junit.xml",
        "--report-html-path": out / "html",
    }
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)]
    command += ["run", str(spec), "--url", url, "--no-color"]
    command += [str(word) for option in reports.items() for word in option]
    here = [
        os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or "",
        "127.0.0.1",
        "localhost",
    ]
    secret = secrets_of(account.values())
    shown = 0
    with (
        subprocess.Popen(
            command + more,
            cwd=ROOT,
            env={
                **os.environ,
                **account,
                "no_proxy": ",".join(filter(None, here)),
                "PYTHONUNBUFFERED": "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        ) as child,
        (out / "output.txt").open("w", encoding="utf-8") as copy,
    ):
        assert child.stdout is not None
        for line in child.stdout:
            safe, times = secret.subn("[Filtered]", line)
            shown += times
            copy.write(safe)
            print(safe, end="", flush=True)
    leaks = ["what it printed"] if shown else []
    leaks += [
        str(file.relative_to(out))
        for file in sorted(out.rglob("*"))
        if file.is_file() and tells(file, secret)
    ]
    for leak in leaks:
        print(f"a key, a secret or a signature shows in {leak}: delete {out}", file=sys.stderr)
    return ending(child.returncode, leaks)


def ending(found: int, leaks: list[str]) -> int:
    """The exit status: what schemathesis found comes first."""
    return found or (3 if leaks else 0)


def secrets_of(values: Iterable[str]) -> re.Pattern[str]:
    """What must be in no report: these texts, and any signature."""
    return re.compile("|".join([*map(re.escape, values), r"(?is:signature.{1,40}?[0-9a-f]{64})"]))


def tells(file: Path, secret: re.Pattern[str]) -> bool:
    return secret.search(file.read_text(encoding="utf-8", errors="replace")) is not None


if __name__ == "__main__":
    sys.exit(main())
