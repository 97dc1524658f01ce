"""Report spec constructs that the generator cannot handle."""

from __future__ import annotations

import re

from .components import (
    check_header,
    check_named_schema,
    check_parameter,
    check_response,
    check_scheme,
)
from .grammar import check_grammar
from .operations import reachable_schemas, signing_role
from .schemas import SNAKE_CASE, account_properties, find_duplicates, resolve_or_empty
from .spec import COMPONENT_NAME, Json, class_name, python_name, walk_objects

RESERVED_OPERATIONS = {"close", "aclose", "from_env", "mock", "doctor"}
"""Methods that every client already has, and other shell commands."""
RESERVED_CLASSES = {
    "Any", "AsyncMethods", "AsyncOperations", "ClassVar", "Decimal", "Final",
    "InvalidArgumentError", "MISSING", "Mapping", "OPERATIONS", "Operation", "Parameter",
    "PathStep", "Response", "ResponseMismatch", "RowReader", "Signing", "SupportsAsyncCall",
    "SupportsCall", "SyncMethods", "SyncOperations", "T", "TypeVar", "UTC",
}  # fmt: skip
"""Names that generated modules use around the classes of a spec."""
TAG = re.compile(r"[A-Za-z][A-Za-z0-9 _-]{0,99}")
"""A tag becomes the name of a folder."""
STATUS = re.compile(r"[1-5](\d\d|XX)")
PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+")
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
    findings += _Linter(fitting).check_document()
    return list(dict.fromkeys(" ".join(finding.split()) for finding in findings))


class _Linter:
    """Checks what the parts of a document mean and whether they fit together.

    The document has the right structure already: see `check_grammar`.
    """

    def __init__(self, document: Json) -> None:
        self.document = document
        self.components: Json = document.get("components", {})
        self.schemes: Json = self.components.get("securitySchemes", {})
        self.schemas: Json = self.components.get("schemas", {})
        self.tags = [str(tag.get("name")) for tag in document.get("tags", [])]
        self.findings: list[str] = []
        self.operation_ids: dict[str, str] = {}
        self.row_schemas: list[Json] = []

    def report(self, where: str, problem: str) -> None:
        self.findings.append(f"{where}: {problem}")

    def check_document(self) -> list[str]:
        version = self.document.get("openapi", "")
        if not re.fullmatch(r"3\.1\.\d+", version):
            self.report("openapi", f"version {version!r} is not supported; use 3.1.x")
        self.check_tags()
        self.check_servers(self.document.get("servers", []))
        self.check_components()
        self.check_class_names()
        for path, item in self.document.get("paths", {}).items():
            for method, operation in item.items():
                self.check_operation(f"paths.{path}.{method}", path, method, operation)
        if not self.operation_ids:
            self.report("paths", "there must be at least one operation")
        self.check_account_marks()
        for code, error in self.document.get("x-error-codes", {}).items():
            self.check_error_code(f"x-error-codes.{code}", code, error)
        return self.findings

    def check_error_code(self, where: str, code: str, error: Json) -> None:
        if not ERROR_CODE.fullmatch(code):
            self.report(where, "the key must be a negative number in quotes")
        is_permanent = error.get("retryable") is False
        if "retryable" in error and not (is_permanent and error.get("kind") in RETRYABLE_KINDS):
            kinds = " or ".join(RETRYABLE_KINDS)
            self.report(where, f"retryable may only be false, for a code of kind {kinds}")

    def check_tags(self) -> None:
        allowed = "letters, digits, spaces, '-' and '_', 100 characters at most"
        for number, name in enumerate(self.tags):
            if not TAG.fullmatch(name):
                self.report(f"tags.{number}.name", f"{name!r} may only have {allowed}")
        for name in find_duplicates(self.tags):
            self.report("tags", f"two tags have the name {name!r}")

    def check_servers(self, servers: list[Json]) -> None:
        environments = [str(server.get("x-environment")) for server in servers]
        if "production" not in environments:
            self.report("servers", "one server must have x-environment: production")
        for name in find_duplicates(environments):
            self.report("servers", f"two servers have x-environment: {name}")
        for number, server in enumerate(servers):
            if not server.get("url", "https://").startswith("https://"):
                self.report(f"servers.{number}", "url must be https")

    def check_components(self) -> None:
        for section, check_component in CHECKS_BY_SECTION.items():
            for name, node in self.components.get(section, {}).items():
                where = f"components.{section}.{name}"
                if not re.fullmatch(COMPONENT_NAME, name):
                    self.report(where, "a name may only have letters, digits, '.', '_' and '-'")
                if "$ref" in node:
                    self.report(where, "must be defined here, not by a $ref")
                self.findings += check_component(where, node, self.document)

    def check_class_names(self) -> None:
        modules = [python_name(class_name(name)) for name in self.schemas]
        for module in find_duplicates(modules):
            self.report("components.schemas", f"two schemas become the class of module {module!r}")
        for name, schema in self.schemas.items():
            where = f"components.schemas.{name}"
            if class_name(name) in RESERVED_CLASSES:
                self.report(where, f"a schema may not become the class {class_name(name)!r}")
            if name in reachable_schemas(self.schemas, schema):
                self.report(where, "contains itself")

    def check_operation(self, where: str, path: str, method: str, operation: Json) -> None:
        if method != "get":
            self.report(where, "only get is supported, since this client only reads")
        if "{" in path:
            self.report(where, "path parameters are not supported")
        elif not PATH.fullmatch(path):
            self.report(where, "the path would need percent-encoding")
        self.check_operation_id(where, operation.get("operationId", ""))
        tags = operation.get("tags", [])
        if len(tags) != 1 or tags[0] not in self.tags:
            self.report(where, "tags must name exactly one of the document's tags")
        if operation.get("x-weight", 1) < 1:
            self.report(where, "x-weight must be a positive number")
        schemes = self.check_security(where, operation)
        self.check_parameters(where, operation.get("parameters", []), schemes)
        self.check_responses(where, operation.get("responses", {}))

    def check_operation_id(self, where: str, name: str) -> None:
        if not SNAKE_CASE.fullmatch(name) or python_name(name) != name:
            self.report(where, f"operationId {name!r} must be a snake_case name for a method")
        elif name in RESERVED_OPERATIONS or name.endswith("_detailed"):
            self.report(where, f"operationId {name!r} is reserved; choose another")
        if name in self.operation_ids:
            self.report(where, f"operationId {name!r} is also that of {self.operation_ids[name]}")
        self.operation_ids[name] = where

    def check_security(self, where: str, operation: Json) -> list[Json]:
        """Check the security of an operation and return its security schemes."""
        security: list[Json] = operation.get("security", [])
        if len(security) > 1:
            self.report(where, "security must be a list of one requirement, or empty for none")
        names = [name for requirement in security for name in requirement]
        for name in names:
            if name not in self.schemes:
                self.report(where, f"security scheme {name!r} is not defined")
        security_type = operation.get("x-security-type")
        demanded = self.document.get("x-security-types", {}).get(security_type)
        if demanded is None:
            self.report(where, f"x-security-type {security_type!r} is not in x-security-types")
        elif sorted(demanded) != sorted(names):
            self.report(where, f"security {names} is not what {security_type} demands: {demanded}")
        schemes = [self.schemes[name] for name in names if name in self.schemes]
        for role in find_duplicates(str(signing_role(scheme)) for scheme in schemes):
            self.report(where, f"two security schemes have x-signing-role: {role}")
        return schemes

    def check_parameters(self, where: str, nodes: list[Json], schemes: list[Json]) -> None:
        for number, node in enumerate(nodes):
            self.findings += check_parameter(f"{where}.parameters.{number}", node, self.document)
        parameters = [resolve_or_empty(self.document, node) for node in nodes]
        names = [str(parameter.get("name")) for parameter in parameters]
        names += [str(scheme.get("name")) for scheme in schemes if scheme.get("in") == "query"]
        for name in find_duplicates(names):
            self.report(where, f"parameter {name!r} is declared twice")
        for name in find_duplicates(python_name(name) for name in set(names)):
            self.report(where, f"two parameters become the argument {name!r}")
        signed = "signature" in map(signing_role, schemes)
        self.check_signing_roles(where, list(map(signing_role, parameters)), signed)

    def check_signing_roles(self, where: str, roles: list[str | None], signed: bool) -> None:
        if signed and roles.count("timestamp") != 1:
            problem = "a signed operation needs exactly one parameter with"
            self.report(where, f"{problem} x-signing-role: timestamp")
        if not signed and "timestamp" in roles:
            problem = "only a signed operation may have a parameter with"
            self.report(where, f"{problem} x-signing-role: timestamp")
        if roles.count("window") > int(signed):
            problem = "only a signed operation may have a parameter, and only one, with"
            self.report(where, f"{problem} x-signing-role: window")

    def check_responses(self, where: str, responses: Json) -> None:
        for status, response in responses.items():
            if not STATUS.fullmatch(status):
                expected = "a status like '400' or a range like '5XX'"
                self.report(where, f"response {status!r} must be {expected}")
            elif status.startswith("2") and status != "200":
                self.report(where, f"response {status} would be lost; only 200 becomes a value")
            place = f"{where}.responses.{status}"
            self.findings += check_response(place, response, self.document)
        content = resolve_or_empty(self.document, responses.get("200", {})).get("content", {})
        if list(content) != ["application/json"]:
            self.report(
                where, "a 200 response is needed, with application/json as its only content"
            )
            return
        schema = resolve_or_empty(self.document, content["application/json"].get("schema", {}))
        if schema.get("type", "object") not in ("array", "object"):
            self.report(where, "the 200 response must be an object or an array")
        row = resolve_or_empty(self.document, schema.get("items", {}))
        self.row_schemas.append(row if schema.get("type") == "array" else schema)

    def check_account_marks(self) -> None:
        """Report each x-identifies-account that the client would not look at."""
        effective = {
            id(row["properties"][name])
            for row in self.row_schemas
            for name in account_properties(row)
        }
        for where, node in walk_objects("", self.document):
            if "x-identifies-account" in node and id(node) not in effective:
                problem = (
                    "x-identifies-account has no effect here; it is for properties of the rows"
                )
                self.report(where, f"{problem} of a 200 response")
