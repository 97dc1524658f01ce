"""A query string as bytes: its pairs, and what a signature in it covers. Knows no operation and no rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, repr=False)  # no repr: it would show a signature
class Query:
    """The raw bytes after ``?``, the decoded (name, value) pairs in wire order, and the first value of each name."""

    raw: bytes
    pairs: Pairs
    first: Mapping[str, str]

    @classmethod
    def parse(cls, raw: bytes) -> Query:
        """Split on ``&`` and the first ``=``, then decode; nothing is dropped, not even an empty piece."""
        parts = [piece.partition("=") for piece in raw.decode("latin-1").split("&")] if raw else []
        if raw.isascii() and b"%" not in raw and b"+" not in raw:
            pairs = [(name, value) for name, _, value in parts]
        else:
            pairs = [(_text(name), _text(value)) for name, _, value in parts]
        return cls(raw, tuple(pairs), dict(reversed(pairs)))

    def value(self, name: str) -> str | None:
        """The first value sent under a name."""
        return self.first.get(name)

    def signed(self, name: str, *, last: bool) -> tuple[bytes, str] | None:
        """The bytes a signature covers, and the signature; None if it is missing, or must be last and is not."""
        places = [place for place, (known, _) in enumerate(self.pairs) if known == name]
        if not places or (last and places[-1] != len(self.pairs) - 1):
            return None
        pieces = self.raw.split(b"&")
        del pieces[places[-1]]
        return b"&".join(pieces), self.pairs[places[-1]][1]


def _text(part: str) -> str:
    """Percent-decoded text. A bare ``+`` is a blank, as in any form: base64 that was not encoded does not survive."""
    return unquote_to_bytes(part.replace("+", " ").encode("latin-1")).decode("utf-8", "replace")
