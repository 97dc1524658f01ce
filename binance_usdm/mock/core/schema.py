"""Whether a text, or a JSON value, is what a schema describes. Knows no document and no error code."""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from enum import Enum
from typing import Any, Final

_DECIMAL: Final = r"-?[0-9]+(\.[0-9]+)?"
_DIGITS: Final = 40
_PATTERNS: Final = {
    "integer": rf"-?[0-9]{{1,{_DIGITS}}}",
    "number": _DECIMAL,
    "boolean": "true|false",
    "string": r"[^\x00-\x20\x7f\ufffd]+",  # no blanks inside parameters: futures change log, 2023-06-16
}


def _is_integer_text(text: str) -> bool:
    """What ``_LEGAL`` says of an integer: nearly every parameter is one, and this needs no regular expression."""
    digits = text.removeprefix("-")
    return len(digits) <= _DIGITS and digits.isascii() and digits.isdecimal()


_MATCHERS: Final[Mapping[str, Callable[[str], object]]] = {
    **{
        kind: re.compile(shape).fullmatch
        for kind, shape in (*_PATTERNS.items(), ("decimal", _DECIMAL))
    },
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
"""(limit, value) -> whether the value holds against it."""
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
_REPORTED_KEYWORDS: Final = (
    "format",
    "pattern",
    *_VALUE_KEYWORDS,
    *_LENGTH_KEYWORDS,
    *_BOUND_KEYWORDS,
)
_INTEGER_RANGES: Final[Mapping[tuple[Any, Any], tuple[int, int]]] = {
    ("integer", "int32"): (-(2**31), 2**31 - 1),
    ("integer", "int64"): (-(2**63), 2**63 - 1),
}


class Violation(Enum):
    """What is wrong with a text for a schema."""

    MALFORMED = "not of the type"
    OUTSIDE = "of the type, but not allowed"


def allowed_pattern(schema: Mapping[str, Any]) -> str:
    """The regular expression that a text of this schema matches."""
    if "pattern" in schema:
        return str(schema["pattern"])
    return _DECIMAL if schema.get("format") == "decimal" else _PATTERNS[schema["type"]]


def compile_validator(schema: Mapping[str, Any]) -> Callable[[str], Violation | None]:
    """A function that judges texts by type, format, pattern, enum, const, length and bounds of a schema; None for a good one."""
    kind, form, pattern = schema["type"], schema.get("format"), schema.get("pattern")
    shaped, read = _MATCHERS["decimal" if form == "decimal" else kind], _PARSERS[kind]
    width = _INTEGER_RANGES.get((kind, form))
    limits = _constraints(schema, kind)

    def validate(text: str) -> Violation | None:
        if not shaped(text) or (pattern is not None and not _search(pattern, text)):
            return Violation.MALFORMED
        value: Any = read(text)
        if width is not None and not width[0] <= value <= width[1]:
            return Violation.MALFORMED
        for holds, limit in limits:
            if not holds(limit, value):
                return Violation.OUTSIDE
        return None

    return validate


@functools.cache
def _compile_pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(
        re.sub(r"(?<!\\)\$$", r"\\Z", pattern)
    )  # Python's `$` lets a line break stand behind


def _search(pattern: str, text: str) -> bool:
    return _compile_pattern(pattern).search(text) is not None


def _constraints(schema: Mapping[str, Any], kind: str) -> list[tuple[_Constraint, Any]]:
    """What a value of this kind must hold against."""
    tests = {**_VALUE_KEYWORDS, **_KEYWORDS_BY_TYPE[kind]}
    return [(holds, schema[name]) for name, holds in tests.items() if name in schema]


Schema = Mapping[str, Any]


def iter_errors(
    schema: Schema, value: Any, resolve: Callable[[Schema], Schema], place: str
) -> Iterator[tuple[str, str]]:
    """Where a JSON value departs from a schema, and how. Fractions are Decimals; keywords unknown here are not judged."""
    schema = resolve(schema)
    for part in schema.get("allOf", ()):
        yield from iter_errors(part, value, resolve, place)
    declared = schema.get("type", ())
    kinds = (declared,) if isinstance(declared, str) else tuple(declared)
    kind = next((each for each in kinds if _is_type(each, value)), None)
    if kinds and kind is None:
        yield place, f"is no {' or '.join(kinds)}"
    elif isinstance(value, dict):
        missing = [name for name in schema.get("required", ()) if name not in value]
        if missing:
            yield place, f"lacks {', '.join(missing)}"
        members = schema.get("properties", {})
        unknown = [name for name in value if name not in members]
        if unknown and schema.get("additionalProperties") is False:
            yield (
                place,
                f"has no member {', '.join(unknown)}; there are {', '.join(members) or 'none'}",
            )
        for name, member in members.items():
            if name in value:
                yield from iter_errors(member, value[name], resolve, f"{place}.{name}")
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from iter_errors(schema.get("items", {}), member, resolve, f"{place}[{number}]")
    elif kind is not None and value is not None and not _is_valid({**schema, "type": kind}, value):
        limits = ", ".join(
            f"{name} {schema[name]}" for name in _REPORTED_KEYWORDS if name in schema
        )
        yield place, f"does not match {limits or kind}"


def _is_type(kind: str, value: Any) -> bool:
    return isinstance(value, _PYTHON_TYPES[kind]) and isinstance(value, bool) is (kind == "boolean")


def _is_valid(schema: Schema, value: Any) -> bool:
    if (
        isinstance(value, str) and schema.get("format") != "decimal"
    ):  # blanks are forbidden in parameters only
        holds = all(holds(limit, value) for holds, limit in _constraints(schema, "string"))
        return holds and _search(schema.get("pattern", ""), value)
    text = (
        str(value).lower()
        if isinstance(value, bool)
        else value
        if isinstance(value, str)
        else f"{Decimal(value):f}"
    )
    return compile_validator(schema)(text) is None
