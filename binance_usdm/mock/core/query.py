"""Parse a query string without changing its bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

Pairs = tuple[tuple[str, str], ...]


# Without a repr, which would show a signature. Not frozen: that takes twice as long to make.
@dataclass(slots=True, repr=False)
class Query:
    """Query string of a request.

    `raw` are the bytes after `?`, `pairs` the percent-decoded (name, value) pairs in the order in
    which they were sent, `first_values` the first value of each name.
    """

    raw: bytes
    pairs: Pairs
    first_values: Mapping[str, str]

    @staticmethod
    def parse(raw: bytes) -> Query:
        """Split on `&` and the first `=`, then percent-decode. Keeps empty pieces."""
        text = raw.decode("latin-1")
        is_encoded = "%" in text or "+" in text or not text.isascii()
        pairs: list[tuple[str, str]] = []
        first_values: dict[str, str] = {}
        for piece in text.split("&") if text else ():
            name, _, value = piece.partition("=")
            if is_encoded:
                name, value = _percent_decode(name), _percent_decode(value)
            pairs.append((name, value))
            first_values.setdefault(name, value)
        return Query(raw, tuple(pairs), first_values)

    def split_signature(self, name: str, *, last: bool) -> tuple[bytes, str] | None:
        """Separate a signature from the bytes that it covers.

        Args:
            name: Name of the parameter that holds the signature.
            last: Whether it must be the last parameter.

        Returns:
            Covered bytes and percent-decoded signature. `None` if the signature is missing, or
            must be the last parameter and is not.
        """
        for distance, (known, value) in enumerate(reversed(self.pairs), 1):
            if known == name:
                pieces = self.raw.rsplit(b"&", distance)
                del pieces[-distance]
                return b"&".join(pieces), value
            if last:
                break
        return None


def _percent_decode(part: str) -> str:
    """Percent-decode a name or a value.

    A bare `+` is a space, as in form encoding, so base64 that was not encoded is changed.
    """
    return unquote_to_bytes(part.replace("+", " ").encode("latin-1")).decode("utf-8", "replace")
