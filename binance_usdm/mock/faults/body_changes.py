"""Good bodies made strange: members that come, go or change their type, and JSON at the edge of what JSON is. Knows bytes only.

A body that was seeded as bytes and is no JSON is strange already, and stays as it is where members are asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

_PLACEHOLDER: Final = '"a place that no body has a word for"'


def add_unknown_field(body: bytes) -> bytes:
    """Every row with a member that nobody described yet."""
    return _map_rows(body, lambda row: {**row, "memberOfTomorrow": {"since": "tomorrow"}})


def remove_field(body: bytes, member: str = "") -> bytes:
    """Every row without a member; the last one if none is named."""
    return _map_rows(
        body, lambda row: {name: row[name] for name in row if name != _field_or_last(row, member)}
    )


def change_field_type(body: bytes, member: str = "", kind: str = "number") -> bytes:
    """Every row with a member of another type; the last one if none is named."""
    return _map_rows(
        body,
        lambda row: (
            {**row, name: REPLACEMENT_VALUES[kind]}
            if (name := _field_or_last(row, member)) in row
            else row
        ),
    )


def apply_json_quirk(body: bytes, kind: str = "nan") -> bytes:
    """The body in one of the forms of ``ODD``."""
    return JSON_QUIRKS[kind](body)


REPLACEMENT_VALUES: Final[Mapping[str, Any]] = {
    "number": 1.5,
    "text": "text",
    "boolean": True,
    "null": None,
    "list": ["1.50000000"],
    "object": {"value": "1.50000000"},
}
"""What a retyped member becomes."""


def _replace_last_field(text: str) -> Callable[[bytes], bytes]:
    """The last member of every row says this."""

    def transform(body: bytes) -> bytes:
        marked = _map_rows(
            body, lambda row: {**row, _field_or_last(row, ""): json.loads(_PLACEHOLDER)}
        )
        return marked.replace(_PLACEHOLDER.encode(), text.encode())

    return transform


def _duplicate_first_field(body: bytes) -> bytes:
    """The first member stands twice, with two values."""
    before, brace, rest = body.partition(b"{")
    return before + brace + rest.partition(b":")[0] + b':"twice",' + rest


JSON_QUIRKS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "nan": _replace_last_field("NaN"),
    "infinity": _replace_last_field("-Infinity"),
    "huge-number": _replace_last_field("1" + "0" * 400),
    "exponent": _replace_last_field('"1.5E+3"'),
    "leading-zero": _replace_last_field("01"),
    "lone-surrogate": _replace_last_field('"\\ud800"'),
    "duplicate-member": _duplicate_first_field,
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


def _map_rows(body: bytes, transform: Callable[[dict[str, Any]], dict[str, Any]]) -> bytes:
    """The body with every object changed that is the value itself, or stands in its lists."""

    def transform_value(value: Any) -> Any:
        if isinstance(value, list):
            return [transform_value(each) for each in value]
        return transform(value) if isinstance(value, dict) else value

    try:
        return json.dumps(
            transform_value(json.loads(body)), ensure_ascii=False, separators=(",", ":")
        ).encode()
    except (ValueError, RecursionError):
        return body


def _field_or_last(row: dict[str, Any], member: str) -> str:
    return member or next(reversed(row), "")
