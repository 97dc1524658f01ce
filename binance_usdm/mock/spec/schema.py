"""Validate strings against JSON Schema."""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import Enum
from typing import Any, Final

Schema = Mapping[str, Any]

_DECIMAL: Final = r"-?[0-9]+(\.[0-9]+)?"
_MAX_DIGITS: Final = 40
_PATTERNS: Final = {
    "integer": rf"-?[0-9]{{1,{_MAX_DIGITS}}}",
    "number": _DECIMAL,
    "boolean": "true|false",
    # Parameters must not contain spaces: futures change log, 2023-06-16.
    "string": r"[^\x00-\x20\x7f\ufffd]+",
}


def _is_integer_text(text: str) -> bool:
    # No regular expression, since nearly every parameter is an integer. A test compares the two.
    digits = text.removeprefix("-")
    return len(digits) <= _MAX_DIGITS and digits.isascii() and digits.isdecimal()


_MATCHERS: Final[Mapping[str, Callable[[str], object]]] = {
    **{name: re.compile(pattern).fullmatch for name, pattern in _PATTERNS.items()},
    "decimal": re.compile(_DECIMAL).fullmatch,
    "integer": _is_integer_text,
}
_PARSERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "integer": int,
    "number": Decimal,
    "boolean": lambda text: text == "true",
    "string": str,
}
_Constraint = Callable[[Any, Any], bool]
"""Function (limit, value) -> whether the value respects the limit."""
_VALUE_KEYWORDS: Final[Mapping[str, _Constraint]] = {
    "enum": operator.contains,
    "const": operator.eq,
}
_LENGTH_KEYWORDS: Final[Mapping[str, _Constraint]] = {
    "minLength": lambda limit, text: bool(limit <= len(text)),
    "maxLength": lambda limit, text: bool(limit >= len(text)),
}
_BOUND_KEYWORDS: Final[Mapping[str, _Constraint]] = {
    "minimum": operator.le,
    "maximum": operator.ge,
    "exclusiveMinimum": operator.lt,
    "exclusiveMaximum": operator.gt,
}
_KEYWORDS_BY_TYPE: Final[Mapping[str, Mapping[str, _Constraint]]] = {
    "integer": _BOUND_KEYWORDS,
    "number": _BOUND_KEYWORDS,
    "boolean": {},
    "string": _LENGTH_KEYWORDS,
}
_INTEGER_RANGES: Final[Mapping[tuple[Any, Any], tuple[int, int]]] = {
    ("integer", "int32"): (-(2**31), 2**31 - 1),
    ("integer", "int64"): (-(2**63), 2**63 - 1),
}


class Violation(Enum):
    """How a string violates a schema."""

    MALFORMED = "not of the type"
    OUTSIDE = "of the type, but not allowed"


def allowed_pattern(schema: Schema) -> str:
    """Return the regular expression that a string of a schema matches."""
    if "pattern" in schema:
        return str(schema["pattern"])
    if schema.get("format") == "decimal":
        return _DECIMAL
    return _PATTERNS.get(schema.get("type", ""), "JSON of the documented form")


def compile_validator(schema: Schema) -> Callable[[str], Violation | None]:
    """Return a function that validates strings.

    It checks type, format, pattern, enum, const, length and bounds.

    Args:
        schema: Schema of a string, integer, number or boolean, without references.

    Returns:
        Function (string) -> how the string violates the schema, `None` if it does not.
    """
    json_type = schema["type"]
    schema_format = schema.get("format")
    pattern = schema.get("pattern")
    is_plain_decimal = schema_format == "decimal" and pattern is None
    matches = _MATCHERS["decimal" if is_plain_decimal else json_type]
    parse = _PARSERS[json_type]
    integer_range = _INTEGER_RANGES.get((json_type, schema_format))
    constraints = _constraints(schema, json_type)

    def validate(text: str) -> Violation | None:
        if not matches(text) or (pattern is not None and not _search(pattern, text)):
            return Violation.MALFORMED
        value: Any = parse(text)
        if integer_range is not None and not integer_range[0] <= value <= integer_range[1]:
            return Violation.MALFORMED
        for holds, limit in constraints:
            if not holds(limit, value):
                return Violation.OUTSIDE
        return None

    return validate


@functools.cache
def _compile_pattern(pattern: str) -> re.Pattern[str]:
    # The `$` of Python also matches before a newline at the end; that of JSON Schema does not.
    return re.compile(re.sub(r"(?<!\\)\$$", r"\\Z", pattern))


def _search(pattern: str, text: str) -> bool:
    return _compile_pattern(pattern).search(text) is not None


def _constraints(schema: Schema, json_type: str) -> list[tuple[_Constraint, Any]]:
    keywords = {**_VALUE_KEYWORDS, **_KEYWORDS_BY_TYPE[json_type]}
    return [(holds, schema[name]) for name, holds in keywords.items() if name in schema]


def is_valid_scalar(schema: Schema, value: Any) -> bool:
    """Return whether a string, number or boolean has the format and keeps the bounds of a schema."""
    # The pattern for strings forbids spaces, which are forbidden in parameters only.
    if isinstance(value, str) and schema.get("format") != "decimal":
        constraints = _constraints(schema, "string")
        is_allowed = all(holds(limit, value) for holds, limit in constraints)
        return is_allowed and _search(schema.get("pattern", ""), value)
    return compile_validator(schema)(_parameter_text(value)) is None


def _parameter_text(value: Any) -> str:
    """Return a scalar as it would be written in a query."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value
    return f"{Decimal(value):f}"
