"""JSON read strictly and written exactly: every member once, numbers as they were. Knows no schema."""

from __future__ import annotations

import json
import re
import secrets
from decimal import Decimal
from typing import Any, Final

_LARGEST_EXPONENT: Final = 400  # a plain text of more digits than any field has is a trap


def loads(body: bytes) -> Any:
    """The JSON value of a body, with fractions as Decimals; ValueError for what readers disagree about."""
    try:
        value = json.loads(
            body.decode(),
            parse_float=_parse_number,
            parse_constant=_parse_number,
            object_pairs_hook=_unique_object,
        )
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeDecodeError:
        raise ValueError("the body must be UTF-8") from None
    except UnicodeEncodeError:
        raise ValueError("the body holds half a surrogate pair, which is no text") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"the body must be JSON: {error}") from None
    except RecursionError:
        raise ValueError("the body is nested too deep") from None
    return value


def dumps(value: Any) -> bytes:
    """The text of a value that was parsed: a Decimal is the number it came as."""
    mark = secrets.token_hex(8)  # nobody can have put it into a string of his own
    text = json.dumps(
        value, ensure_ascii=False, separators=(",", ":"), default=lambda number: f"{mark}{number}"
    )
    return re.sub(f'"{mark}([^"]*)"', r"\1", text).encode()


def _parse_number(text: str) -> Decimal:
    number = Decimal(text)
    if not number.is_finite() or abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise ValueError(f"numbers must be finite, with exponents up to {_LARGEST_EXPONENT}")
    return number


def _unique_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("the body holds a member twice")
    return members
