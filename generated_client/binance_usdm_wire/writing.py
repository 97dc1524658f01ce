# Written by `python -m generator` from spec/openapi.yaml. Do not edit.
"""Arguments -> query text, checked and percent-encoded. Knows the spec's types; knows no operation, no signature, no network.

A writer takes the argument's name and value and returns ASCII text that goes on the wire as it is, or raises `BadArgument`
before anything was sent. None as a value is never written: an argument that is None is not sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from .errors import BadArgument

Writer = Callable[[str, Any], str]


def text(name: str, value: Any) -> str:
    """Percent-encoded UTF-8 (RFC 3986): what is signed is what is sent."""
    if type(value) is not str or not value:
        raise BadArgument(name, "a non-empty string", _found(value))
    try:
        return quote(value, safe="")
    except UnicodeEncodeError:
        pass  # raised below, not from here: the error of the codec holds the value
    raise BadArgument(name, "text that UTF-8 can encode", "a lone surrogate")


def boolean(name: str, value: Any) -> str:
    if type(value) is not bool:
        raise BadArgument(name, "True or False", _found(value))
    return "true" if value else "false"


def decimal(name: str, value: Any) -> str:
    """Plain digits, no exponent."""
    if type(value) is not Decimal or not value.is_finite():
        raise BadArgument(name, "a finite Decimal", _found(value))
    return format(value, "f")


def integer(minimum: int, maximum: int) -> Writer:
    def write(name: str, value: Any) -> str:
        if type(value) is not int:
            raise BadArgument(name, f"an integer from {minimum} to {maximum}", _found(value))
        if not minimum <= value <= maximum:
            raise BadArgument(name, f"an integer from {minimum} to {maximum}", "one out of this range")
        return str(value)

    return write


def matching(pattern: str) -> Writer:
    match = re.compile(pattern).fullmatch  # `$` alone would let a line break pass

    def write(name: str, value: Any) -> str:
        written = text(name, value)
        if not match(value):
            raise BadArgument(name, f"a string like {pattern}", "another string")
        return written

    return write


def one_of(*values: str) -> Writer:
    def write(name: str, value: Any) -> str:
        written = text(name, value)
        if value not in values:
            raise BadArgument(name, f"one of {', '.join(values)}", "another string")
        return written

    return write


def _found(value: object) -> str:
    return "an empty string" if value == "" else type(value).__name__
