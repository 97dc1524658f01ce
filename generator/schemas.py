"""The rules for one schema: what can be read from a reply, or sent as an argument, without loss. Knows no operation."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

from .formats import DECIMAL_PATTERN
from .spec import Json, python_name, resolve

KEYWORDS_BY_TYPE = {
    "string": {"format", "pattern", "enum", "x-holding", "x-identifies-account"},
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
RESERVED_ATTRIBUTES = {"additional_properties", "field", "from_dict", "read", "to_dict"}
SNAKE_CASE = re.compile(r"(?=.{1,100}$)[a-z][a-z0-9]*(_[a-z0-9]+)*")


def find_duplicates(values: Iterable[str]) -> list[str]:
    listed = list(values)
    return sorted({value for value in listed if listed.count(value) > 1})


def resolve_or_empty(document: Json, node: Json) -> Json:
    """Nothing for a $ref that names nothing: that is a finding of the grammar already."""
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
    """The findings of one schema and those in it; what a `$ref` names is checked where it stands."""
    if "$ref" in node:
        return
    if "type" not in node:
        yield f"{where}: type is missing"
        return
    kind: Any = node["type"]
    nullable = isinstance(kind, list)
    if nullable:
        rest = [one for one in kind if one != "null"]
        if len(kind) != 2 or len(rest) != 1:
            yield f"{where}: a list of types may only be one type and null"
            return
        kind = rest[0]
    if not isinstance(kind, str) or kind not in KEYWORDS_BY_TYPE:
        why = (
            "loses digits as a binary float: send it as a string with format decimal"
            if kind == "number"
            else "is not a known type"
        )
        yield f"{where}: type {kind!r} {why}"
        return
    for key in node:
        if key not in KEYWORDS_BY_TYPE[kind] | COMMON_KEYWORDS:
            yield f"{where}: {key} has no meaning for {kind}"
    allowed = FORMATS_BY_TYPE.get(kind)
    if allowed and node.get("format") not in allowed:
        yield f"{where}: format {node.get('format')!r} is not known for {kind}: {', '.join(sorted(map(str, allowed)))}"
    if kind == "string":
        yield from _check_string(where, node, is_parameter)
    if kind == "integer":
        yield from _check_integer(where, node, nullable)
    if kind == "array":
        if "items" in node:
            yield from check_schema(f"{where}.items", node["items"], document)
        else:
            yield f"{where}: an array needs items"
    if kind == "object":
        if not component or nullable:
            yield f"{where}: an object needs a name and may not be null: move it to components.schemas"
        yield from _check_object(where, node, document)


def _check_string(where: str, node: Json, is_parameter: bool) -> Iterator[str]:
    pattern: str = node.get("pattern", "^$")
    if node.get("format") == "decimal":
        if pattern != DECIMAL_PATTERN:
            yield f"{where}: format decimal needs the pattern {DECIMAL_PATTERN}"
    elif not (pattern.startswith("^") and pattern.endswith("$")):
        yield f"{where}: a pattern must hold for the whole text: ^...$"
    try:
        re.compile(pattern)
    except (re.error, OverflowError) as error:
        yield f"{where}: the pattern cannot be used: {error}"
    if "enum" not in node:
        return
    values = node["enum"]
    if not values or find_duplicates(values):
        yield f"{where}: enum must be a non-empty list of different texts"
    if not is_parameter:
        yield f"{where}: an enum in a reply breaks callers when the exchange adds a value: describe the values in the text"
    if "pattern" in node or "format" in node:
        yield f"{where}: an enum needs no pattern and no format"


def _check_integer(where: str, node: Json, nullable: bool) -> Iterator[str]:
    if not ("minimum" in node and "maximum" in node):
        yield f"{where}: an integer needs minimum and maximum"
    elif node["minimum"] > node["maximum"]:
        yield f"{where}: no integer is between minimum and maximum"
    if "x-instant" in node and (nullable or node.get("format") != "int64"):
        yield f"{where}: x-instant is for int64 times in ms"
    if "x-instant" in node and not SNAKE_CASE.fullmatch(node["x-instant"]):
        yield f"{where}: x-instant {node['x-instant']!r} is no usable snake_case name"


def _check_object(where: str, node: Json, document: Json) -> Iterator[str]:
    properties: Json = node.get("properties", {})
    if "description" not in node:
        yield f"{where}: description is missing"
    if not properties:
        yield f"{where}: an object needs properties"
    if node.get("additionalProperties", True) is not True:
        yield f"{where}: additionalProperties must be true: unknown members are kept"
    required = node.get("required", [])
    for name in required:
        if name not in properties:
            yield f"{where}: required names no property: {name!r}"
    instants: list[str] = []
    for name, schema in properties.items():
        place = f"{where}.properties.{name}"
        yield from check_schema(place, schema, document)
        target = resolve_or_empty(document, schema)
        if "description" not in target:
            yield f"{place}: description is missing"
        if isinstance(target.get("type"), list) and name not in required:
            yield f"{place}: optional and null cannot be told apart in Python: make it one of the two"
        if "x-holding" in schema and target.get("format") != "decimal":
            yield f"{place}: x-holding is for amounts"
        instants += [target["x-instant"]] if "x-instant" in target else []
        if "x-identifies-account" in schema and not (
            schema.get("type") == "string" and "format" not in schema and name in required
        ):
            yield f"{place}: x-identifies-account is for a required string that is never null"
    if len(account_properties(node)) > 1:
        yield f"{where}: two properties have x-identifies-account: keep one"
    attributes = [python_name(name) for name in properties] + [
        python_name(name) for name in instants
    ]
    for name in find_duplicates(attributes):
        yield f"{where}: two members become the attribute {name!r}"
    for name in attributes:
        if unicodedata.normalize("NFKC", name) != name:  # Python reads identifiers so
            yield f"{where}: Python would read the attribute {name!r} as {unicodedata.normalize('NFKC', name)!r}"
    for name in sorted(RESERVED_ATTRIBUTES.intersection(attributes)):
        yield f"{where}: a member may not become the attribute {name!r}"
