"""Run `contract program`: four calls of a program, and how each came out."""

from __future__ import annotations

import argparse
import sys
import time

from binance_usdm import ConfigurationError
from binance_usdm._cli.mock.program import ProgramStartError

PROTOCOL = """\
The program takes BINANCE_BASE_URL, BINANCE_API_KEY and BINANCE_API_SECRET from its environment, reads
the balances once, and prints one line of JSON: {"ok": true, "balances": [...]}, with the exchange's
field names and amounts as strings, or {"ok": false, "code": -1022}, with the exchange's code. It is
run four times: with the right key, a wrong secret, a wrong key, and a clock that is 10 s late."""


def run_program_calls(options: argparse.Namespace) -> int:
    """Run the four calls, and print how each came out."""
    command = options.program[1:] if options.program[:1] == ["--"] else options.program
    if not command:
        options.usage_error("give a program after --")
    from binance_usdm.contract._programs.four_calls import CALLS, run_call, serve_both

    row = "{:<14}{:<24}{:>9}"
    print(row.format("call", "outcome", "seconds"), flush=True)
    is_ok = True
    try:
        with serve_both() as urls:
            for name, call in CALLS.items():
                started_at = time.monotonic()
                verdict = run_call(command, call, urls)
                seconds = time.monotonic() - started_at
                print(row.format(name, verdict.summary, f"{seconds:.1f}"), flush=True)
                for detail in verdict.details:
                    print(f"    {detail}", flush=True)
                is_ok = is_ok and verdict.is_ok
    except ImportError as error:
        raise ConfigurationError(str(error)) from None
    except OSError as error:
        problem = ProgramStartError(command[0], error)
        print(f"binance-usdm: {problem}", file=sys.stderr)
        return problem.exit_code
    return 0 if is_ok else 1
