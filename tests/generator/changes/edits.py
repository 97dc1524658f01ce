"""Edits of a document: small functions that change a copy in one place."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from generator.document.openapi import Json
from tests.specs.places import DOCUMENT, Place
from tests.specs.wide_spec import wide_document

Edit = Callable[[Json], None]

REAL = DOCUMENT
WIDE: Json = wide_document()
"""The real document with six more operations: arguments and values of every type."""


def apply(edit: Edit, base: Json = REAL) -> Json:
    """Return a changed copy of a document."""
    # Not by deepcopy: it keeps what YAML aliases share, and an edit is for one place.
    document: Json = json.loads(json.dumps(base))
    edit(document)
    return document


def at(document: Json, place: Place) -> Any:
    """Return the value at a place."""
    node: Any = document
    for step in place:
        node = node[step]
    return node


def put(place: Place, value: Any) -> Edit:
    """Return the edit that sets a value."""

    def edit(document: Json) -> None:
        at(document, place[:-1])[place[-1]] = copy.deepcopy(value)

    return edit


def drop(*places: Place) -> Edit:
    """Return the edit that removes keys."""

    def edit(document: Json) -> None:
        for place in places:
            del at(document, place[:-1])[place[-1]]

    return edit


def append(place: Place, value: Any) -> Edit:
    """Return the edit that adds a value to the end of a list."""
    return lambda document: at(document, place).append(copy.deepcopy(value))


def remove(place: Place, value: Any) -> Edit:
    """Return the edit that removes a value from a list."""
    return lambda document: at(document, place).remove(value)


def rename(place: Place, new: str) -> Edit:
    """Return the edit that renames a key and keeps its position."""

    def edit(document: Json) -> None:
        node = at(document, place[:-1])
        entries = [(new if key == place[-1] else key, value) for key, value in node.items()]
        node.clear()
        node.update(entries)

    return edit


def reorder(place: Place) -> Edit:
    """Return the edit that reverses the keys of a mapping or the entries of a list."""

    def edit(document: Json) -> None:
        node = at(document, place)
        if isinstance(node, list):
            node.reverse()
            return
        entries = list(reversed(node.items()))
        node.clear()
        node.update(entries)

    return edit


def together(*edits: Edit) -> Edit:
    """Return the edit that makes several."""

    def edit(document: Json) -> None:
        for part in edits:
            part(document)

    return edit


def sort_keys(node: Any) -> Any:
    """Return a JSON value with sorted keys, except where their order is that of columns."""
    if isinstance(node, dict):
        return {
            key: node[key]
            if key in ("properties", "paths", "x-error-codes")
            else sort_keys(node[key])
            for key in sorted(node)
        }
    return [sort_keys(entry) for entry in node] if isinstance(node, list) else node
