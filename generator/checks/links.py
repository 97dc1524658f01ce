"""Check links: they are read by other tools only, and must lead to an operation of the spec."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Any, Final

from generator.document.findings import Finding, Place
from generator.document.openapi import JSON_CONTENT, Json, is_dangling, resolve_or_empty
from generator.document.path_items import operations

EXPRESSION: Final = re.compile(
    r"\$(url|method|statusCode|request\.(query|path|header)\.[^ ]+|response\.header\.[^ ]+"
    r"|response\.body(#(?P<pointer>(/[^/]+)*))?)"
)
"""Runtime expressions (OpenAPI 3.1, Link Object) that a GET request and its response allow."""


def check_links(document: Json) -> Iterator[Finding]:
    """Yield the findings of all links of a document."""
    parameters = {
        str(operation.get("operationId")): {
            str(resolve_or_empty(document, node).get("name"))
            for node in operation.get("parameters", ())
        }
        for _, _, operation in operations({"paths": {}, **document})
    }
    for place, response in _responses(document):
        for name, link in response.get("links", {}).items():
            for problem in _problems(document, response, link, parameters):
                yield Finding.at((*place, "links", name), problem)


def _responses(document: Json) -> Iterator[tuple[Place, Json]]:
    """Yield every response where it is defined."""
    for name, response in document.get("components", {}).get("responses", {}).items():
        yield ("components", "responses", name), response
    for path, method, operation in operations({"paths": {}, **document}):
        for status, response in operation.get("responses", {}).items():
            yield ("paths", path, method, "responses", status), response


def _problems(
    document: Json, response: Json, link: Json, parameters: dict[str, set[str]]
) -> Iterator[str]:
    target = str(link.get("operationId"))
    if target not in parameters:
        match = difflib.get_close_matches(target, parameters, 1, 0.6)
        hint = f"; did you mean {match[0]}?" if match else ""
        yield f"operationId {target!r} is no operation of this document{hint}"
        return
    known = parameters[target]
    for name, value in link.get("parameters", {}).items():
        # A dangling parameter, which has no name, is reported where it stands.
        if re.sub(r"^(query|path)\.", "", name) not in known and "None" not in known:
            yield f"{target} has no parameter {name!r}"
        if not value.startswith("$"):
            # It is the value itself.
            continue
        expression = EXPRESSION.fullmatch(value)
        if expression is None:
            yield f"{name}: {value!r} is no runtime expression, such as $response.body#/id"
        elif not _leads_to_value(document, response, expression["pointer"] or ""):
            yield f"{name}: {value!r} leads to no field of the response"


def _leads_to_value(document: Json, response: Json, pointer: str) -> bool:
    media = response.get("content", {}).get(JSON_CONTENT, {})
    schema: Any = media.get("schema", {})
    for step in pointer.split("/")[1:]:
        if is_dangling(document, schema):
            # It is reported where it stands.
            return True
        schema = resolve_or_empty(document, schema)
        if step.isdigit() and "items" in schema:
            schema = schema["items"]
        elif step in schema.get("properties", {}):
            schema = schema["properties"][step]
        elif isinstance(schema.get("additionalProperties"), dict):
            schema = schema["additionalProperties"]
        else:
            return False
    return True
