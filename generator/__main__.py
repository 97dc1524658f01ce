"""`python -m generator [--check]`: the command. Exit 0 done or fresh, 1 stale (--check), 2 nothing written: bad spec, bad folder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .project import PACKAGE, diff_files, generate, read_package, replace_package
from .spec import SpecError, load

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m generator", description="Write the client that the spec describes."
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; exit 1 when the committed client is not what the spec gives",
    )
    parser.add_argument(
        "--spec",
        type=Path,
        default=ROOT / "spec" / "openapi.yaml",
        metavar="FILE",
        help="another spec",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=ROOT / "generated_client",
        metavar="DIR",
        help=f"folder to hold {PACKAGE}",
    )
    options = parser.parse_args(arguments)
    package = options.output / PACKAGE
    try:
        files = generate(load(options.spec))
    except SpecError as error:
        for finding in error.findings:
            print(finding, file=sys.stderr)
        print(f"{len(error.findings)} finding(s); nothing was written", file=sys.stderr)
        return 2
    stale = diff_files(read_package(package), files)
    if options.check:
        for line in stale:
            print(line, file=sys.stderr)
        return 1 if stale else 0
    try:
        if stale:
            replace_package(package, files)
    except OSError as error:
        print(f"{package}: cannot be written ({error.strerror})", file=sys.stderr)
        return 2
    print(f"{package.name}: {len(files)} files, {len(stale)} changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
