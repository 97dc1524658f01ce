# Copied by `python -m generator` from generator/runtime. Do not edit.
"""Convert arguments to query strings.

A writer is a function of an argument's name and value. It returns the percent-encoded value or
raises `InvalidArgumentError`. An argument that is `None` is not sent and never reaches a writer.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from .errors import InvalidArgumentError, describe_value

Writer = Callable[[str, Any], str]


def write_string(name: str, value: Any) -> str:
    """Encode a non-empty string as percent-encoded UTF-8 (RFC 3986)."""
    if type(value) is not str or not value:
        raise InvalidArgumentError(name, "a non-empty string", describe_value(value))
    try:
        return quote(value, safe="")
    except UnicodeEncodeError:
        # The new error is raised outside of the handler: the codec's error contains the value.
        pass
    raise InvalidArgumentError(name, "a string that UTF-8 can encode", "one with a lone surrogate")


def write_boolean(name: str, value: Any) -> str:
    """Encode a boolean as `true` or `false`."""
    if type(value) is not bool:
        raise InvalidArgumentError(name, "True or False", describe_value(value))
    return "true" if value else "false"


def write_decimal(name: str, value: Any) -> str:
    """Encode a finite `Decimal` in plain digits, without an exponent."""
    if type(value) is not Decimal or not value.is_finite():
        raise InvalidArgumentError(name, "a finite Decimal", describe_value(value))
    return format(value, "f")


def integer_writer(minimum: int, maximum: int) -> Writer:
    """Return a writer of integers within bounds, both inclusive."""
    expected = f"an integer from {minimum} to {maximum}"

    def write(name: str, value: Any) -> str:
        if type(value) is not int:
            raise InvalidArgumentError(name, expected, describe_value(value))
        if not minimum <= value <= maximum:
            side = "smaller" if value < minimum else "larger"
            raise InvalidArgumentError(name, expected, f"a {side} one")
        return str(value)

    return write


def pattern_writer(pattern: str, rule: str) -> Writer:
    """Return a writer of strings that match a pattern as a whole.

    Args:
        pattern: Regular expression.
        rule: The pattern in words, as "a string of upper-case letters".
    """
    # `$` alone would accept a newline at the end.
    match = re.compile(pattern).fullmatch

    def write(name: str, value: Any) -> str:
        encoded = write_string(name, value)
        if not match(value):
            raise InvalidArgumentError(name, rule, describe_value(value))
        return encoded

    return write


def choice_writer(*values: str) -> Writer:
    """Return a writer of the strings in `values`."""

    def write(name: str, value: Any) -> str:
        encoded = write_string(name, value)
        if value not in values:
            raise InvalidArgumentError(name, f"one of {', '.join(values)}", describe_value(value))
        return encoded

    return write
