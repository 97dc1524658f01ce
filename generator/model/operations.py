"""Collect the operations of a spec, and the part of it that the generator library names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from generator.document.openapi import (
    JSON_CONTENT,
    MOCK_ENVIRONMENT,
    Json,
    reachable_schemas,
    renamed,
    resolve,
)
from generator.document.path_items import operations

from .classes import ClassInfo, collect_classes
from .value_types import ValueType, value_type
from .weights import WeightRule, largest_weight, weight_rule
from .writers import ArgumentType, argument_schema, argument_type


@dataclass(frozen=True)
class Argument:
    """An argument of an operation's method."""

    wire_name: str
    name: str
    description: str
    type: ArgumentType
    is_required: bool
    is_deprecated: bool
    is_in_path: bool

    @cached_property
    def declaration(self) -> str:
        """The argument in a signature."""
        if self.is_required:
            return f"{self.name}: {self.type.annotation}"
        return f"{self.name}: {self.type.annotation} | None = None"


@dataclass(frozen=True)
class OperationInfo:
    """Facts about an operation that the templates need."""

    id: str
    method: str
    path: str
    tag: str
    summary: str
    description: str
    weight: int
    """Its weight, or the largest one if it depends on an argument."""
    weight_rule: WeightRule | None
    security_type: str
    key_header: str | None
    signature: str | None
    timestamp: str | None
    window: str | None
    is_deprecated: bool
    servers: Mapping[str, str]
    """Base URL by environment. Empty for an operation at the document's servers."""
    parameters: Mapping[str, Json] = field(repr=False)
    """Resolved parameter by wire name, without those that the client fills in."""
    arguments: tuple[Argument, ...]
    returns: str
    """Description of the 200 response."""
    result: Json = field(repr=False)
    """Schema of the 200 response, possibly a `$ref`."""
    value: ValueType
    """Python type of the 200 response."""
    account_attribute: str | None
    """Attribute of the rows that identifies the account."""

    @cached_property
    def query_arguments(self) -> list[Argument]:
        return [argument for argument in self.arguments if not argument.is_in_path]

    @cached_property
    def path_arguments(self) -> list[Argument]:
        return [argument for argument in self.arguments if argument.is_in_path]

    def signature_of(self, *first: str) -> str:
        """Return the parameters of a function: keyword-only, the required ones first."""
        declared = sorted(self.arguments, key=lambda argument: not argument.is_required)
        names = [argument.declaration for argument in declared]
        return ", ".join([*first, *(["*"] if names else []), *names])


@dataclass(frozen=True)
class SpecFacts:
    """Everything that the templates know of a document."""

    operations: Mapping[str, OperationInfo]
    classes: Mapping[str, ClassInfo]


def collect_facts(document: Json) -> SpecFacts:
    """Return the facts of a document that has passed the lint."""
    infos = collect_operations(document)
    starts = [[info.result, list(info.parameters.values())] for info in infos]
    used = reachable_schemas(document["components"].get("schemas", {}), starts)
    rows = {info.value.row_class for info in infos if info.value.rows == "list"} - {None}
    classes = collect_classes(document, used, {str(name) for name in rows})
    return SpecFacts({info.id: info for info in infos}, classes)


def signing_role(node: Json) -> str | None:
    """Return the `x-signing-role` of a parameter or a security scheme."""
    value = node.get("x-signing-role")
    return value if isinstance(value, str) else None


def collect_operations(document: Json) -> list[OperationInfo]:
    """Return the facts about every operation. The document must have passed the lint."""
    return [_operation_info(document, *entry) for entry in operations(document)]


def _operation_info(document: Json, path: str, method: str, operation: Json) -> OperationInfo:
    schemes = document["components"].get("securitySchemes", {})
    names = [name for requirement in operation["security"] for name in requirement]
    credentials = {signing_role(schemes[name]): schemes[name]["name"] for name in names}
    declared = {p["name"]: p for p in (resolve(document, p) for p in operation["parameters"])}
    name_by_role = {signing_role(parameter): name for name, parameter in declared.items()}
    parameters = {n: p for n, p in declared.items() if signing_role(p) != "timestamp"}
    response = resolve(document, operation["responses"]["200"])
    result = response["content"][JSON_CONTENT]["schema"]
    servers = operation.get("servers", ())
    return OperationInfo(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        tag=operation["tags"][0],
        summary=operation["summary"],
        description=operation["description"],
        weight=largest_weight(operation["x-weight"]),
        weight_rule=weight_rule(operation["x-weight"]),
        security_type=operation["x-security-type"],
        key_header=credentials.get("key"),
        signature=credentials.get("signature"),
        timestamp=name_by_role.get("timestamp"),
        window=name_by_role.get("window"),
        is_deprecated=operation.get("deprecated") is True,
        servers={
            server["x-environment"]: server["url"]
            for server in servers
            if server["x-environment"] != MOCK_ENVIRONMENT
        },
        parameters=parameters,
        arguments=tuple(_argument(document, node) for node in parameters.values()),
        returns=response["description"],
        result=result,
        value=value_type(document, result),
        account_attribute=_account_attribute(document, result),
    )


def _argument(document: Json, node: Json) -> Argument:
    schema = argument_schema(document, node)
    description = node["description"]
    if "default" in schema:
        default = schema["default"]
        shown = str(default).lower() if isinstance(default, bool) else default
        description += f" The exchange takes {shown} when it is not sent."
    is_deprecated = node.get("deprecated") is True
    if is_deprecated:
        description += " Deprecated: the exchange is going to stop reading it."
    return Argument(
        wire_name=node["name"],
        name=renamed(node, node["name"]),
        description=description,
        type=argument_type(document, node),
        is_required=node.get("required") is True,
        is_deprecated=is_deprecated,
        is_in_path=node["in"] == "path",
    )


def row_schema(document: Json, result: Json) -> Json:
    """Return the schema of a response's rows, or of a response that is one object."""
    schema = resolve(document, result)
    if "oneOf" in schema:
        schema = resolve(document, schema["oneOf"][0])
    is_list = schema.get("type") == "array" and "items" in schema
    return resolve(document, schema["items"]) if is_list else schema


def account_properties(node: Json) -> list[str]:
    """Return the names of an object schema's properties that identify the account."""
    properties = node.get("properties", {})
    return [name for name in properties if properties[name].get("x-identifies-account")]


def _account_attribute(document: Json, result: Json) -> str | None:
    row = row_schema(document, result)
    names = account_properties(row)
    return renamed(row["properties"][names[0]], names[0]) if names else None


def described_statuses(document: Json) -> dict[str, Json]:
    """Return the error responses of all operations by status, sorted."""
    response_by_status: dict[str, Json] = {}
    for _, _, operation in operations(document):
        for status, response in operation["responses"].items():
            if status[0] in "45":
                response_by_status.setdefault(status, resolve(document, response))
    return dict(sorted(response_by_status.items()))


def strip_for_library(document: Json, facts: SpecFacts) -> Json:
    """Return what the generator library needs: it names modules and drives the templates.

    It would read numbers as floats, refuse rows that are arrays, and lose other facts. So types,
    arguments and fields are not its business, but that of `value_types`, `writers` and `classes`.
    """
    paths = {
        f"/{info.id}": {
            "get": {
                "operationId": info.id,
                "tags": [info.tag],
                "responses": {"200": {"description": "The value."}},
            }
        }
        for info in facts.operations.values()
    }
    components = {
        "schemas": {info.component: {"type": "object"} for info in facts.classes.values()}
    }
    info = {key: document["info"][key] for key in ("title", "version")}
    return {"openapi": document["openapi"], "info": info, "paths": paths, "components": components}
