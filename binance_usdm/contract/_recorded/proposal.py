"""Change a document so that it describes what was recorded, as a start for its maintainer."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any, Final

from binance_usdm.contract._spec.document import Json

from .deviations import Deviation
from .values import HIDDEN_NAME, node_at

SEEN: Final = "Seen in a recorded response; not yet documented here."
_SCHEMA_BY_KIND: Final[dict[str, dict[str, Any]]] = {
    "null": {"type": ["string", "null"]},
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer", "format": "int64"},
    "number": {"type": "number"},
    "list": {"type": "array", "items": {}},
    "object": {"type": "object", "additionalProperties": True},
    "decimal string": {"type": "string", "format": "decimal"},
    "string with an exponent": {"type": "string", "format": "decimal"},
}


def propose_document(document: Json, deviations: Iterable[Deviation]) -> dict[str, Any]:
    """Return a copy of a document that describes the deviations, too.

    What was seen becomes possible: an unknown field is optional, a missing one is no longer
    required, a type or null is added, a pattern or range that did not hold is left out.

    Args:
        document: The document.
        deviations: What deviates from it.
    """
    proposed: dict[str, Any] = copy.deepcopy(dict(document))
    for deviation in deviations:
        if (change := _CHANGES.get(deviation.kind)) is not None:
            change(proposed, deviation)
    return proposed


def _inline(document: dict[str, Any], deviation: Deviation) -> dict[str, Any]:
    """Return the schema of a place. One that it shares with others becomes its own."""
    parent: Any = document
    for step in deviation.pointer[:-1]:
        parent = parent[step]
    last = deviation.pointer[-1]
    if "$ref" in parent[last]:
        parent[last] = copy.deepcopy(node_at(document, deviation.pointer)[1])
    schema: dict[str, Any] = parent[last]
    return schema


def _add_field(document: dict[str, Any], deviation: Deviation) -> None:
    name = deviation.place.rpartition(".")[2]
    schema = _SCHEMA_BY_KIND.get(deviation.found, {"type": "string"})
    schema = {**schema, "description": SEEN}
    described = _inline(document, deviation)
    if name == HIDDEN_NAME:
        described["additionalProperties"] = schema
    else:
        described.setdefault("properties", {})[name] = schema


def _make_optional(document: dict[str, Any], deviation: Deviation) -> None:
    schema = _inline(document, deviation)
    name = deviation.place.rpartition(".")[2]
    schema["required"] = [each for each in schema.get("required", ()) if each != name]


def _add_type(document: dict[str, Any], deviation: Deviation) -> None:
    schema = _inline(document, deviation)
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else [*types]
    added = _SCHEMA_BY_KIND.get(deviation.found, {"type": "string"})["type"]
    if deviation.kind == "null":
        added = "null"
    schema["type"] = [*dict.fromkeys([*types, added])]


def _remove(*names: str) -> Callable[[dict[str, Any], Deviation], None]:
    def change(document: dict[str, Any], deviation: Deviation) -> None:
        schema = _inline(document, deviation)
        for name in names:
            schema.pop(name, None)

    return change


def _add_status(document: dict[str, Any], deviation: Deviation) -> None:
    responses: Any = document
    for step in deviation.pointer[:-1]:
        responses = responses[step]
    responses[str(deviation.status)] = {"description": SEEN}


def _add_code(document: dict[str, Any], deviation: Deviation) -> None:
    document.setdefault("x-error-codes", {})[deviation.found] = {
        "name": f"UNKNOWN_{deviation.found.lstrip('-')}",
        "kind": "bad-request",
        "meaning": SEEN,
        "messages": [],
    }


_CHANGES: Final[dict[str, Callable[[dict[str, Any], Deviation], None]]] = {
    "unknown field": _add_field,
    "missing field": _make_optional,
    "other type": _add_type,
    "null": _add_type,
    "out of pattern": _remove("pattern", "format", "x-rule"),
    "out of range": _remove("minimum", "maximum", "format"),
    "out of length": _remove("minLength", "maxLength"),
    "unknown value": _remove("enum"),
    "unknown status": _add_status,
    "unknown code": _add_code,
}
