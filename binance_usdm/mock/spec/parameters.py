"""Parameters of an operation: where they stand, and which strings they may have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from binance_usdm.mock.core import strict_json

from .json_values import Resolve, iter_errors
from .schema import Violation, compile_validator

Json = Mapping[str, Any]
Validate = Callable[[str], Violation | None]
JSON_TYPE: Final = "application/json"
_SCALARS: Final = ("integer", "number", "string", "boolean")


@dataclass(frozen=True, slots=True)
class Parameter:
    """Parameter of an operation.

    `signing_role` is its `x-signing-role`: timestamp, window or `None`. `validate` returns how a
    string violates the schema, `None` if it does not.
    """

    name: str
    required: bool
    signing_role: str | None
    schema: Json
    validate: Validate
    is_in_path: bool = False


def parse_parameter(operation: str, node: Json, resolve: Resolve) -> Parameter:
    """Return a parameter of the document.

    Raises:
        ValueError: The mock cannot check it.
    """
    content = node.get("content", {}).get(JSON_TYPE)
    schema = resolve((content or node).get("schema", {}))
    validate = _find_validator(schema, resolve, is_json=content is not None)
    if node["in"] not in ("query", "path") or validate is None:
        raise ValueError(
            f"{operation}: parameter {node['name']} is not supported by the mock; it needs in: "
            f"query or path, and a type of {', '.join(_SCALARS)}, a list of one, or content of JSON"
        )
    return Parameter(
        node["name"],
        node.get("required", False),
        node.get("x-signing-role"),
        schema,
        validate,
        node["in"] == "path",
    )


def _find_validator(schema: Json, resolve: Resolve, *, is_json: bool) -> Validate | None:
    if is_json:
        return _json_validator(schema, resolve)
    if schema.get("type") in _SCALARS:
        return compile_validator(schema)
    if schema.get("type") == "array":
        item = resolve(schema.get("items", {}))
        if item.get("type") in _SCALARS:
            return _list_validator(schema, compile_validator(item))
    return None


def _list_validator(schema: Json, validate_item: Validate) -> Validate:
    """Return a validator of items with commas between them."""

    def validate(text: str) -> Violation | None:
        items = text.split(",")
        for item in items:
            violation = validate_item(item)
            if violation is not None:
                return violation
        is_allowed = schema.get("minItems", 0) <= len(items) <= schema.get("maxItems", len(items))
        return None if is_allowed else Violation.OUTSIDE

    return validate


def _json_validator(schema: Json, resolve: Resolve) -> Validate:
    """Return a validator of JSON texts."""

    def validate(text: str) -> Violation | None:
        try:
            value = strict_json.loads(text.encode())
        except ValueError:
            return Violation.MALFORMED
        for _ in iter_errors(schema, value, resolve, ""):
            return Violation.OUTSIDE
        return None

    return validate
