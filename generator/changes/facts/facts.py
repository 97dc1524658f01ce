"""The facts of a document that a comparison looks at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from generator.document.openapi import Json

from .shapes import ClassFacts, Shape


@dataclass(frozen=True)
class Argument:
    """An argument of an operation."""

    wire: str
    name: str
    location: str
    required: bool
    role: str | None
    shape: Shape
    deprecated: bool
    style: str
    texts: Mapping[str, Any]
    unknown: Mapping[str, Any]


@dataclass(frozen=True)
class Credential:
    """What a call must carry to be accepted."""

    role: str
    kind: str
    """Type and place of the security scheme."""
    name: str


@dataclass(frozen=True)
class ErrorResponse:
    """An error response, or one that the client does not read."""

    headers: Mapping[str, Any]
    media: tuple[str, ...]
    members: Mapping[str, Shape]
    """Fields of the JSON object that it carries."""
    texts: str


@dataclass(frozen=True)
class Operation:
    """An operation."""

    name: str
    method: str
    path: str
    tags: tuple[str, ...]
    weight: Any
    security: frozenset[frozenset[Credential]]
    """Alternatives; each is the credentials that a call needs."""
    security_type: str
    demanded: frozenset[str]
    """Roles of the credentials that the security type names."""
    parameters: Mapping[str, Argument]
    """By Python name, in the order of the spec."""
    result: Shape | None
    responses: Mapping[str, ErrorResponse]
    """All responses by status."""
    servers: tuple[str, ...]
    deprecated: bool
    texts: Mapping[str, Any]
    unknown: Mapping[str, Any]

    @property
    def arguments(self) -> dict[str, Argument]:
        """The parameters without the timestamp, which callers do not pass."""
        return {name: p for name, p in self.parameters.items() if p.role != "timestamp"}

    @property
    def row_type(self) -> str:
        """Python type of the rows of the value: of one row, of a list, or of either."""
        row = self.result
        while row and row.parts and row.json_type in ("array", "union"):
            row = row.parts[0]
        return row.python_type if row else "None"

    @property
    def roles(self) -> dict[str, str]:
        """Name on the wire of the parameters that the client fills in, by their role."""
        return {p.role: p.wire for p in self.parameters.values() if p.role}


@dataclass(frozen=True)
class Facts:
    """The facts of a document."""

    operations: Mapping[str, Operation]
    """By Python name, in the order of the document."""
    classes: Mapping[str, ClassFacts]
    hosts: Mapping[str, str]
    """URL by constant, such as MAINNET."""
    errors: Mapping[str, Json]
    """By code."""
    prose: Mapping[str, Any]
    """What is only read by people, by place."""
    unknown: Mapping[str, Any]
