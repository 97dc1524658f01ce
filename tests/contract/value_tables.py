"""Layer C: values, members and texts of replies, those that come out as they came in and those that are refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from .spec_facts import Json

MISSING: Final = object()
"""Stands for a member that is not there."""

# Values of a kind that come out as they came in, and values that are refused in its place.
CONTAINERS: Final[tuple[Any, ...]] = ([], {}, ["1"], {"a": "1"})
AMOUNTS: Final = (
    "0", "-0", "1.10", "-1.50", "100", "0.00000000", "-0.00000000", "4310.27549168", "1" + "0" * 30, "0." + "0" * 29 + "1", "0." + "0" * 50,
    "9" * 60 + ".5" + "0" * 60,
)  # fmt: skip
# They come out in plain digits.
AMOUNTS_WITH_EXPONENT: Final = (
    "5.0E7",
    "0E-8",
    "-0e-8",
    "1e-7",
    "-1.5E+3",
    "1e39",
    "1E-39",
    "0.1e+40",
)
NO_AMOUNTS: Final = (
    "", "+1", ".5", "1.", "01", "-", "--1", "NaN", "Infinity", "-inf", " 1", "1 ", "1\n", "1_000",
    "1,5", "0x1", "１", "٣",
    "−1", "1.2.3", "1e40", "-1E+40", "1E-40", "1e999999999", "1e-999999999", "1e", ".5e1",
    "1e1.5", "1e٣", 0, 1, 1.5, True, None, *CONTAINERS,
)  # fmt: skip
TEXTS: Final = (
    "",
    " ",
    "usdt",
    " USDT ",
    "币安人生",
    "🙂",
    "a\0b\n",
    '"\\/',
    "NaN",
    "1.0",
    "e\u0301",
    "x" * 5000,
)
NO_TEXTS: Final = (0, 1, 1.5, True, None, *CONTAINERS)
NO_INTEGERS: Final = (0.5, 1.0, 1e3, 1e22, "1", "", True, False, None, *CONTAINERS)
NO_BOOLEANS: Final = (0, 1, "true", "", None, *CONTAINERS)
NO_ARRAYS: Final[tuple[Any, ...]] = ({}, {"0": {}}, "[]", 0, True, None)
NO_OBJECTS: Final[tuple[Any, ...]] = ([], "{}", 0, True, None)


def good_and_bad(schema: Json, may_lack: bool) -> tuple[list[Any], list[Any]]:
    """Values for a place with this schema: those that come out as they came in, and those that are refused."""
    kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    kind = next(kind for kind in kinds if kind != "null")
    good: Iterable[Any] = ()
    bad: Iterable[Any] = {
        "array": NO_ARRAYS,
        "object": NO_OBJECTS,
        "boolean": NO_BOOLEANS,
        "string": NO_TEXTS,
    }.get(kind, ())
    if kind == "boolean":
        good = (True, False)
    elif kind == "integer":
        low, high = schema["minimum"], schema["maximum"]
        moments = (
            0,
            1,
            999,
            1617939110373,
            253402300799999,
            253402300800000,
        )  # the last ms of the year 9999, and the next
        good = (low, low + 1, high - 1, high, *(ms for ms in moments if low <= ms <= high))
        bad = (low - 1, high + 1, 2**64, 10**30, *NO_INTEGERS)
    elif schema.get("format") == "decimal":
        good, bad = (*AMOUNTS, *AMOUNTS_WITH_EXPONENT), NO_AMOUNTS
    elif kind == "string" and "pattern" not in schema:
        good = TEXTS
    nullable, lacking = "null" in kinds, [MISSING]
    good = [*good, *([None] if nullable else []), *(lacking if may_lack else [])]
    return good, [
        *(each for each in bad if each is not None or not nullable),
        *([] if may_lack else lacking),
    ]


# Members that nobody described yet; each comes out digit by digit.
MEMBERS: Final = (
    b'"": 1', b'"new": 0.10000000000000000000000000000001', b'"new": 1.50', b'"new": -0.0', b'"new": 1e5', b'"new": 1E-300', b'"new": null',
    b'"new": 123456789012345678901234567890', b'"new": 18446744073709551615', b'"new": -9223372036854775808', b'"a:b": ":"',
    b'"new": {"a": [1, null, {"b": -2.50}]}', b'"new": [[], {}, [[0.0]]]', b'"\\u0061\\u0062": "\\ud83d\\ude42 \\/ \\u0000"',
    '"新": "币"'.encode(), b'"to_dict": 1', b'"additional_properties": {"a": 1}', b'"__class__": "x"', b'"code": -1021, "msg": "in a row"',
)  # fmt: skip


def with_member(body: bytes, member: bytes) -> bytes:
    """A body whose first object has one member more; the body as it is when it has no object."""
    return re.sub(rb"\{", lambda brace: brace[0] + member + b", ", body, count=1)


def _duplicate(body: bytes) -> bytes:
    """The first member of the first object comes twice, with the same value."""
    return re.sub(rb'\{("[^"]*": [^,}\]{]*)', rb"{\1, \1", body, count=1)


def _grown(member: bytes) -> Callable[[bytes], bytes]:
    return lambda body: with_member(body, member)


NO_JSON: Final[dict[str, Callable[[bytes], bytes]]] = {
    "nothing": lambda body: b"",
    "a blank": lambda body: b" ",
    "a page": lambda body: b"<html>ok</html>",
    "a word": lambda body: b"OK",
    "cut": lambda body: body[:-1],
    "cut in the middle": lambda body: body[: len(body) // 2],
    "a letter behind": lambda body: body + b"x",
    "a comma behind": lambda body: body + b",",
    "twice": lambda body: body + body,
    "a NUL behind": lambda body: body + b"\0",
    "a byte order mark": lambda body: b"\xef\xbb\xbf" + body,
    "UTF-16": lambda body: body.decode().encode("utf-16"),
    "UTF-32": lambda body: body.decode().encode("utf-32"),
    "Latin-1": _grown(b'"new": "\xe9"'),
    "half a surrogate pair": _grown(b'"new": "\xed\xa0\x80"'),
    "half a surrogate pair, escaped": _grown(b'"new": "\\ud800"'),
    "the other half": _grown(b'"\\udc00": 1'),
    "single quotes": lambda body: body.replace(b'"', b"'"),
    "a comment": lambda body: b"/* */" + body,
    "no number": _grown(b'"new": NaN'),
    "no end": _grown(b'"new": [-Infinity]'),
    "out of all bounds": _grown(b'"new": 1e999'),
    "out of all bounds of Python's": _grown(b'"new": 1e-99999999999999999999'),
    "a leading zero": _grown(b'"new": 01'),
    "a plus": _grown(b'"new": +1'),
    "Python's truth": _grown(b'"new": True'),
    "a control character": _grown(b'"new": "\t"'),
    "a comma too many": _grown(b'"new": [1,]'),
    "a member twice": _grown(b'"new": 1, "new": 1'),
    "a member twice, escaped": _grown(b'"new": 1, "\\u006eew": 1'),
    "a member twice, further in": _grown(b'"new": [{"a": 1, "a": 2}]'),
    "a member that is known twice": _duplicate,
    "too deep": lambda body: b"[" * 40_000,
    "too deep and closed": lambda body: b"[" * 5000 + b"]" * 5000,
    "too deep a member": _grown(b'"new": ' + b"[" * 5000 + b"]" * 5000),
}
LAYOUTS: Final[dict[str, dict[str, Any]]] = {
    "dense": {"separators": (",", ":")},
    "indented": {"indent": "\t"},
    "in another order": {"sort_keys": True},
    "not only ASCII": {"ensure_ascii": False},
}


def sample_body(value: Any, **layout: Any) -> bytes:
    """A value as the exchange could write it."""
    return json.dumps(value, **layout).encode()
