"""Iterate over the operations of a spec."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from .openapi import Json, resolve_or_empty

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    """Yield (path, method, operation object) in the order of the document.

    An operation has the parameters of its path too, in front of those that it declares itself.
    """
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                yield path, method, _with_path_parameters(document, item, operation)


def _with_path_parameters(document: Json, item: Json, operation: Json) -> Json:
    shared = item.get("parameters", ())
    if not shared:
        return operation
    declared = operation.get("parameters", [])
    identities = {_parameter_identity(document, node) for node in declared}
    inherited = [node for node in shared if _parameter_identity(document, node) not in identities]
    return {**operation, "parameters": [*inherited, *declared]}


def _parameter_identity(document: Json, node: Json) -> tuple[str, str]:
    parameter = resolve_or_empty(document, node)
    return str(parameter.get("name")), str(parameter.get("in"))
