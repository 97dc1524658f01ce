"""Whether a text, or a JSON value, is what a schema describes. Knows no document and no error code."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from enum import Enum
from typing import Any, Final

_DECIMAL: Final = r"-?[0-9]+(\.[0-9]+)?"
_LEGAL: Final = {
    "integer": r"-?[0-9]{1,40}",
    "number": _DECIMAL,
    "boolean": "true|false",
    "string": r"[^\x00-\x20\x7f\ufffd]+",  # no blanks inside parameters: futures change log, 2023-06-16
}
_SHAPES: Final = {kind: re.compile(shape) for kind, shape in (*_LEGAL.items(), ("decimal", _DECIMAL))}
_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "integer": int,
    "number": Decimal,
    "boolean": lambda text: text == "true",
    "string": str,
}
_KINDS: Final[Mapping[str, type | tuple[type, ...]]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, Decimal),
    "null": type(None),
}
_LIMITS: Final = (
    *("format", "pattern", "enum", "const", "minLength", "maxLength"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
)
_BITS: Final = {"int32": 31, "int64": 63}


class Fit(Enum):
    """How a text relates to a schema."""

    VALUE = "a value"
    MALFORMED = "not of the type"
    OUTSIDE = "of the type, but not allowed"


def legal(schema: Mapping[str, Any]) -> str:
    """The regular expression that a text of this schema matches."""
    if "pattern" in schema:
        return str(schema["pattern"])
    return _DECIMAL if schema.get("format") == "decimal" else _LEGAL[schema["type"]]


def fit(schema: Mapping[str, Any], text: str) -> Fit:
    """Judge a text by type, format, pattern, enum, const, length and bounds of a schema."""
    kind, form = schema["type"], schema.get("format")
    shape = _SHAPES["decimal" if form == "decimal" else kind]
    if not shape.fullmatch(text) or ("pattern" in schema and not _found(schema["pattern"], text)):
        return Fit.MALFORMED
    value = _READERS[kind](text)
    if kind == "integer" and form in _BITS and not -(2 ** _BITS[form]) <= value < 2 ** _BITS[form]:
        return Fit.MALFORMED
    return Fit.VALUE if _allowed(schema, text, value) else Fit.OUTSIDE


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"(?<!\\)\$$", r"\\Z", pattern))  # Python's `$` lets a line break stand behind


def _found(pattern: str, text: str) -> bool:
    return _compiled(pattern).search(text) is not None


def _allowed(schema: Mapping[str, Any], text: str, value: Any) -> bool:
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "const" in schema and value != schema["const"]:
        return False
    if isinstance(value, str):
        return bool(schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", len(text)))
    return isinstance(value, bool) or (
        schema.get("minimum", value) <= value <= schema.get("maximum", value)
        and ("exclusiveMinimum" not in schema or schema["exclusiveMinimum"] < value)
        and ("exclusiveMaximum" not in schema or value < schema["exclusiveMaximum"])
    )


Schema = Mapping[str, Any]


def misfits(schema: Schema, value: Any, resolve: Callable[[Schema], Schema], place: str) -> Iterator[tuple[str, str]]:
    """Where a JSON value departs from a schema, and how. Fractions are Decimals; keywords unknown here are not judged."""
    schema = resolve(schema)
    for part in schema.get("allOf", ()):
        yield from misfits(part, value, resolve, place)
    declared = schema.get("type", ())
    kinds = (declared,) if isinstance(declared, str) else tuple(declared)
    kind = next((each for each in kinds if _is(each, value)), None)
    if kinds and kind is None:
        yield place, f"is no {' or '.join(kinds)}"
    elif isinstance(value, dict):
        missing = [name for name in schema.get("required", ()) if name not in value]
        if missing:
            yield place, f"lacks {', '.join(missing)}"
        members = schema.get("properties", {})
        unknown = [name for name in value if name not in members]
        if unknown and schema.get("additionalProperties") is False:
            yield place, f"has no member {', '.join(unknown)}; there are {', '.join(members) or 'none'}"
        for name, member in members.items():
            if name in value:
                yield from misfits(member, value[name], resolve, f"{place}.{name}")
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from misfits(schema.get("items", {}), member, resolve, f"{place}[{number}]")
    elif kind is not None and value is not None and not _fits({**schema, "type": kind}, value):
        limits = ", ".join(f"{name} {schema[name]}" for name in _LIMITS if name in schema)
        yield place, f"does not match {limits or kind}"


def _is(kind: str, value: Any) -> bool:
    return isinstance(value, _KINDS[kind]) and isinstance(value, bool) is (kind == "boolean")


def _fits(schema: Schema, value: Any) -> bool:
    if isinstance(value, str) and schema.get("format") != "decimal":  # blanks are forbidden in parameters only
        return _found(schema.get("pattern", ""), value) and _allowed(schema, value, value)
    text = str(value).lower() if isinstance(value, bool) else value if isinstance(value, str) else f"{Decimal(value):f}"
    return fit(schema, text) is Fit.VALUE
