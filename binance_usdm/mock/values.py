"""Whether a text is a value of a JSON schema. Knows plain types only, and no error code."""

from __future__ import annotations

import re
from collections.abc import Mapping
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
    shape = _DECIMAL if form == "decimal" else _LEGAL[kind]
    if not re.fullmatch(shape, text) or not re.search(schema.get("pattern", ""), text):
        return Fit.MALFORMED
    value: Any = text
    if kind in ("integer", "number"):
        value = Decimal(text)
    elif kind == "boolean":
        value = text == "true"
    if kind == "integer" and form in _BITS and not -(2 ** _BITS[form]) <= value < 2 ** _BITS[form]:
        return Fit.MALFORMED
    return Fit.VALUE if _allowed(schema, text, value) else Fit.OUTSIDE


def _allowed(schema: Mapping[str, Any], text: str, value: Any) -> bool:
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "const" in schema and value != schema["const"]:
        return False
    if isinstance(value, str) and not schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", len(text)):
        return False
    return not isinstance(value, Decimal) or (
        schema.get("minimum", value) <= value <= schema.get("maximum", value)
        and ("exclusiveMinimum" not in schema or schema["exclusiveMinimum"] < value)
        and ("exclusiveMaximum" not in schema or value < schema["exclusiveMaximum"])
    )
