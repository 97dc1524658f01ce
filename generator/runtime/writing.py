"""Arguments -> query text, checked and percent-encoded. Knows the spec's types; knows no operation, no signature, no network.

A writer takes the argument's name and value and returns ASCII text that goes on the wire as it is, or raises `InvalidArgumentError`
before anything was sent. None as a value is never written: an argument that is None is not sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from .errors import InvalidArgumentError

Writer = Callable[[str, Any], str]


def write_string(name: str, value: Any) -> str:
    """Percent-encoded UTF-8 (RFC 3986): what is signed is what is sent."""
    if type(value) is not str or not value:
        raise InvalidArgumentError(name, "a non-empty string", _describe(value))
    try:
        return quote(value, safe="")
    except UnicodeEncodeError:
        pass  # raised below, not from here: the error of the codec holds the value
    raise InvalidArgumentError(name, "text that UTF-8 can encode", "a lone surrogate")


def write_boolean(name: str, value: Any) -> str:
    if type(value) is not bool:
        raise InvalidArgumentError(name, "True or False", _describe(value))
    return "true" if value else "false"


def write_decimal(name: str, value: Any) -> str:
    """Plain digits, no exponent."""
    if type(value) is not Decimal or not value.is_finite():
        raise InvalidArgumentError(name, "a finite Decimal", _describe(value))
    return format(value, "f")


def integer_writer(minimum: int, maximum: int) -> Writer:
    def write(name: str, value: Any) -> str:
        if type(value) is not int:
            raise InvalidArgumentError(
                name, f"an integer from {minimum} to {maximum}", _describe(value)
            )
        if not minimum <= value <= maximum:
            raise InvalidArgumentError(
                name, f"an integer from {minimum} to {maximum}", "one out of this range"
            )
        return str(value)

    return write


def pattern_writer(pattern: str) -> Writer:
    match = re.compile(pattern).fullmatch  # `$` alone would let a line break pass

    def write(name: str, value: Any) -> str:
        written = write_string(name, value)
        if not match(value):
            raise InvalidArgumentError(name, f"a string like {pattern}", "another string")
        return written

    return write


def choice_writer(*values: str) -> Writer:
    def write(name: str, value: Any) -> str:
        written = write_string(name, value)
        if value not in values:
            raise InvalidArgumentError(name, f"one of {', '.join(values)}", "another string")
        return written

    return write


def _describe(value: object) -> str:
    return "an empty string" if value == "" else type(value).__name__
