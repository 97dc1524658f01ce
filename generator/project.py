"""Spec document -> files of the generated package, as bytes. Owns templates, formatting and the swap; opens no network, judges no spec."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined
from openapi_python_client import Project
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.errors import GeneratorError
from openapi_python_client.strings import safe_for_docstring

from .formats import decimals
from .lint import lint
from .spec import FIELD_PREFIX, Json, OperationFacts, SpecError, class_name, client_view, facts, python_name, resolve

PACKAGE = "binance_usdm_wire"
BANNER = "Written by `python -m generator` from spec/openapi.yaml. Do not edit."
TEMPLATES = Path(__file__).parent / "templates"
RUNTIME = ("errors", "reading", "types", "writing")
WIDTH = 120
RUFF_CHECK = ["check", "--isolated", "--no-cache", "--quiet", "--fix", "--select", "I,F401,UP", "--ignore", "UP040,UP046,UP047"]
RUFF_FORMAT = ["format", "--isolated", "--no-cache", "--quiet"]
RUFF_SETTINGS = ["--config", f"line-length={WIDTH}", "--target-version", "py311"]

Files = dict[str, bytes]


def generate(document: Json) -> Files:
    """The files of the package by their path in it; SpecError with every finding when the spec cannot be generated from."""
    findings = lint(document)
    if findings:
        raise SpecError(findings)
    with tempfile.TemporaryDirectory() as scratch:
        package = Path(scratch) / PACKAGE
        _WireProject.parse(document, package).build()
        _format(package)
        return _read(package)


def committed(package: Path) -> Files:
    """The files that are there now; bytecode aside."""
    return _read(package) if package.is_dir() else {}


def difference(now: Files, fresh: Files) -> list[str]:
    """One line for each file that is missing, stale or left over."""
    lines = {path: f"{path}: missing" for path in fresh.keys() - now.keys()}
    lines |= {path: f"{path}: not written by the generator" for path in now.keys() - fresh.keys()}
    lines |= {path: f"{path}: stale or edited" for path in now.keys() & fresh.keys() if now[path] != fresh[path]}
    return [lines[path] for path in sorted(lines)]


def swap(package: Path, files: Files) -> None:
    """Put the new package in the place of the old one as a whole: a reader sees the one or the other."""
    package.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=package.parent, prefix=f".{PACKAGE}-") as scratch:
        fresh, stale = Path(scratch) / "fresh", Path(scratch) / "stale"
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


def _read(package: Path) -> Files:
    files = (path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(package).as_posix(): path.read_bytes() for path in sorted(files)}


def _format(package: Path) -> None:
    """Same bytes wherever this runs: no configuration around it is read, and the parent as working directory keeps `types.py` off the path."""
    for command in (RUFF_CHECK, RUFF_FORMAT):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *RUFF_SETTINGS, package.name],
            cwd=package.parent, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise SpecError([f"generated code: {line}" for line in (done.stdout + done.stderr).splitlines() if line.strip()])


def _doc(value: str, indent: int = 0) -> str:
    """Spec text as the inside of a docstring: escaped, wrapped, paragraphs kept."""
    width = WIDTH - indent - 4
    lines = [textwrap.fill(safe_for_docstring(line), width, break_long_words=False) for line in value.strip().split("\n")]
    return textwrap.indent("\n".join(lines), " " * indent).lstrip()


class _WireProject(Project):
    """The library's project with our own package layout: models and API modules as it writes them, everything else from RUNTIME."""

    document: Json
    facts: dict[str, OperationFacts]

    @classmethod
    def parse(cls, document: Json, package: Path) -> _WireProject:
        config = Config.from_sources(
            ConfigFile(post_hooks=[], package_name_override=PACKAGE, project_name_override=PACKAGE, field_prefix=FIELD_PREFIX),
            MetaType.NONE, document_source="", file_encoding="utf-8", overwrite=False, output_path=package,
        )  # fmt: skip
        with decimals():
            data = GeneratorData.from_dict(client_view(document), config=config)
        if isinstance(data, GeneratorError):
            raise SpecError(_lines([data]))
        project = cls(openapi=data, config=config, custom_template_path=TEMPLATES)
        project.document = document
        project.facts = {fact.id: fact for fact in facts(document)}
        project.env.undefined = StrictUndefined
        project.env.filters["doc"] = _doc
        project.env.globals.update(
            banner=BANNER,
            dump=project.dump,
            document=document,
            facts=list(project.facts.values()),
            facts_of=lambda endpoint: project.facts[str(endpoint.name)],
            models=[class_name(name) for name in client_view(document)["components"]["schemas"] if project.is_model(name)],
            forwarded=lambda endpoint: ", ".join(f'"{p.python_name}": {p.python_name}' for p in endpoint.query_parameters),
            model_schema=project.model_schema,
            python_name=python_name,
            quoted=lambda value: "None" if value is None else json.dumps(value, ensure_ascii=False),
            reader=project.reader,
            resolve=lambda node: resolve(document, node),
            result_type=lambda endpoint: _type(endpoint.responses.patterns[0].prop),
            row_of=project.row_of,
            signature=_signature,
            type_of=_type,
            writer=project.writer,
        )
        return project

    def build(self) -> list[GeneratorError]:
        self.package_dir.mkdir(parents=True)
        self._build_models()
        self._build_api()
        self._package_files()
        errors = list(self._get_errors())
        if errors:
            raise SpecError(_lines(errors))
        return errors

    def _package_files(self) -> None:
        (self.package_dir / "client.py").rename(self.package_dir / "operations.py")
        for name in ("__init__", *RUNTIME):
            template = "package_init" if name == "__init__" else name
            text = self.env.get_template(f"{template}.py.jinja").render()
            (self.package_dir / f"{name}.py").write_text(text, encoding="utf-8")
        (self.package_dir / "py.typed").write_text(f"# {BANNER}\n", encoding="utf-8")
        served = {"x-written-by": BANNER, **self.document}
        (self.package_dir / "openapi.json").write_text(json.dumps(served, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    # what the templates ask

    def is_model(self, component: str) -> bool:
        return bool(self.document["components"]["schemas"][component].get("type") == "object")

    def model_schema(self, name: str) -> Json:
        """The object schema that became the class of this name."""
        schemas = self.document["components"]["schemas"]
        return next(schema for component, schema in schemas.items() if class_name(component) == name)

    def reader(self, node: Json, *, optional: bool = False) -> str:
        """The expression of a function that checks a decoded JSON value against this schema and types it."""
        if optional:
            return f"optional({self.reader(node)})"
        schema = resolve(self.document, node)
        if isinstance(schema["type"], list):
            kind = next(one for one in schema["type"] if one != "null")
            return f"nullable({self.reader({**schema, 'type': kind})})"
        return {
            "object": lambda: f"{class_name(node['$ref'].rsplit('/', 1)[1])}.read",
            "array": lambda: f"array_of({self.reader(schema['items'])})",
            "boolean": lambda: "boolean",
            "integer": lambda: f"integer({schema['minimum']}, {schema['maximum']})",
            "string": lambda: self._text(schema),
        }[schema["type"]]()

    def _text(self, schema: Json) -> str:
        if schema.get("format") == "decimal":
            return "decimal"
        if "enum" in schema:
            return f"one_of({', '.join(map(repr, schema['enum']))})"
        return f"matching({schema['pattern']!r})" if "pattern" in schema else "text"

    def writer(self, node: Json) -> str:
        """The expression that turns an argument into query text, after checking it."""
        schema = resolve(self.document, node["schema"])
        if schema["type"] == "string":
            return self._text(schema)
        return self.reader(schema)

    def dump(self, node: Json, value: str, depth: int = 0) -> str:
        """The expression that turns a typed value back into what JSON held."""
        schema = resolve(self.document, node)
        kind = schema["type"]
        if isinstance(kind, list):
            kind = next(one for one in kind if one != "null")
            inner = self.dump({**schema, "type": kind}, value, depth)
            return inner if inner == value else f"None if {value} is None else {inner}"
        if kind == "object":
            return f"{value}.to_dict()"
        if kind == "array":
            item = f"item{depth or ''}"
            return f"[{self.dump(schema['items'], item, depth + 1)} for {item} in {value}]"
        return f'format({value}, "f")' if schema.get("format") == "decimal" else value

    def row_of(self, node: Json) -> str | None:
        """The class of the reply's rows, or of the reply itself when it is one object."""
        schema = resolve(self.document, node)
        node = schema["items"] if schema["type"] == "array" else node
        return class_name(node["$ref"].rsplit("/", 1)[1]) if resolve(self.document, node)["type"] == "object" else None


def _type(prop: Any) -> str:
    return str(prop.get_type_string(no_optional=True).as_unembedded_code())


def _signature(endpoint: Any, *first: str) -> str:
    """Keyword-only arguments, the required ones first; an argument left at None is not sent."""
    arguments = sorted(endpoint.query_parameters, key=lambda parameter: not parameter.required)
    declared = [f"{p.python_name}: {_type(p)}" + ("" if p.required else " | None = None") for p in arguments]
    return ", ".join([*first, *(["*"] if declared else []), *declared])


def _lines(errors: list[Any]) -> list[str]:
    return [" ".join(f"{error.header} {error.detail or ''}".split()) for error in errors]
