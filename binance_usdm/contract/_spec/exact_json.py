"""JSON values digit for digit, read as RFC 8259 and 7493 say."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any


def decode(body: bytes) -> Any:
    """Return the value of a body. A number that is not an integer of 64 bits is a `Decimal`.

    Raises:
        ValueError: The body is not JSON, whatever Python's decoder would accept.
    """
    value = json.loads(
        body.decode("utf-8"),
        parse_float=Decimal,
        parse_int=_parse_integer,
        parse_constant=_reject_constant,
        object_pairs_hook=reject_duplicates,
    )
    # Half a surrogate pair cannot be encoded.
    json.dumps(value, ensure_ascii=False, default=str).encode("utf-8")
    return value


def canonical(value: Any) -> str:
    """Return a string that only equal values share: 1, 1.0, 1.00, "1.0" and true are five."""
    return json.dumps(
        value, sort_keys=True, default=lambda number: {type(number).__name__: str(number)}
    )


def first_difference(expected: Any, found: Any, path: str = "") -> str:
    """Return where two values differ first, and how; "" if they are equal."""
    if isinstance(expected, dict) and isinstance(found, dict) and {*expected} == {*found}:
        places = [(expected[name], found[name], f"{path}.{name}") for name in expected]
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        pairs = enumerate(zip(expected, found, strict=True))
        places = [(*pair, f"{path}[{index}]") for index, pair in pairs]
    elif canonical(expected) == canonical(found):
        return ""
    else:
        return f" at {path or 'the top'}: {canonical(found)[:200]}, not {canonical(expected)[:200]}"
    return next(filter(None, (first_difference(*place) for place in places)), "")


def _parse_integer(text: str) -> int | Decimal:
    return int(text) if len(text) <= 20 and -(2**63) <= int(text) < 2**64 else Decimal(text)


def _reject_constant(text: str) -> Any:
    raise ValueError(text)


def reject_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object of pairs.

    Raises:
        ValueError: A name comes twice.
    """
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("a field twice")
    return dict(pairs)
