"""What the generator would lose or get wrong without a word, refused before it runs. Reads a document, returns findings, changes nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from .formats import DECIMAL_PATTERN
from .spec import Json, class_name, python_name, resolve

EXTENSIONS = {
    "root": {"x-sources", "x-security-types", "x-error-codes"},
    "info": {"x-description-zh"},
    "server": {"x-description-zh", "x-environment"},
    "tag": {"x-description-zh"},
    "operation": {"x-summary-zh", "x-description-zh", "x-security-type", "x-weight"},
    "parameter": {"x-description-zh", "x-signing-role"},
    "header": {"x-description-zh"},
    "response": {"x-description-zh"},
    "schema": {"x-description-zh", "x-instant", "x-exchange-clock"},
    "scheme": {"x-description-zh", "x-signing-role"},
}
KEYS = {
    "root": {"openapi", "info", "servers", "tags", "paths", "components"},
    "info": {"title", "version", "summary", "description", "license", "contact", "termsOfService"},
    "server": {"url", "description"},
    "tag": {"name", "description"},
    "operation": {
        "operationId", "tags", "summary", "description", "security", "parameters", "responses", "deprecated", "externalDocs",
    },
    "parameter": {"name", "in", "required", "description", "schema", "example", "examples", "deprecated"},
    "header": {"description", "required", "schema"},
    "response": {"description", "headers", "content"},
    "media": {"schema", "example", "examples"},
    "schema": {
        "type", "format", "pattern", "minimum", "maximum", "enum", "items", "properties", "required", "additionalProperties",
        "description", "examples",
    },
    "scheme": {"type", "in", "name", "description"},
    "components": {"schemas", "parameters", "headers", "responses", "securitySchemes"},
    "error code": {"name", "kind", "messages", "source"},
}  # fmt: skip
FORMATS = {"string": {None, "decimal"}, "integer": {"int32", "int64"}, "boolean": {None}, "array": {None}, "object": {None}}
SECURITY_ROLES = {"key", "signature"}
PARAMETER_ROLES = {"timestamp", "window"}
ERROR_KINDS = {"authentication", "timestamp", "rate-limit", "bad-request", "server"}
RESERVED_ATTRIBUTES = {"additional_properties", "from_dict", "to_dict"}
RESERVED_OPERATIONS = {"close", "aclose", "from_env"}
STATUS = re.compile(r"[1-5](\d\d|XX)")
SOURCE = re.compile(r"\[([a-z]+)\]")
IDENTIFIER = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def lint(document: Json) -> list[str]:
    """Every finding of the document, one line each; empty when it can be generated from."""
    return _Lint(document).run()


def _repeated(values: Iterable[str]) -> set[str]:
    seen: set[str] = set()
    return {value for value in values if value in seen or seen.add(value)}  # type: ignore[func-returns-value] # add returns None


class _Lint:
    def __init__(self, document: Json) -> None:
        self.document = document
        self.findings: list[str] = []
        self.operation_ids: dict[str, str] = {}

    def say(self, where: str, what: str) -> None:
        finding = f"{where}: {what}"
        if finding not in self.findings:
            self.findings.append(finding)

    def run(self) -> list[str]:
        document = self.document
        self.keys("document", document, "root")
        if not re.fullmatch(r"3\.1\.\d+", str(document.get("openapi"))):
            self.say("openapi", f"version {document.get('openapi')!r} is not 3.1.x")
        if "security" in document:
            self.say("security", "at the root it is ignored by the generator: state it on every operation")
        self.info()
        components = self.mapping("components", document.get("components"))
        self.keys("components", components, "components")
        self.each("components.securitySchemes", components.get("securitySchemes", {}), self.scheme)
        self.each("components.schemas", components.get("schemas", {}), self.component)
        self.each("components.parameters", components.get("parameters", {}), self.parameter)
        self.each("components.headers", components.get("headers", {}), self.header)
        self.each("components.responses", components.get("responses", {}), self.response)
        for name in _repeated(class_name(name) for name in components.get("schemas", {})):
            self.say("components.schemas", f"two schemas become the class {name}")
        paths = self.mapping("paths", document.get("paths"))
        for path, item in paths.items():
            for method, operation in self.mapping(f"paths.{path}", item).items():
                self.operation(f"paths.{path}.{method}", path, method, operation)
        if not paths:
            self.say("paths", "there is no operation")
        self.sources("document", document)
        self.each("x-error-codes", document.get("x-error-codes", {}), self.error_code)
        return self.findings

    # helpers

    def mapping(self, where: str, node: Any) -> Json:
        if isinstance(node, dict):
            return node
        self.say(where, "must be a mapping")
        return {}

    def each(self, where: str, nodes: Any, check: Callable[[str, Any], object]) -> None:
        for name, node in self.mapping(where, nodes).items():
            check(f"{where}.{name}", node)

    def keys(self, where: str, node: Json, kind: str) -> None:
        for key in node:
            if key not in KEYS[kind] and key not in EXTENSIONS.get(kind, ()):
                self.say(where, f"unknown or unsupported key {key!r}")

    def text(self, where: str, node: Json, *names: str) -> None:
        for name in names:
            if not isinstance(node.get(name), str) or not node[name].strip():
                self.say(where, f"{name} is missing")

    def resolved(self, where: str, node: Any) -> Json | None:
        try:
            return self.mapping(where, resolve(self.document, node))
        except (KeyError, TypeError):
            self.say(where, f"$ref {node.get('$ref')!r} names nothing in this document")
            return None

    def sources(self, where: str, node: Any) -> None:
        """Every [source] in a description must be explained."""
        if isinstance(node, list):
            for number, entry in enumerate(node):
                self.sources(f"{where}.{number}", entry)
        elif isinstance(node, dict):
            for key, value in node.items():
                if key == "description" and isinstance(value, str):
                    for source in SOURCE.findall(value):
                        if source not in (self.document.get("x-sources") or {}):
                            self.say(where, f"source [{source}] is not in x-sources")
                else:
                    self.sources(f"{where}.{key}".removeprefix("document."), value)

    # parts of the document

    def info(self) -> None:
        info = self.mapping("info", self.document.get("info"))
        self.keys("info", info, "info")
        self.text("info", info, "title", "version")
        environments = []
        for number, server in enumerate(self.document.get("servers") or []):
            where = f"servers.{number}"
            self.keys(where, server, "server")
            self.text(where, server, "url", "description", "x-environment")
            if not str(server.get("url")).startswith("https://"):
                self.say(where, "url must be https")
            environments.append(str(server.get("x-environment")))
        if "production" not in environments:
            self.say("servers", "no server has x-environment: production")
        for name in _repeated(environments):
            self.say("servers", f"two servers have x-environment: {name}")
        for number, tag in enumerate(self.document.get("tags") or []):
            self.keys(f"tags.{number}", tag, "tag")
            self.text(f"tags.{number}", tag, "name", "description")

    def scheme(self, where: str, node: Any) -> None:
        scheme = self.mapping(where, node)
        self.keys(where, scheme, "scheme")
        self.text(where, scheme, "name", "description")
        if scheme.get("type") != "apiKey":
            self.say(where, f"type {scheme.get('type')!r} is not supported: only apiKey")
        place = {"key": "header", "signature": "query"}.get(scheme.get("x-signing-role", ""))
        if place is None:
            self.say(where, f"x-signing-role must be one of {sorted(SECURITY_ROLES)}")
        elif scheme.get("in") != place:
            self.say(where, f"a {scheme['x-signing-role']} belongs in the {place}")

    def error_code(self, where: str, node: Any) -> None:
        entry = self.mapping(where, node)
        self.keys(where, entry, "error code")
        self.text(where, entry, "name", "kind")
        if not re.fullmatch(r"x-error-codes\.-[1-9]\d*", where):
            self.say(where, "the key must be a negative number as text")
        if entry.get("kind") not in ERROR_KINDS:
            self.say(where, f"kind {entry.get('kind')!r} is not one of {sorted(ERROR_KINDS)}")

    def operation(self, where: str, path: str, method: str, node: Any) -> None:
        operation = self.mapping(where, node)
        if method != "get":
            self.say(where, "only get is supported: this client reads")
        if "{" in path:
            self.say(where, "path parameters are not supported")
        self.keys(where, operation, "operation")
        self.text(where, operation, "operationId", "summary", "description", "x-security-type")
        self.operation_id(where, operation.get("operationId"))
        declared = {tag.get("name") for tag in self.document.get("tags") or []}
        tags = operation.get("tags") or []
        if len(tags) != 1 or tags[0] not in declared:
            self.say(where, "tags must name exactly one of the document's tags")
        weight = operation.get("x-weight")
        if type(weight) is not int or weight < 1:
            self.say(where, "x-weight must be a positive number")
        signed = self.security(where, operation)
        self.parameters(where, operation.get("parameters"), signed)
        self.responses(where, operation.get("responses"))

    def operation_id(self, where: str, name: Any) -> None:
        if not isinstance(name, str):
            return
        if not IDENTIFIER.fullmatch(name) or python_name(name) != name or name in RESERVED_OPERATIONS or name.endswith("_detailed"):
            self.say(where, f"operationId {name!r} is no usable snake_case name")
        if name in self.operation_ids:
            self.say(where, f"operationId {name!r} is also that of {self.operation_ids[name]}")
        self.operation_ids[name] = where

    def security(self, where: str, operation: Json) -> bool:
        schemes = self.mapping("components", self.document.get("components")).get("securitySchemes") or {}
        types = self.document.get("x-security-types") or {}
        security = operation.get("security")
        if not isinstance(security, list) or len(security) > 1:
            self.say(where, "security must be a list of one requirement, or empty for none")
            return False
        names = [name for requirement in security for name in requirement]
        for name in names:
            if name not in schemes:
                self.say(where, f"security scheme {name!r} is not defined")
        expected = types.get(operation.get("x-security-type"))
        if expected is None:
            self.say(where, f"x-security-type {operation.get('x-security-type')!r} is not in x-security-types")
        elif sorted(expected) != sorted(names):
            self.say(where, f"security {names} is not what x-security-type demands: {expected}")
        return any(schemes.get(name, {}).get("x-signing-role") == "signature" for name in names)

    def parameters(self, where: str, nodes: Any, signed: bool) -> None:
        if not isinstance(nodes, list):
            self.say(where, "parameters must be a list, empty for none")
            return
        found = [p for p in (self.parameter(f"{where}.parameters.{n}", node) for n, node in enumerate(nodes)) if p]
        names = [str(parameter.get("name")) for parameter in found]
        for name in _repeated(names):
            self.say(where, f"parameter {name!r} is declared twice")
        for name in _repeated(python_name(name) for name in set(names)):
            self.say(where, f"two parameters become the argument {name!r}")
        roles = [parameter.get("x-signing-role") for parameter in found]
        if roles.count("timestamp") != int(signed):
            self.say(where, "a signed operation needs exactly one parameter with x-signing-role: timestamp, another none")
        if roles.count("window") > int(signed):
            self.say(where, "only a signed operation may have one parameter with x-signing-role: window")

    def parameter(self, where: str, node: Any) -> Json | None:
        parameter = self.resolved(where, node)
        if parameter is None:
            return None
        self.keys(where, parameter, "parameter")
        self.text(where, parameter, "name", "description")
        if parameter.get("in") != "query":
            self.say(where, f"in: {parameter.get('in')!r} is not supported: only query")
        if parameter.get("x-signing-role") not in {None, *PARAMETER_ROLES}:
            self.say(where, f"x-signing-role must be one of {sorted(PARAMETER_ROLES)}")
        if parameter.get("x-signing-role") == "timestamp" and parameter.get("required") is not True:
            self.say(where, "the timestamp must be required")
        if "schema" not in parameter:
            self.say(where, "has no schema")
            return parameter
        schema = self.resolved(f"{where}.schema", parameter["schema"])
        if schema is not None:
            self.schema(f"{where}.schema", parameter["schema"], sent=True)
            if schema.get("type") in {"array", "object"} or isinstance(schema.get("type"), list):
                self.say(where, "only single, non-null values can be sent")
        return parameter

    def responses(self, where: str, nodes: Any) -> None:
        responses = self.mapping(f"{where}.responses", nodes)
        for status, node in responses.items():
            if not isinstance(status, str) or not STATUS.fullmatch(status):
                self.say(where, f"response {status!r} is neither a status like '400' nor a range like '5XX'")
            elif status.startswith("2") and status != "200":
                self.say(where, f"response {status} would be lost: only 200 becomes a value")
            self.response(f"{where}.responses.{status}", node)
        success = self.resolved(f"{where}.responses.200", responses.get("200", {})) or {}
        schema = (success.get("content") or {}).get("application/json", {}).get("schema")
        if schema is None:
            self.say(where, "there is no 200 reply with an application/json schema")
            return
        resolved = self.resolved(f"{where}.responses.200", schema) or {}
        if resolved.get("type") not in {"array", "object"}:
            self.say(where, "the 200 reply must be an object or an array")

    def response(self, where: str, node: Any) -> None:
        response = self.resolved(where, node)
        if response is None:
            return
        self.keys(where, response, "response")
        self.text(where, response, "description")
        self.each(f"{where}.headers", response.get("headers", {}), self.header)
        for media_type, media in self.mapping(f"{where}.content", response.get("content", {})).items():
            self.keys(f"{where}.content.{media_type}", media, "media")
            if "schema" not in media:
                self.say(f"{where}.content.{media_type}", "has no schema")
            else:
                self.schema(f"{where}.content.{media_type}.schema", media["schema"])

    def header(self, where: str, node: Any) -> None:
        header = self.resolved(where, node)
        if header is not None:
            self.keys(where, header, "header")
            self.schema(f"{where}.schema", header.get("schema"))

    def component(self, where: str, node: Any) -> None:
        self.schema(where, node, component=True)

    def schema(self, where: str, node: Any, *, component: bool = False, sent: bool = False) -> None:
        """Check one schema; what a `$ref` names is checked where it stands."""
        if not isinstance(node, dict):
            self.say(where, "must be a schema")
            return
        resolved = self.resolved(where, node)
        if resolved is None:
            return
        self.keys(where, {key: 0 for key in node if key != "$ref"}, "schema")
        if "$ref" in node:
            return
        kinds: Any = node.get("type")
        kind = kinds
        values: Any = node.get("enum")
        if isinstance(kinds, list):
            rest = [one for one in kinds if one != "null"]
            if len(kinds) != 2 or len(rest) != 1:
                self.say(where, "a list of types may only be one type and null")
                return
            kind = rest[0]
        if kind not in FORMATS:
            why = "loses digits as a binary float: send it as a string with format decimal" if kind == "number" else "is not a known type"
            self.say(where, f"type {kind!r} {why}" if kind is not None else "has no type")
            return
        if node.get("format") not in FORMATS[kind]:
            self.say(where, f"format {node.get('format')!r} is not known for {kind}: {sorted(map(str, FORMATS[kind]))}")
        if node.get("format") == "decimal" and node.get("pattern") != DECIMAL_PATTERN:
            self.say(where, f"format decimal needs the pattern {DECIMAL_PATTERN}")
        if kind == "integer" and not (type(node.get("minimum")) is int and type(node.get("maximum")) is int):
            self.say(where, "an integer needs minimum and maximum")
        if "x-instant" in node and (kinds, node.get("format")) != ("integer", "int64"):
            self.say(where, "x-instant is for int64 times in ms")
        if "enum" in node and not (kind == "string" and isinstance(values, list) and values and not _repeated(map(str, values))):
            self.say(where, "enum must be a non-empty list of different strings")
        if "enum" in node and not sent:
            self.say(where, "an enum in a reply breaks callers when the exchange adds a value: describe the values in the text")
        if kind == "array":
            self.items(where, node.get("items"))
        if kind == "object":
            if not component:
                self.say(where, "an object needs a name: move it to components.schemas")
            self.members(where, node)

    def items(self, where: str, node: Any) -> None:
        if node is None:
            self.say(where, "an array needs items")
        else:
            self.schema(f"{where}.items", node)

    def members(self, where: str, node: Json) -> None:
        properties = self.mapping(f"{where}.properties", node.get("properties"))
        if node.get("additionalProperties", True) is not True:
            self.say(where, "additionalProperties must be true: unknown members are kept")
        required = node.get("required", [])
        for name in required:
            if name not in properties:
                self.say(where, f"required names no property: {name!r}")
        instants = []
        for name, schema in properties.items():
            place = f"{where}.properties.{name}"
            self.schema(place, schema)
            resolved = self.resolved(place, schema) or {}
            self.text(place, resolved, "description")
            if isinstance(resolved.get("type"), list) and name not in required:
                self.say(place, "optional and null cannot be told apart in Python: make it one of the two")
            instants += [resolved["x-instant"]] if "x-instant" in resolved else []
        attributes = [python_name(name) for name in properties] + instants
        for name in _repeated(attributes):
            self.say(where, f"two members become the attribute {name!r}")
        for name in RESERVED_ATTRIBUTES.intersection(attributes):
            self.say(where, f"a member may not become the attribute {name!r}")
