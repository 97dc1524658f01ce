"""Remove secrets and control characters from text before it is logged or raised."""

from __future__ import annotations

import re
from urllib.parse import unquote

_V4, _HEX = r"\d{1,3}(?:\.\d{1,3}){3}", "[0-9A-Fa-f]"
_IP = re.compile(
    rf"(?<!\d){_V4}(?!\d)|(?:(?<![\w:])|(?<=[g-zG-Z]:))(?:(?:{_HEX}{{0,4}}:){{3,7}}(?:{_V4}|{_HEX}{{0,4}})|{_HEX}{{0,4}}::{_HEX}{{1,4}})(?!\w)"
)
_SIGNATURE = re.compile(r"(signature=)[^&\s]+", re.IGNORECASE)
_LAST_WORD = re.compile(r"[^\s,;()]{0,64}\Z")
MAX_TEXT = 512


def safe_text(text: str, *hidden: str) -> str:
    """Foreign text made fit for a log: one line, bounded, control characters escaped; IP addresses, signatures, `hidden` taken out."""
    for secret in filter(None, (*hidden, *map(unquote, hidden))):
        text = text.replace(secret, "[redacted]")
    if len(text) > 2 * MAX_TEXT:  # a word that is cut could be half an address
        text = _LAST_WORD.sub("", text[: 2 * MAX_TEXT])
    text = _SIGNATURE.sub(r"\1[redacted]", _IP.sub("[address]", text))
    escaped = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    return escaped if len(escaped) <= MAX_TEXT else escaped[:MAX_TEXT] + "…"
