"""A query string as bytes: its pairs, and what a signature in it covers. Knows no operation and no rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

Pairs = tuple[tuple[str, str], ...]


@dataclass(
    slots=True, repr=False
)  # no repr: it would show a signature. Not frozen: that takes twice as long to make
class Query:
    """The raw bytes after ``?``, the decoded (name, value) pairs in wire order, and the first value of each name."""

    raw: bytes
    pairs: Pairs
    first_values: Mapping[str, str]

    @staticmethod
    def parse(raw: bytes) -> Query:
        """Split on ``&`` and the first ``=``, then decode; nothing is dropped, not even an empty piece."""
        text = raw.decode("latin-1")
        coded = "%" in text or "+" in text or not text.isascii()
        pairs: list[tuple[str, str]] = []
        first: dict[str, str] = {}
        for piece in text.split("&") if text else ():
            name, _, value = piece.partition("=")
            if coded:
                name, value = _percent_decode(name), _percent_decode(value)
            pairs.append((name, value))
            first.setdefault(name, value)
        return Query(raw, tuple(pairs), first)

    def split_signature(self, name: str, *, last: bool) -> tuple[bytes, str] | None:
        """The bytes a signature covers, and the signature; None if it is missing, or must be last and is not."""
        for back, (known, value) in enumerate(reversed(self.pairs), 1):
            if known == name:
                pieces = self.raw.rsplit(b"&", back)
                del pieces[-back]
                return b"&".join(pieces), value
            if last:
                break
        return None


def _percent_decode(part: str) -> str:
    """Percent-decoded text. A bare ``+`` is a blank, as in any form: base64 that was not encoded does not survive."""
    return unquote_to_bytes(part.replace("+", " ").encode("latin-1")).decode("utf-8", "replace")
