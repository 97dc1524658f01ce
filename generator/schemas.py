"""Check schemas."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

from .formats import DECIMAL_PATTERN
from .spec import Json, python_name, resolve

KEYWORDS_BY_TYPE = {
    "string": {"format", "pattern", "enum", "x-holding", "x-rule", "x-identifies-account"},
    "integer": {"format", "minimum", "maximum", "x-instant", "x-exchange-clock"},
    "boolean": set[str](),
    "array": {"items"},
    "object": {"properties", "required", "additionalProperties"},
}
COMMON_KEYWORDS = {"type", "description", "x-description-zh", "examples"}
FORMATS_BY_TYPE: dict[str, set[str | None]] = {
    "string": {None, "decimal"},
    "integer": {"int32", "int64"},
}
RESERVED_ATTRIBUTES = {
    "additional_properties", "field", "from_dict", "parse_rows", "read", "to_dict", "to_json",
}  # fmt: skip
SNAKE_CASE = re.compile(r"(?=.{1,100}$)[a-z][a-z0-9]*(_[a-z0-9]+)*")


def find_duplicates(values: Iterable[str]) -> list[str]:
    """Return the values that occur more than once, sorted."""
    listed = list(values)
    return sorted({value for value in listed if listed.count(value) > 1})


def resolve_or_empty(document: Json, node: Json) -> Json:
    """Resolve a `$ref`; an empty schema when it has no target, which the grammar reports."""
    try:
        return resolve(document, node)
    except (KeyError, TypeError):
        return {}


def account_properties(node: Json) -> list[str]:
    """Return the names of an object schema's properties that identify the account."""
    properties = node.get("properties", {})
    return [name for name in properties if properties[name].get("x-identifies-account")]


def check_schema(
    where: str, node: Json, document: Json, *, component: bool = False, is_parameter: bool = False
) -> Iterator[str]:
    """Yield the findings of a schema and of the schemas inside it.

    The target of a `$ref` is checked where it is defined.

    Args:
        where: Place of the schema, for the findings.
        node: The schema.
        document: The document, for references.
        component: Whether the schema has a name in `components.schemas`.
        is_parameter: Whether the schema is that of a parameter and not of a response.
    """
    if "$ref" in node:
        return
    json_type, nullable = _split_type(node.get("type"))
    if problem := _type_problem(json_type):
        yield f"{where}: {problem}"
        return
    yield from _check_keywords(where, node, json_type)
    match json_type:
        case "string":
            yield from _check_string(where, node, is_parameter)
        case "integer":
            yield from _check_integer(where, node, nullable)
        case "array" if "items" in node:
            yield from check_schema(f"{where}.items", node["items"], document)
        case "array":
            yield f"{where}: an array needs items"
        case "object":
            if not component or nullable:
                yield (
                    f"{where}: an object needs a name and may not be null; "
                    "move it to components.schemas"
                )
            yield from _check_object(where, node, document)


def _split_type(json_type: Any) -> tuple[Any, bool]:
    """Return the type without null, and whether null is allowed."""
    if not isinstance(json_type, list):
        return json_type, False
    others = [entry for entry in json_type if entry != "null"]
    if len(json_type) == 2 and len(others) == 1:
        return others[0], True
    return json_type, False


def _type_problem(json_type: Any) -> str | None:
    if json_type is None:
        return "type is missing"
    if isinstance(json_type, list):
        return "a list of types may only be one type and null"
    if json_type == "number":
        return "type 'number' loses digits as a binary float; use a string with format decimal"
    if not isinstance(json_type, str) or json_type not in KEYWORDS_BY_TYPE:
        return f"unsupported type {json_type!r}; supported: {', '.join(sorted(KEYWORDS_BY_TYPE))}"
    return None


def _check_keywords(where: str, node: Json, json_type: str) -> Iterator[str]:
    for key in node:
        if key not in KEYWORDS_BY_TYPE[json_type] | COMMON_KEYWORDS:
            yield f"{where}: {key} has no meaning for type {json_type}; remove it"
    formats = FORMATS_BY_TYPE.get(json_type)
    value = node.get("format")
    if formats and value not in formats:
        problem = f"unsupported format {value!r}" if value else "format is missing"
        names = ", ".join(sorted(name or "none" for name in formats))
        yield f"{where}: {problem} for type {json_type}; supported: {names}"


def _check_string(where: str, node: Json, is_parameter: bool) -> Iterator[str]:
    pattern: str = node.get("pattern", "^$")
    if node.get("format") == "decimal":
        if pattern != DECIMAL_PATTERN:
            yield f"{where}: format decimal needs the pattern {DECIMAL_PATTERN}"
    elif not (pattern.startswith("^") and pattern.endswith("$")):
        yield f"{where}: a pattern must match the whole string; write it as ^...$"
    elif is_parameter and "pattern" in node and "x-rule" not in node:
        yield f"{where}: the pattern of a parameter needs x-rule, the rule in words"
    try:
        re.compile(pattern)
    except (re.error, OverflowError) as error:
        yield f"{where}: the pattern is not a valid regular expression: {error}"
    if "enum" in node:
        yield from _check_enum(where, node, is_parameter)


def _check_enum(where: str, node: Json, is_parameter: bool) -> Iterator[str]:
    values = node["enum"]
    if not values or find_duplicates(values):
        yield f"{where}: enum must be a non-empty list of different strings"
    if not is_parameter:
        yield (
            f"{where}: an enum in a response breaks callers when the exchange adds a value; "
            "list the values in the description"
        )
    if "pattern" in node or "format" in node:
        yield f"{where}: an enum needs no pattern and no format; remove them"


def _check_integer(where: str, node: Json, nullable: bool) -> Iterator[str]:
    if not ("minimum" in node and "maximum" in node):
        yield f"{where}: an integer needs minimum and maximum"
    elif node["minimum"] > node["maximum"]:
        yield f"{where}: minimum is greater than maximum"
    if "x-instant" not in node:
        return
    if nullable or node.get("format") != "int64":
        yield f"{where}: x-instant needs an int64 time in ms that cannot be null"
    if not SNAKE_CASE.fullmatch(node["x-instant"]):
        yield f"{where}: x-instant {node['x-instant']!r} must be a snake_case name"


def _check_object(where: str, node: Json, document: Json) -> Iterator[str]:
    properties: Json = node.get("properties", {})
    required = node.get("required", [])
    if "description" not in node:
        yield f"{where}: description is missing"
    if not properties:
        yield f"{where}: an object needs properties"
    if node.get("additionalProperties", True) is not True:
        yield f"{where}: additionalProperties must be true, since unknown fields are kept"
    for name in required:
        if name not in properties:
            yield f"{where}: required names no property: {name!r}"
    for name, schema in properties.items():
        yield from _check_property(
            f"{where}.properties.{name}", schema, document, optional=name not in required
        )
    if len(account_properties(node)) > 1:
        yield f"{where}: two properties have x-identifies-account; keep one"
    yield from _check_attributes(where, _attribute_names(properties, document))


def _check_property(where: str, schema: Json, document: Json, *, optional: bool) -> Iterator[str]:
    yield from check_schema(where, schema, document)
    target = resolve_or_empty(document, schema)
    if "description" not in target:
        yield f"{where}: description is missing"
    if isinstance(target.get("type"), list) and optional:
        yield (
            f"{where}: the property is both optional and nullable; "
            "Python cannot distinguish them; choose one"
        )
    if "x-holding" in schema and target.get("format") != "decimal":
        yield f"{where}: x-holding needs format decimal"
    identifies = schema.get("type") == "string" and "format" not in schema and not optional
    if "x-identifies-account" in schema and not identifies:
        yield f"{where}: x-identifies-account is for a required string that is never null"


def _attribute_names(properties: Json, document: Json) -> list[str]:
    """Return the Python attributes of an object: its properties, then its `x-instant` times."""
    targets = [resolve_or_empty(document, schema) for schema in properties.values()]
    instants = [target["x-instant"] for target in targets if "x-instant" in target]
    return [python_name(name) for name in [*properties, *instants]]


def _check_attributes(where: str, attributes: list[str]) -> Iterator[str]:
    for name in find_duplicates(attributes):
        yield f"{where}: two properties become the attribute {name!r}"
    for name in attributes:
        # Python normalizes identifiers in source code, but not in `getattr`.
        normalized = unicodedata.normalize("NFKC", name)
        if normalized != name:
            yield f"{where}: Python would read the attribute {name!r} as {normalized!r}"
    for name in sorted(RESERVED_ATTRIBUTES.intersection(attributes)):
        yield f"{where}: a property may not become the attribute {name!r}, which every class has"
