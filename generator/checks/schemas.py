"""Check schemas."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from generator.document.findings import Finding, Place, find_duplicates
from generator.document.openapi import Json, is_dangling, renamed, resolve_or_empty
from generator.model.classes import named_fields
from generator.model.operations import account_properties
from generator.model.value_types import split_type

from .reserved_names import RENAME, reserved_attributes
from .scalars import SNAKE_CASE, check_scalar

KEYWORDS_BY_TYPE: Final = {
    "string": {
        "format", "pattern", "enum", "minLength", "maxLength", "default", "x-holding", "x-rule",
        "x-identifies-account",
    },
    "integer": {
        "format", "minimum", "maximum", "enum", "default", "x-instant", "x-exchange-clock",
    },
    "number": {"minimum", "maximum", "default"},
    "boolean": {"default"},
    "array": {"items", "minItems", "maxItems", "prefixItems"},
    "object": {"properties", "required", "additionalProperties"},
}  # fmt: skip
COMMON_KEYWORDS: Final = {
    "type", "description", "x-description-zh", "examples", "deprecated", "x-name", "x-python-name",
    "externalDocs",
}  # fmt: skip
ONLY_ARGUMENTS: Final = {"default": "state it in the description", "minItems": "remove it",
                         "maxItems": "remove it"}  # fmt: skip
ONLY_RESPONSES: Final = {
    "x-instant": "an argument is a number of ms",
    "x-exchange-clock": "the client sends its own time",
    "x-holding": "it marks amounts of rows",
}
RULE_MISSING: Final = "the pattern of a parameter needs x-rule, the rule in words"
INLINE: Final = "move it to components.schemas and refer to it, since its class needs a name"


@dataclass(frozen=True)
class SchemaContext:
    """Where a schema stands.

    Attributes:
        document: The document, for references.
        is_component: Whether it has a name in `components.schemas`.
        is_argument: Whether it is that of a parameter, and not of a response.
        is_result: Whether it is that of a 200 response.
    """

    document: Json
    is_component: bool = False
    is_argument: bool = False
    is_result: bool = False

    @property
    def inside(self) -> SchemaContext:
        """The context of a schema inside."""
        return replace(self, is_component=False, is_result=False)


def check_schema(place: Place, node: Json, context: SchemaContext) -> Iterator[Finding]:
    """Yield the findings of a schema and of the schemas inside it.

    The target of a `$ref` is checked where it is defined.
    """
    if "$ref" in node:
        return
    if "oneOf" in node:
        yield from _check_one_of(place, node, context)
        return
    json_type, _ = split_type(node.get("type"))
    if problem := _type_problem(json_type):
        yield Finding.at(place, problem)
        return
    yield from _check_keywords(place, node, json_type, context)
    if json_type in _CHECKS:
        yield from _CHECKS[json_type](place, node, context)
    else:
        yield from check_scalar(place, node, json_type)
    if context.is_argument and lacks_rule(node):
        yield Finding.at(place, RULE_MISSING)


def lacks_rule(schema: Json) -> bool:
    """Return whether a schema has a pattern without the rule in words for messages."""
    return "pattern" in schema and schema.get("format") != "decimal" and "x-rule" not in schema


def _type_problem(json_type: Any) -> str | None:
    if json_type is None:
        return "type is missing"
    if isinstance(json_type, list):
        return "a list of types may only be one type and null"
    if not isinstance(json_type, str) or json_type not in KEYWORDS_BY_TYPE:
        return f"unsupported type {json_type!r}; supported: {', '.join(sorted(KEYWORDS_BY_TYPE))}"
    return None


def _check_keywords(
    place: Place, node: Json, json_type: str, context: SchemaContext
) -> Iterator[Finding]:
    for key in node:
        if key not in KEYWORDS_BY_TYPE[json_type] | COMMON_KEYWORDS:
            yield Finding.at(place, f"{key} has no meaning for type {json_type}; remove it")
        elif key in ONLY_ARGUMENTS and not (context.is_argument or context.is_component):
            yield Finding.at(place, f"{key} has no effect in a response; {ONLY_ARGUMENTS[key]}")
        elif key in ONLY_RESPONSES and context.is_argument:
            problem = f"{key} has no effect on an argument: {ONLY_RESPONSES[key]}; remove it"
            yield Finding.at(place, problem)


def _check_one_of(place: Place, node: Json, context: SchemaContext) -> Iterator[Finding]:
    one, many = [*node["oneOf"], {}, {}][:2]
    is_pair = len(node["oneOf"]) == 2 and "$ref" in one and many.get("items") == one
    if not (
        is_pair and context.is_result and node.keys() <= {"oneOf", "description", "externalDocs"}
    ):
        yield Finding.at(
            place,
            "oneOf is for a 200 response that is one object or an array of them; write the $ref of "
            "the object, then the array with this $ref as its items",
        )


def _check_array(place: Place, node: Json, context: SchemaContext) -> Iterator[Finding]:
    if "prefixItems" in node:
        yield from _check_tuple(place, node, context)
    elif "items" in node:
        yield from check_schema((*place, "items"), node["items"], context.inside)
    else:
        yield Finding.at(place, "an array needs items")


def _check_tuple(place: Place, node: Json, context: SchemaContext) -> Iterator[Finding]:
    if not context.is_component:
        yield Finding.at(place, f"an array with prefixItems is a row; {INLINE}")
    if "items" in node:
        yield Finding.at(
            place, "items beside prefixItems would be lost; more items are kept anyway"
        )
    if not node["prefixItems"]:
        yield Finding.at(place, "prefixItems is empty; list what stands in the array")
    if "description" not in node:
        yield Finding.at(place, "description is missing")
    for number, item in enumerate(node["prefixItems"]):
        inside = (*place, "prefixItems", number)
        if "x-name" not in item:
            yield Finding.at(inside, "x-name is missing; it names the attribute, such as openTime")
        yield from _check_field(inside, item, context.inside, is_optional=False)
    yield from _check_attributes(place, node, context.document)


def _check_object(place: Place, node: Json, context: SchemaContext) -> Iterator[Finding]:
    properties: Json = node.get("properties", {})
    required = node.get("required", [])
    additional = node.get("additionalProperties", True)
    if isinstance(additional, dict):
        if properties or required:
            problem = "an object has either properties or keys of one type; remove one of them"
            yield Finding.at(place, problem)
        yield from check_schema((*place, "additionalProperties"), additional, context.inside)
        return
    if not context.is_component:
        yield Finding.at(place, f"an object needs a name; {INLINE}")
    if "description" not in node:
        yield Finding.at(place, "description is missing")
    if additional is not True:
        yield Finding.at(place, "additionalProperties must be true, since unknown fields are kept")
    for name in find_duplicates(required):
        yield Finding.at(place, f"required has {name!r} twice")
    for name in required:
        if name not in properties:
            yield Finding.at(place, f"required names no property: {name!r}")
    for name, schema in properties.items():
        yield from _check_field(
            (*place, "properties", name), schema, context.inside, is_optional=name not in required
        )
    if len(account_properties(node)) > 1:
        yield Finding.at(place, "two properties have x-identifies-account; keep one")
    yield from _check_attributes(place, node, context.document)


_CHECKS: Final[dict[str, Callable[[Place, Json, SchemaContext], Iterator[Finding]]]] = {
    "array": _check_array,
    "object": _check_object,
}


def _check_field(
    place: Place, schema: Json, context: SchemaContext, *, is_optional: bool
) -> Iterator[Finding]:
    yield from check_schema(place, schema, context)
    if is_dangling(context.document, schema):
        return
    target = resolve_or_empty(context.document, schema)
    if "description" not in target:
        yield Finding.at(place, "description is missing")
    if "x-holding" in schema and target.get("format") != "decimal":
        yield Finding.at(place, "x-holding needs format decimal")
    identifies = schema.get("type") == "string" and "format" not in schema and not is_optional
    is_deprecated = target.get("deprecated") is True
    if "x-identifies-account" in schema and (not identifies or is_deprecated):
        problem = "x-identifies-account is for a required string that is never null or deprecated"
        yield Finding.at(place, problem)
    for key in ("x-python-name", "x-name"):
        name = schema.get(key)
        if key == "x-python-name" and name and not is_python_name(name):
            yield Finding.at(place, f"{key} {name!r} must be a snake_case name that is no keyword")


def is_python_name(name: str) -> bool:
    """Return whether a name can be that of an attribute or argument as it is."""
    return SNAKE_CASE.fullmatch(name) is not None and renamed({}, name) == name


def _check_attributes(place: Place, node: Json, document: Json) -> Iterator[Finding]:
    """Yield the findings of an object's Python attributes: its fields, then its instants."""
    fields = list(named_fields(node))
    attributes = [renamed(schema, name) for name, schema, _ in fields]
    targets = [resolve_or_empty(document, schema) for _, schema, _ in fields]
    attributes += [renamed({}, one["x-instant"]) for one in targets if "x-instant" in one]
    for name in find_duplicates(attributes):
        yield Finding.at(place, f"two properties become the attribute {name!r}; {RENAME}")
    for name in attributes:
        # Python normalizes identifiers in source code, but not in `getattr`.
        normalized = unicodedata.normalize("NFKC", name)
        if normalized != name:
            problem = f"Python would read the attribute {name!r} as {normalized!r}; {RENAME}"
            yield Finding.at(place, problem)
    for name in sorted(reserved_attributes().intersection(attributes)):
        problem = f"a property may not become the attribute {name!r}, which every class has"
        yield Finding.at(place, f"{problem}; {RENAME}")
