"""The command `python -m generator [--check]`.

Exit status: 0 when the client is up to date or was written, 1 when `--check` finds a
difference, 2 when the spec is invalid or the folder cannot be written. Then nothing is written.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .page.command import run_page
from .project import PACKAGE, diff_files, generate, read_package, replace_package
from .spec import SpecError, load

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["page"]:
        return run_page(arguments[1:], ROOT / "spec" / "openapi.yaml")
    options = _parse_arguments(arguments)
    package = options.output / PACKAGE
    try:
        files = generate(load(options.spec))
    except SpecError as error:
        for finding in error.findings:
            print(finding, file=sys.stderr)
        print(f"{len(error.findings)} finding(s); nothing was written", file=sys.stderr)
        return 2
    differences = diff_files(read_package(package), files)
    if options.check:
        for line in differences:
            print(line, file=sys.stderr)
        return 1 if differences else 0
    try:
        if differences:
            replace_package(package, files)
    except OSError as error:
        print(f"{package}: cannot be written ({error.strerror})", file=sys.stderr)
        return 2
    print(f"{package.name}: {len(files)} files, {len(differences)} changed")
    return 0


def _parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m generator", description="Generate the client code from the OpenAPI spec."
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; exit 1 if the committed client differs from the generated one",
    )
    parser.add_argument(
        "--spec",
        type=Path,
        default=ROOT / "spec" / "openapi.yaml",
        metavar="FILE",
        help="spec to read (default: spec/openapi.yaml)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=ROOT / "generated_client",
        metavar="DIR",
        help=f"folder that contains {PACKAGE} (default: generated_client)",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
