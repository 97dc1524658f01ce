"""Errors of reading and writing.

They never contain the value itself, so that balances and secrets stay out of messages.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any


class ResponseMismatch(ValueError):
    """A response that does not match the spec.

    Args:
        path: Place in the response: row number, field name, and so on inwards.
        expected: What the spec demands there.
        found: What the response has there: a type or a description, never the value.
    """

    def __init__(self, path: tuple[int | str, ...], expected: str, found: str) -> None:
        super().__init__(path, expected, found)
        self.path = path
        self.expected = expected
        self.found = found

    def with_prefix(self, step: int | str | None) -> ResponseMismatch:
        """Return the same error with one more step in front of its path.

        Args:
            step: Row number or field name. `None` adds no step.
        """
        if step is None:
            return self
        return ResponseMismatch((step, *self.path), self.expected, self.found)

    def __str__(self) -> str:
        steps = [f"row {step}" if type(step) is int else f"field {step}" for step in self.path]
        where = ", ".join(steps) or "response"
        return f"{where}: expected {self.expected}, found {self.found}"


class NotJsonError(ResponseMismatch):
    """A response that is not valid JSON, such as a truncated body or the page of a proxy."""


class InvalidArgumentError(ValueError):
    """An argument that the spec does not allow. The request was not sent.

    Args:
        name: Name of the Python argument.
        expected: What the spec demands.
        found: Type or description of the argument, never its value.
    """

    def __init__(self, name: str, expected: str, found: str) -> None:
        super().__init__(name, expected, found)
        self.name = name
        self.expected = expected
        self.found = found

    def __str__(self) -> str:
        return f"{self.name} must be {self.expected}, not {self.found}"


def describe_value(value: object) -> str:
    """Return the shape of a value in words: type, length or sign, never the value itself."""
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, str | bytes):
        unit = "character" if isinstance(value, str) else "byte"
        kind = "a string" if isinstance(value, str) else "a bytes object"
        plural = "" if len(value) == 1 else "s"
        return f"{kind} of {len(value)} {unit}{plural}" if value else f"an empty {kind.split()[1]}"
    if isinstance(value, int | float | Decimal):
        return _describe_number(value)
    if isinstance(value, type):
        return f"the class {value.__name__}"
    return f"an object of type {type(value).__name__}"


def _describe_number(value: int | float | Decimal) -> str:
    noun = "integer" if isinstance(value, int) else type(value).__name__
    if not isinstance(value, int) and (
        value.is_nan() if isinstance(value, Decimal) else value != value
    ):
        return f"a {noun} that is NaN"
    if value in (float("inf"), float("-inf")):
        return f"an infinite {noun}"
    if value == 0:
        return f"a {noun} that is 0" if noun != "integer" else "the integer 0"
    return f"a {'negative' if value < 0 else 'positive'} {noun}"


def subscript_error(row: Any, name: object) -> TypeError:
    """Return the error for `row["asset"]`, with the attribute that has the value."""
    class_name = type(row).__name__
    attribute_by_name = {wire: attribute for attribute, wire in row.WIRE_NAMES.items()}
    attribute_by_name.update(dict.fromkeys(row.WIRE_NAMES))
    if not isinstance(name, str) or name not in attribute_by_name:
        return TypeError(f"{class_name} has attributes instead of keys; row.to_dict() has keys")
    attribute = attribute_by_name[name] or name
    return TypeError(f"{class_name} has attributes instead of keys; use row.{attribute}")
