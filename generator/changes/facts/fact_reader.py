"""Collect the facts of a document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from generator.document.openapi import JSON_CONTENT, MOCK_ENVIRONMENT, Json, python_name

from .documents import canonical_text, follow, mapping, sequence
from .facts import Argument, Credential, ErrorResponse, Facts, Operation
from .shape_reader import ShapeReader
from .shapes import Shape, texts_of

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
HOST_NAMES = {"production": "MAINNET", "demo": "DEMO"}
PARAMETER_KEYS = {
    "name", "in", "required", "schema", "deprecated", "x-signing-role", "x-python-name", "style",
    "explode",
}  # fmt: skip
OPERATION_KEYS = {
    "operationId", "tags", "x-weight", "x-security-type", "security", "parameters", "responses",
    "deprecated", "servers", "x-python-name",
}  # fmt: skip
ITEM_KEYS = {"parameters", "servers", "summary", "description", "$ref"}
DOCUMENT_KEYS = {
    "openapi", "info", "servers", "tags", "paths", "components", "security", "x-sources",
    "x-security-types", "x-error-codes", "jsonSchemaDialect",
}  # fmt: skip


def read_facts(document: Json) -> Facts:
    """Return the facts of a document, which need not have passed the lint."""
    reader = _FactReader(document)
    operations: dict[str, Operation] = {}
    for operation in reader.operations():
        name = operation.name
        if name in operations:
            name = f"{name} {operation.method} {operation.path}"
        operations[name] = operation
    return Facts(
        operations=operations,
        classes=reader.shapes.classes,
        hosts=dict(_read_hosts(document.get("servers"))),
        errors={
            str(code): mapping(e) for code, e in mapping(document.get("x-error-codes")).items()
        },
        prose=dict(_read_prose(document)),
        unknown={key: value for key, value in document.items() if key not in DOCUMENT_KEYS},
    )


def _read_hosts(servers: Any) -> Iterator[tuple[str, str]]:
    """Yield name and URL of the exchange's hosts; the mock exchange is none."""
    for server in map(mapping, sequence(servers)):
        if server.get("x-environment") == MOCK_ENVIRONMENT:
            continue
        url = str(server.get("url")).rstrip("/")
        for name, variable in mapping(server.get("variables")).items():
            url = url.replace(f"{{{name}}}", str(mapping(variable).get("default")))
        environment = server.get("x-environment")
        yield HOST_NAMES.get(str(environment), str(environment or url)), url


def _read_prose(document: Json) -> Iterator[tuple[str, Any]]:
    for key, value in mapping(document.get("info")).items():
        yield f"info.{key}", value
    for key, value in mapping(document.get("x-sources")).items():
        yield f"source {key}", value
    for key in ("tags", "externalDocs", "openapi"):
        if key in document:
            yield key, document[key]
    for server in map(mapping, sequence(document.get("servers"))):
        host = next(iter(dict(_read_hosts([server]))), None)
        if host is None:
            yield "the mock exchange", server
            continue
        yield (
            f"host {host}",
            {
                key: server[key]
                for key in server
                if key not in ("url", "x-environment", "variables")
            },
        )
    schemes = mapping(mapping(document.get("components")).get("securitySchemes"))
    for name, scheme in schemes.items():
        yield f"security scheme {name}", texts_of(mapping(scheme))


class _FactReader:
    def __init__(self, document: Json) -> None:
        self.document = document
        self.shapes = ShapeReader(document)
        self._errors: dict[str, ErrorResponse] = {}
        self.schemes = mapping(mapping(document.get("components")).get("securitySchemes"))

    def operations(self) -> Iterator[Operation]:
        for path, node in mapping(self.document.get("paths")).items():
            _, item = follow(self.document, node)
            for method, operation in item.items():
                if method in METHODS and isinstance(operation, dict):
                    yield self._read_operation(str(path), method, operation, item)

    def _read_operation(self, path: str, method: str, operation: Json, item: Json) -> Operation:
        identity = operation.get("x-python-name") or operation.get("operationId")
        name = python_name(str(identity or f"{method} {path}"))
        parameters = self._read_parameters(name, operation, item)
        responses = {
            str(status): response
            for status, response in mapping(operation.get("responses")).items()
        }
        _, success = follow(self.document, responses.get("200"))
        security_type = str(operation.get("x-security-type"))
        demanded = mapping(self.document.get("x-security-types")).get(security_type)
        read_keys = OPERATION_KEYS | texts_of(operation).keys()
        servers = operation.get("servers", item.get("servers"))
        return Operation(
            name=name,
            method=method,
            path=path,
            tags=tuple(map(str, sequence(operation.get("tags")))),
            weight=operation.get("x-weight"),
            security=self._read_security(operation),
            security_type=security_type,
            demanded=frozenset(self._read_credential(str(n)).role for n in sequence(demanded)),
            parameters={parameter.name: parameter for parameter in parameters},
            result=self._read_result(name, success),
            responses={status: self._read_response(status, r) for status, r in responses.items()},
            servers=tuple(url for _, url in _read_hosts(servers)),
            deprecated=operation.get("deprecated") is True,
            texts=texts_of(operation),
            unknown={
                **{key: value for key, value in operation.items() if key not in read_keys},
                **{
                    f"path item {key}": value
                    for key, value in item.items()
                    if key not in {*METHODS, *ITEM_KEYS}
                },
            },
        )

    def _read_parameters(self, name: str, operation: Json, item: Json) -> list[Argument]:
        arguments: dict[tuple[str, str], Argument] = {}
        for node in [*sequence(item.get("parameters")), *sequence(operation.get("parameters"))]:
            _, parameter = follow(self.document, node)
            argument = self._read_argument(name, parameter)
            arguments[argument.wire, argument.location] = argument
        return list(arguments.values())

    def _read_argument(self, operation: str, parameter: Json) -> Argument:
        wire = str(parameter.get("name", parameter.get("$ref")))
        schema = parameter.get("schema")
        content = mapping(parameter.get("content"))
        if schema is None and content:
            schema = mapping(next(iter(content.values()))).get("schema")
        role = parameter.get("x-signing-role")
        read_keys = PARAMETER_KEYS | texts_of(parameter).keys()
        return Argument(
            wire=wire,
            name=python_name(str(parameter.get("x-python-name") or wire)),
            location=str(parameter.get("in")),
            required=parameter.get("required") is True,
            role=role if isinstance(role, str) else None,
            shape=self.shapes.read({} if schema is None else schema, f"{operation}_{wire}"),
            deprecated=parameter.get("deprecated") is True,
            style=canonical_text(
                [parameter.get("style"), parameter.get("explode"), sorted(content)]
            ),
            texts=texts_of(parameter),
            unknown={k: v for k, v in parameter.items() if k not in read_keys and k != "content"},
        )

    def _read_security(self, operation: Json) -> frozenset[frozenset[Credential]]:
        declared = operation.get("security", self.document.get("security"))
        requirements = [mapping(entry) for entry in sequence(declared)] or [{}]
        return frozenset(frozenset(map(self._read_credential, entry)) for entry in requirements)

    def _read_credential(self, name: str) -> Credential:
        _, scheme = follow(self.document, self.schemes.get(name))
        role = scheme.get("x-signing-role")
        return Credential(
            role=str(role or name),
            kind=canonical_text([scheme.get("type"), scheme.get("in"), scheme.get("scheme")]),
            name=str(scheme.get("name")),
        )

    def _read_result(self, name: str, response: Json) -> Shape | None:
        content = mapping(response.get("content"))
        for media, node in content.items():
            if media.partition(";")[0].strip() == JSON_CONTENT:
                return self.shapes.read(mapping(node).get("schema", {}), f"{name}_result")
        return None

    def _read_response(self, status: str, node: Any) -> ErrorResponse:
        """Return the facts of a response; most operations share those of errors."""
        reference = node.get("$ref") if isinstance(node, dict) and len(node) == 1 else None
        if not isinstance(reference, str) or status == "200":
            return self._read_inline_response(status, follow(self.document, node)[1])
        if reference not in self._errors:
            response = follow(self.document, node)[1]
            self._errors[reference] = self._read_inline_response(status, response)
        return self._errors[reference]

    def _read_inline_response(self, status: str, response: Json) -> ErrorResponse:
        content = mapping(response.get("content"))
        headers = {
            key: follow(self.document, header)[1]
            for key, header in mapping(response.get("headers")).items()
        }
        # The classes of error responses are not part of the client.
        apart = ShapeReader(self.document)
        schema = mapping(content.get(JSON_CONTENT)).get("schema", {})
        shape = apart.read({} if status == "200" else schema, "error")
        facts = apart.classes.get(shape.python_type)
        prose = {
            "response": _leave_out(response, "headers", "content"),
            "schema": dict(facts.texts) if facts else {},
            "media": {
                media: _leave_out(mapping(node), "schema") for media, node in content.items()
            },
        }
        return ErrorResponse(
            headers=headers,
            media=tuple(content),
            members={wire: member.shape for wire, member in facts.members.items()} if facts else {},
            texts=canonical_text(prose),
        )


def _leave_out(node: Json, *keys: str) -> Json:
    return {key: value for key, value in node.items() if key not in keys}
