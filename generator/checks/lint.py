"""Report spec constructs that the generator cannot handle, all at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from generator.document.findings import Finding, Place, SpecError, find_duplicates
from generator.document.openapi import (
    COMPONENT_NAME,
    TRANSLATED,
    Json,
    component_class,
    is_dangling,
    load,
    python_name,
    reachable_schemas,
    walk_objects,
)
from generator.document.path_items import operations
from generator.model.operations import account_properties

from .components import (
    check_header,
    check_named_schema,
    check_parameter,
    check_response,
    check_scheme,
)
from .examples import ExampleChecker
from .grammar import check_grammar, without_foreign_extensions
from .links import check_links
from .operation_checks import OperationChecker
from .reserved_names import RENAME, reserved_classes
from .servers import check_servers

TAG = re.compile(r"[A-Za-z][A-Za-z0-9 _-]{0,99}")
"""A tag becomes the name of a folder."""
RETRYABLE_KINDS = ("rate-limit", "server")
"""Kinds of errors after which the same call may succeed later."""
ERROR_CODE = re.compile(r"-[1-9][0-9]*")
CHECKS_BY_SECTION = {
    "securitySchemes": check_scheme,
    "parameters": check_parameter,
    "headers": check_header,
    "responses": check_response,
    "schemas": check_named_schema,
}


def lint(document: Json) -> list[str]:
    """Return all findings of a spec, one line each; none when code can be generated from it."""
    fitting, findings = check_grammar(document)
    all_findings = [*findings, *_Linter(fitting).check_document()]
    return list({str(finding): finding for finding in all_findings}.values())


def load_valid(path: Path) -> Json:
    """Read a spec that code can be generated from.

    Raises:
        SpecError: The file cannot be read, or the spec has findings.
    """
    document = load(path)
    if findings := lint(document):
        raise SpecError(findings)
    return document


def translation_warnings(document: Json) -> list[str]:
    """Return where a Chinese text is missing. A spec without one is generated nevertheless.

    A spec without any Chinese text is in one language, and has no warnings.
    """
    objects = list(walk_objects((), without_foreign_extensions(document)))
    if not any(f"x-{key}-zh" in node for _, node in objects for key in TRANSLATED):
        return []
    return [
        Finding.at((*place, key), f"warning: the Chinese text is missing; add x-{key}-zh")
        for place, node in objects
        if not {"example", "examples", "value", "properties"} & {*place[-1:]}
        for key in TRANSLATED
        if isinstance(node.get(key), str) and f"x-{key}-zh" not in node
    ]


class _Linter:
    """Checks what the parts of a document mean and whether they fit together.

    The document has the right structure already: see `check_grammar`.
    """

    def __init__(self, document: Json) -> None:
        self.document = document
        self.components: Json = document.get("components", {})
        self.schemas: Json = self.components.get("schemas", {})
        self.checker = ExampleChecker(document)

    def check_document(self) -> Iterator[Finding]:
        version = self.document.get("openapi", "")
        if not re.fullmatch(r"3\.1\.\d+", version):
            problem = f"version {version!r} is not supported; use 3.1.x"
            yield Finding.at(("openapi",), problem)
        tags = [str(tag.get("name")) for tag in self.document.get("tags", [])]
        yield from self.check_tags(tags)
        yield from check_servers(("servers",), self.document.get("servers", []))
        yield from self.check_components()
        yield from self.check_class_names()
        checker = OperationChecker(self.checker, tags)
        for path, method, operation in operations({"paths": {}, **self.document}):
            yield from checker.check(("paths", path, method), path, method, operation)
        if not checker.operation_ids:
            yield Finding.at(("paths",), "there must be at least one operation")
        yield from check_links(self.document)
        yield from self.check_account_marks(checker.row_schemas)
        for code, error in self.document.get("x-error-codes", {}).items():
            yield from self.check_error_code(("x-error-codes", code), code, error)

    def check_error_code(self, place: Place, code: str, error: Json) -> Iterator[Finding]:
        if not ERROR_CODE.fullmatch(code):
            yield Finding.at(place, "the key must be a negative number in quotes")
        is_permanent = error.get("retryable") is False
        if "retryable" in error and not (is_permanent and error.get("kind") in RETRYABLE_KINDS):
            kinds = " or ".join(RETRYABLE_KINDS)
            yield Finding.at(place, f"retryable may only be false, for a code of kind {kinds}")

    def check_tags(self, tags: list[str]) -> Iterator[Finding]:
        allowed = "letters, digits, spaces, '-' and '_', 100 characters at most"
        for number, name in enumerate(tags):
            if not TAG.fullmatch(name):
                place = ("tags", number, "name")
                yield Finding.at(place, f"{name!r} may only have {allowed}")
        for name in find_duplicates(tags):
            yield Finding.at(("tags",), f"two tags have the name {name!r}")
        for name in find_duplicates(map(python_name, set(tags))):
            yield Finding.at(("tags",), f"two tags become the folder {name!r}; rename one of them")

    def check_components(self) -> Iterator[Finding]:
        for section, check_component in CHECKS_BY_SECTION.items():
            for name, node in self.components.get(section, {}).items():
                place = ("components", section, name)
                if not re.fullmatch(COMPONENT_NAME, name):
                    problem = "a name may only have letters, digits, '.', '_' and '-'"
                    yield Finding.at(place, problem)
                if "$ref" in node:
                    yield Finding.at(place, "must be defined here, not by a $ref")
                yield from check_component(place, node, self.checker)

    def check_class_names(self) -> Iterator[Finding]:
        names = {name: component_class(self.document, name) for name in self.schemas}
        for module in find_duplicates(map(python_name, names.values())):
            problem = f"two schemas become the class of module {module!r}; {RENAME}"
            yield Finding.at(("components", "schemas"), problem)
        for name, schema in self.schemas.items():
            place = ("components", "schemas", name)
            if names[name] in reserved_classes():
                problem = f"a schema may not become the class {names[name]!r}; {RENAME}"
                yield Finding.at(place, problem)
            if name in reachable_schemas(self.schemas, schema):
                yield Finding.at(place, "contains itself")

    def check_account_marks(self, row_schemas: list[Json]) -> Iterator[Finding]:
        """Report each x-identifies-account that the client would not look at."""
        if any(is_dangling(self.document, node) for _, node in walk_objects((), self.document)):
            # It cannot be said which schemas are those of rows.
            return
        effective = {
            id(row["properties"][name]) for row in row_schemas for name in account_properties(row)
        }
        for place, node in walk_objects((), self.document):
            if "x-identifies-account" in node and id(node) not in effective:
                yield Finding.at(
                    place,
                    "x-identifies-account has no effect here; it is for properties of the rows of "
                    "a 200 response",
                )
