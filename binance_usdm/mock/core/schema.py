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
_LEGAL: Final = {
    "integer": rf"-?[0-9]{{1,{_DIGITS}}}",
    "number": _DECIMAL,
    "boolean": "true|false",
    "string": r"[^\x00-\x20\x7f\ufffd]+",  # no blanks inside parameters: futures change log, 2023-06-16
}


def _is_whole(text: str) -> bool:
    """What ``_LEGAL`` says of an integer: nearly every parameter is one, and this needs no regular expression."""
    digits = text.removeprefix("-")
    return len(digits) <= _DIGITS and digits.isascii() and digits.isdecimal()


_SHAPES: Final[Mapping[str, Callable[[str], object]]] = {
    **{kind: re.compile(shape).fullmatch for kind, shape in (*_LEGAL.items(), ("decimal", _DECIMAL))},
    "integer": _is_whole,
}
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
_Holds = Callable[[Any, Any], bool]
"""(limit, value) -> whether the value holds against it."""
_ANY: Final[Mapping[str, _Holds]] = {"enum": operator.contains, "const": operator.eq}
_LENGTHS: Final[Mapping[str, _Holds]] = {
    "minLength": lambda limit, text: bool(limit <= len(text)),
    "maxLength": lambda limit, text: bool(limit >= len(text)),
}
_BOUNDS: Final[Mapping[str, _Holds]] = {
    "minimum": operator.le,
    "maximum": operator.ge,
    "exclusiveMinimum": operator.lt,
    "exclusiveMaximum": operator.gt,
}
_BY_KIND: Final[Mapping[str, Mapping[str, _Holds]]] = {
    "integer": _BOUNDS,
    "number": _BOUNDS,
    "boolean": {},
    "string": _LENGTHS,
}
_NAMED: Final = ("format", "pattern", *_ANY, *_LENGTHS, *_BOUNDS)
_WIDTHS: Final[Mapping[tuple[Any, Any], tuple[int, int]]] = {
    ("integer", "int32"): (-(2**31), 2**31 - 1),
    ("integer", "int64"): (-(2**63), 2**63 - 1),
}


class Misfit(Enum):
    """What is wrong with a text for a schema."""

    MALFORMED = "not of the type"
    OUTSIDE = "of the type, but not allowed"


def legal(schema: Mapping[str, Any]) -> str:
    """The regular expression that a text of this schema matches."""
    if "pattern" in schema:
        return str(schema["pattern"])
    return _DECIMAL if schema.get("format") == "decimal" else _LEGAL[schema["type"]]


def judge(schema: Mapping[str, Any]) -> Callable[[str], Misfit | None]:
    """A function that judges texts by type, format, pattern, enum, const, length and bounds of a schema; None for a good one."""
    kind, form, pattern = schema["type"], schema.get("format"), schema.get("pattern")
    shaped, read = _SHAPES["decimal" if form == "decimal" else kind], _READERS[kind]
    width = _WIDTHS.get((kind, form))
    limits = _limits(schema, kind)

    def judged(text: str) -> Misfit | None:
        if not shaped(text) or (pattern is not None and not _found(pattern, text)):
            return Misfit.MALFORMED
        value: Any = read(text)
        if width is not None and not width[0] <= value <= width[1]:
            return Misfit.MALFORMED
        for holds, limit in limits:
            if not holds(limit, value):
                return Misfit.OUTSIDE
        return None

    return judged


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"(?<!\\)\$$", r"\\Z", pattern))  # Python's `$` lets a line break stand behind


def _found(pattern: str, text: str) -> bool:
    return _compiled(pattern).search(text) is not None


def _limits(schema: Mapping[str, Any], kind: str) -> list[tuple[_Holds, Any]]:
    """What a value of this kind must hold against."""
    tests = {**_ANY, **_BY_KIND[kind]}
    return [(holds, schema[name]) for name, holds in tests.items() if name in schema]


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
        limits = ", ".join(f"{name} {schema[name]}" for name in _NAMED if name in schema)
        yield place, f"does not match {limits or kind}"


def _is(kind: str, value: Any) -> bool:
    return isinstance(value, _KINDS[kind]) and isinstance(value, bool) is (kind == "boolean")


def _fits(schema: Schema, value: Any) -> bool:
    if isinstance(value, str) and schema.get("format") != "decimal":  # blanks are forbidden in parameters only
        holds = all(holds(limit, value) for holds, limit in _limits(schema, "string"))
        return holds and _found(schema.get("pattern", ""), value)
    text = str(value).lower() if isinstance(value, bool) else value if isinstance(value, str) else f"{Decimal(value):f}"
    return judge(schema)(text) is None
