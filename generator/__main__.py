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

from .arguments import OUTPUT, ROOT, SPEC, parse_arguments
from .changes.by_hand import find_places
from .changes.compare.specs import compare
from .changes.facts.documents import IncomparableError, find_problems, read_document
from .changes.releases import (
    Baseline,
    find_baseline,
    recorded_versions,
    release_problems,
    write_release,
)
from .changes.rendering import RENDERERS, render_summary
from .changes.report import Report
from .changes.surface import render_surface
from .checks.lint import load_valid, translation_warnings
from .checks.translations import (
    RECORD_NAME,
    outdated_translations,
    read_record,
    render_record,
    update_record,
)
from .document.findings import SpecError
from .document.openapi import Json, load, locate
from .output.manifest import explain_differences
from .output.package_files import LEFT_OVER, Files, diff_files, read_package, replace_package
from .output.project import PACKAGE, generate
from .output.reader_document import render_document
from .output.wire_imports import import_problems
from .page.command import run_page

SURFACE = ROOT / "docs" / "surface.txt"
TRANSLATIONS = SPEC.with_name(RECORD_NAME)


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = parse_arguments(arguments)
    try:
        match options.command:
            case "changes":
                return _run_changes(options)
            case "document":
                return _run_document(options)
            case "page":
                return run_page(options.files, options.spec)
            case "release":
                return _run_release(options.version)
            case "surface":
                return _run_surface(options)
            case "translations":
                return _write_translations(load_valid(SPEC), confirm=True)
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
    package = options.output / options.package
    is_shipped = package.resolve() == OUTPUT / PACKAGE
    is_ours = is_shipped and options.spec.resolve() == SPEC
    document = load(options.spec)
    files = generate(document, package=options.package, source=_source_name(options.spec))
    if is_shipped:
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
        is_recorded = not is_ours or _check_translations(document)
        return 0 if is_recorded and not differences else 1
    try:
        if differences:
            replace_package(package, files)
        if is_ours:
            _write_translations(document)
    except OSError as error:
        print(f"{package}: cannot be written ({error.strerror})", file=sys.stderr)
        return 2
    print(f"{package.name}: {len(files)} files, {len(differences)} changed")
    for line in _summarize(now, document, differences):
        print(line)
    return 0


def _source_name(spec: Path) -> str:
    """Return the name of a spec for the banner, which names no folder outside of this tree."""
    path = spec.resolve()
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name


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


def _check_translations(document: Json) -> bool:
    """Return whether each Chinese text follows its English one, and print where not."""
    record = read_record(TRANSLATIONS)
    outdated = outdated_translations(document, record)
    for finding in locate(SPEC, outdated):
        print(finding, file=sys.stderr)
    is_current = update_record(document, record) == record
    if not is_current:
        print(f"{TRANSLATIONS.relative_to(ROOT)}: stale; run make generate", file=sys.stderr)
    return is_current and not outdated


def _write_translations(document: Json, *, confirm: bool = False) -> int:
    """Record the texts of the spec; with confirm also the Chinese ones that did not follow."""
    record = read_record(TRANSLATIONS)
    if not confirm:
        for finding in locate(SPEC, outdated_translations(document, record)):
            print(finding, file=sys.stderr)
    current = update_record(document, record, confirm=confirm)
    if current != record:
        TRANSLATIONS.write_text(render_record(current), encoding="utf-8")
    return 0


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


def _run_release(version: str) -> int:
    try:
        written = write_release(ROOT, version)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{version}: wrote {', '.join(written)}; now run make generate")
    return 0


def _run_release_check() -> int:
    problems = list(release_problems(ROOT))
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
