"""Places in the real spec, and values to put there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from generator.document.openapi import Json, load
from tests.support.paths import SPEC_FILE
from tests.support.spec_facts import BALANCE_PATH, TIME_PATH

Place = tuple[str | int, ...]
Case = tuple[Place, Any, str]
"""The place that is changed, its new value, and a part of the finding."""

DOCUMENT = load(SPEC_FILE)
ABSENT = object()
"""As a value: the key is removed."""

COMPONENTS: Place = ("components",)
SCHEMAS: Place = (*COMPONENTS, "schemas")
AMOUNT: Place = (*SCHEMAS, "Amount")
ROW: Place = (*SCHEMAS, "AccountBalance")
PROPERTIES: Place = (*ROW, "properties")
UPDATED: Place = (*PROPERTIES, "updateTime")
SCHEMES: Place = (*COMPONENTS, "securitySchemes")
WINDOW: Place = (*COMPONENTS, "parameters", "RecvWindow")
TIMESTAMP: Place = (*COMPONENTS, "parameters", "Timestamp")
HEADER: Place = (*COMPONENTS, "headers", "UsedWeight")
REFUSED: Place = (*COMPONENTS, "responses", "Refused")
BALANCE: Place = ("paths", BALANCE_PATH, "get")
TIME: Place = ("paths", TIME_PATH, "get")
OK: Place = (*BALANCE, "responses", "200")
MEDIA: Place = (*OK, "content", "application/json")
RESULT: Place = (*MEDIA, "schema")

DESCRIBED = {"description": "A test."}
INTEGER = {"type": "integer", "format": "int64", "minimum": 0, "maximum": 9}
TEXT = {"type": "string", **DESCRIBED}
TO_AMOUNT = {"$ref": "#/components/schemas/Amount"}
OBJECT = {"type": "object", "properties": {"a": TEXT}, **DESCRIBED}
FLAGS = ("baseUrl", "csv", "demo", "help", "json", "nonZero", "timeout")
PARAMETER: Json = {"name": "limit", "in": "query", "schema": INTEGER, **DESCRIBED}
TWICE: Json = {**PARAMETER, "schema": {"type": "string"}}


def places(node: Any, above: Place = ()) -> Iterator[Place]:
    """Yield the place of every value in a document."""
    entries: Any = ()
    if isinstance(node, dict):
        entries = node.items()
    elif isinstance(node, list):
        entries = enumerate(node)
    for step, entry in entries:
        yield (*above, step)
        yield from places(entry, (*above, step))


def changed(node: Any, place: Place, value: Any) -> Any:
    """Return a copy with another value at one place, or without it for ABSENT.

    It shares all other nodes.
    """
    copied: Any = dict(node) if isinstance(node, dict) else list(node)
    step, *rest = place
    if rest:
        copied[step] = changed(copied[step], tuple(rest), value)
    elif value is ABSENT:
        del copied[step]
    else:
        copied[step] = value
    return copied
