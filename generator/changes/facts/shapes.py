"""Shapes: what Python sees of the values of a schema, apart from texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from generator.document.openapi import Json, python_name

from .documents import changed_keys

TEXT_KEYS = (
    "title", "summary", "x-summary-zh", "description", "x-description-zh", "example", "examples",
    "x-rule", "$comment", "externalDocs", "xml", "readOnly", "writeOnly", "contentMediaType",
    "contentEncoding", "x-meaning-zh", "x-hint-zh",
)  # fmt: skip
"""Keys that change no value: texts and annotations."""
LIMIT_KEYS = (
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength",
    "maxLength", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "const",
)  # fmt: skip
MARK_KEYS = ("x-instant", "x-exchange-clock", "x-identifies-account")
"""Marks of a field; x-holding is read beside the `$ref` only, as the templates do."""
KNOWN_KEYS = {
    *TEXT_KEYS, *LIMIT_KEYS, *MARK_KEYS, "x-holding", "x-python-name", "type", "format", "pattern",
    "enum", "items", "prefixItems", "properties", "required", "additionalProperties", "oneOf",
    "anyOf", "allOf", "nullable", "deprecated", "default", "$defs", "discriminator",
    "x-signing-role", "x-name",
}  # fmt: skip
INTEGER_FORMATS = {"int32": 2**31, "int64": 2**63}


@dataclass(frozen=True)
class Shape:
    """What Python sees of a value."""

    json_type: str
    """JSON type; also `class`, `map`, `tuple`, `union`, `any`, `never` and `null`."""
    python_type: str
    nullable: bool = False
    format: str | None = None
    parts: tuple[Shape, ...] = ()
    """Items of an array, values of a map, elements of a tuple, alternatives of a union."""
    limits: Mapping[str, Any] = field(default_factory=dict)
    pattern: str | None = None
    enum: tuple[Any, ...] | None = None
    deprecated: bool = False
    default: Any = None
    marks: Mapping[str, Any] = field(default_factory=dict)
    unknown: Mapping[str, Any] = field(default_factory=dict)
    texts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def annotation(self) -> str:
        """The Python type, None included."""
        return f"{self.python_type} | None" if self.nullable else self.python_type

    @property
    def label(self) -> str:
        """The Python type, with the JSON type where Python's does not say it."""
        label = self.python_type
        if label == "Decimal":
            label = f"Decimal in a {self.json_type}"
        return f"{label} | None" if self.nullable else label


@dataclass(frozen=True)
class Member:
    """A field of a class."""

    wire: str
    name: str
    required: bool
    shape: Shape
    holding: bool

    @property
    def instant(self) -> str | None:
        """Name of the computed attribute, an aware datetime."""
        value = self.shape.marks.get("x-instant")
        return python_name(str(value)) if value else None


@dataclass(frozen=True)
class ClassFacts:
    """A class of values."""

    name: str
    members: Mapping[str, Member]
    """By the name on the wire."""
    accepts_unknown: bool
    rest: Shape | None
    """Shape of fields that have no name in the spec, if it is stated."""
    is_tuple: bool
    """Whether it is an array of different values, whose names the spec gives."""
    deprecated: bool
    unknown: Mapping[str, Any]
    texts: Mapping[str, Any]

    @property
    def holdings(self) -> list[str]:
        return [member.name for member in self.members.values() if member.holding]


def texts_of(node: Json) -> dict[str, Any]:
    """Return the texts and annotations of a node."""
    return {key: node[key] for key in TEXT_KEYS if key in node}


def unknown_keys(schema: Json) -> dict[str, Any]:
    """Return what a comparison of schemas does not understand."""
    return {key: value for key, value in schema.items() if key not in KNOWN_KEYS}


def unknown_differences(
    old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[tuple[str, str, str]]:
    """Yield the rule and the words for both sides of each key that nothing else compares."""
    for key in changed_keys(old, new):
        yield "unknown-quiet" if key.startswith("x-") else "unknown-breaking", "", key
