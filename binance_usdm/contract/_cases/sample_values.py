"""Values, fields and bodies of responses: which are returned as they are, and which rejected."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final

from binance_usdm.contract._spec.document import Json
from binance_usdm.contract._spec.schemas import with_range

MISSING: Final = object()
"""Stands for a field that is not there."""

CONTAINERS: Final[tuple[Any, ...]] = ([], {}, ["1"], {"a": "1"})
AMOUNTS: Final = (
    *("0", "-0", "1.10", "-1.50", "100", "0.00000000", "-0.00000000", "4310.27549168"),
    "1" + "0" * 30,
    "0." + "0" * 29 + "1",
    "0." + "0" * 50,
    "9" * 60 + ".5" + "0" * 60,
    # These are written back in plain digits.
    *("5.0E7", "0E-8", "-0e-8", "1e-7", "-1.5E+3", "1e39", "1E-39", "0.1e+40"),
)
NOT_AMOUNTS: Final = (
    *("+1", ".5", "1.", "01", "-", "--1", "NaN", "Infinity", "-inf", "1_000", "1,5", "0x1", "１"),
    *("٣", "−1", "1.2.3"),
    *("1e40", "-1E+40", "1E-40", "1e999999999", "1e-999999999", "1e", ".5e1", "1e1.5", "1e٣"),
    *("", " 1", "1 ", "1\n", 0, 1, 1.5, True, None),
    *CONTAINERS,
)
STRINGS: Final = (
    *("", " ", " USDT ", "a\0b\n", "x" * 5000),
    *("usdt", "币安人生", "🙂", '"\\/', "NaN", "1.0", "e\u0301"),
)
NOT_STRINGS: Final = (0, 1, 1.5, True, None, *CONTAINERS)
NUMBERS: Final = (0, 1, -1, 0.5, 1.25, -0.001, 94057.03, 1e-7, 123456789)
NOT_NUMBERS: Final = ("1", "", "1.5", True, False, None, *CONTAINERS)
NOT_INTEGERS: Final = (0.5, 1.0, 1e3, 1e22, "1", "", True, False, None, *CONTAINERS)
# The last two are the last millisecond of the year 9999 and the next.
INSTANTS: Final = (0, 1, 999, 1617939110373, 253402300799999, 253402300800000)
INVALID_BY_TYPE: Final[dict[str, tuple[Any, ...]]] = {
    "array": ({}, {"0": {}}, "[]", 0, True, None),
    "object": ([], "{}", 0, True, None),
    "boolean": (0, 1, "true", "", None, *CONTAINERS),
    "string": NOT_STRINGS,
}


def values_for(schema: Json, is_optional: bool) -> tuple[list[Any], list[Any]]:
    """Return values that may stand in a place with this schema, and values that may not."""
    types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    json_type = next(each for each in types if each != "null")
    schema = with_range({name: each for name, each in schema.items() if name != "enum"})
    valid: tuple[Any, ...] = ()
    invalid = INVALID_BY_TYPE.get(json_type, ())
    if json_type == "boolean":
        valid = (True, False)
    elif json_type == "integer":
        low, high = schema["minimum"], schema["maximum"]
        instants = [value for value in INSTANTS if low <= value <= high]
        valid = (low, low + 1, high - 1, high, *instants)
        invalid = (low - 1, high + 1, 2**64, 10**30, *NOT_INTEGERS)
    elif json_type == "number":
        low, high = schema.get("minimum", -(10**9)), schema.get("maximum", 10**9)
        valid = tuple(value for value in NUMBERS if low <= value <= high)
        invalid = NOT_NUMBERS + tuple(value for value in (low - 1,) if "minimum" in schema)
    elif schema.get("format") == "decimal":
        valid, invalid = AMOUNTS, NOT_AMOUNTS
    elif json_type == "string" and "pattern" not in schema:
        shortest, longest = schema.get("minLength", 0), schema.get("maxLength", 5000)
        valid = tuple(text for text in STRINGS if shortest <= len(text) <= longest)
        if {"minLength", "maxLength"} & {*schema}:
            wrong = tuple(text for text in STRINGS if text not in valid)
            invalid = (*invalid, *wrong)
    null = [None] if "null" in types else []
    rejected = [value for value in invalid if value is not None or not null]
    missing = [MISSING]
    if is_optional:
        return [*valid, *null, *missing], rejected
    return [*valid, *null], [*rejected, *missing]


# Unknown fields, which are returned digit for digit.
UNKNOWN_FIELDS: Final = (
    b'"": 1',
    b'"new": 0.10000000000000000000000000000001',
    b'"new": 1.50',
    b'"new": -0.0',
    b'"new": 1e5',
    b'"new": 1E-300',
    b'"new": null',
    b'"new": 123456789012345678901234567890',
    b'"new": 18446744073709551615',
    b'"new": -9223372036854775808',
    b'"a:b": ":"',
    b'"new": {"a": [1, null, {"b": -2.50}]}',
    b'"new": [[], {}, [[0.0]]]',
    b'"\\u0061\\u0062": "\\ud83d\\ude42 \\/ \\u0000"',
    '"新": "币"'.encode(),
    b'"to_dict": 1',
    b'"additional_properties": {"a": 1}',
    b'"__class__": "x"',
    b'"code": -1021, "msg": "in a row"',
)


def add_field(body: bytes, field: bytes) -> bytes:
    """Return a body whose first object has one more field, if it has an object."""
    return re.sub(rb"\{", lambda brace: brace[0] + field + b", ", body, count=1)


def with_field(field: bytes) -> Callable[[bytes], bytes]:
    return lambda body: add_field(body, field)


def _repeat_field(body: bytes) -> bytes:
    return re.sub(rb'\{("[^"]*": [^,}\]{]*)', rb"{\1, \1", body, count=1)


NOT_JSON: Final[dict[str, Callable[[bytes], bytes]]] = {
    "nothing": lambda body: b"",
    "space": lambda body: b" ",
    "page": lambda body: b"<html>ok</html>",
    "word": lambda body: b"OK",
    "cut": lambda body: body[:-1],
    "cut in the middle": lambda body: body[: len(body) // 2],
    "letter after the end": lambda body: body + b"x",
    "comma after the end": lambda body: body + b",",
    "twice": lambda body: body + body,
    "NUL after the end": lambda body: body + b"\0",
    "byte order mark": lambda body: b"\xef\xbb\xbf" + body,
    "UTF-16": lambda body: body.decode().encode("utf-16"),
    "UTF-32": lambda body: body.decode().encode("utf-32"),
    "Latin-1": with_field(b'"new": "\xe9"'),
    "half a surrogate pair": with_field(b'"new": "\xed\xa0\x80"'),
    "half a surrogate pair, escaped": with_field(b'"new": "\\ud800"'),
    "other half": with_field(b'"\\udc00": 1'),
    "single quotes": lambda body: body.replace(b'"', b"'"),
    "comment": lambda body: b"/* */" + body,
    "NaN": with_field(b'"new": NaN'),
    "infinity": with_field(b'"new": [-Infinity]'),
    "too large a number": with_field(b'"new": 1e999'),
    "too large an exponent": with_field(b'"new": 1e-99999999999999999999'),
    "leading zero": with_field(b'"new": 01'),
    "plus": with_field(b'"new": +1'),
    "True": with_field(b'"new": True'),
    "control character": with_field(b'"new": "\t"'),
    "comma too many": with_field(b'"new": [1,]'),
    "field twice": with_field(b'"new": 1, "new": 1'),
    "field twice, escaped": with_field(b'"new": 1, "\\u006eew": 1'),
    "field twice, nested": with_field(b'"new": [{"a": 1, "a": 2}]'),
    "known field twice": _repeat_field,
    "too deep": lambda body: b"[" * 40_000,
    "too deep and closed": lambda body: b"[" * 5000 + b"]" * 5000,
    "too deep a field": with_field(b'"new": ' + b"[" * 5000 + b"]" * 5000),
}
# JSON by its grammar, which is rejected for the size of a number.
TOO_LARGE_NUMBERS: Final = ("too large a number", "too large an exponent")
LAYOUTS: Final[tuple[dict[str, Any], ...]] = (
    {"separators": (",", ":")},
    {"indent": "\t"},
    {"sort_keys": True},
    {"ensure_ascii": False},
)


def encode(value: Any, **layout: Any) -> bytes:
    """Return a value as the exchange could write it."""
    return json.dumps(value, **layout).encode()
