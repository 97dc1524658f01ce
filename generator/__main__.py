"""The command `python -m generator`.

Without a subcommand it generates the client, or with `--check` compares it. `changes` says what a
difference of two specs means, `document` writes the spec for other tools, `page` compares saved
documentation pages with the spec, `surface` writes the public surface, and `release-check` compares
version and changelog with the spec.

Exit status: 0 when all is up to date or was written, 1 when a check finds a difference, 2 when a
spec cannot be used or a file cannot be written. Then nothing is written.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from .changes.by_hand import find_places
from .changes.compare.specs import compare
from .changes.facts.documents import IncomparableError, find_problems, read_document
from .changes.releases import Baseline, find_baseline, recorded_versions, release_problems
from .changes.rendering import RENDERERS, render_summary
from .changes.report import Report
from .changes.surface import render_surface
from .checks.lint import load_valid, translation_warnings
from .document.findings import SpecError
from .document.openapi import Json, load, locate
from .output.manifest import explain_differences
from .output.package_files import LEFT_OVER, Files, diff_files, read_package, replace_package
from .output.project import PACKAGE, generate
from .output.reader_document import LANGUAGES, render_document
from .output.wire_imports import import_problems
from .page.command import DESCRIPTION as PAGE_DESCRIPTION
from .page.command import run_page

ROOT = Path(__file__).resolve().parent.parent
SPEC = ROOT / "spec" / "openapi.yaml"
OUTPUT = ROOT / "generated_client"
SURFACE = ROOT / "docs" / "surface.txt"


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = _parse_arguments(arguments)
    try:
        match options.command:
            case "changes":
                return _run_changes(options)
            case "document":
                return _run_document(options)
            case "page":
                return run_page(options.files, options.spec)
            case "surface":
                return _run_surface(options)
            case "release-check":
                return _run_release_check()
        return _run_generate(options)
    except SpecError as error:
        for finding in locate(options.spec, error.findings):
            print(finding, file=sys.stderr)
        print(f"{len(error.findings)} finding(s); nothing was written", file=sys.stderr)
    except IncomparableError as error:
        print(error, file=sys.stderr)
    return 2


def _run_generate(options: argparse.Namespace) -> int:
    package = options.output / PACKAGE
    document = load(options.spec)
    files = generate(document)
    if options.output.resolve() == OUTPUT:
        problems = import_problems(ROOT / "binance_usdm", PACKAGE, files)
        if problems:
            raise SpecError(problems)
    for warning in locate(options.spec, translation_warnings(document)):
        print(warning, file=sys.stderr)
    now = read_package(package)
    differences = diff_files(now, files)
    if options.check:
        for path, problem in explain_differences(now, files, differences).items():
            print(f"{path}: {problem}", file=sys.stderr)
        return 1 if differences else 0
    try:
        if differences:
            replace_package(package, files)
    except OSError as error:
        print(f"{package}: cannot be written ({error.strerror})", file=sys.stderr)
        return 2
    print(f"{package.name}: {len(files)} files, {len(differences)} changed")
    for line in _summarize(now, document, differences):
        print(line)
    return 0


def _summarize(now: Files, document: Json, differences: Mapping[str, str]) -> list[str]:
    """Return what a run deleted, and what the change of the spec means."""
    lines = [f"deleted: {path}" for path, problem in differences.items() if problem == LEFT_OVER]
    try:
        served = json.loads(now.get("openapi.json", b"null"))
    except ValueError:
        served = None
    if not isinstance(served, dict) or not differences:
        return lines
    served.pop("x-written-by", None)
    return lines + render_summary(Report(compare(served, document)))


def _run_changes(options: argparse.Namespace) -> int:
    if options.old is None:
        baseline = find_baseline(ROOT)
        if baseline is None:
            print("there is no release and no commit to compare with; pass OLD", file=sys.stderr)
            return 2
    else:
        baseline = Baseline(str(options.old), None, *read_document(options.old))
    new, new_findings = read_document(options.new)
    changes = compare(baseline.document, new, assumed_wider=options.assume_wider)
    report = Report(
        changes,
        version=baseline.version or next(iter(recorded_versions(ROOT)), None),
        by_hand=find_places(changes, ROOT),
        old_findings=find_problems(baseline.document, baseline.findings),
        new_findings=find_problems(new, new_findings),
    )
    if options.format == "text":
        print(f"{options.new.name} against {baseline.name}")
    print(RENDERERS[options.format](report))
    return 0


def _run_document(options: argparse.Namespace) -> int:
    rendered = render_document(
        load_valid(options.spec), options.language, extensions=not options.without_extensions
    )
    text = json.dumps(rendered, ensure_ascii=False, indent=1) + "\n"
    try:
        options.out.write_text(text, encoding="utf-8")
    except OSError as error:
        print(f"{options.out}: cannot be written ({error.strerror})", file=sys.stderr)
        return 2
    return 0


def _run_surface(options: argparse.Namespace) -> int:
    surface = render_surface(load_valid(options.spec))
    is_current = SURFACE.exists() and SURFACE.read_text(encoding="utf-8") == surface
    if not is_current and options.check:
        print(f"{SURFACE.relative_to(ROOT)}: stale or edited", file=sys.stderr)
        return 1
    if not is_current:
        SURFACE.write_text(surface, encoding="utf-8")
    return 0


def _run_release_check() -> int:
    problems = list(release_problems(ROOT))
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


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
        default=SPEC,
        metavar="FILE",
        help="spec to read (default: spec/openapi.yaml)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=OUTPUT,
        metavar="DIR",
        help=f"folder that contains {PACKAGE} (default: generated_client)",
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
    commands.add_parser("release-check", help="exit 1 if version or changelog lag behind the spec")


if __name__ == "__main__":
    sys.exit(main())
