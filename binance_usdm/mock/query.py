"""A query string as bytes: its pairs, and what a signature in it covers. Knows no operation and no rule."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Query:
    """The raw bytes after ``?`` and the decoded (name, value) pairs in wire order."""

    raw: bytes
    pairs: Pairs

    @classmethod
    def parse(cls, raw: bytes) -> Query:
        """Split on ``&`` and the first ``=``, then decode; nothing is dropped, not even an empty piece."""
        pieces = (piece.partition(b"=") for piece in raw.split(b"&")) if raw else ()
        return cls(raw, tuple((_text(name), _text(value)) for name, _, value in pieces))

    def value(self, name: str) -> str | None:
        """The first value sent under a name."""
        return next((value for known, value in self.pairs if known == name), None)

    def signed(self, name: str, *, last: bool) -> tuple[bytes, str] | None:
        """The bytes a signature covers, and the signature; None if it is missing, or must be last and is not."""
        places = [place for place, (known, _) in enumerate(self.pairs) if known == name]
        if not places or (last and places[-1] != len(self.pairs) - 1):
            return None
        pieces = self.raw.split(b"&")
        del pieces[places[-1]]
        return b"&".join(pieces), self.pairs[places[-1]][1]


def _text(part: bytes) -> str:
    """Percent-decoded text. A bare ``+`` is a blank, as in any form: base64 that was not encoded does not survive."""
    return unquote_to_bytes(part.replace(b"+", b" ")).decode("utf-8", "replace")
