"""Validate strings and JSON values against JSON Schema."""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from .shapes import describe_names

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
_PYTHON_TYPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, Decimal),
    "null": type(None),
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
    return _PATTERNS[schema["type"]]


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


Resolve = Callable[[Schema], Schema]
"""Function that follows the reference of a schema, if it has one."""
Problems = Iterator[tuple[str, str]]
"""(path, problem): where a value violates a schema, and how."""


def iter_errors(schema: Schema, value: Any, resolve: Resolve, path: str) -> Problems:
    """Return where and how a JSON value violates a schema.

    Keywords that this module does not support are ignored.

    Args:
        schema: Schema, with references.
        value: JSON value, with fractions as Decimals.
        resolve: Function that follows a reference.
        path: How to call the value itself. The paths of its parts begin with it.

    Returns:
        Pairs of path and problem, in the order of the value.
    """
    schema = resolve(schema)
    for part in schema.get("allOf", ()):
        yield from iter_errors(part, value, resolve, path)
    types = _types_of(schema)
    checks = _CHECKS_BY_TYPE.get(type(value))
    json_type = next((name for name in types if _is_type(name, value)), None)
    if types and json_type is None:
        yield path, f"is not of type {' or '.join(types)}"
    elif checks is not None:
        for keyword, check in checks.items():
            if keyword in schema:
                yield from check(schema, value, resolve, path)
    elif value is not None and json_type is not None:
        yield from _scalar_errors({**schema, "type": json_type}, value, path)


def _required_errors(schema: Schema, value: Any, resolve: Resolve, path: str) -> Problems:
    missing = [name for name in schema["required"] if name not in value]
    if missing:
        yield path, f"lacks {', '.join(missing)}"


def _unknown_field_errors(schema: Schema, value: Any, resolve: Resolve, path: str) -> Problems:
    properties = schema.get("properties", {})
    unknown = [name for name in value if name not in properties]
    if unknown and schema["additionalProperties"] is False:
        expected = ", ".join(properties) or "none"
        yield path, f"has the unknown field {describe_names(unknown)}; expected: {expected}"


def _field_errors(schema: Schema, value: Any, resolve: Resolve, path: str) -> Problems:
    for name, field_schema in schema["properties"].items():
        if name in value:
            yield from iter_errors(field_schema, value[name], resolve, f"{path}.{name}")


def _item_errors(schema: Schema, value: Any, resolve: Resolve, path: str) -> Problems:
    for index, item in enumerate(value):
        yield from iter_errors(schema["items"], item, resolve, f"{path}[{index}]")


def _scalar_errors(schema: Schema, value: Any, path: str) -> Problems:
    if not _is_valid(schema, value):
        keywords = ("format", "pattern", *_VALUE_KEYWORDS, *_LENGTH_KEYWORDS, *_BOUND_KEYWORDS)
        reported = [f"{name} {schema[name]}" for name in keywords if name in schema]
        yield path, f"does not match {', '.join(reported) or schema['type']}"


_Check = Callable[[Schema, Any, Resolve, str], Problems]
_CHECKS_BY_TYPE: Final[Mapping[type, Mapping[str, _Check]]] = {
    dict: {
        "required": _required_errors,
        "additionalProperties": _unknown_field_errors,
        "properties": _field_errors,
    },
    list: {"items": _item_errors},
}


def _types_of(schema: Schema) -> tuple[str, ...]:
    declared = schema.get("type", ())
    return (declared,) if isinstance(declared, str) else tuple(declared)


def _is_type(json_type: str, value: Any) -> bool:
    # A bool is an int in Python, but not a number in JSON.
    is_bool = isinstance(value, bool)
    return isinstance(value, _PYTHON_TYPES[json_type]) and is_bool is (json_type == "boolean")


def _is_valid(schema: Schema, value: Any) -> bool:
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
