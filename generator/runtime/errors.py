"""Errors of reading and writing.

They never contain the value itself, so that balances and secrets stay out of messages.
"""

from __future__ import annotations


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
