# Copied by `python -m generator` from generator/runtime. Do not edit.
"""What can be wrong with a reply or an argument. Never holds the value itself: balances and secrets stay out of messages."""

from __future__ import annotations


class ResponseMismatch(ValueError):
    """A reply is not as the spec describes it: `.path` (row, then field), `.expected`, `.found` (a kind of value, never the value)."""

    def __init__(self, path: tuple[int | str, ...], expected: str, found: str) -> None:
        super().__init__(path, expected, found)
        self.path = path
        self.expected = expected
        self.found = found

    def with_prefix(self, step: int | str | None) -> ResponseMismatch:
        """The same, seen from one level further out."""
        return (
            self
            if step is None
            else ResponseMismatch((step, *self.path), self.expected, self.found)
        )

    def __str__(self) -> str:
        steps = [f"row {step}" if type(step) is int else f"field {step}" for step in self.path]
        where = ", ".join(steps) or "reply"
        return f"{where}: expected {self.expected}, found {self.found}"


class NotJsonError(ResponseMismatch):
    """The reply is no JSON text at all: cut short, or a page of somebody else's."""


class InvalidArgumentError(ValueError):
    """An argument that the spec does not allow: `.name`, `.expected`, `.found`. Nothing was sent."""

    def __init__(self, name: str, expected: str, found: str) -> None:
        super().__init__(name, expected, found)
        self.name = name
        self.expected = expected
        self.found = found

    def __str__(self) -> str:
        return f"{self.name} must be {self.expected}, not {self.found}"
