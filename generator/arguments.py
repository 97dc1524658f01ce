"""Options of the command `python -m generator`."""

from __future__ import annotations

import argparse
import keyword
import re
from pathlib import Path
from typing import Final

from generator.output.project import PACKAGE
from generator.output.reader_document import LANGUAGES

from .changes.rendering import RENDERERS
from .page.command import DESCRIPTION as PAGE_DESCRIPTION

ROOT: Final = Path(__file__).resolve().parent.parent
SPEC: Final = ROOT / "spec" / "openapi.yaml"
OUTPUT: Final = ROOT / "generated_client"


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Parse the arguments of the command; exits on wrong usage."""
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
        default=SPEC,
        metavar="FILE",
        help="spec to read (default: spec/openapi.yaml)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=OUTPUT,
        metavar="DIR",
        help="folder that contains the package (default: generated_client)",
    )
    parser.add_argument(
        "--package",
        type=_package_name,
        default=PACKAGE,
        metavar="NAME",
        help=f"name of the package (default: {PACKAGE})",
    )
    _add_commands(parser.add_subparsers(dest="command", metavar="COMMAND"))
    return parser.parse_args(arguments)


def _add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    changes = commands.add_parser(
        "changes", help="say what a difference of two specs means for users"
    )
    changes.add_argument(
        "old",
        type=Path,
        nargs="?",
        metavar="OLD",
        help="spec to start from (default: of the last release)",
    )
    changes.add_argument(
        "new",
        type=Path,
        nargs="?",
        default=SPEC,
        metavar="NEW",
        help="spec (default: spec/openapi.yaml)",
    )
    changes.add_argument(
        "--format", choices=sorted(RENDERERS), default="text", help="form of the report"
    )
    changes.add_argument(
        "--assume-wider",
        action="append",
        default=[],
        metavar="NAME",
        help="the new pattern of NAME accepts all that the old one did; repeat for several",
    )
    rendering = commands.add_parser(
        "document", help="write the spec as JSON for other tools: no source marks, one language"
    )
    rendering.add_argument(
        "--language", choices=LANGUAGES, default="en", help="language of the texts (default: en)"
    )
    rendering.add_argument(
        "--without-extensions", action="store_true", help="leave out all keys that begin with x-"
    )
    rendering.add_argument("out", type=Path, metavar="OUT", help="JSON file to write")
    page = commands.add_parser(
        "page",
        help="compare saved documentation pages with the spec",
        description=PAGE_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    page.add_argument("files", type=Path, nargs="+", metavar="FILE", help="saved pages")
    page.add_argument("--spec", type=Path, default=SPEC, metavar="FILE", help="spec to read")
    surface = commands.add_parser("surface", help="write the public surface to docs/surface.txt")
    surface.add_argument("--check", action="store_true", help="only compare; exit 1 if it differs")
    commands.add_parser(
        "translations", help="confirm that the Chinese texts say what the English ones say"
    )
    release = commands.add_parser(
        "release", help="write a version into package and spec, and record the spec"
    )
    release.add_argument("version", metavar="VERSION", help="such as 1.2.3")
    commands.add_parser("release-check", help="exit 1 if version or changelog lag behind the spec")


def _package_name(text: str) -> str:
    if not re.fullmatch("[a-z][a-z0-9_]*", text) or keyword.iskeyword(text):
        raise argparse.ArgumentTypeError(f"{text!r} must be a snake_case name of a package")
    return text
