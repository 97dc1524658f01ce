"""Check operations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from generator.document.findings import Finding, Place, find_duplicates
from generator.document.openapi import (
    JSON_CONTENT,
    Json,
    is_dangling,
    python_name,
    renamed,
    resolve_or_empty,
)
from generator.model.operations import row_schema, signing_role
from generator.model.value_types import split_type
from generator.model.weights import check_weight

from .components import check_parameter, check_response
from .examples import ExampleChecker
from .reserved_names import RENAME, RESERVED_OPERATIONS
from .scalars import SNAKE_CASE
from .servers import check_servers

STATUS: Final = re.compile(r"[1-5](\d\d|XX)")
PATH: Final = re.compile(r"(/([A-Za-z0-9._~-]+|\{[A-Za-z0-9._~-]+\}))+/?")
COMMON_STATUSES: Final = ("400", "403", "404", "408", "418", "429", "451", "503", "5XX")
"""Any call can be answered with these; one with a key also with 401."""
READ_ONLY: Final = (
    "only get is supported: this client reads, and cannot trade, move money or change settings; "
    "leave the operation out"
)


class OperationChecker:
    """Checks the operations of one document, one after the other.

    Attributes:
        operation_ids: Place of each operation that was checked, by id.
        row_schemas: Schemas of the rows or objects of their responses.
    """

    def __init__(self, checker: ExampleChecker, tags: list[str]) -> None:
        self.operation_ids: dict[str, Place] = {}
        self.row_schemas: list[Json] = []
        self._checker = checker
        self._document = checker.document
        self._tags = tags
        components: Json = checker.document.get("components", {})
        self._schemes: Json = components.get("securitySchemes", {})
        self._routes: set[str] = set()

    def check(self, place: Place, path: str, method: str, operation: Json) -> Iterator[Finding]:
        """Yield the findings of an operation."""
        if method != "get":
            yield Finding.at(place, READ_ONLY)
        if not PATH.fullmatch(path):
            yield Finding.at(place, "the path would need percent-encoding")
        yield from self._check_operation_id(place, operation.get("operationId", ""))
        tags = operation.get("tags", [])
        if len(tags) != 1 or tags[0] not in self._tags:
            yield Finding.at(place, "tags must name exactly one of the document's tags")
        if "servers" in operation:
            yield from check_servers((*place, "servers"), operation["servers"])
        names = [name for requirement in operation.get("security", []) for name in requirement]
        yield from self._check_security(place, operation, names)
        schemes = [self._schemes[name] for name in names if name in self._schemes]
        yield from self._check_parameters(place, path, operation, schemes)
        yield from self._check_responses(place, operation.get("responses", {}), schemes)

    def _check_operation_id(self, place: Place, name: str) -> Iterator[Finding]:
        if not SNAKE_CASE.fullmatch(name) or python_name(name) != name:
            suggestion = python_name(name)
            hint = f"; did you mean {suggestion}?" if SNAKE_CASE.fullmatch(suggestion) else ""
            problem = f"operationId {name!r} must be a snake_case name for a method{hint}"
            yield Finding.at(place, problem)
        elif name in RESERVED_OPERATIONS or name.endswith("_detailed"):
            yield Finding.at(place, f"operationId {name!r} is reserved; choose another")
        if name in self.operation_ids:
            other = ".".join(map(str, self.operation_ids[name]))
            yield Finding.at(place, f"operationId {name!r} is also that of {other}")
        self.operation_ids[name] = place

    def _check_security(self, place: Place, operation: Json, names: list[str]) -> Iterator[Finding]:
        if len(operation.get("security", [])) > 1:
            problem = "security must be a list of one requirement, or empty for none"
            yield Finding.at(place, problem)
        for name in names:
            if name not in self._schemes:
                yield Finding.at(place, f"security scheme {name!r} is not defined")
        security_type = operation.get("x-security-type")
        demanded = self._document.get("x-security-types", {}).get(security_type)
        if demanded is None:
            problem = f"x-security-type {security_type!r} is not in x-security-types"
            yield Finding.at(place, problem)
        elif sorted(demanded) != sorted(names):
            problem = f"security {names} is not what {security_type} demands: {demanded}"
            yield Finding.at(place, problem)
        roles = [str(signing_role(self._schemes[name])) for name in names if name in self._schemes]
        for role in find_duplicates(roles):
            yield Finding.at(place, f"two security schemes have x-signing-role: {role}")
        if "signature" in roles and "key" not in roles:
            yield Finding.at(
                place,
                "a signature without a key cannot be verified; demand the key scheme as well",
            )

    def _check_parameters(
        self, place: Place, path: str, operation: Json, schemes: list[Json]
    ) -> Iterator[Finding]:
        nodes: list[Json] = operation.get("parameters", [])
        shared: list[Json] = self._document["paths"][path].get("parameters", [])
        declared = [node for node in nodes if not any(node is other for other in shared)]
        for parent, group in ((place[:-1], shared), (place, declared)):
            for number, node in enumerate(group):
                yield from check_parameter((*parent, "parameters", number), node, self._checker)
        if any(is_dangling(self._document, node) for node in nodes):
            # What follows from a missing parameter is no further problem.
            return
        parameters = [resolve_or_empty(self._document, node) for node in nodes]
        yield from _check_parameter_names(place, parameters, schemes)
        yield from _check_signing_roles(place, parameters, schemes)
        yield from self._check_path(place, path, parameters)
        schema_by_name = {
            str(one.get("name")): resolve_or_empty(self._document, one.get("schema", {}))
            for one in parameters
            if signing_role(one) is None
        }
        types = {name: schema.get("type") for name, schema in schema_by_name.items()}
        yield from check_weight(place, operation.get("x-weight", 1), types)

    def _check_path(self, place: Place, path: str, parameters: list[Json]) -> Iterator[Finding]:
        in_path = sorted(str(one.get("name")) for one in parameters if one.get("in") == "path")
        if in_path != sorted(re.findall(r"\{([^}]*)\}", path)):
            problem = "must name the parameters with in: path, each once"
            yield Finding.at(place, f"the path {problem}; they are {', '.join(in_path) or 'none'}")
        route = re.sub(r"\{[^}]*\}", "{}", path)
        if route in self._routes:
            yield Finding.at(place, "another path has the same form; the two cannot be told apart")
        self._routes.add(route)

    def _check_responses(
        self, place: Place, responses: Json, schemes: list[Json]
    ) -> Iterator[Finding]:
        for status, response in responses.items():
            if not STATUS.fullmatch(status):
                expected = "a status like '400' or a range like '5XX'"
                yield Finding.at(place, f"response {status!r} must be {expected}")
            elif status.startswith("2") and status != "200":
                problem = f"response {status} would be lost; only 200 becomes a value"
                yield Finding.at(place, problem)
            inside = (*place, "responses", status)
            yield from check_response(inside, response, self._checker)
        needed = [*COMMON_STATUSES, *(["401"] if schemes else [])]
        if missing := sorted({*needed} - {*responses}):
            yield Finding.at(
                (*place, "responses"),
                f"describe {', '.join(missing)}: any such call can be answered with them, and the "
                "mock exchange does so; refer to components.responses",
            )
        result = responses.get("200", {})
        if is_dangling(self._document, result):
            return
        content = resolve_or_empty(self._document, result).get("content", {})
        if list(content) != [JSON_CONTENT]:
            yield Finding.at(
                place, "a 200 response is needed, with application/json as its only content"
            )
            return
        yield from self._check_result(place, content[JSON_CONTENT])

    def _check_result(self, place: Place, media: Json) -> Iterator[Finding]:
        inside = (*place, "responses", "200", "content", JSON_CONTENT)
        if "example" not in media and not media.get("examples"):
            yield Finding.at(
                inside,
                "the 200 response needs an example: the mock exchange sends it, and could not "
                "start without one; add examples",
            )
        schema = resolve_or_empty(self._document, media.get("schema", {}))
        json_type, is_nullable = split_type(schema.get("type", "object"))
        if json_type not in ("array", "object") or is_nullable:
            yield Finding.at(place, "the 200 response must be an object or an array")
        self.row_schemas.append(_row_schema_or_empty(self._document, media.get("schema", {})))


def _row_schema_or_empty(document: Json, node: Json) -> Json:
    """Return the schema of a response's rows, or of a response that is one object."""
    try:
        return row_schema(document, node)
    except (KeyError, TypeError, IndexError):
        return {}


def _check_parameter_names(
    place: Place, parameters: list[Json], schemes: list[Json]
) -> Iterator[Finding]:
    names = [str(parameter.get("name")) for parameter in parameters]
    names += [str(scheme.get("name")) for scheme in schemes if scheme.get("in") == "query"]
    for name in find_duplicates(names):
        yield Finding.at(place, f"parameter {name!r} is declared twice")
    attributes = {
        **{name: python_name(name) for name in names},
        **{str(one.get("name")): renamed(one, str(one.get("name"))) for one in parameters},
    }
    for name in find_duplicates(attributes.values()):
        yield Finding.at(place, f"two parameters become the argument {name!r}; {RENAME}")


def _check_signing_roles(
    place: Place, parameters: list[Json], schemes: list[Json]
) -> Iterator[Finding]:
    roles = [signing_role(parameter) for parameter in parameters]
    is_signed = "signature" in map(signing_role, schemes)
    if is_signed and roles.count("timestamp") != 1:
        problem = "a signed operation needs exactly one parameter with x-signing-role: timestamp"
        yield Finding.at(place, problem)
    if not is_signed and "timestamp" in roles:
        problem = "only a signed operation may have a parameter with x-signing-role: timestamp"
        yield Finding.at(place, problem)
    if roles.count("window") > int(is_signed):
        problem = "only a signed operation may have a parameter, and only one, with"
        yield Finding.at(place, f"{problem} x-signing-role: window")
