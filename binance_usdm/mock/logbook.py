"""The request log as others may see it: signatures cut, secrets gone. Knows the log and the keys; judges nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from .exchange import Exchange

_SHOWN: Final = 6
_SECRET: Final = 8
_MEMBERS: Final = ("number", "at_ms", "address", "method", "status", "code", "operation", "fault", "refusal")


def entries(exchange: Exchange, after: int, limit: int) -> list[dict[str, Any]]:
    """The oldest requests with a number above ``after``, so many at most: what came, what had to be signed, how it ended."""
    hide = hider(exchange)
    later = (logged for logged in exchange.requests if logged.number > after)
    return [
        {name: getattr(logged, name) for name in _MEMBERS}
        | {
            "path": hide(logged.path.encode("latin-1")),
            "received": hide(logged.raw_query),
            "signed": None if logged.signed is None else hide(logged.signed),
        }
        for logged in islice(later, limit)
    ]


def hider(exchange: Exchange) -> Callable[[bytes], str]:
    """Bytes as text, one by one, with signatures cut and secrets gone, wherever a confused program put them."""
    names = {"signature", *(each.signature.lower() for each in exchange._contract.operations if each.signature)}
    cut = re.compile(rf"((?:{'|'.join(map(re.escape, names))})(?:=|%3D)[^&]{{{_SHOWN}}})[^&]+", re.IGNORECASE)
    known = [key.secret for key in exchange._state.keys.values() if isinstance(key.secret, str)]

    def hide(raw: bytes) -> str:
        pieces = raw.decode("latin-1").split("&")
        for place, piece in enumerate(pieces):
            name, equals, value = piece.partition("=")
            plain = unquote_to_bytes(name).decode("latin-1")
            if plain.lower() in names:
                pieces[place] = plain + equals + value
        text = "&".join(pieces)
        for secret in known:
            if len(secret) >= _SECRET:  # a shorter one is a word like any other
                text = text.replace(secret, "(secret)")
        return cut.sub(r"\1…", text)

    return hide
