"""What the generator would lose or get wrong without a word, refused before it runs. Reads a document, returns findings, no more."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from .grammar import check_grammar
from .schemas import (
    SNAKE_CASE,
    account_properties,
    check_schema,
    find_duplicates,
    resolve_or_empty,
)
from .spec import COMPONENT_NAME, Json, class_name, python_name, reachable_schemas, signing_role

RESERVED_OPERATIONS = {"close", "aclose", "from_env", "mock", "doctor"}
"""Methods of a client, and commands of the shell, that are there already."""
RESERVED_ARGUMENTS = {"base_url", "csv", "demo", "help", "json", "non_zero", "timeout"}
"""Flags that every command of the shell has already."""
RESERVED_CLASSES = {
    "Any", "AsyncMethods", "AsyncOperations", "ClassVar", "Decimal", "Final", "InvalidArgumentError", "MISSING", "Mapping", "OPERATIONS",
    "Operation", "Parameter", "PathStep", "Response", "ResponseMismatch", "RowReader", "Signing", "SupportsAsyncCall", "SupportsCall",
    "SyncMethods", "SyncOperations", "T", "TypeVar", "UTC",
}  # fmt: skip
TAG = re.compile(r"[A-Za-z][A-Za-z0-9 _-]{0,99}")
"""A tag names a folder."""
STATUS = re.compile(r"[1-5](\d\d|XX)")
PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+")
UNRESERVED = re.compile(r"[A-Za-z0-9._~-]+")
TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
"""RFC 9110, 5.6.2."""
RESERVED_HEADERS = {
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "host",
    "transfer-encoding",
    "upgrade",
    "user-agent",
}
"""What a request says in them is said already, or would change where it ends."""
ERROR_CODE = re.compile(r"-[1-9][0-9]*")


def lint(document: Json) -> list[str]:
    """Every finding of the document, one line each; empty when it can be generated from."""
    fitting, findings = check_grammar(document)
    findings += _Linter(fitting).check_document()
    return list(dict.fromkeys(" ".join(finding.split()) for finding in findings))


def walk_objects(where: str, node: Any) -> Iterator[tuple[str, Json]]:
    """Yield every mapping of a document with its path."""
    if isinstance(node, dict):
        yield where, node
        entries: Iterable[tuple[Any, Any]] = node.items()
    else:
        entries = enumerate(node) if isinstance(node, list) else ()
    for key, entry in entries:
        yield from walk_objects(f"{where}.{key}".lstrip("."), entry)


class _Linter:
    """What the parts of a document mean and whether they fit together; keys and kinds of values are right already, see `grammar`."""

    def __init__(self, document: Json) -> None:
        self.document = document
        self.components: Json = document.get("components", {})
        self.schemes: Json = self.components.get("securitySchemes", {})
        self.schemas: Json = self.components.get("schemas", {})
        self.tags = [str(tag.get("name")) for tag in document.get("tags", [])]
        self.findings: list[str] = []
        self.operation_ids: dict[str, str] = {}
        self.row_schemas: list[Json] = []

    def report(self, where: str, what: str) -> None:
        self.findings.append(f"{where}: {what}")

    def check_document(self) -> list[str]:
        if not re.fullmatch(r"3\.1\.\d+", self.document.get("openapi", "")):
            self.report("openapi", f"version {self.document.get('openapi')!r} is not 3.1.x")
        for number, name in enumerate(self.tags):
            if not TAG.fullmatch(name):
                self.report(
                    f"tags.{number}.name",
                    f"{name!r} may only have letters, digits, blanks, '-' and '_', 100 at most",
                )
        for name in find_duplicates(self.tags):
            self.report("tags", f"two tags have the name {name!r}")
        self.check_servers(self.document.get("servers", []))
        self.check_components()
        self.check_class_names()
        for path, item in self.document.get("paths", {}).items():
            for method, operation in item.items():
                self.check_operation(f"paths.{path}.{method}", path, method, operation)
        if not self.operation_ids:
            self.report("paths", "there is no operation")
        self.check_account_marks()
        for code in self.document.get("x-error-codes", {}):
            if not ERROR_CODE.fullmatch(code):
                self.report(f"x-error-codes.{code}", "the key must be a negative number as text")
        return self.findings

    def check_servers(self, servers: list[Json]) -> None:
        environments = [str(server.get("x-environment")) for server in servers]
        if "production" not in environments:
            self.report("servers", "no server has x-environment: production")
        for name in find_duplicates(environments):
            self.report("servers", f"two servers have x-environment: {name}")
        for number, server in enumerate(servers):
            if not server.get("url", "https://").startswith("https://"):
                self.report(f"servers.{number}", "url must be https")

    def check_components(self) -> None:
        checks = {
            "securitySchemes": self.check_scheme, "parameters": self.check_parameter, "headers": self.check_header,
            "responses": self.check_response, "schemas": self.check_component,
        }  # fmt: skip
        for section, check_part in checks.items():
            for name, node in self.components.get(section, {}).items():
                where = f"components.{section}.{name}"
                if not re.fullmatch(COMPONENT_NAME, name):
                    self.report(where, "a name may only have letters, digits, '.', '_' and '-'")
                if "$ref" in node:
                    self.report(where, "must be defined here, not by a $ref")
                check_part(where, node)

    def check_class_names(self) -> None:
        for module in find_duplicates(python_name(class_name(name)) for name in self.schemas):
            self.report(
                "components.schemas", f"two schemas become the class of the module {module!r}"
            )
        for name, schema in self.schemas.items():
            if class_name(name) in RESERVED_CLASSES:
                self.report(
                    f"components.schemas.{name}",
                    f"a schema may not become the class {class_name(name)!r}",
                )
            if name in reachable_schemas(self.schemas, schema):
                self.report(f"components.schemas.{name}", "contains itself")

    def check_operation(self, where: str, path: str, method: str, operation: Json) -> None:
        if method != "get":
            self.report(where, "only get is supported: this client reads")
        if "{" in path:
            self.report(where, "path parameters are not supported")
        elif not PATH.fullmatch(path):
            self.report(where, "the path would need percent-encoding")
        self.check_operation_id(where, operation.get("operationId", ""))
        if len(tags := operation.get("tags", [])) != 1 or tags[0] not in self.tags:
            self.report(where, "tags must name exactly one of the document's tags")
        if operation.get("x-weight", 1) < 1:
            self.report(where, "x-weight must be a positive number")
        self.check_parameters(
            where, operation.get("parameters", []), self.check_security(where, operation)
        )
        self.check_responses(where, operation.get("responses", {}))

    def check_operation_id(self, where: str, name: str) -> None:
        if (
            not SNAKE_CASE.fullmatch(name)
            or python_name(name) != name
            or name in RESERVED_OPERATIONS
            or name.endswith("_detailed")
        ):
            self.report(where, f"operationId {name!r} is no usable snake_case name")
        if name in self.operation_ids:
            self.report(where, f"operationId {name!r} is also that of {self.operation_ids[name]}")
        self.operation_ids[name] = where

    def check_security(self, where: str, operation: Json) -> list[Json]:
        """The security schemes of an operation."""
        security: list[Json] = operation.get("security", [])
        if len(security) > 1:
            self.report(where, "security must be a list of one requirement, or empty for none")
        names = [name for requirement in security for name in requirement]
        for name in names:
            if name not in self.schemes:
                self.report(where, f"security scheme {name!r} is not defined")
        demanded = self.document.get("x-security-types", {}).get(operation.get("x-security-type"))
        if demanded is None:
            self.report(
                where,
                f"x-security-type {operation.get('x-security-type')!r} is not in x-security-types",
            )
        elif sorted(demanded) != sorted(names):
            self.report(where, f"security {names} is not what x-security-type demands: {demanded}")
        schemes = [self.schemes[name] for name in names if name in self.schemes]
        for name in find_duplicates(str(signing_role(scheme)) for scheme in schemes):
            self.report(where, f"two security schemes have x-signing-role: {name}")
        return schemes

    def check_scheme(self, where: str, scheme: Json) -> None:
        place = {"key": "header", "signature": "query"}.get(signing_role(scheme) or "")
        if place and scheme.get("in") != place:
            self.report(where, f"a {signing_role(scheme)} belongs in the {place}")
        name = scheme.get("name", "-")
        if scheme.get("in") == "query" and not UNRESERVED.fullmatch(name):
            self.report(where, f"name {name!r} would need percent-encoding")
        if scheme.get("in") == "header" and (
            not TOKEN.fullmatch(name) or name.lower() in RESERVED_HEADERS
        ):
            self.report(where, f"name {name!r} is no name for a header of its own")

    def check_parameters(self, where: str, nodes: list[Json], schemes: list[Json]) -> None:
        for number, node in enumerate(nodes):
            self.check_parameter(f"{where}.parameters.{number}", node)
        parameters = [resolve_or_empty(self.document, node) for node in nodes]
        names = [str(parameter.get("name")) for parameter in parameters]
        names += [str(scheme.get("name")) for scheme in schemes if scheme.get("in") == "query"]
        for name in find_duplicates(names):
            self.report(where, f"parameter {name!r} is declared twice")
        for name in find_duplicates(python_name(name) for name in set(names)):
            self.report(where, f"two parameters become the argument {name!r}")
        signed = "signature" in map(signing_role, schemes)
        roles = [signing_role(parameter) for parameter in parameters]
        if roles.count("timestamp") != int(signed):
            self.report(
                where,
                "a signed operation needs exactly one parameter with x-signing-role: timestamp, another none",
            )
        if roles.count("window") > int(signed):
            self.report(
                where, "only a signed operation may have one parameter with x-signing-role: window"
            )

    def check_parameter(self, where: str, parameter: Json) -> None:
        if "$ref" in parameter:
            return
        schema = resolve_or_empty(self.document, parameter.get("schema", {}))
        self.check_schema(f"{where}.schema", parameter.get("schema"), sent=True)
        if not UNRESERVED.fullmatch(parameter.get("name", "-")):
            self.report(where, f"the name {parameter['name']!r} would need percent-encoding")
        if python_name(name := parameter.get("name", "-")).rstrip("_") in RESERVED_ARGUMENTS:
            self.report(
                where, f"the name {name!r} is that of a flag which every shell command has already"
            )
        if schema.get("type", "string") not in ("string", "integer", "boolean"):
            self.report(where, "only single, non-null values can be sent")
        if signing_role(parameter) and schema.get("type") != "integer":
            self.report(where, f"a {signing_role(parameter)} is an integer")
        if signing_role(parameter) == "timestamp" and parameter.get("required") is not True:
            self.report(where, "the timestamp must be required")

    def check_responses(self, where: str, responses: Json) -> None:
        for status, response in responses.items():
            if not STATUS.fullmatch(status):
                self.report(
                    where,
                    f"response {status!r} is neither a status like '400' nor a range like '5XX'",
                )
            elif status.startswith("2") and status != "200":
                self.report(where, f"response {status} would be lost: only 200 becomes a value")
            self.check_response(f"{where}.responses.{status}", response)
        content = resolve_or_empty(self.document, responses.get("200", {})).get("content", {})
        if list(content) != ["application/json"]:
            self.report(where, "there must be a 200 reply of application/json and nothing else")
            return
        schema = resolve_or_empty(self.document, content["application/json"].get("schema", {}))
        if schema.get("type", "object") not in ("array", "object"):
            self.report(where, "the 200 reply must be an object or an array")
        row = resolve_or_empty(self.document, schema.get("items", {}))
        self.row_schemas.append(row if schema.get("type") == "array" else schema)

    def check_account_marks(self) -> None:
        """Report each x-identifies-account that the client would not look at."""
        effective = [
            id(row["properties"][name])
            for row in self.row_schemas
            for name in account_properties(row)
        ]
        for where, node in walk_objects("", self.document):
            if "x-identifies-account" in node and id(node) not in effective:
                self.report(
                    where,
                    "x-identifies-account has no effect here: it is for properties of a 200 "
                    "response's rows",
                )

    def check_response(self, where: str, response: Json) -> None:
        for name, header in response.get("headers", {}).items():
            self.check_header(f"{where}.headers.{name}", header)
        for media_type, media in response.get("content", {}).items():
            self.check_schema(f"{where}.content.{media_type}.schema", media.get("schema"))

    def check_header(self, where: str, header: Json) -> None:
        self.check_schema(f"{where}.schema", header.get("schema"))

    def check_component(self, where: str, schema: Json) -> None:
        self.check_schema(where, schema, component=True)

    def check_schema(
        self, where: str, node: Json | None, *, component: bool = False, sent: bool = False
    ) -> None:
        if node is not None:
            self.findings += check_schema(
                where, node, self.document, component=component, is_parameter=sent
            )
