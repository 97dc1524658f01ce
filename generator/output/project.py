"""Render templates into the wire package."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined
from openapi_python_client import Project
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.errors import GeneratorError

from generator.checks.lint import lint
from generator.document.findings import SpecError
from generator.document.openapi import FIELD_PREFIX, Json
from generator.model.literals import WIDTH, docstring, plain_text
from generator.model.operations import SpecFacts, collect_facts, strip_for_library

from .extension_schema import FILE_NAME as EXTENSIONS_FILE
from .extension_schema import extension_schema
from .manifest import NAME as MANIFEST
from .manifest import make_manifest
from .package_files import Files, read_package
from .reader_document import LANGUAGES, render_document
from .template_globals import SPEC_NAME, banner, template_globals

PACKAGE = "binance_usdm_wire"
RUNTIME_BANNER = "Copied by `python -m generator` from generator/runtime. Do not edit."
TEMPLATES = Path(__file__).parent.parent / "templates"
RUNTIME = Path(__file__).parent.parent / "runtime"
RUNTIME_MODULES = (
    "decoding",
    "errors",
    "http_dates",
    "lazy",
    "reading",
    "rows",
    "types",
    "writing",
)
OPTIONAL_RUNTIME_MODULES = ("extended_reading", "extended_writing")
"""Copied when a generated module imports them."""
TABLE_MODULES = ("error_codes", "error_texts", "summaries")
RUFF_CHECK = [
    "check", "--isolated", "--no-cache", "--quiet", "--fix",
    "--select", "I,F401,UP", "--ignore", "UP040,UP046,UP047",
]  # fmt: skip
RUFF_FORMAT = ["format", "--isolated", "--no-cache", "--quiet"]
RUFF_SETTINGS = [
    "--config", f"line-length={WIDTH}", "--config", "lint.isort.split-on-trailing-comma=false",
    "--target-version", "py311",
]  # fmt: skip


def generate(document: Json, *, package: str = PACKAGE, source: str = SPEC_NAME) -> Files:
    """Generate the package.

    Args:
        document: The spec.
        package: Name of the package.
        source: Name of the spec's file, for the first line of each file.

    Returns:
        Content of each file by its path in the package.

    Raises:
        SpecError: No code can be generated from the spec. It has all findings.
    """
    findings = lint(document)
    if findings:
        raise SpecError(findings)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / package
        _WireProject.parse(document, folder, banner(source)).build()
        _format(folder)
        files = read_package(folder)
    files |= _runtime_files(files)
    for language in LANGUAGES:
        rendered = {"x-written-by": banner(source), **render_document(document, language)}
        text = json.dumps(rendered, ensure_ascii=False, indent=1) + "\n"
        files[f"openapi_{language}.json"] = text.encode()
    described = {"$comment": banner(source), **extension_schema()}
    text = json.dumps(described, ensure_ascii=False, indent=1) + "\n"
    files[EXTENSIONS_FILE] = text.encode()
    files[MANIFEST] = make_manifest(document, files, banner(source))
    return files


def _runtime_files(files: Files) -> Files:
    """Return the modules of `runtime` that the package needs, as they are."""
    code = b"\n".join(content for path, content in files.items() if path.endswith(".py"))
    used = [name for name in OPTIONAL_RUNTIME_MODULES if re.search(rb"\.%s " % name.encode(), code)]
    return {
        f"{name}.py": f"# {RUNTIME_BANNER}\n".encode() + (RUNTIME / f"{name}.py").read_bytes()
        for name in (*RUNTIME_MODULES, *used)
    }


def _format(package: Path) -> None:
    """Format the package with ruff, ignoring any configuration around it."""
    for command in (RUFF_CHECK, RUFF_FORMAT):
        # It runs in the parent folder: the package's `types.py` must not hide Python's own.
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *RUFF_SETTINGS, package.name],
            cwd=package.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            lines = filter(str.strip, (done.stdout + done.stderr).splitlines())
            raise SpecError([f"generated code: {line}" for line in lines])


class _WireProject(Project):
    """The generator library's project with the layout of the wire package."""

    document: Json
    facts: SpecFacts
    banner: str

    @classmethod
    def parse(cls, document: Json, package: Path, banner: str) -> _WireProject:
        config = Config.from_sources(
            ConfigFile(
                post_hooks=[],
                package_name_override=package.name,
                project_name_override=package.name,
                field_prefix=FIELD_PREFIX,
            ),
            MetaType.NONE,
            document_source="",
            file_encoding="utf-8",
            overwrite=False,
            output_path=package,
        )
        facts = collect_facts(document)
        data = GeneratorData.from_dict(strip_for_library(document, facts), config=config)
        if isinstance(data, GeneratorError):
            raise SpecError(_error_lines([data]))
        project = cls(openapi=data, config=config, custom_template_path=TEMPLATES)
        project.document = document
        project.facts = facts
        project.banner = banner
        project.env.undefined = StrictUndefined
        project.env.filters["doc"] = docstring
        project.env.filters["plain"] = plain_text
        folders = {
            str(endpoint.name): str(tag)
            for tag, collection in data.endpoint_collections_by_tag.items()
            for endpoint in collection.endpoints
        }
        project.env.globals.update(template_globals(document, facts, folders, banner))
        return project

    def build(self) -> list[GeneratorError]:
        self.package_dir.mkdir(parents=True)
        self._build_models()
        self._build_api()
        self._package_files()
        errors = list(self._get_errors())
        if errors:
            raise SpecError(_error_lines(errors))
        return errors

    def _package_files(self) -> None:
        (self.package_dir / "client.py").rename(self.package_dir / "operations.py")
        # The library's own; `runtime` has others with these names.
        (self.package_dir / "errors.py").unlink()
        for name, template in {"__init__": "package_init", **{n: n for n in TABLE_MODULES}}.items():
            text = self.env.get_template(f"{template}.py.jinja").render()
            (self.package_dir / f"{name}.py").write_text(text, encoding="utf-8")
        (self.package_dir / "py.typed").write_text(f"# {self.banner}\n", encoding="utf-8")
        served = {"x-written-by": self.banner, **self.document}
        (self.package_dir / "openapi.json").write_text(
            json.dumps(served, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )


def _error_lines(errors: list[Any]) -> list[str]:
    return [" ".join(f"{error.header} {error.detail or ''}".split()) for error in errors]
