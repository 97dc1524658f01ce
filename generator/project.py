"""Render templates into the wire package."""

from __future__ import annotations

import json
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

from .expressions import ExpressionBuilder, python_signature, type_of
from .formats import decimal_format_enabled
from .lint import lint
from .literals import WIDTH, docstring, plain_text, quoted, quoted_lines
from .manifest import NAME as MANIFEST
from .manifest import make_manifest
from .operations import collect_operations, described_statuses, strip_for_client
from .spec import FIELD_PREFIX, Json, SpecError, class_name, python_name, resolve

PACKAGE = "binance_usdm_wire"
BANNER = "Written by `python -m generator` from spec/openapi.yaml. Do not edit."
RUNTIME_BANNER = "Copied by `python -m generator` from generator/runtime. Do not edit."
TEMPLATES = Path(__file__).parent / "templates"
RUNTIME = Path(__file__).parent / "runtime"
RUNTIME_MODULES = ("decoding", "errors", "reading", "rows", "types", "writing")
TABLE_MODULES = ("error_codes", "error_texts")
RUFF_CHECK = [
    "check", "--isolated", "--no-cache", "--quiet", "--fix",
    "--select", "I,F401,UP", "--ignore", "UP040,UP046,UP047",
]  # fmt: skip
RUFF_FORMAT = ["format", "--isolated", "--no-cache", "--quiet"]
RUFF_SETTINGS = ["--config", f"line-length={WIDTH}", "--target-version", "py311"]

Files = dict[str, bytes]


def generate(document: Json) -> Files:
    """Generate the package.

    Returns:
        Content of each file by its path in the package.

    Raises:
        SpecError: No code can be generated from the spec. It has all findings.
    """
    findings = lint(document)
    if findings:
        raise SpecError(findings)
    with tempfile.TemporaryDirectory() as scratch:
        package = Path(scratch) / PACKAGE
        _WireProject.parse(document, package).build()
        _format(package)
        files = _read_files(package)
    files[MANIFEST] = make_manifest(document, files, BANNER)
    return files


def read_package(package: Path) -> Files:
    """Return the files of a package as they are on disk, without bytecode."""
    return _read_files(package) if package.is_dir() else {}


def diff_files(now: Files, fresh: Files) -> list[str]:
    """Return one line for each file that is missing, stale or left over."""
    lines = {path: f"{path}: missing" for path in fresh.keys() - now.keys()}
    lines |= {path: f"{path}: not written by the generator" for path in now.keys() - fresh.keys()}
    lines |= {
        path: f"{path}: stale or edited"
        for path in now.keys() & fresh.keys()
        if now[path] != fresh[path]
    }
    return [lines[path] for path in sorted(lines)]


def replace_package(package: Path, files: Files) -> None:
    """Replace the package on disk as a whole.

    Raises:
        OSError: The folder cannot be written. The old package is still there.
    """
    package.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=package.parent, prefix=f".{PACKAGE}-") as scratch:
        fresh = Path(scratch) / "fresh"
        stale = Path(scratch) / "stale"
        for name, content in files.items():
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            (fresh / name).write_bytes(content)
        if package.exists():
            package.rename(stale)
        try:
            fresh.rename(package)
        except OSError:
            if stale.exists():
                stale.rename(package)
            raise


def _read_files(package: Path) -> Files:
    files = (
        path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    )
    return {path.relative_to(package).as_posix(): path.read_bytes() for path in sorted(files)}


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

    @classmethod
    def parse(cls, document: Json, package: Path) -> _WireProject:
        config = Config.from_sources(
            ConfigFile(
                post_hooks=[],
                package_name_override=PACKAGE,
                project_name_override=PACKAGE,
                field_prefix=FIELD_PREFIX,
            ),
            MetaType.NONE,
            document_source="",
            file_encoding="utf-8",
            overwrite=False,
            output_path=package,
        )
        view = strip_for_client(document)
        with decimal_format_enabled():
            data = GeneratorData.from_dict(view, config=config)
        if isinstance(data, GeneratorError):
            raise SpecError(_error_lines([data]))
        project = cls(openapi=data, config=config, custom_template_path=TEMPLATES)
        project.document = document
        project.env.undefined = StrictUndefined
        project.env.filters["doc"] = docstring
        project.env.filters["plain"] = plain_text
        project.env.globals.update(_template_globals(document, view))
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
        init = self.env.get_template("package_init.py.jinja").render()
        (self.package_dir / "__init__.py").write_text(init, encoding="utf-8")
        for name in TABLE_MODULES:
            table = self.env.get_template(f"{name}.py.jinja").render()
            (self.package_dir / f"{name}.py").write_text(table, encoding="utf-8")
        for name in RUNTIME_MODULES:
            source = (RUNTIME / f"{name}.py").read_text(encoding="utf-8")
            (self.package_dir / f"{name}.py").write_text(
                f"# {RUNTIME_BANNER}\n{source}", encoding="utf-8"
            )
        (self.package_dir / "py.typed").write_text(f"# {BANNER}\n", encoding="utf-8")
        served = {"x-written-by": BANNER, **self.document}
        (self.package_dir / "openapi.json").write_text(
            json.dumps(served, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )


def _template_globals(document: Json, view: Json) -> dict[str, Any]:
    """Return what all templates can use, beside what the library gives to each."""
    facts = {operation.id: operation for operation in collect_operations(document)}
    expressions = ExpressionBuilder(document)
    error_codes = sorted(
        ((int(code), error) for code, error in document.get("x-error-codes", {}).items()),
        reverse=True,
    )
    return {
        "account_attribute": expressions.account_attribute,
        "banner": BANNER,
        "choices_of": expressions.parameter_choices,
        "described_statuses": sorted(int(s) for s in described_statuses(document) if s.isdigit()),
        "document": document,
        "dump": expressions.dump_expression,
        "error_codes": error_codes,
        "facts": list(facts.values()),
        "facts_of": lambda endpoint: facts[str(endpoint.name)],
        "forwarded": lambda endpoint: ", ".join(
            f'"{p.python_name}": {p.python_name}' for p in endpoint.query_parameters
        ),
        "is_flat_row_class": expressions.is_flat_row_class,
        "model_schema": expressions.model_schema,
        "models": [
            class_name(name)
            for name, schema in view["components"]["schemas"].items()
            if schema["type"] == "object"
        ],
        "permanent_codes": [code for code, error in error_codes if error.get("retryable") is False],
        "python_name": python_name,
        "quoted": quoted,
        "quoted_lines": quoted_lines,
        "reader": expressions.reader_expression,
        "resolve": lambda node: resolve(document, node),
        "result_type": lambda endpoint: type_of(endpoint.responses.patterns[0].prop),
        "row_of": expressions.row_class_of_result,
        "record_type": expressions.record_type,
        "required_amounts": expressions.required_amounts,
        "optional_value": expressions.optional_value,
        "flat_rows_of": expressions.flat_row_class_of_result,
        "signature": python_signature,
        "type_of": type_of,
        "writer": expressions.writer_expression,
    }


def _error_lines(errors: list[Any]) -> list[str]:
    return [" ".join(f"{error.header} {error.detail or ''}".split()) for error in errors]
