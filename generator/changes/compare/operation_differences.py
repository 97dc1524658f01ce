"""Compare the facts of an operation one by one.

Each function yields the id of a rule and the words for both sides.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from generator.changes.facts.documents import canonical_text
from generator.changes.facts.facts import Argument, ErrorResponse, Operation
from generator.changes.facts.shapes import unknown_differences

READ_ERROR_FIELDS = ("code", "msg")
"""Fields of an error response that the client reads."""


def operation_differences(old: Operation, new: Operation) -> Iterator[tuple[str, str, str]]:
    """Yield the differences of an operation, without its arguments and responses."""
    if old.name != new.name:
        yield "operation-renamed", f"{old.name}()", f"{new.name}()"
    if old.path != new.path:
        yield "operation-moved", old.path, new.path
    if old.method != new.method:
        yield "operation-method", old.method.upper(), new.method.upper()
    if old.tags != new.tags:
        yield "operation-tag", ", ".join(old.tags), ", ".join(new.tags)
    if canonical_text(old.weight) != canonical_text(new.weight):
        yield (
            _weight_rule(old.weight, new.weight),
            _weight_words(old.weight),
            _weight_words(new.weight),
        )
    yield from _security_differences(old, new)
    if old.security_type != new.security_type:
        yield "security-type", old.security_type, new.security_type
    if old.servers != new.servers:
        host = "the host of the client"
        yield "operation-server", ", ".join(old.servers) or host, ", ".join(new.servers) or host
    if old.deprecated != new.deprecated:
        yield f"operation-{'deprecated' if new.deprecated else 'undeprecated'}", "", ""
    yield from unknown_differences(old.unknown, new.unknown)


def _weight_rule(old: Any, new: Any) -> str:
    if not isinstance(old, (int, float)) or not isinstance(new, (int, float)):
        return "weight-changed"
    return "weight-raised" if new > old else "weight-lowered"


def _weight_words(weight: Any) -> str:
    return "unknown" if weight is None else json.dumps(weight, ensure_ascii=False)


def _security_differences(old: Operation, new: Operation) -> Iterator[tuple[str, str, str]]:
    if _roles(old) != _roles(new):
        yield _compare_roles(_roles(old), _roles(new))
        return
    if old.demanded != new.demanded:
        yield _compare_roles({old.demanded}, {new.demanded})
    for aspect in ("kind", "name"):
        before, after = _aspects(old, aspect), _aspects(new, aspect)
        if before != after:
            yield f"security-{aspect}", ", ".join(before), ", ".join(after)
            return


def _roles(operation: Operation) -> set[frozenset[str]]:
    """Return the roles of the credentials of each alternative."""
    return {frozenset(credential.role for credential in entry) for entry in operation.security}


def _compare_roles(old: set[frozenset[str]], new: set[frozenset[str]]) -> tuple[str, str, str]:
    """Return whether what was sent for each old alternative is enough for a new one."""
    is_enough = all(any(needed <= sent for needed in new) for sent in old)
    rule = "security-fewer" if is_enough else "security-more"
    return rule, _role_words(old), _role_words(new)


def _aspects(operation: Operation, aspect: str) -> list[str]:
    """Return each credential with its kind or its name."""
    credentials = {credential for entry in operation.security for credential in entry}
    return sorted({f"{item.role} {getattr(item, aspect)}" for item in credentials})


def _role_words(alternatives: set[frozenset[str]]) -> str:
    return " or ".join(sorted(" and ".join(sorted(entry)) or "no key" for entry in alternatives))


def argument_differences(old: Argument, new: Argument) -> Iterator[tuple[str, str, str]]:
    """Yield the differences of an argument, without its shape."""
    if old.name != new.name:
        yield "argument-renamed", old.name, new.name
    elif old.wire != new.wire:
        yield "argument-wire-name", old.wire, new.wire
    if old.location != new.location:
        yield "argument-location", old.location, new.location
    if old.required != new.required:
        yield f"argument-{'required' if new.required else 'optional'}", "", ""
    if old.deprecated != new.deprecated:
        yield f"argument-{'deprecated' if new.deprecated else 'undeprecated'}", "", ""
    if old.style != new.style:
        yield "argument-style", old.style, new.style
    yield from unknown_differences(old.unknown, new.unknown)


def response_differences(
    old: ErrorResponse, new: ErrorResponse, *, is_error: bool
) -> Iterator[tuple[str, str, str]]:
    """Yield the differences of a response."""
    for name in sorted(old.headers.keys() | new.headers.keys()):
        if name not in new.headers:
            yield "header-removed", name, ""
        elif name not in old.headers:
            yield "header-added", "", name
        elif canonical_text(old.headers[name]) != canonical_text(new.headers[name]):
            yield "header-changed", "", name
    if set(old.media) != set(new.media):
        yield "response-media", ", ".join(old.media), ", ".join(new.media)
    if is_error:
        yield from _error_field_differences(old, new)
    if old.texts != new.texts:
        yield "texts", "", "texts and examples"


def _error_field_differences(
    old: ErrorResponse, new: ErrorResponse
) -> Iterator[tuple[str, str, str]]:
    if not old.members or not new.members:
        # The client reads an error without a JSON object too, by its HTTP status.
        return
    for name in sorted(old.members.keys() | new.members.keys()):
        before, after = old.members.get(name), new.members.get(name)
        if before is None or after is None or before.json_type != after.json_type:
            is_lost = before is not None and name in READ_ERROR_FIELDS
            yield "error-field-lost" if is_lost else "error-field-changed", name, name
        elif str(before) != str(after):
            yield "error-field-changed", name, name
