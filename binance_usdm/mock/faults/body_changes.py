"""Change response bodies: unknown, missing and retyped fields, invalid JSON.

A body that is not JSON, such as one that was set as bytes, is returned unchanged by the functions
that change fields.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

# A string that no body has.
_PLACEHOLDER: Final = "placeholder of a field that is replaced"


def add_unknown_field(body: bytes) -> bytes:
    """Add a field to every row that the spec does not describe."""
    return _map_rows(body, lambda row: {**row, "memberOfTomorrow": {"since": "tomorrow"}})


def remove_field(body: bytes, field: str = "") -> bytes:
    """Remove a field from every row: `field`, or the last one if empty."""

    def transform(row: dict[str, Any]) -> dict[str, Any]:
        removed = _field_or_last(row, field)
        return {name: value for name, value in row.items() if name != removed}

    return _map_rows(body, transform)


def change_field_type(body: bytes, field: str = "", new_type: str = "number") -> bytes:
    """Give a field of every row a value of another type.

    Args:
        body: JSON body.
        field: Name of the field. The last one of each row if empty.
        new_type: Key of `REPLACEMENT_VALUES`.
    """

    def transform(row: dict[str, Any]) -> dict[str, Any]:
        name = _field_or_last(row, field)
        return {**row, name: REPLACEMENT_VALUES[new_type]} if name in row else row

    return _map_rows(body, transform)


def apply_json_quirk(body: bytes, quirk: str = "nan") -> bytes:
    """Make a body invalid or unusual JSON. `quirk` is a key of `JSON_QUIRKS`."""
    return JSON_QUIRKS[quirk](body)


REPLACEMENT_VALUES: Final[Mapping[str, Any]] = {
    "number": 1.5,
    "text": "text",
    "boolean": True,
    "null": None,
    "list": ["1.50000000"],
    "object": {"value": "1.50000000"},
}
"""Value of a retyped field, by type."""


def _replace_last_field(raw_value: str) -> Callable[[bytes], bytes]:
    """Return a function that writes a raw value into the last field of every row."""

    def transform(body: bytes) -> bytes:
        marked = _map_rows(body, lambda row: {**row, _field_or_last(row, ""): _PLACEHOLDER})
        return marked.replace(f'"{_PLACEHOLDER}"'.encode(), raw_value.encode())

    return transform


def _duplicate_first_field(body: bytes) -> bytes:
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
"""Function that changes a body, by name of the quirk.

Each result was accepted by some parser, or made some parser fail.
"""


def _map_rows(body: bytes, transform: Callable[[dict[str, Any]], dict[str, Any]]) -> bytes:
    """Transform the body's object, or the objects in its lists."""

    def transform_value(value: Any) -> Any:
        if isinstance(value, list):
            return [transform_value(item) for item in value]
        return transform(value) if isinstance(value, dict) else value

    try:
        changed = transform_value(json.loads(body))
        return json.dumps(changed, ensure_ascii=False, separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        return body


def _field_or_last(row: dict[str, Any], field: str) -> str:
    return field or next(reversed(row), "")
