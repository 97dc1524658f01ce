"""Check security schemes, parameters, headers and responses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from generator.document.findings import Finding, Place
from generator.document.openapi import (
    JSON_CONTENT,
    Json,
    class_name,
    component_class,
    renamed,
    resolve_or_empty,
)
from generator.model.operations import signing_role
from generator.model.value_types import is_class, split_type

from .examples import ExampleChecker
from .reserved_names import RENAME, RESERVED_ARGUMENTS
from .schemas import RULE_MISSING, SchemaContext, check_schema, is_python_name, lacks_rule

RESERVED_HEADERS = {
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "host",
    "transfer-encoding",
    "upgrade",
    "user-agent",
}
"""Headers that the client sets itself, or that change how a request is parsed."""
UNRESERVED = re.compile(r"[A-Za-z0-9._~-]+")
"""Characters that need no percent-encoding (RFC 3986, 2.3)."""
TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
"""Name of a header (RFC 9110, 5.6.2)."""
LOCATION_BY_ROLE = {"key": "header", "signature": "query"}
UNSENDABLE = re.compile("[\x00-\x20\x7f\ufffd]")
"""Characters that no parameter may have: `_REFUSED` of runtime/extended_writing.py."""
SCALARS = ("string", "integer", "number", "boolean")


def check_scheme(place: Place, scheme: Json, checker: ExampleChecker) -> Iterator[Finding]:
    """Yield the findings of a security scheme."""
    role = signing_role(scheme) or ""
    location = LOCATION_BY_ROLE.get(role)
    name = scheme.get("name", "-")
    if location and scheme.get("in") != location:
        yield Finding.at(place, f"a {role} belongs in the {location}; set in: {location}")
    if scheme.get("in") == "query" and not UNRESERVED.fullmatch(name):
        yield Finding.at(place, f"name {name!r} would need percent-encoding")
    if scheme.get("in") == "header" and not TOKEN.fullmatch(name):
        yield Finding.at(place, f"name {name!r} is not a valid header name")
    if scheme.get("in") == "header" and name.lower() in RESERVED_HEADERS:
        yield Finding.at(place, f"header {name!r} has another purpose; it cannot carry a key")


def check_parameter(place: Place, parameter: Json, checker: ExampleChecker) -> Iterator[Finding]:
    """Yield the findings of a parameter. The target of a `$ref` is checked where it is defined."""
    if "$ref" in parameter:
        return
    document = checker.document
    media = parameter.get("content", {}).get(JSON_CONTENT, {})
    is_json = "content" in parameter
    if is_json == ("schema" in parameter):
        problem = "schema is missing" if not is_json else "has schema and content; keep one of them"
        yield Finding.at(place, f"{problem}; content is for an argument that is sent as JSON")
        return
    node = media.get("schema", {}) if is_json else parameter["schema"]
    inside = (*place, "content", JSON_CONTENT, "schema") if is_json else (*place, "schema")
    findings = list(check_schema(inside, node, SchemaContext(document, is_argument=True)))
    yield from findings
    schema = resolve_or_empty(document, node)
    problems = [*_argument_problems(parameter, node, document)]
    problems += [*_name_problems(parameter), *_role_problems(parameter, schema)]
    yield from (Finding.at(place, problem) for problem in problems)
    if not findings and not problems:
        yield from checker.check_parameter(place, parameter, node, schema)


def _argument_problems(parameter: Json, node: Json, document: Json) -> Iterator[str]:
    """Yield what cannot be sent. The node is the parameter's schema, possibly a `$ref`."""
    is_json = "content" in parameter
    schema = resolve_or_empty(document, node)
    json_type, is_nullable = split_type(schema.get("type", "string"))
    item_node: Json = schema.get("items", {}) if json_type == "array" and not is_json else {}
    item = resolve_or_empty(document, item_node)
    is_list = item.get("type") in SCALARS
    if (json_type not in SCALARS and not is_list and not is_json) or is_nullable:
        yield (
            "a parameter must be a string, a number, a boolean or a list of them, and not null; "
            "for anything else write content: application/json, if the exchange reads JSON there"
        )
    if is_list and parameter.get("explode") is not False:
        yield (
            "a list would be sent as a repeated parameter, which the exchange refuses; write "
            "explode: false for a list with commas, or content for JSON"
        )
    if "explode" in parameter and not is_list:
        yield "explode has a meaning for lists only; remove it"
    yield from _text_problems(node, schema)
    yield from _text_problems(item_node, item)
    if parameter.get("in") == "path":
        yield from _path_problems(parameter, schema, json_type)


def _text_problems(node: Json, schema: Json) -> Iterator[str]:
    """Yield what is wrong with the schema of a parameter or of its items, resolved from a node."""
    texts = [value for value in schema.get("enum", ()) if isinstance(value, str)]
    if any(map(UNSENDABLE.search, texts)):
        yield "a value of the enum has a space, which the exchange refuses in parameters"
    # `check_schema` checks one that stands in the parameter.
    if "$ref" in node and lacks_rule(schema):
        yield RULE_MISSING


def _path_problems(parameter: Json, schema: Json, json_type: Any) -> Iterator[str]:
    if parameter.get("required") is not True:
        yield "a parameter in the path is always there; write required: true"
    if json_type == "string" and not schema.keys() & {"pattern", "enum"}:
        yield "a text in the path needs a pattern or an enum: '..' would lead to another path"
    if json_type not in SCALARS or "content" in parameter:
        yield "a parameter in the path must be a string, a number or a boolean"


def _name_problems(parameter: Json) -> Iterator[str]:
    name = parameter.get("name", "-")
    given = parameter.get("x-python-name")
    if given and not is_python_name(given):
        yield f"x-python-name {given!r} must be a snake_case name that is no keyword"
    if not UNRESERVED.fullmatch(name):
        yield f"name {name!r} would need percent-encoding"
    if renamed(parameter, name).rstrip("_") in RESERVED_ARGUMENTS:
        yield f"name {name!r} is an option that every shell command already has; {RENAME}"


def _role_problems(parameter: Json, schema: Json) -> Iterator[str]:
    role = signing_role(parameter)
    if role and schema.get("type") != "integer":
        yield f"a {role} must be an integer"
    if role and parameter.get("in") != "query":
        yield f"a {role} belongs in the query"
    if role == "timestamp" and parameter.get("required") is not True:
        yield "the timestamp must be required"


def check_response(place: Place, response: Json, checker: ExampleChecker) -> Iterator[Finding]:
    """Yield the findings of a response."""
    is_result = place[-2:] == ("responses", "200")
    for name, header in response.get("headers", {}).items():
        yield from check_header((*place, "headers", name), header, checker)
    for media_type, media in response.get("content", {}).items():
        inside = (*place, "content", media_type)
        if "schema" not in media:
            continue
        context = SchemaContext(checker.document, is_result=is_result or place[0] == "components")
        findings = list(check_schema((*inside, "schema"), media["schema"], context))
        yield from findings or checker.check_media(inside, media)


def check_header(place: Place, header: Json, checker: ExampleChecker) -> Iterator[Finding]:
    """Yield the findings of a response header."""
    if "schema" in header:
        context = SchemaContext(checker.document)
        findings = list(check_schema((*place, "schema"), header["schema"], context))
        yield from findings or checker.check_media(place, header)


def check_named_schema(place: Place, schema: Json, checker: ExampleChecker) -> Iterator[Finding]:
    """Yield the findings of a schema in `components.schemas`."""
    context = SchemaContext(checker.document, is_component=True)
    yield from check_schema(place, schema, context)
    given: Any = schema.get("x-python-name")
    if given is None:
        return
    if not is_class(schema):
        yield Finding.at(place, "x-python-name has no effect, since this schema becomes no class")
    elif not re.fullmatch("[A-Z][A-Za-z0-9]{0,99}", given) or class_name(given) != given:
        yield Finding.at(place, f"x-python-name {given!r} must be a PascalCase name of a class")
    elif component_class(checker.document, str(place[-1])) == class_name(str(place[-1])):
        yield Finding.at(place, "x-python-name is the name that the class has anyway; remove it")
