"""The OpenAPI document as data: operations, their parameters and answers. Knows no request, no secret and no time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .response import dump_json
from .schema import Violation, compile_validator, iter_errors

Json = Mapping[str, Any]
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_TYPES = ("integer", "number", "string", "boolean")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query parameter. ``role`` is its ``x-signing-role``: timestamp, window or None; ``judged`` says what is wrong with a text."""

    name: str
    required: bool
    signing_role: str | None
    schema: Json
    validate: Callable[[str], Violation | None]


@dataclass(frozen=True, slots=True)
class Operation:
    """One route. ``key_header`` (lower case) and ``signature`` (a parameter's name) are None where none is demanded.

    ``names`` are all that a query may hold, ``roles`` the parameters that play one in signing.
    """

    id: str
    method: str
    path: str
    weight: int
    parameters: tuple[Parameter, ...]
    key_header: bytes | None
    signature: str | None
    example: Any
    schema: Json
    allowed_names: frozenset[str]
    parameters_by_role: Mapping[str, Parameter]


class ApiSpec:
    """The routes of a document. What the mock could not check is refused with ValueError, never let through."""

    def __init__(self, document: Json) -> None:
        self._document = document
        self.errors: Json = document.get("x-error-codes", {})
        self.operations = tuple(self._parse_operations())
        self.by_id = {each.id: each for each in self.operations}
        self._routes = {(each.method, each.path): each for each in self.operations}
        self._static_examples = {
            each.id: dump_json(each.example)
            for each in self.operations
            if self._with_clock_fields(each.schema, each.example, -1) == each.example
        }

    def find_operation(self, method: str, path: str) -> Operation | None:
        """The operation behind exactly this method and path."""
        return self._routes.get((method, path))

    def allowed_methods(self, path: str) -> tuple[str, ...]:
        """The methods a path has; none for an unknown path."""
        return tuple(method for method, known in self._routes if known == path)

    def example_body(self, operation: Operation, now: int) -> bytes:
        """The operation's first example, with the members marked ``x-exchange-clock`` set to ``now``."""
        if operation.id not in self._static_examples:
            return dump_json(self._with_clock_fields(operation.schema, operation.example, now))
        return self._static_examples[operation.id]

    def validate_body(self, operation: Operation, value: Any) -> None:
        """Raise ValueError, naming the place, unless a JSON value is what the operation answers with."""
        for place, misfit in iter_errors(operation.schema, value, self._resolve_ref, operation.id):
            raise ValueError(f"{place}: the seed {misfit}; send bytes for drift on purpose")

    def _with_clock_fields(self, schema: Json, value: Any, now: int) -> Any:
        schema = self._resolve_ref(schema)
        if schema.get("x-exchange-clock") is True:
            return now
        for part in schema.get("allOf", ()):
            value = self._with_clock_fields(part, value, now)
        if isinstance(value, Mapping):
            members = schema.get("properties", {})
            return {
                name: self._with_clock_fields(members.get(name, {}), member, now)
                for name, member in value.items()
            }
        if isinstance(value, list):
            return [
                self._with_clock_fields(schema.get("items", {}), member, now) for member in value
            ]
        return value

    def _parse_operations(self) -> Iterator[Operation]:
        for path, item in self._document.get("paths", {}).items():
            item = self._resolve_ref(item)
            for method in _METHODS:
                if method in item:
                    yield self._parse_operation(method.upper(), path, item, item[method])

    def _parse_operation(self, method: str, path: str, item: Json, node: Json) -> Operation:
        name = node.get("operationId", f"{method} {path}")
        if "requestBody" in node:
            raise ValueError(f"{name}: the mock knows no request bodies")
        nodes = [
            self._resolve_ref(each)
            for each in (*item.get("parameters", ()), *node.get("parameters", ()))
        ]
        latest = {
            (each["in"], each["name"]): each for each in nodes
        }  # the operation's own override the path's
        key, signature = self._parse_security(
            name, node.get("security", self._document.get("security", []))
        )
        parameters = tuple(self._parse_parameter(name, each) for each in latest.values())
        answer = self._resolve_ref(
            self._resolve_ref(node["responses"]["200"])["content"]["application/json"]
        )
        return Operation(
            id=name,
            method=method,
            path=path,
            weight=node.get("x-weight", 1),
            parameters=parameters,
            key_header=key,
            signature=signature,
            example=self._first_example(name, answer),
            schema=answer.get("schema", {}),
            allowed_names=frozenset(filter(None, (*(each.name for each in parameters), signature))),
            parameters_by_role={
                each.signing_role: each for each in reversed(parameters) if each.signing_role
            },
        )

    def _parse_parameter(self, operation: str, node: Json) -> Parameter:
        schema = self._resolve_ref(node.get("schema", {}))
        if node["in"] != "query" or schema.get("type") not in _TYPES:
            raise ValueError(
                f"{operation}: the mock cannot check parameter {node['name']}; it knows plain query values"
            )
        required, role = node.get("required", False), node.get("x-signing-role")
        return Parameter(node["name"], required, role, schema, compile_validator(schema))

    def _parse_security(
        self, operation: str, alternatives: list[Json]
    ) -> tuple[bytes | None, str | None]:
        """Key header and signature parameter of the one requirement an operation has."""
        if len(alternatives) > 1:
            raise ValueError(
                f"{operation}: the mock cannot choose between several security requirements"
            )
        key, signature = None, None
        for scheme_name in alternatives[0] if alternatives else ():
            scheme = self._resolve_ref({"$ref": f"#/components/securitySchemes/{scheme_name}"})
            match scheme.get("x-signing-role"), scheme.get("in"):
                case "key", "header":
                    key = scheme["name"].lower().encode()
                case "signature", "query":
                    signature = scheme["name"]
                case _:
                    raise ValueError(
                        f"{operation}: the mock cannot verify the security scheme {scheme_name}"
                    )
        if signature is not None and key is None:
            raise ValueError(f"{operation}: a signature without a key cannot be verified")
        return key, signature

    def _first_example(self, operation: str, media: Json) -> Any:
        for example in media.get("examples", {}).values():
            return self._resolve_ref(example)["value"]
        if "example" in media:
            return media["example"]
        raise ValueError(f"{operation}: its 200 answer has no example for the mock to send")

    def _resolve_ref(self, node: Json) -> Json:
        """A node with its reference followed; members beside ``$ref`` win, as OpenAPI 3.1 lets them stand there."""
        while "$ref" in node:
            target: Any = self._document
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step.replace("~1", "/").replace("~0", "~")]
            node = {**target, **{name: value for name, value in node.items() if name != "$ref"}}
        return node


def load_packaged_spec() -> Json:
    """The document that is installed beside the generated code, read as data: the code itself is not imported."""
    spec = find_spec("binance_usdm_wire")
    for folder in spec.submodule_search_locations or () if spec else ():
        file = Path(folder, "openapi.json")
        if file.is_file():
            document: Json = json.loads(file.read_bytes())
            return document
    raise FileNotFoundError(
        "openapi.json of binance_usdm_wire is not installed; pass spec= to Exchange"
    )
