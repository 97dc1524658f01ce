"""Parse JSON strictly and serialize it without changing numbers."""

from __future__ import annotations

import json
import re
import secrets
from decimal import Decimal
from typing import Any, Final

# Written out, a number with a larger exponent has more digits than any field: a way to fill memory.
_LARGEST_EXPONENT: Final = 400


def loads(body: bytes) -> Any:
    """Parse a JSON body, with fractions as Decimals.

    Raises:
        ValueError: The body is not JSON in UTF-8, or JSON that parsers disagree about: a field
            twice, NaN, infinity, an exponent above 400, half a surrogate pair, or deep nesting.
    """
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
        raise ValueError("a string in the body has half a surrogate pair") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"the body must be JSON: {error}") from None
    except RecursionError:
        raise ValueError("the body is nested too deeply") from None
    return value


def dumps(value: Any) -> bytes:
    """Serialize a value of `loads`. A Decimal becomes the number that it was parsed from."""
    # A random prefix cannot occur in a string of the value.
    prefix = secrets.token_hex(8)
    text = json.dumps(
        value, ensure_ascii=False, separators=(",", ":"), default=lambda number: f"{prefix}{number}"
    )
    return re.sub(f'"{prefix}([^"]*)"', r"\1", text).encode()


def _parse_number(text: str) -> Decimal:
    number = Decimal(text)
    if not number.is_finite() or abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise ValueError(f"numbers must be finite, with exponents up to {_LARGEST_EXPONENT}")
    return number


def _unique_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("an object in the body has a field twice")
    return fields
