"""Read operations, parameters and examples from the OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from binance_usdm.mock.core.response import dump_json
from binance_usdm.mock.core.shapes import quote_name, suggest_names

from .json_values import alternatives, field_schema, item_schema, iter_errors
from .operation import Operation, compile_path
from .parameters import Json, Parameter, parse_parameter

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


class ApiSpec:
    """Operations of an OpenAPI document.

    Args:
        document: OpenAPI 3.1 document, as JSON.

    Raises:
        ValueError: The document asks for something that the mock cannot check.
    """

    def __init__(self, document: Json) -> None:
        self.document = document
        self.errors: Json = document.get("x-error-codes", {})
        self.operations: tuple[Operation, ...] = tuple(self._parse_operations())
        self.by_id: dict[str, Operation] = {
            operation.id: operation for operation in self.operations
        }
        self._routes = {
            (operation.method, operation.path): operation for operation in self.operations
        }
        self._path_operations = [
            operation for operation in self.operations if operation.path_pattern
        ]
        # Bodies of examples without a time, by operation and account alias.
        self._static_examples: dict[tuple[str, str | None], bytes] = {}
        self._timed_ids = {
            operation.id
            for operation in self.operations
            if self._fill_fields(operation.schema, operation.example, -1, None) != operation.example
        }

    def find_operation(self, method: str, path: str) -> Operation | None:
        """Return the operation with exactly this method and path, or `None`."""
        return self._routes.get((method, path)) or self._match_route(method, path)

    def _match_route(self, method: str, path: str) -> Operation | None:
        for operation in self._path_operations:
            if operation.method == method and operation.path_values(path):
                return operation
        return None

    def server_domains(self) -> set[str]:
        """Return the domains of the document's servers, such as "example.com".

        The mock exchange among them has none.
        """
        urls = [
            str(server.get("url", ""))
            for server in self.document.get("servers", ())
            if server.get("x-environment") != "mock"
        ]
        hosts = [urlsplit(url).hostname or "" for url in urls]
        return {".".join(host.split(".")[-2:]) for host in hosts if "." in host}

    def require_operation(self, operation_id: str) -> Operation:
        """Return the operation with an id.

        Raises:
            ValueError: There is no such operation. The message has those that exist.
        """
        if operation_id not in self.by_id:
            raise ValueError(
                f"unknown operation {quote_name(operation_id)}; "
                f"expected one of: {', '.join(self.by_id)}"
                f"{suggest_names([operation_id], self.by_id)}"
            )
        return self.by_id[operation_id]

    def allowed_methods(self, path: str) -> tuple[str, ...]:
        """Return the methods of a path. Empty for an unknown path."""
        exact = [method for method, known in self._routes if known == path]
        matching = [
            operation.method for operation in self._path_operations if operation.path_values(path)
        ]
        return (*exact, *matching)

    def example_body(self, operation: Operation, now: int, alias: str | None) -> bytes:
        """Return the operation's first example as a body.

        Args:
            operation: Operation of this document.
            now: Time in ms for the fields that are marked `x-exchange-clock`.
            alias: Value of the fields that are marked `x-identifies-account`. `None` leaves the
                example's.
        """
        body = self._static_examples.get((operation.id, alias))
        if body is None:
            body = dump_json(self._fill_fields(operation.schema, operation.example, now, alias))
            if operation.id not in self._timed_ids:
                self._static_examples[operation.id, alias] = body
        return body

    def row_schemas(self, operation: Operation) -> Mapping[str, Json]:
        """Return the schemas of the fields of an operation whose response is an array of rows."""
        items = self.resolve_ref(self.resolve_ref(operation.schema)["items"])
        return {name: self.resolve_ref(schema) for name, schema in items["properties"].items()}

    def validate_body(self, operation: Operation, value: Any) -> None:
        """Check that an operation may respond with a JSON value.

        Raises:
            ValueError: The value violates the response schema. The message has the path.
        """
        for path, problem in iter_errors(operation.schema, value, self.resolve_ref, operation.id):
            raise ValueError(
                f"{path}: the value {problem}; pass bytes to send a body that violates the spec"
            )

    def _fill_fields(self, schema: Json, value: Any, now: int, alias: str | None) -> Any:
        """Return an example with the time and the account's alias in the fields for them."""
        schema = self.resolve_ref(schema)
        if schema.get("x-exchange-clock") is True:
            return now
        if schema.get("x-identifies-account") is True and alias is not None:
            return alias
        for part in (*schema.get("allOf", ()), *alternatives(schema, value)):
            value = self._fill_fields(part, value, now, alias)
        if isinstance(value, Mapping):
            return {
                name: self._fill_fields(field_schema(schema, name), field, now, alias)
                for name, field in value.items()
            }
        if isinstance(value, list):
            return [
                self._fill_fields(item_schema(schema, index), item, now, alias)
                for index, item in enumerate(value)
            ]
        return value

    def _parse_operations(self) -> Iterator[Operation]:
        for path, item in self.document.get("paths", {}).items():
            item = self.resolve_ref(item)
            for method in _METHODS:
                if method in item:
                    yield self._parse_operation(method.upper(), path, item, item[method])

    def _parse_operation(self, method: str, path: str, item: Json, node: Json) -> Operation:
        name = node.get("operationId", f"{method} {path}")
        if "requestBody" in node:
            raise ValueError(f"{name}: request bodies are not supported by the mock")
        alternatives = node.get("security", self.document.get("security", []))
        key_header, signature = self._parse_security(name, alternatives)
        parameters = self._parse_parameters(name, item, node)
        response = self.resolve_ref(node["responses"]["200"])
        media = self.resolve_ref(response["content"]["application/json"])
        allowed_names = [parameter.name for parameter in parameters if not parameter.is_in_path]
        if signature is not None:
            allowed_names.append(signature)
        return Operation(
            id=name,
            method=method,
            path=path,
            weight=node.get("x-weight", 1),
            parameters=parameters,
            key_header=key_header,
            signature=signature,
            example=self._first_example(name, media),
            schema=media.get("schema", {}),
            allowed_names=frozenset(allowed_names),
            parameters_by_role={
                parameter.signing_role: parameter
                for parameter in reversed(parameters)
                if parameter.signing_role
            },
            path_pattern=compile_path(path),
        )

    def _parse_parameters(self, operation: str, item: Json, node: Json) -> tuple[Parameter, ...]:
        """Return the parameters of an operation, its own instead of equal ones of the path."""
        declared = (*item.get("parameters", ()), *node.get("parameters", ()))
        resolved = [self.resolve_ref(parameter) for parameter in declared]
        latest = {(parameter["in"], parameter["name"]): parameter for parameter in resolved}
        return tuple(self._parse_parameter(operation, parameter) for parameter in latest.values())

    def _parse_parameter(self, operation: str, node: Json) -> Parameter:
        return parse_parameter(operation, node, self.resolve_ref)

    def _parse_security(
        self, operation: str, alternatives: list[Json]
    ) -> tuple[bytes | None, str | None]:
        """Return the key header and the signature parameter that an operation needs."""
        if len(alternatives) > 1:
            raise ValueError(f"{operation}: several security requirements are not supported")
        key_header = signature = None
        for scheme_name in alternatives[0] if alternatives else ():
            scheme = self.resolve_ref({"$ref": f"#/components/securitySchemes/{scheme_name}"})
            match scheme.get("x-signing-role"), scheme.get("in"):
                case "key", "header":
                    key_header = scheme["name"].lower().encode()
                case "signature", "query":
                    signature = scheme["name"]
                case _:
                    raise ValueError(
                        f"{operation}: security scheme {scheme_name} is not supported by the mock"
                    )
        if signature is not None and key_header is None:
            raise ValueError(f"{operation}: a signature without a key cannot be verified")
        return key_header, signature

    def _first_example(self, operation: str, media: Json) -> Any:
        for example in media.get("examples", {}).values():
            return self.resolve_ref(example)["value"]
        if "example" in media:
            return media["example"]
        raise ValueError(f"{operation}: the 200 response has no example that the mock could send")

    def resolve_ref(self, node: Json) -> Json:
        """Follow a reference. Keywords beside `$ref` win, as OpenAPI 3.1 allows them there."""
        while "$ref" in node:
            target: Any = self.document
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step.replace("~1", "/").replace("~0", "~")]
            node = {**target, **{name: value for name, value in node.items() if name != "$ref"}}
        return node
