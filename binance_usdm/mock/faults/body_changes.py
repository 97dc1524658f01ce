"""Good bodies made strange: members that come, go or change their type, and JSON at the edge of what JSON is. Knows bytes only.

A body that was seeded as bytes and is no JSON is strange already, and stays as it is where members are asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

_HERE: Final = '"a place that no body has a word for"'


def grown(body: bytes) -> bytes:
    """Every row with a member that nobody described yet."""
    return _rows(body, lambda row: {**row, "memberOfTomorrow": {"since": "tomorrow"}})


def dropped(body: bytes, member: str = "") -> bytes:
    """Every row without a member; the last one if none is named."""
    return _rows(body, lambda row: {name: row[name] for name in row if name != _named(row, member)})


def retyped(body: bytes, member: str = "", kind: str = "number") -> bytes:
    """Every row with a member of another type; the last one if none is named."""
    return _rows(body, lambda row: {**row, name: KINDS[kind]} if (name := _named(row, member)) in row else row)


def odd(body: bytes, kind: str = "nan") -> bytes:
    """The body in one of the forms of ``ODD``."""
    return ODD[kind](body)


KINDS: Final[Mapping[str, Any]] = {
    "number": 1.5,
    "text": "text",
    "boolean": True,
    "null": None,
    "list": ["1.50000000"],
    "object": {"value": "1.50000000"},
}
"""What a retyped member becomes."""


def _instead(text: str) -> Callable[[bytes], bytes]:
    """The last member of every row says this."""

    def change(body: bytes) -> bytes:
        marked = _rows(body, lambda row: {**row, _named(row, ""): json.loads(_HERE)})
        return marked.replace(_HERE.encode(), text.encode())

    return change


def _twice(body: bytes) -> bytes:
    """The first member stands twice, with two values."""
    before, brace, rest = body.partition(b"{")
    return before + brace + rest.partition(b":")[0] + b':"twice",' + rest


ODD: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "nan": _instead("NaN"),
    "infinity": _instead("-Infinity"),
    "huge-number": _instead("1" + "0" * 400),
    "exponent": _instead('"1.5E+3"'),
    "leading-zero": _instead("01"),
    "lone-surrogate": _instead('"\\ud800"'),
    "duplicate-member": _twice,
    "byte-order-mark": lambda body: b"\xef\xbb\xbf" + body,
    "utf-16": lambda body: body.decode("utf-8", "replace").encode("utf-16"),
    "not-utf-8": lambda body: body.replace(b'"', b'"\xff', 1),
    "trailing-comma": lambda body: body[:-1] + b"," + body[-1:],
    "second-value": lambda body: body + body,
    "deep": lambda body: b"[" * 50_000 + b"]" * 50_000,
    "object": lambda body: b"{}",
    "null": lambda body: b"null",
    "text": lambda body: b'"OK"',
}
"""Kinds of odd JSON: what readers have been seen to swallow, or to die of."""


def _rows(body: bytes, change: Callable[[dict[str, Any]], dict[str, Any]]) -> bytes:
    """The body with every object changed that is the value itself, or stands in its lists."""

    def changed(value: Any) -> Any:
        if isinstance(value, list):
            return [changed(each) for each in value]
        return change(value) if isinstance(value, dict) else value

    try:
        return json.dumps(changed(json.loads(body)), ensure_ascii=False, separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        return body


def _named(row: dict[str, Any], member: str) -> str:
    return member or next(reversed(row), "")
