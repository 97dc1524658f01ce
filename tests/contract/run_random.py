"""Run all layers, and the server's cases, with a random seed that is printed.

    python -m tests.contract.run_random [--seed N]

The seed stands in the first line and, when something was found, in the last one. Exits 1 then.
"""

from __future__ import annotations

import argparse
import secrets
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

PYTHON: Final = (sys.executable, "-m")


def commands(seed: int) -> list[tuple[str, ...]]:
    """Return the commands that make random cases, each with the seed."""
    return [
        (*PYTHON, "tests.contract.run_all", "--seed", f"{seed}"),
        (*PYTHON, "binance_usdm", "contract", "run", "--max-examples", "200", "--seed", f"{seed}"),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Run the contract tests with a random seed.")
    parser.add_argument("--seed", type=int, help="the seed of an earlier run")
    seed = parser.parse_args(arguments).seed
    if seed is None:
        seed = secrets.randbelow(2**32)
    print(f"seed {seed}", flush=True)
    codes = [subprocess.run(command, check=False).returncode for command in commands(seed)]
    if any(codes):
        print(f"failed with seed {seed}; the same cases again: make contract-random SEED={seed}")
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main())
