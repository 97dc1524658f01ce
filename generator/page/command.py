"""What `python -m generator page FILE…` does."""

from __future__ import annotations

import sys
from pathlib import Path

from generator.checks.lint import load_valid
from generator.document.openapi import Json, SpecError

from .compare import compare_page
from .markdown import Page, split_pages

DESCRIPTION = """\
Compare saved documentation pages of the exchange, as Markdown in English or Chinese, with the spec:
title, address, sentence, path, method, weight, parameters, types, obligation, fields, their order
and comments, example.
Exit 0: no difference; 1: differences, one a line; 2: a file or the spec cannot be used."""


def run_page(files: list[Path], spec: Path) -> int:
    """Compare files with a spec, print each difference, and return the exit status."""
    try:
        document = load_valid(spec)
        pages = [(file, page) for file in files for page in _read_pages(file)]
    except SpecError as error:
        for finding in error.findings:
            print(finding, file=sys.stderr)
        return 2
    count = sum(_print_differences(file, page, document) for file, page in pages)
    print(f"{len(pages)} page(s) compared, {count} difference(s)", file=sys.stderr)
    return 1 if count else 0


def _read_pages(path: Path) -> list[Page]:
    """Return the pages of a file.

    Raises:
        SpecError: The file cannot be read, or has no page.
    """
    try:
        pages = split_pages(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SpecError([f"{path}: cannot be read ({error.strerror})"]) from None
    except UnicodeDecodeError:
        raise SpecError([f"{path}: is not UTF-8"]) from None
    if not any(page.sections for page in pages):
        raise SpecError([f"{path}: has no page (a heading with # and sections with ##)"])
    return pages


def _print_differences(path: Path, page: Page, document: Json) -> int:
    differences = compare_page(page, document)
    for line, subject, text in differences:
        print(f"{path}:{line}: [{page.language}] {subject}: {text}")
    return len(differences)
