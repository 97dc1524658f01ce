"""Any two documents with paths can be compared."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from generator.changes.compare.specs import compare
from generator.changes.rendering import RENDERERS
from generator.changes.report import Report
from generator.document.openapi import Json
from tests.generator.changes.edits import WIDE, at
from tests.specs.places import Place

JUNK: list[Any] = [
    None, True, False, 0, -1, 1.5, "", "x", [], [None], ["a", 1, {}], {}, {"a": 1}, {"$ref": "#/paths"}, {"$ref": 5},
    {"$ref": "#/components/schemas/Account"}, {"type": ["null"]}, {"oneOf": []}, {"type": "array"}, {"type": "object", "properties": []},
    {"allOf": [{"$ref": "#/components/schemas/Account"}]}, {"enum": [1, "a", None]}, {"type": "string", "pattern": "("},
    {"type": "string", "pattern": 5, "minLength": "x"}, {"type": "integer", "minimum": "a", "maximum": None, "multipleOf": "x"},
    {"type": "array", "prefixItems": [{"x-name": 5}, True]}, 10**300,
]  # fmt: skip


def places_of(node: Any, place: Place = ()) -> Iterator[Place]:
    """Yield each place in a document."""
    entries = (
        node.items()
        if isinstance(node, dict)
        else enumerate(node)
        if isinstance(node, list)
        else ()
    )
    for key, value in entries:
        yield (*place, key)
        yield from places_of(value, (*place, key))


SMALL: Json = {
    "paths": {path: WIDE["paths"][path] for path in ("/fapi/v3/account", "/fapi/v1/symbols")},
    "components": WIDE["components"],
    "servers": WIDE["servers"],
    "x-error-codes": {"-1000": WIDE["x-error-codes"]["-1000"]},
}
PLACES = [place for place in places_of(SMALL) if place[0] != "paths" or len(place) > 1]


@pytest.mark.parametrize("seed", range(3))
def test_junk_anywhere_is_compared(seed: int) -> None:
    """A value of any type at any place is a change or none, in both directions."""
    source = random.Random(seed)
    for place in source.sample(PLACES, 15):
        document = json.loads(json.dumps(SMALL))
        at(document, place[:-1])[place[-1]] = copy.deepcopy(source.choice(JUNK))
        for old, new in ((SMALL, document), (document, SMALL)):
            report = Report(compare(old, new))
            for render in RENDERERS.values():
                assert render(report)
        assert compare(document, document) == []


def test_nested_and_circular_schemas_end() -> None:
    """A schema that contains itself, also through a component, is compared."""
    for schema in ({"$ref": "#/components/schemas/A"}, {"type": "array", "items": {"$ref": "#/components/schemas/A"}},
                   {"allOf": [{"$ref": "#/components/schemas/A"}]}, {"oneOf": [{"$ref": "#/components/schemas/A"}, {"type": "string"}]},
                   {"type": "object", "properties": {"a": {"$ref": "#/components/schemas/A"}}}):  # fmt: skip
        content = {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}
        operation = {"operationId": "a", "responses": {"200": {"content": content}}}
        document = {"paths": {"/a": {"get": operation}}, "components": {"schemas": {"A": schema}}}
        assert compare(document, document) == []
        assert compare(document, SMALL)
