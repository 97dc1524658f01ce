"""The command `python -m docs.builder [--url URL] [--version VERSION]`.

Writes the site to `.scratch/site`: English to `latest/`, Chinese to `latest/zh/`, or to a folder of
a version. Reads only files of this tree and opens no connection.

Exit status: 0 for a site without a problem, 1 after a warning of Zensical or when a page or a text
is not translated.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

from .examples import write_examples_page
from .pages import (
    DOCS,
    LANGUAGES,
    ROOT,
    WORDS,
    copy_prose,
    fill_configuration,
    format_llms_sections,
    format_nav,
    list_sections,
)
from .reference import write_code_pages
from .spec_pages import write_spec_pages
from .trust import write_trust_pages

WORK: Final = ROOT / ".scratch" / "docs"
SITE: Final = ROOT / ".scratch" / "site"
LATEST: Final = "latest"
DEFAULT_URL: Final = "http://127.0.0.1:8000/"
_COLOR: Final = re.compile(r"\x1b\[[0-9;]*m")
_PROBLEM: Final = re.compile(
    r"^\W*(warn|error|griffe:|mkdocstrings:)", re.IGNORECASE | re.MULTILINE
)


def main(arguments: list[str] | None = None) -> int:
    """Build the site, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m docs.builder", allow_abbrev=False)
    parser.add_argument("--url", default=DEFAULT_URL, help="where the site is served")
    parser.add_argument("--version", default=LATEST, help="folder to build (default: latest)")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    shutil.rmtree(WORK, ignore_errors=True)
    # A build that fails leaves no older site, which would pass the tests.
    shutil.rmtree(SITE / options.version, ignore_errors=True)
    missing = write_sources(options.url, options.version)
    problems = run_zensical()
    for problem in [*problems, *(f"not translated: {text}" for text in missing)]:
        print(problem, file=sys.stderr)
    if problems:
        return 1
    publish(options.version)
    files = [path for path in (SITE / options.version).rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files) / 1_000_000
    pages = sum(path.name == "index.html" for path in files)
    seconds = time.monotonic() - started
    print(f"{options.version}: {pages} pages, {len(files)} files, {size:.1f} MB, {seconds:.1f} s")
    return 1 if missing else 0


def write_sources(url: str, version: str) -> list[str]:
    """Write pages and configurations, and return what is not translated."""
    missing: list[str] = []
    for language in LANGUAGES:
        # A folder for each: two builds in one would delete each other's cache.
        folder = WORK / language
        pages = folder / "pages"
        shutil.copytree(DOCS / "theme", folder / "theme")
        missing += copy_prose(language, pages)
        shutil.copytree(DOCS / "theme" / "assets", pages / "assets")
        missing += write_spec_pages(language, pages)
        write_code_pages(language, pages)
        write_examples_page(language, pages)
        write_trust_pages(language, pages)
        text = fill_configuration(configuration(language, pages, url, version))
        (folder / "site.toml").write_text(text, encoding="utf-8")
    return missing


def configuration(language: str, pages: Path, url: str, version: str) -> dict[str, Any]:
    """Return what `site.toml` leaves open: TOML by name."""
    words = WORDS["site"][language]
    is_chinese = language == "zh"
    folder = f"{version}/zh/" if is_chinese else f"{version}/"
    latest = f"../../{LATEST}/zh/" if is_chinese else f"../{LATEST}/"
    texts = {
        **{name.upper(): text for name, text in words.items()},
        "ROOT": ROOT,
        "GENERATED_CLIENT": ROOT / "generated_client",
        "GRIFFE_EXTENSION": DOCS / "builder" / "griffe_extension.py",
        "LANGUAGE": language,
        "URL": url.rstrip("/") + "/" + folder,
        "ENGLISH": "../" if is_chinese else "./",
        "CHINESE": "./" if is_chinese else "zh/",
        "OUTDATED": "" if version == LATEST else words["outdated"].format(version=version),
    }
    holes = {name: json.dumps(str(text), ensure_ascii=False) for name, text in texts.items()}
    link = f"{{ name = {holes['LATEST']}, link = {json.dumps(latest)} }}"
    sections = list_sections(language, pages)
    return {
        **holes,
        "LATEST": link,
        "NAV": format_nav(sections, pages),
        "LLMS_SECTIONS": format_llms_sections(sections, pages),
    }


def run_zensical() -> list[str]:
    """Run both builds at the same time, and return the output of those with a problem."""
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    builds = [
        subprocess.Popen(
            [*command, "--config-file", "site.toml"],
            cwd=WORK / language,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        for language in LANGUAGES
    ]
    outputs = [_COLOR.sub("", build.communicate()[0]) for build in builds]
    # The exit status alone tells nothing of some warnings.
    return [
        output
        for build, output in zip(builds, outputs, strict=True)
        if build.returncode != 0 or _PROBLEM.search(output)
    ]


def publish(version: str) -> None:
    """Put both builds into the folder of the version, beside the folders of others."""
    folder = SITE / version
    shutil.copytree(WORK / "en" / "site", folder)
    shutil.copytree(WORK / "zh" / "site", folder / "zh")
    versions = sorted((path.name for path in SITE.iterdir() if path.is_dir()), reverse=True)
    links = "".join(f'<li><a href="{name}/">{name}</a>' for name in versions)
    (SITE / "index.html").write_text(
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>binance-usdm</title>'
        f'<meta http-equiv="refresh" content="0; url={LATEST}/"><ul>{links}</ul></html>\n',
        encoding="utf-8",
    )


if __name__ == "__main__":
    sys.exit(main())
