"""Check that examples are there, and that they fit their schemas.

The mock exchange sends the first example of a response, and the contract tests send the example of
a parameter.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from jsonschema_rs import Draft202012Validator, ReferencingError, Registry, ValidationErrorKind

from generator.document.findings import Finding, Place
from generator.document.openapi import Json
from generator.model.integers import RANGE_BY_FORMAT

_DOCUMENT_URI = "urn:spec"


class ExampleChecker:
    """Validates the examples of one document, which is registered once for all references."""

    def __init__(self, document: Json) -> None:
        self.document = document
        schemas = document.get("components", {}).get("schemas", {})
        self._registry: Registry | None = None
        # What is wrong is reported where it stands.
        with contextlib.suppress(ValueError, TypeError, ReferencingError):
            self._registry = Registry(
                [(_DOCUMENT_URI, {"components": {"schemas": _as_read(schemas)}})]
            )

    def check_media(self, place: Place, media: Json) -> Iterator[Finding]:
        """Yield where the examples of a response or of a header break its schema."""
        for path, value in _examples(media).items():
            yield from self._errors((*place, *path), media["schema"], value, is_response=True)

    def check_parameter(
        self, place: Place, parameter: Json, node: Json, schema: Json
    ) -> Iterator[Finding]:
        """Yield whether a parameter lacks an example that it needs, or has one that does not fit."""
        examples = _examples(parameter)
        for path, value in examples.items():
            yield from self._errors((*place, *path), node, value)
        needs_none = "enum" in schema or schema.get("type") in ("integer", "boolean")
        if not (examples or schema.get("examples") or needs_none):
            yield Finding.at(
                place,
                "example is missing; the contract tests send it, and documentation shows it",
            )
        if "default" in schema:
            yield from self._errors((*place, "schema", "default"), node, schema["default"])

    def _errors(
        self, place: Place, schema: Json, value: Any, *, is_response: bool = False
    ) -> Iterator[Finding]:
        """Yield where a value breaks a schema. The enums of responses are open."""
        try:
            validator = Draft202012Validator(_as_read(schema), registry=self._registry)
            for error in validator.iter_errors(value):
                if not (is_response and isinstance(error.kind, ValidationErrorKind.Enum)):
                    yield Finding.at((*place, *error.instance_path), error.message)
        except (ValueError, ReferencingError):
            # A pattern or a reference that is not valid is reported where it stands.
            return


def _examples(node: Json) -> dict[Place, Any]:
    """Return the examples of a parameter or a response by their place in it."""
    examples: dict[Place, Any] = {
        ("examples", name, "value"): example.get("value")
        for name, example in node.get("examples", {}).items()
    }
    if "example" in node:
        examples["example",] = node["example"]
    return examples


def _as_read(node: Any) -> Any:
    """Return a schema as the client reads it, with references into the registered document.

    A row that is an array has all its items, and an integer the range of its format.
    """
    if isinstance(node, list):
        return [_as_read(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    read = {
        key: _DOCUMENT_URI + entry
        if key == "$ref" and isinstance(entry, str) and entry.startswith("#/")
        else _as_read(entry)
        for key, entry in node.items()
    }
    if isinstance(node.get("prefixItems"), list):
        read["minItems"] = len(node["prefixItems"])
    bounds = RANGE_BY_FORMAT.get(str(node.get("format")))
    if bounds is not None and "enum" not in node:
        low, high = bounds
        read = {"minimum": low, "maximum": high, **read}
    return read
